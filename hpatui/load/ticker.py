"""Wakes the engine at a time, to some ten microseconds where the system can.

The event loop's own timers count in milliseconds, so that at 3,000/s each wake would send three requests at once. Linux has
timers that are files (timerfd_create(2)); elsewhere the loop's timers serve.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable

_CLOCK_MONOTONIC = 1  # what time.monotonic() reads
_NONBLOCK = 0o4000
_CLOEXEC = 0o2000000
_ABSTIME = 1
_CLOSE = 5e-5  # seconds that a wake may be off before the timer is set anew


class _Timespec(ctypes.Structure):
    _fields_ = (("sec", ctypes.c_long), ("nsec", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class Ticker:
    """Calls `wake` once for each `at`; a later `at` replaces the one before. Times are those of time.monotonic()."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """To be made inside of the running loop."""
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._spec = _Itimerspec()
        self._pointer = ctypes.byref(self._spec)
        self._gap = self._first = 0.0
        self._fd = self._open()

    def _open(self) -> int:
        if not sys.platform.startswith("linux"):
            return -1
        try:
            library = ctypes.CDLL(None)
            fd = int(library.timerfd_create(_CLOCK_MONOTONIC, _NONBLOCK | _CLOEXEC))
            self._settime = library.timerfd_settime
        except (OSError, AttributeError):
            return -1
        if fd >= 0:
            self._loop.add_reader(fd, self._ready)
        return fd

    def at(self, when: float, now: float, gap: float = 0.0) -> None:
        """Wake at `when`; it is `now`. `gap`: and then every so many seconds, which costs less than to say so each time."""
        if self._fd < 0:
            if self._handle is not None:
                self._handle.cancel()
            self._handle = self._loop.call_later(max(0.0, when - now), self._wake)
            return
        if gap != self._gap:
            self._gap = gap
            self._spec.interval.sec = int(gap)
            self._spec.interval.nsec = int(gap % 1.0 * 1e9)
        elif gap:
            off = (when - self._first) / gap
            if abs(off - round(off)) * gap < _CLOSE:
                return
        self._first = at = max(when, 1e-9)
        value = self._spec.value
        value.sec = int(at)
        value.nsec = int(at % 1.0 * 1e9)
        self._settime(self._fd, _ABSTIME, self._pointer, None)

    def _ready(self) -> None:
        if self._gap:
            try:
                os.read(self._fd, 8)
            except BlockingIOError:
                return  # it was set anew in between
        self._wake()  # sets the time anew, which clears what could be read

    def close(self) -> None:
        """Wake no more; idempotent."""
        if self._handle is not None:
            self._handle.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
