"""Quick keys on a slow line to a terminal that answers no question: frames that nobody will see do not queue up."""

from __future__ import annotations

import time

import pexpect
import pytest

from tests.terminal.driver import HPATUI, Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.serial, pytest.mark.timeout(120)]

PER_SECOND, STEP = 4096, 0.1  # bytes that the line takes, seconds between reads
MOST = 25_000  # bytes from the first of twelve keys to the last screen


class _Slow:
    """Reads a terminal as a line of `PER_SECOND` would."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def read(self, seconds: float) -> bytes:
        """What comes within `seconds`; nothing is answered."""
        got = b""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                got += self.terminal.child.read_nonblocking(int(PER_SECOND * STEP), timeout=0)
            except pexpect.TIMEOUT:
                pass
            time.sleep(STEP)
        return got


def test_twelve_quick_keys_cost_few_bytes(kubeconfig: str) -> None:
    with Terminal([*HPATUI, "--kubeconfig", kubeconfig]) as terminal:
        terminal.wait_for("ValidMetricFound", 40)
        terminal.pump(1.0)
        line = _Slow(terminal)
        seen = b""
        for key in ("?", "\x1b", "n", "\x1b", "?", "\x1b", "n", "\x1b", "?", "\x1b", "n", "\x1b"):
            terminal.send(key)
            seen += line.read(0.1)
        terminal.send("S")  # a screen with words that no other has: whatever queued up before comes first
        while b"sawtooth" not in seen:
            seen += line.read(0.3)
            assert len(seen) < MOST, f"{len(seen)} bytes, and the last screen is not there yet"
