"""Random keys, texts, bytes, pastes, resizes, signals and faults at the screen in a real terminal: it never dies.

    python -m tests.monkey [--seconds 180] [--runs N] [--seed 1] [--keys 300] [--out monkey]

One run is one scenario of the sandbox, one size and so many steps, all chosen by the seed; the same seed does the same.
A line a run; exit code 1 if any run died, printed a traceback, or did not end within 5 s of q; what was on the screen then
and what was sent stands in the folder `--out`. Load goes to the sandbox on loopback only.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hpatui.sandbox.options import list_scenarios
from tests.terminal.driver import HPATUI, Terminal

KEYS = (
    *"l+-=rSpjk/s!h1234567wDueydt,.ncLCx? G", "\r", "\x1b", "\t", "\x1b[Z", "\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D",
    "\x1b[5~", "\x1b[6~", "\x1b[H", "\x1b[F", "\x0c", "\x10", "\x12", "\x19", "\x7f", "\x1b[3~", "\x03",
)  # fmt: skip
TEXTS = (
    "50", "-1", "1e9", "abc", "0.5", "[bold]", "état", "🙂", "'; --", "a:b", "state:held", "^(", "%", "\\",
    "99999999999999999999", "3x", "1h", "nan", "inf", "٣", "1_0", "👩‍👩‍👧", "e" + "\u0301" * 60,
)  # fmt: skip
BYTES = (
    b"\xe9",
    b"\xff",
    b"\xc3\x28",
    b"\x1b[108;1:2u",
    b"\x1b[<35;10;5M",
    b"\x1b[<0;3;3M\x1b[<0;3;3m",
    b"\x1b[99;99;99t",
    b"\x1b[",
)
SIZES = ((80, 24), (120, 36), (200, 50), (60, 18), (100, 30), (40, 12))
RESIZES = (*SIZES, (30, 8), (10, 4), (150, 60), (1, 1), (20, 5))
FAULTS = (("metrics-down", "--for", "5s"), ("api-slow", "--for", "3s"), ("api-down", "--for", "3s"))
END_WITHIN = 5.0  # seconds from q to the end


class Run:
    """One run; `verdict` is empty where all is well."""

    def __init__(self, seed: int, steps: int) -> None:
        self.rng = random.Random(seed)
        self.scenario = [name for name, _ in list_scenarios()][seed % len(list_scenarios())]
        self.cols, self.rows = self.rng.choice(SIZES)
        self.steps = steps
        self.sent: list[str] = []
        self.verdict = ""
        self.screen = ""
        self.home = Path(tempfile.mkdtemp(prefix="monkey-"))

    def go(self) -> None:
        """Do it."""
        command = [*HPATUI, "demo", "--scenario", self.scenario, "--speed", "3"]
        env = {
            "HOME": str(self.home), "XDG_STATE_HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home),
            "TMPDIR": str(self.home), "PYTHONPATH": str(Path.cwd()),
        }  # fmt: skip
        here = Path.cwd()
        os.chdir(self.home)  # what x saves
        try:
            with Terminal(command, rows=self.rows, cols=self.cols, env=env) as terminal:
                self._play(terminal)
                self.screen = terminal.text
        finally:
            os.chdir(here)

    def _play(self, terminal: Terminal) -> None:
        terminal.pump(4)
        for _ in range(self.steps):
            self._step(terminal)
            terminal.pump(self.rng.choice((0.01, 0.02, 0.05, 0.1)))
            if not terminal.child.isalive():
                code = terminal.wait_end(1)
                self.verdict = f"DIED with {code}: {_error(terminal)}"
                return
        self._end(terminal)

    def _step(self, terminal: Terminal) -> None:
        kinds: tuple[tuple[float, Callable[[Terminal], None]], ...] = (
            (0.06, self._text), (0.03, self._resize), (0.02, self._bytes), (0.02, self._paste), (0.01, self._signal),
            (0.01, self._fault), (0.85, self._key),
        )  # fmt: skip
        weights = [weight for weight, _ in kinds]
        self.rng.choices([kind for _, kind in kinds], weights)[0](terminal)

    def _key(self, terminal: Terminal) -> None:
        self._send(terminal, self.rng.choice(KEYS).encode(), "key")

    def _text(self, terminal: Terminal) -> None:
        self._send(terminal, self.rng.choice(TEXTS).encode(), "text")

    def _bytes(self, terminal: Terminal) -> None:
        noise = self.rng.choice((*BYTES, bytes(self.rng.choice(range(0x80, 0x100)) for _ in range(40))))
        self._send(terminal, noise, "bytes")

    def _paste(self, terminal: Terminal) -> None:
        self._send(terminal, b"\x1b[200~" + self.rng.choice(TEXTS).encode() * 3 + b"\x1b[201~", "paste")

    def _send(self, terminal: Terminal, data: bytes, kind: str) -> None:
        self.sent.append(f"{kind} {data!r}")
        terminal.child.send(data)

    def _resize(self, terminal: Terminal) -> None:
        cols, rows = self.rng.choice(RESIZES)
        self.sent.append(f"resize {cols}x{rows}")
        terminal.resize(rows, cols)

    def _signal(self, terminal: Terminal) -> None:
        number = self.rng.choice((signal.SIGCONT, signal.SIGWINCH, signal.SIGTSTP))
        self.sent.append(number.name)
        os.kill(terminal.pid, number)
        if number is signal.SIGTSTP:
            terminal.pump(0.2)
            os.kill(terminal.pid, signal.SIGCONT)

    def _fault(self, terminal: Terminal) -> None:
        """Break something in the demo's sandbox, as `hpatui sandbox fault` does."""
        mine = list(self.home.rglob("kubeconfig"))
        fault = self.rng.choice(FAULTS)
        self.sent.append(f"fault {fault[0]}")
        if mine:
            command = [*HPATUI, "sandbox", "fault", "--kubeconfig", str(mine[0]), *fault]
            subprocess.run(command, capture_output=True, timeout=20, check=False)

    def _end(self, terminal: Terminal) -> None:
        for key in "\x1b\x1b\x1b\x1b":
            terminal.send(key)
            terminal.pump(0.3)
        terminal.send("q")
        started = time.monotonic()
        while terminal.child.isalive() and time.monotonic() - started < END_WITHIN:
            terminal.pump(0.1)
        if terminal.child.isalive():
            self.verdict = "DOES NOT END"
            return
        code = terminal.wait_end(2)
        if code != 0:
            self.verdict = f"ENDED with {code}: {_error(terminal)}"
        elif "Traceback" in terminal.text:
            self.verdict = "TRACEBACK"
        elif (log := list(self.home.rglob("hpatui.log"))) and log[0].read_text().strip():
            self.verdict = "FAILURES in the log: " + log[0].read_text()[-400:].replace("\n", " | ")


def _error(terminal: Terminal) -> str:
    lines = [line for line in terminal.text.splitlines() if re.search(r"hpatui: |Error|Exception", line)]
    return lines[-1].strip() if lines else ""


def main() -> int:
    """Run until the time or the number of runs is over."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.monkey", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--out", type=Path, default=Path("monkey"))
    args = parser.parse_args()
    end, bad = time.monotonic() + args.seconds, 0
    for seed in range(args.seed, args.seed + args.runs):
        if time.monotonic() > end:
            break
        run = Run(seed, args.keys)
        run.go()
        print(
            f"seed {seed} {run.scenario} {run.cols}x{run.rows}, {len(run.sent)} steps: {run.verdict or 'ok'}",
            flush=True,
        )
        if run.verdict:
            bad += 1
            args.out.mkdir(exist_ok=True)
            (args.out / f"{seed}.txt").write_text(f"{run.verdict}\n{run.screen}\n" + "\n".join(run.sent))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
