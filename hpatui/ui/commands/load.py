"""Commands of the load: start and stop, rate, pause."""

from __future__ import annotations

import re
from collections.abc import Coroutine
from typing import Any

from hpatui.text import printable
from hpatui.ui.commands.base import CommandApp

_RATE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?(/s)?")


class LoadCommands(CommandApp):
    """Load starts by a key only, and only after a question where one is due."""

    def action_toggle_load(self) -> None:
        """Start the load, after a question where one is due, or stop it."""
        from hpatui.ui.screens.dialogs import QuestionScreen

        session = self.session
        if session.load.active:  # not what the newest snapshot shows: that is a moment old
            self.do(session.load.stop())
            return
        if self._read_only() or not self.need_selected():
            return
        question = session.load.question()
        if question is None:
            self.do(session.load.start())
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(session.load.start(confirmed=True))

        self.push_screen(QuestionScreen(question), answered)

    def action_nudge_load(self, direction: int) -> None:
        """One step of rate."""
        self.do(self._tell_rate(self.session.load.nudge(direction)))

    def _read_only(self) -> bool:
        """Whether this hpatui sends no load at all; then that is said."""
        if self.session.settings.read_only:
            self.tell("This hpatui is read-only", "no load is sent")
        return self.session.settings.read_only

    async def _tell_rate(self, order: Coroutine[Any, Any, None]) -> None:
        """Order a rate; where nothing runs that would show it, say what was ordered."""
        from hpatui.model import LoadState

        await order
        load = self.session.snapshot.load
        if load.state not in (LoadState.RUNNING, LoadState.PAUSED, LoadState.STARTING):
            self.tell(f"The next load starts at {load.rate:g} requests/s", "press l to start it")

    def action_pause_load(self) -> None:
        """Pause or resume."""
        self.do(self.session.load.pause())

    def action_ask_rate(self) -> None:
        """Type a rate."""
        from hpatui.ui.screens.dialogs import LineScreen

        session = self.session

        def typed(text: str | None) -> None:
            if not text:
                return
            if not _RATE.fullmatch(text.strip()):
                title = f"{printable(text, 40)!r} is no rate"
                self.notify("write a number, e.g. 25", title=title, severity="error", markup=False)
                return
            self.do(self._tell_rate(session.load.set_rate(float(text.strip().removesuffix("/s")))))

        self.push_screen(LineScreen("Requests per second", f"{session.snapshot.load.rate:g}"), typed)

    def action_ask_shape(self) -> None:
        """Choose a shape, for the load that runs or the next."""
        from hpatui.ui.screens.dialogs import ChoiceScreen

        session = self.session

        def chosen(shape: str | None) -> None:
            if shape is not None:
                self.do(session.load.set_shape(shape))

        self.push_screen(ChoiceScreen("Shape of the load", session.load.shapes()), chosen)
