"""A real terminal for tests: a pty with the program in it, and pyte as the eyes that read its screen."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import pexpect
import pyte

HPATUI = (sys.executable, "-m", "hpatui")


class Terminal:
    """Runs a command in a pty of `rows` x `cols` and keeps what its screen shows.

    `bytes_out` counts what the program wrote. Use as a context manager: at the end the program is killed if it lives.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        rows: int = 36,
        cols: int = 120,
        term: str = "xterm-256color",
        env: Mapping[str, str] | None = None,
    ) -> None:
        environ = {**os.environ, "TERM": term, "COLORTERM": "", "LC_ALL": "C.UTF-8", **(env or {})}
        environ.pop("NO_COLOR", None) if env is None or "NO_COLOR" not in env else None
        self._screen = pyte.Screen(cols, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.bytes_out = 0
        self.raw = bytearray()
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            command[0], list(command[1:]), dimensions=(rows, cols), env=environ, timeout=5, encoding=None
        )
        self.child.delaybeforesend = None  # pexpect waits 50 ms before each key otherwise

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.child.isalive():
            self.child.kill(signal.SIGKILL)
        self.child.close(force=True)

    @property
    def pid(self) -> int:
        """The program's process."""
        assert self.child.pid is not None
        return self.child.pid

    def pump(self, seconds: float) -> None:
        """Read what the program writes for at most `seconds`."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                data = self.child.read_nonblocking(65536, timeout=min(left, 0.1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                return
            self.bytes_out += len(data)
            self.raw += data
            self._stream.feed(_without_modern_modes(data))

    @property
    def text(self) -> str:
        """The screen as lines of text, right-hand blanks removed."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def wait_for(self, pattern: str, timeout: float = 20) -> re.Match[str]:
        """Read until the screen matches `pattern` (a regular expression, multi-line); fails with the screen's text."""
        end = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.text, re.MULTILINE)
            if match:
                return match
            if time.monotonic() > end or not (self.child.isalive() or self._more()):
                raise AssertionError(f"no {pattern!r} within {timeout} s on this screen:\n{self.text}")
            self.pump(0.2)

    def _more(self) -> bool:
        before = self.bytes_out
        self.pump(0.3)
        return self.bytes_out > before

    def send(self, keys: str) -> None:
        """Type `keys`."""
        self.child.send(keys.encode())

    def resize(self, rows: int, cols: int) -> None:
        """Make the terminal another size."""
        self._screen.resize(rows, cols)
        self.child.setwinsize(rows, cols)

    def wait_end(self, timeout: float = 15) -> int:
        """Wait for the program to end; returns its exit code (negative: the signal that ended it)."""
        end = time.monotonic() + timeout
        while self.child.isalive():
            if time.monotonic() > end:
                raise AssertionError(f"still running after {timeout} s:\n{self.text}")
            self.pump(0.1)
        self.pump(0.2)
        self.child.close()
        if self.child.signalstatus is not None:
            return -int(self.child.signalstatus)
        assert self.child.exitstatus is not None
        return int(self.child.exitstatus)


def _without_modern_modes(data: bytes) -> bytes:
    """Drop what pyte does not know and would show as text: the kitty keyboard protocol's `CSI > 1 u` and kin."""
    return re.sub(rb"\x1b\[[><=?][0-9;]*[uqct]", b"", data)


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, read from /proc."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        parents.setdefault(parent, []).append(int(entry.name))
    found: list[int] = []
    queue = [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
