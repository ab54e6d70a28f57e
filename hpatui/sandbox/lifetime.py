"""How a child process makes sure that it does not outlive its parent."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Ask Linux for that signal when the parent ends, however it ends. Elsewhere, a pipe's end must tell instead."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    except (OSError, AttributeError):
        return  # a C library without prctl: the pipe still tells
    if os.getppid() != parent:
        os.kill(os.getpid(), number)  # it ended before we asked


class _Pipe(asyncio.Protocol):
    def __init__(self, ended: Callable[[], None]) -> None:
        self._ended = ended

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended()


async def watch_pipe(ended: Callable[[], None]) -> None:
    """Call `ended` when standard input, a pipe that the parent holds, closes."""
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: _Pipe(ended), sys.stdin)
