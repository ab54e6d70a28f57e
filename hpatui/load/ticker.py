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
from math import ceil

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
        self._set = False
        self._gap = self._period = self._first = 0.0
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
            nanoseconds = ceil(gap * 1e9)  # never early: an early wake would find nothing due
            self._period = nanoseconds / 1e9
            self._spec.interval.sec, self._spec.interval.nsec = divmod(nanoseconds, 10**9)
        elif gap:
            wakes = ceil((when - self._first) / self._period - 1e-6)
            rings = self._first + wakes * self._period
            if wakes >= 1 and rings > now and -1e-8 < rings - when < _CLOSE:
                return
        self._set = True
        self._first = max(when, 1e-9)  # 0.0 would disarm it
        self._spec.value.sec, self._spec.value.nsec = divmod(ceil(self._first * 1e9), 10**9)
        self._settime(self._fd, _ABSTIME, self._pointer, None)

    def _ready(self) -> None:
        if self._gap:
            if self._read():
                self._wake()
            return
        self._set = False
        self._wake()
        if not self._set and self._fd >= 0:
            self._read()  # to set the time anew would have cleared it too

    def _read(self) -> bool:
        try:
            return bool(os.read(self._fd, 8))
        except BlockingIOError:
            return False  # it was set anew in between

    def close(self) -> None:
        """Wake no more; idempotent."""
        if self._handle is not None:
            self._handle.cancel()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
