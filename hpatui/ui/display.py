"""The way from Textual's repaints to the terminal: only cells that differ are written, and no faster than the line takes."""

from __future__ import annotations

import time
from typing import Any

from rich.console import RenderableType
from textual import events, messages
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.screen import Screen
from textual.timer import Timer

from hpatui.ui.frame import Frame
from hpatui.ui.pace import Pace

_QUESTION = "\x1b[?2026$p"  # "is synchronized output known to you?": Textual reads the answer
RETRY = 0.03  # seconds between looks at a line that is busy


class DisplayApp(App[None]):
    """An app whose output is compared with what the terminal already shows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._frame = Frame()
        self._pace = Pace()
        self._later: Timer | None = None
        self._cursor: tuple[int, int] | None = None

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's last step for every repaint."""
        driver = self._driver
        if (
            not isinstance(renderable, ChopsUpdate | LayoutUpdate)
            or not self._running
            or self._closed
            or self._batch_count
            or self.is_headless
            or driver is None
            or driver.is_inline
        ):
            super()._display(screen, renderable)
            return
        try:
            self._take(renderable)
            self._send()
        finally:
            self.post_display_hook()

    def _take(self, update: ChopsUpdate | LayoutUpdate) -> None:
        frame = self._frame
        width, height = self.size
        if (frame.width, frame.height) != (width, height):
            self._frame = frame = Frame(width, height, self.console._color_system or frame.colours)
        if isinstance(update, LayoutUpdate):
            for y, strips in enumerate(update.strips, update.region.y):
                segments = [segment for strip in strips for segment in strip]
                frame.put(update.region.x, y, segments)
            return
        for y, start, end in update.spans:
            for right, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is not None and x < end and right > start:
                    frame.put(x, y, strip, right)

    def _send(self) -> None:
        """Send what differs, or look again soon if the line is busy."""
        if self._later is not None or not self._frame.pending:
            return
        if not self._pace.may_send(time.monotonic(), self._queued()):
            self._later = self.set_timer(RETRY, self._look_again)
            return
        data = self._frame.encode()
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if not data and self._cursor == cursor:
            return
        self._cursor = (cursor.x, cursor.y)
        driver = self._driver
        if driver is None:
            return
        data += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
        if self._sync_available:
            data = f"\x1b[?2026h{data}\x1b[?2026l"
        if self._pace.sent(len(data.encode()), time.monotonic()):
            data += _QUESTION
        driver.write(data)
        driver.flush()

    def _look_again(self) -> None:
        self._later = None
        if self._driver is not None and not self._closed:
            was_slow = self._pace.slow
            self._send()
            if self._pace.slow and not was_slow:
                self.line_is_slow()

    def _queued(self) -> int:
        thread = getattr(self._driver, "_writer_thread", None)
        return 0 if thread is None else int(thread._queue.qsize())

    def line_is_slow(self) -> None:
        """Called once when the line proved slow."""

    def on_terminal_supports_synchronized_output(self, message: messages.TerminalSupportsSynchronizedOutput) -> None:
        """The terminal answered."""
        if self._pace.answered(time.monotonic()) and self._later is not None:
            self._later.stop()
            self._look_again()

    def on_resize(self, event: events.Resize) -> None:
        """The terminal may have moved its lines about."""
        self._frame.forget()

    def action_redraw(self) -> None:
        """Paint everything anew, for a terminal that somebody else wrote to."""
        self._frame.forget()
        self.refresh(layout=True)
