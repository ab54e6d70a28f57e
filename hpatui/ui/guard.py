"""The guard around everything the screen runs: what fails is logged and told in one line, and the rest goes on.

Handlers, renders, timers, workers, tasks and callbacks of the loop all end up in `GuardedApp.survive`. The screen in which
it happened closes; three failures within ten seconds end the program in order: load stopped, terminal restored, one line,
exit code 2. No traceback and no object of a cluster is printed; the log has the traceback, without local variables.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time
from collections import deque
from typing import Any

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.screen import Screen
from textual.timer import Timer
from textual.worker import WorkerFailed

from hpatui import logs
from hpatui.errors import HpatuiError
from hpatui.text import printable
from hpatui.ui import textual_private

LIMIT, WITHIN = 3, 10.0  # so many failures within so many seconds are too many
TIDY, TIDY_ALL = 0.5, 60.0  # seconds after a screen closed; between collections that look at everything
MOST_CLOSED = 3  # screens after which everything is looked at all the same: one that was open meanwhile is old by now
EXIT_FAILED, EXIT_INTERRUPTED = 2, 130


class TooMany:
    """Counts failures; times are monotonic seconds."""

    def __init__(self, limit: int = LIMIT, within: float = WITHIN) -> None:
        self._times: deque[float] = deque(maxlen=limit)
        self._within = within

    def failed(self, now: float) -> bool:
        """One more failure; returns whether that is too many."""
        self._times.append(now)
        return len(self._times) == self._times.maxlen and now - self._times[0] <= self._within


class GuardedApp(App[None]):
    """An app that failures do not end. `farewell` is the line to print after the end, `ended` the exit code."""

    farewell: str = ""
    ended: int | None = None
    started: bool = False  # from here on there is something that may go on

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.failures: list[str] = []
        self._too_many = TooMany()
        self._closing_screens: set[int] = set()
        self._tidying: Timer | None = None
        self._tidied = time.monotonic()
        self._left_behind = 0  # screens, since everything was looked at
        textual_private.guard_pumps(_failed)

    # What fails -----------------------------------------------------------------------------------------------

    def survive(self, error: BaseException, where: object = None, *, counts: bool = True) -> None:
        """Log a failure, say so in one line, close the screen in which it happened; too many end the program."""
        if isinstance(error, WorkerFailed):
            error = error.error
        screen = _screen_of(where)
        if screen is not None and id(screen) in self._closing_screens:
            return  # the rest of one that is known already
        line = logs.failure(_name(where, screen), error)
        self.failures.append(line)
        del self.failures[:-20]
        if self.ended is not None:
            return
        if not self.started or (counts and self._too_many.failed(time.monotonic())):
            self.leave(EXIT_FAILED, f"{line}; too much went wrong to go on" if self.started else line)
            return
        with contextlib.suppress(Exception):
            self._close(screen)
        with contextlib.suppress(Exception):
            self.notify(line, title="Something went wrong here; the rest goes on", severity="error", markup=False)

    def _close(self, screen: Screen[Any] | None) -> None:
        """Close a screen over the first one, and those over it."""
        stack = self.screen_stack
        if screen is None or screen not in stack[1:]:
            return
        for above in reversed(stack[stack.index(screen) :]):
            self._closing_screens.add(id(above))
            self.pop_screen()
        self.set_timer(2.0, self._all_closed)

    def _all_closed(self) -> None:
        self._closing_screens.clear()

    def _handle_exception(self, error: Exception) -> None:
        """Textual: an exception that nobody caught."""
        self.survive(error, textual_private.failed_pump())

    def panic(self, *renderables: Any) -> None:
        """Textual: the end, with something to print. Here only the line is."""
        self.survive(RuntimeError("the screen library gave up"), textual_private.failed_pump())

    def _fatal_error(self) -> None:
        """Textual: the end with a traceback, which nobody wants to see."""
        self.panic()

    def loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """asyncio: an exception in a callback or in a task that nobody awaits."""
        error = context.get("exception")
        if isinstance(error, HpatuiError):
            self.notify(printable(error.hint) or " ", title=printable(error.message), severity="error", markup=False)
        elif error is not None:
            self.survive(error, "in the background", counts="handle" in context)
        else:
            logs.write("event loop", str(context.get("message", "")))

    # Memory ---------------------------------------------------------------------------------------------------

    def pop_screen(self) -> AwaitComplete:
        """Textual: close the screen on top. What it leaves behind, cycles of widgets, is collected soon after."""
        done = super().pop_screen()
        self._left_behind += 1
        if self._tidying is None and self.ended is None:
            self._tidying = self.set_timer(TIDY, self._tidy)
        return done

    def _tidy(self) -> None:
        """The raised thresholds (cli.py) would keep closed screens for hours; to look at all objects is for long pauses."""
        self._tidying = None
        now = time.monotonic()
        whole = now - self._tidied > TIDY_ALL or self._left_behind >= MOST_CLOSED
        if whole:
            self._tidied, self._left_behind = now, 0
        textual_private.forget_closed()
        gc.collect(2 if whole else 1)

    # The end --------------------------------------------------------------------------------------------------

    def leave(self, code: int, line: str = "") -> None:
        """End in order with this exit code; the first reason stands."""
        if self.ended is None:
            self.ended, self.farewell = code, line
        self.exit(return_code=self.ended)

    def terminal_gone(self) -> None:
        """There is nobody left to show anything to."""
        self.leave(EXIT_INTERRUPTED)

    def finish(self) -> int:
        """After the app has run: print the line, return the exit code. An end that nobody ordered is a failure."""
        code = self.ended
        if code is None and self.return_code is None:
            code = EXIT_FAILED
            self.farewell = self.failures[-1] if self.failures else "the screen ended by itself"
        if self.farewell:
            say(self.farewell)
        return self.return_code or 0 if code is None else code


def say(line: str) -> None:
    """One line on standard error, without waiting for a terminal that takes nothing."""
    text = f"hpatui: {printable(line, 2000)}\n".encode("utf-8", "replace")
    with contextlib.suppress(OSError, ValueError, AttributeError):
        fd = sys.__stderr__.fileno()  # type: ignore[union-attr]
        worker = threading.Thread(target=_write, args=(fd, text), daemon=True)
        worker.start()
        worker.join(1.0)


def _write(fd: int, text: bytes) -> None:
    with contextlib.suppress(OSError):
        os.write(fd, text)


def thread_failed(arguments: Any) -> None:
    """threading: an exception that a thread did not catch."""
    if arguments.exc_value is not None:
        logs.failure(f"thread {arguments.thread.name if arguments.thread else '?'}", arguments.exc_value)


def _failed(app: App[Any], error: BaseException, where: object) -> bool:
    """For `guard_pumps`: whether the failure was dealt with."""
    if not isinstance(app, GuardedApp):
        return False
    app.survive(error, where)
    return True


def _screen_of(where: object) -> Screen[Any] | None:
    if isinstance(where, Screen):
        return where
    try:
        screen = getattr(where, "screen", None) if not isinstance(where, App) else None
    except Exception:  # noqa: BLE001  a widget that is not on any screen any more
        return None
    return screen if isinstance(screen, Screen) else None


def _name(where: object, screen: Screen[Any] | None) -> str:
    if isinstance(where, str):
        return where
    here = type(screen).__name__ if screen is not None else type(where).__name__ if where is not None else "screen"
    inner = type(where).__name__
    return here if inner == here or where is None else f"{here}, {inner}"
