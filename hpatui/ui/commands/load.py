"""Commands of the load: start and stop, rate, pause."""

from __future__ import annotations

from hpatui.text import printable
from hpatui.ui.commands.base import CommandApp


class LoadCommands(CommandApp):
    """Load starts by a key only, and only after a question where one is due."""

    def action_toggle_load(self) -> None:
        """Start the load, after a question where one is due, or stop it."""
        from hpatui.model import LoadState
        from hpatui.ui.screens.dialogs import QuestionScreen

        session = self.session
        if session is None:
            return
        if session.snapshot.load.state in (LoadState.RUNNING, LoadState.PAUSED, LoadState.STARTING):
            self.do(session.stop_load())
            return
        question = session.load_question()
        if question is None:
            self.do(session.start_load())
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self.do(session.start_load(confirmed=True))

        self.push_screen(QuestionScreen(question), answered)

    def action_nudge_load(self, direction: int) -> None:
        """One step of rate."""
        if self.session is not None:
            self.do(self.session.nudge_load(direction))

    def action_pause_load(self) -> None:
        """Pause or resume."""
        if self.session is not None:
            self.do(self.session.pause_load())

    def action_ask_rate(self) -> None:
        """Type a rate."""
        from hpatui.ui.screens.dialogs import LineScreen

        session = self.session
        if session is None:
            return

        def typed(text: str | None) -> None:
            if not text:
                return
            try:
                rate = float(text.removesuffix("/s"))
            except ValueError:
                title = f"{printable(text)!r} is no rate"
                self.notify("write a number, e.g. 25", title=title, severity="error", markup=False)
                return
            self.do(session.set_load_rate(rate))

        self.push_screen(LineScreen("Requests per second", f"{session.snapshot.load.rate:g}"), typed)

    def action_ask_shape(self) -> None:
        """Choose a shape, for the load that runs or the next."""
        from hpatui.ui.screens.dialogs import ChoiceScreen

        session = self.session
        if session is None:
            return

        def chosen(shape: str | None) -> None:
            if shape is not None:
                self.do(session.set_load_shape(shape))

        self.push_screen(ChoiceScreen("Shape of the load", session.load_shapes()), chosen)
