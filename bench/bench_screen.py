"""The screen in a real pty: first frames against an empty Textual app, bytes written, keys answered, CPU."""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import Table
from tests.terminal.driver import HPATUI, Terminal

_EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("ready to go")
Empty().run()
"""
_ROUNDS = 5
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> list[Table]:
    """Run all of it; about four minutes."""
    return [_starts(), _bytes_and_cpu()]


@contextlib.contextmanager
def sandbox(*flags: str) -> Iterator[str]:
    """A sandbox in a process of its own; gives its kubeconfig."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kubeconfig"
        process = subprocess.Popen(
            [*HPATUI, "sandbox", "--kubeconfig-out", str(path), *flags], stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield str(path)
        finally:
            process.terminate()
            process.wait(20)


# Starts -------------------------------------------------------------------------------------------------------


def _starts() -> Table:
    rows: list[tuple[object, ...]] = []
    with (
        sandbox() as small,
        sandbox("--fleet", "1000", "--kube-timings") as thousand,
        sandbox("--fleet", "5000", "--kube-timings") as five,
    ):
        time.sleep(5)
        runs: dict[str, list[float]] = {name: [] for name in ("empty", "first", "1000", "5000")}
        for _ in range(_ROUNDS):
            runs["empty"].append(_until([sys.executable, "-c", _EMPTY], rb"ready to go"))
            runs["first"].append(_until([*HPATUI, "--kubeconfig", small], rb"hpatui"))
            runs["1000"].append(_until([*HPATUI, "--kubeconfig", thousand, "-A"], rb"fleet-0"))
            runs["5000"].append(_until([*HPATUI, "--kubeconfig", five, "-A"], rb"fleet-0"))
    empty = statistics.median(runs["empty"])
    names = {"empty": "an empty Textual app", "first": "first frame", "1000": "1,000 HPAs", "5000": "5,000 HPAs"}
    goals = {"empty": "", "first": "1.3", "1000": "3", "5000": "5"}
    for key, values in runs.items():
        middle = statistics.median(values)
        rows.append((names[key], round(middle, 3), round(middle / empty, 2), goals[key]))
    note = f"median of {_ROUNDS}, interleaved; sandboxes already running"
    return Table("Screen: from process start", ("on the screen", "s", "times empty", "at most"), tuple(rows), note)


def _until(command: list[str], pattern: bytes) -> float:
    began = time.perf_counter()
    with Terminal(command) as terminal:
        while not re.search(pattern, bytes(terminal.raw)):
            terminal.pump(0.005)
            if time.perf_counter() - began > 60:
                raise TimeoutError(f"{command} did not show {pattern!r}:\n{terminal.text}")
        return time.perf_counter() - began


# Bytes --------------------------------------------------------------------------------------------------------


def _bytes_and_cpu() -> Table:
    rows: list[tuple[object, ...]] = []
    with sandbox() as small:
        for flags, goal in (([], "6000"), (["--low-bandwidth"], "1500")):
            name = " ".join(["demo", *flags])
            with Terminal([*HPATUI, "--kubeconfig", small, *flags]) as terminal:
                terminal.wait_for(r"ValidMetricFound", 60)
                terminal.pump(5)
                if not flags:
                    rows.append(("demo at rest, bytes/s", round(_rate(terminal, 20)), ""))
                terminal.send("l")
                cpu, began = cpu_seconds(terminal.pid), time.perf_counter()
                rows.append((f"{name} under load, bytes/s", round(_rate(terminal, 40)), goal))
                share = (cpu_seconds(terminal.pid) - cpu) / (time.perf_counter() - began) * 100
                rows.append((f"{name} under load, CPU % of a core", round(share, 1), "3"))
                terminal.send("l")
                terminal.pump(1)
                rows.append((f"{name}: key to screen, p95 ms", round(_keys(terminal), 1), "50"))
                terminal.send("q")
                terminal.wait_end()
    with (
        sandbox("--fleet", "1000", "--kube-timings") as fleet,
        Terminal([*HPATUI, "--kubeconfig", fleet, "-A"]) as terminal,
    ):
        terminal.wait_for(r"HPAs 1\d\d\d", 60)
        terminal.pump(15)
        cpu, began = cpu_seconds(terminal.pid), time.perf_counter()
        rows.append(("1,000 HPAs: key to screen, p95 ms", round(_keys(terminal), 1), "50"))
        rows.append(("1,000 HPAs, bytes/s", round(_rate(terminal, 30)), ""))
        share = (cpu_seconds(terminal.pid) - cpu) / (time.perf_counter() - began) * 100
        rows.append(("1,000 HPAs, CPU % of a core", round(share, 1), "10"))
    note = "counted through a pty of 120x36; CPU of the program alone"
    return Table("Screen: bytes, keys, CPU", ("what", "measured", "at most"), tuple(rows), note)


def _rate(terminal: Terminal, seconds: float) -> float:
    before = terminal.bytes_out
    terminal.pump(seconds)
    return (terminal.bytes_out - before) / seconds


def _keys(terminal: Terminal, presses: int = 60) -> float:
    """Milliseconds from tab (which moves the bright border to the next pane) to the next bytes."""
    times: list[float] = []
    for _ in range(presses):
        terminal.pump(0.15)
        before, began = terminal.bytes_out, time.perf_counter()
        terminal.send("\t")
        while terminal.bytes_out == before and time.perf_counter() - began < 2:
            terminal.pump(0.002)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times, n=20)[-1]


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
