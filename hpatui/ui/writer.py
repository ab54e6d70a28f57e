"""Bytes to the terminal from a thread of its own, so that a terminal that nobody reads never holds up the program.

The terminal is opened anew where it can be: then it does not block, and the user's shell keeps its own settings.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable

CHUNK = 4096
PATIENCE = 1.0  # seconds that the last bytes may take at the end
LEAST_TIME = 0.3  # seconds of a full queue that tell a rate
MOST_WAITING = 4_000_000  # bytes; what goes beyond is dropped, for nobody reads them


def open_terminal(fd: int) -> int:
    """A descriptor of its own, non-blocking, for the terminal behind `fd`; a copy of `fd` where it cannot be opened."""
    try:
        return os.open(os.ttyname(fd), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return os.dup(fd)


class TerminalWriter:
    """`gone` is called once, from the thread, when the terminal cannot be written to any more."""

    def __init__(self, fd: int, gone: Callable[[], None]) -> None:
        self._fd = open_terminal(fd)
        self._gone = gone
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._ready = threading.Condition()
        self._ending = False
        self._lost = False
        self._abandoned = False
        self.rate: float | None = None  # bytes per second, from the last time that the terminal's queue was full
        self._thread = threading.Thread(target=self._run, daemon=True, name="terminal-output")
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue text; returns at once."""
        data = text.encode("utf-8", "replace")
        with self._ready:
            if self._lost or self._ending or self._size + len(data) > MOST_WAITING:
                return
            self._waiting.append(data)
            self._size += len(data)
            self._ready.notify()

    def waiting(self) -> int:
        """Bytes that have not left: in our queue, and in the kernel's where it tells."""
        return 0 if self._lost else self._size + unsent(self._fd)

    def stop(self, patience: float = PATIENCE) -> None:
        """Let the rest go out, but do not wait longer than `patience` seconds for a terminal that takes nothing."""
        with self._ready:
            self._ending = True
            self._ready.notify()
        self._thread.join(patience)
        self._abandoned = True

    def _run(self) -> None:
        try:
            while True:
                with self._ready:
                    while not self._waiting and not self._ending:
                        self._ready.wait()
                    if not self._waiting:
                        return
                    data = self._waiting[0]
                self._send(data)
                with self._ready:
                    self._waiting.popleft()
                    self._size -= len(data)
        except (OSError, ValueError):
            with self._ready:
                self._lost = True
                self._waiting.clear()
                self._size = 0
            self._gone()
        finally:
            with contextlib.suppress(OSError):
                os.close(self._fd)

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        full_since, taken = 0.0, 0
        while view and not self._abandoned:
            if not select.select([], [self._fd], [], 0.0)[1]:
                full_since = full_since or time.monotonic()
                select.select([], [self._fd], [], 0.5)
            try:
                count = os.write(self._fd, view[:CHUNK])
                view = view[count:]
                if full_since:
                    taken += count
                    spent = time.monotonic() - full_since
                    if spent > LEAST_TIME:  # the queue was full: what it takes now is what the line takes
                        self.rate = taken / spent
            except (BlockingIOError, InterruptedError):
                self._ready.acquire()
                self._ready.wait(0.01)
                self._ready.release()


def unsent(fd: int) -> int:
    """Bytes that the terminal's own queue still holds; 0 where the kernel does not tell."""
    try:
        return max(0, int(struct.unpack("i", fcntl.ioctl(fd, termios.TIOCOUTQ, b"\0" * 4))[0]))
    except (OSError, AttributeError):
        return 0
