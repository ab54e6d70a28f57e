"""Memory of the screen: each dialog opened and closed a thousand times, and eight hours of churn with the clock stepped."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from bench import Table
from bench.bench_screen import sandbox
from hpatui.model import (
    Key,
    Kind,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.state.store import Store
from tests.factories import NOW, hpa, metric, pod, usage, workload
from tests.terminal.driver import HPATUI, Terminal

TIMES = 1000
ESCAPE = "\x1b[27u"  # the escape key as no other key begins: what follows at once is not taken for alt
DIALOGS = (
    ("?", "Start or stop"),
    ("n", "Namespace"),
    ("w", "would be"),
    ("S", "Shape of"),
    ("y", "kind:"),
    ("d", "Name:"),
)
HPAS, HOURS, STEP, PODS = 206, 8, 15.0, 20


def main() -> list[Table]:
    """Run both; about eight minutes."""
    return [dialogs(TIMES), _churn()]


# Dialogs ------------------------------------------------------------------------------------------------------


def dialogs(times: int, keys: tuple[tuple[str, str], ...] = DIALOGS) -> Table:
    """Open and close each `times` times, in a screen of its own; what it costs."""
    rows: list[tuple[object, ...]] = []
    with sandbox() as small:
        for key, words in keys:
            before, after = growth(small, key, words, times)
            rows.append((f"{key}, {times} times", round(before, 1), round(after, 1), round(after - before, 1), 10))
    columns = ("opened and closed", "MB before", "MB after", "growth", "at most")
    return Table("Memory: dialogs", columns, tuple(rows), "resident memory of the program in a pty of 120x36")


def growth(kubeconfig: str, key: str, words: str, times: int) -> tuple[float, float]:
    """Megabytes that the program has before and after; `words` are in the dialog, so that it is known to open."""
    with Terminal([*HPATUI, "--kubeconfig", kubeconfig]) as terminal:
        terminal.wait_for("ValidMetricFound", 60)
        terminal.wait_for("syncs", 60)  # what if needs one
        for _ in range(10):  # modules, fonts of text, caches that are filled once
            terminal.send(key)
            terminal.wait_for(words, 20)
            terminal.send(ESCAPE)
            terminal.pump(0.2)
        terminal.pump(3)
        before = resident(terminal.pid)
        for _ in range(times):
            terminal.send(key)
            terminal.pump(0.03)
            terminal.send(ESCAPE)
            terminal.pump(0.03)
            terminal.raw.clear()
        terminal.pump(1)
        terminal.send(key)
        terminal.wait_for(words, 20)
        terminal.send(ESCAPE)
        terminal.pump(3)
        return before, resident(terminal.pid)


def resident(pid: int) -> float:
    """Megabytes of memory that a process has in use."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
    return int(found.group(1)) / 1024 if found is not None else 0.0


# Churn --------------------------------------------------------------------------------------------------------


def _churn() -> Table:
    """In a process of its own, so that what else was measured does not count."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.bench_memory"], capture_output=True, text=True, check=True, timeout=1800
    )
    rows = tuple(tuple(float(cell) for cell in line.split()) for line in done.stdout.splitlines())
    note = (
        f"{HPAS} HPAs, each of which changes every {STEP:g} s, and {PODS} pods of one that come and go; clock stepped"
    )
    return Table("Memory: churn", ("hours", "MB", "against the first hour", "at most"), rows, note)


def churn() -> None:
    """Print hour, megabytes, ratio to the first hour, and what is allowed, one hour a line."""
    names = [f"fleet-{number}" for number in range(HPAS)]
    store = Store(context="", namespace=None, now=NOW)
    store.take(Seen(NOW, Listed(Kind.HPA, tuple(hpa(name, "shop", uid=name) for name in names))))
    store.take(Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW))))
    focused = Key("shop", names[0])
    store.focus(focused, NOW)
    scope, now, first, step = str(focused), NOW, 0.0, 0
    began = time.perf_counter()
    store.take(Seen(now, Listed(Kind.WORKLOAD, (workload(),), scope)))
    while now < NOW + HOURS * 3600:
        step += 1
        now += STEP
        for name in names:
            new = hpa(name, "shop", uid=name, metrics=[metric(30 + (step * 7) % 50)])
            store.take(Seen(now, Upserted(Kind.HPA, replace(new, resource_version=str(step)))))
        alive = [f"web-{step // 4 + number}" for number in range(PODS)]
        store.take(Seen(now, Listed(Kind.POD, tuple(pod(name) for name in alive), scope)))
        store.take(Seen(now, Listed(Kind.POD_USAGE, tuple(usage(name, at=now) for name in alive), scope)))
        store.take(Seen(now, Tick()))
        store.published(store.snapshot(now))
        if step % (3600 / STEP) == 0:
            own = resident_of_self()
            first = first or own
            print(round(step * STEP / 3600), round(own, 1), round(own / first, 3), 1.2, flush=True)
    print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)


def resident_of_self() -> float:
    """Megabytes of memory that this process has in use."""
    import gc
    import os

    gc.collect()
    return resident(os.getpid())


if __name__ == "__main__":
    churn()
