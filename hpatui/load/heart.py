"""The heartbeat of a run: a thread tells each worker that this program runs, whatever keeps its event loop busy.

Each worker has a pipe of its own for it. A program that is stopped (ctrl-z, SIGSTOP) or frozen beats no more, and its
workers end the load; one that dies closes the pipe.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time

BEAT = 0.25  # seconds between beats
SILENCE = 1.7  # seconds without one after which a worker ends the load


class _Heart:
    """One thread for all workers; it runs while there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipes: set[int] = set()
        self._thread: threading.Thread | None = None

    def add(self, pipe: int) -> None:
        """Beat into this file descriptor from now on; it must not block."""
        with self._lock:
            self._pipes.add(pipe)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="load-heartbeat", daemon=True)
                self._thread.start()

    def remove(self, pipe: int) -> None:
        """No more, and close it."""
        with self._lock:
            self._pipes.discard(pipe)
            os.close(pipe)

    def _beat(self) -> None:
        while True:
            with self._lock:
                if not self._pipes:
                    self._thread = None
                    return
                for pipe in self._pipes:
                    with contextlib.suppress(OSError):  # full: the worker does not read; gone: it has ended
                        os.write(pipe, b".")
            time.sleep(BEAT)


HEART = _Heart()


def open_pipe() -> tuple[int, int]:
    """(the worker's end, ours) of a pipe for beats; only the worker's is for it to keep."""
    theirs, ours = os.pipe()
    os.set_blocking(ours, False)
    return theirs, ours
