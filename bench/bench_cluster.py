"""The cluster source against kubectl on the same server: all rows in the store, `watch --once`, memory and CPU."""

from __future__ import annotations

import asyncio
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import Table
from bench.bench_screen import cpu_seconds, sandbox
from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.cluster.source import ClusterSource
from hpatui.model import (
    Kind,
    Listed,
)
from hpatui.settings import Settings
from hpatui.state.store import Store
from tests.terminal.driver import HPATUI, Terminal

_ROUNDS = 5


def main() -> list[Table]:
    """Run all of it; about three minutes. kubectl's columns stay empty where it is not installed."""
    rows: list[tuple[object, ...]] = []
    load: list[tuple[object, ...]] = []
    observed: list[tuple[object, ...]] = []
    for count in (1000, 5000):
        with sandbox("--fleet", str(count), "--kube-timings") as kubeconfig:
            time.sleep(count / 250)
            rows.append((count, *_compare(kubeconfig)))
            load.append((count, *_screen(kubeconfig, count)))
            observed += [(count, level, *_observed(kubeconfig, level)) for level in ("focus", "all")]
    note = f"medians of {_ROUNDS} interleaved rounds; kubectl is `kubectl get hpa -A` against the same server"
    columns = ("HPAs", "kubectl s", "rows in store s", "times", "watch --once --json s", "times (<= 3)")
    more = "the screen at 120x36 for 60 s, every HPA's status written every 15 s"
    return [
        Table("Cluster source", columns, tuple(rows), note),
        Table("Cluster source: the whole program", ("HPAs", "CPU % of a core", "MB resident"), tuple(load), more),
        Table(
            "Every HPA observed",
            ("HPAs", "--observe", "CPU % of a core", "MB resident"),
            tuple(observed),
            "watch --json --changes for 60 s after the first 20 s; `focus` is what was done before",
        ),
    ]


def _compare(kubeconfig: str) -> tuple[object, ...]:
    kubectl, rows, once = [], [], []
    for _ in range(_ROUNDS):
        if shutil.which("kubectl"):
            kubectl.append(_timed(["kubectl", "--kubeconfig", kubeconfig, "get", "hpa", "-A"]))
        rows.append(asyncio.run(_rows(kubeconfig)))
        once.append(_timed([*HPATUI, "watch", "--once", "--json", "-A", "--kubeconfig", kubeconfig]))
    peer = statistics.median(kubectl) if kubectl else float("nan")
    store, whole = statistics.median(rows), statistics.median(once)
    return round(peer, 3), round(store, 3), round(store / peer, 2), round(whole, 3), round(whole / peer, 2)


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    return time.perf_counter() - began


async def _rows(kubeconfig: str) -> float:
    """Seconds from the first request to all rows in the store."""
    began = time.perf_counter()
    connection = await connect(Settings(kubeconfig=kubeconfig), SystemClock())
    source = ClusterSource(connection, SystemClock(), None)
    store = Store(now=time.time())
    try:
        async for seen in source.events():
            store.take(seen)
            if isinstance(seen.what, Listed) and seen.what.kind is Kind.HPA:
                store.snapshot(time.time())
                return time.perf_counter() - began
    finally:
        await source.close()
        await connection.close()
    raise AssertionError("the source ended")


def _observed(kubeconfig: str, level: str) -> tuple[object, ...]:
    command = [*HPATUI, "watch", "--json", "--changes", "-A", "--observe", level, "--kubeconfig", kubeconfig]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            time.sleep(20)
            cpu, began = cpu_seconds(process.pid), time.perf_counter()
            time.sleep(60)
            share = (cpu_seconds(process.pid) - cpu) / (time.perf_counter() - began) * 100
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
        finally:
            process.terminate()
    resident = re.search(r"VmRSS:\s+(\d+)", status)
    assert resident is not None
    return round(share, 1), round(int(resident[1]) / 1024)


def _screen(kubeconfig: str, count: int) -> tuple[object, ...]:
    with Terminal([*HPATUI, "--kubeconfig", kubeconfig, "-A"]) as terminal:
        terminal.wait_for(rf"HPAs {count // 1000}\d\d\d", 60)
        terminal.pump(10)
        cpu, began = cpu_seconds(terminal.pid), time.perf_counter()
        terminal.pump(60)
        share = (cpu_seconds(terminal.pid) - cpu) / (time.perf_counter() - began) * 100
        status = Path(f"/proc/{terminal.pid}/status").read_text(encoding="utf-8")
        resident = re.search(r"VmRSS:\s+(\d+)", status)
    assert resident is not None
    return round(share, 1), round(int(resident[1]) / 1024)
