"""Commands that open a screen with an answer: the doctor, what if, the scaling runs."""

from __future__ import annotations

from hpatui.errors import HpatuiError
from hpatui.ui.commands.base import CommandApp


class AnswerCommands(CommandApp):
    """Each answer is a screen of its own; escape comes back."""

    def action_doctor(self) -> None:
        """Examine what the screen shows."""
        from hpatui.ui.screens.doctor import DoctorScreen

        self.push_screen(DoctorScreen(self.session))

    def action_what_if(self) -> None:
        """Trial edits of the selected HPA's spec, replayed on what was recorded."""
        from hpatui.ui.screens.whatif import WhatIfScreen

        if self.need_detail() is None:
            return
        try:
            trial = self.session.what_if()
        except HpatuiError as error:
            self.complain(error)
            return
        self.push_screen(WhatIfScreen(trial, ascii=self.session.settings.ascii))

    def action_runs(self) -> None:
        """The selected HPA's scaling runs, step by step."""
        from hpatui.ui.screens.runs import RunsScreen

        if self.need_detail() is not None:
            self.push_screen(RunsScreen(self.session))
