"""The way from Textual's repaints to the terminal: only cells that differ are written, and no faster than the line takes."""

from __future__ import annotations

import os
import time
from typing import Any

from rich.color import ColorSystem
from rich.console import RenderableType
from textual import events, messages
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.timer import Timer

from hpatui.text import printable
from hpatui.ui import textual_private
from hpatui.ui.frame import Frame
from hpatui.ui.guard import GuardedApp
from hpatui.ui.notices import Memory, NoticeLine, chosen
from hpatui.ui.pace import Pace
from hpatui.ui.screens.main import MainScreen

RETRY = 0.03  # seconds between looks at a line that is busy


class DisplayApp(GuardedApp):
    """An app whose output is compared with what the terminal already shows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._frame = Frame()
        self.pace = Pace()
        self._later: Timer | None = None
        self._cursor: tuple[int, int] | None = None
        self.told = Memory()
        self.without_unicode = False
        self._forgetting: Timer | None = None
        self.colourless = bool(os.environ.get("NO_COLOR"))

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's last step for every repaint."""
        spans = textual_private.spans_of(renderable) if textual_private.ready_to_paint(self) else None
        if spans is None:
            super()._display(screen, renderable)
            return
        try:
            frame = self._frame
            if (frame.width, frame.height) != tuple(self.size):
                colours = textual_private.colours_of(self) or ColorSystem.TRUECOLOR
                self._frame = frame = Frame(*self.size, None if self.colourless else colours)
            for x, y, segments, end in spans:
                frame.put(x, y, segments, end)
            self._send()
        finally:
            self.post_display_hook()

    def _send(self) -> None:
        """Send what differs, or look again soon if the line is busy."""
        if self._later is not None or not self._frame.pending:
            return
        driver = textual_private.driver_of(self)
        if driver is None:
            return
        self.pace.measured(getattr(driver, "rate", None))
        if not self.pace.may_send(time.monotonic(), self._queued(driver)):
            self._later = self.set_timer(RETRY, self._look_again)
            return
        data = self._frame.encode()
        cursor = self.screen.outer_size.clamp_offset(self.cursor_position)
        if not data and self._cursor == cursor:
            return
        self._cursor = (cursor.x, cursor.y)
        data += f"\x1b[{cursor.y + 1};{cursor.x + 1}H"
        if textual_private.synchronized(self):
            data = f"\x1b[?2026h{data}\x1b[?2026l"
        ask = self.pace.sent(len(data.encode()), time.monotonic())
        driver.write(data)
        if ask and hasattr(driver, "ask"):
            driver.ask(mode=textual_private.synchronized(self))
        driver.flush()

    def _look_again(self) -> None:
        self._later = None
        if textual_private.ready_to_paint(self):
            was_slow = self.pace.slow
            self._send()
            if self.pace.slow and not was_slow:
                self.line_is_slow()

    @staticmethod
    def _queued(driver: Any) -> int:
        """Bytes that the terminal has not taken yet; 0 with a driver that does not tell."""
        waiting = getattr(driver, "waiting", None)
        return 0 if waiting is None else int(waiting())

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Textual: a toast. All of them come through here, so none has markup or characters that terminals act on."""
        super().notify(
            printable(message) or " ", title=printable(title), severity=severity, timeout=timeout, markup=False
        )

    def _refresh_notifications(self) -> None:
        """Textual: show what is told, here in a line of its own (hpatui/ui/notices.py) instead of over the panes."""
        self.told.take(self._notifications)
        screen = self.screen if self.screen_stack else None
        line = screen.query(NoticeLine) if screen is not None else ()
        items = chosen(self._notifications)
        for one in line:
            one.tell(items, ascii=self.without_unicode)
        if isinstance(screen, MainScreen):
            screen.tell(items, quiet=self.animation_level == "none")
        elif not line:
            super()._refresh_notifications()  # a screen without the line
        if self._forgetting is not None:
            self._forgetting.stop()
        left = min((n.time_left for n in self._notifications), default=None)
        self._forgetting = None if left is None else self.set_timer(max(0.05, left + 0.02), self._refresh_notifications)

    def line_is_slow(self) -> None:
        """Called once when the line proved slow."""

    def on_terminal_supports_synchronized_output(self, message: messages.TerminalSupportsSynchronizedOutput) -> None:
        """The terminal answered."""
        self.terminal_answered()

    def terminal_answered(self) -> None:
        """The terminal answered a question of ours."""
        if self.pace.answered(time.monotonic()) and self._later is not None:
            self._later.stop()
            self._look_again()

    def on_resize(self, event: events.Resize) -> None:
        """The terminal may have moved its lines about."""
        self._frame.forget()

    def action_redraw(self) -> None:
        """Paint everything anew, for a terminal that somebody else wrote to."""
        self._frame.forget()
        self.refresh(layout=True)
