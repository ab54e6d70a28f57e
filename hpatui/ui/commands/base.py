"""What all commands share: the session and the panes once they are there, and how failures are told."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from hpatui.errors import HpatuiError
from hpatui.text import printable
from hpatui.ui.display import DisplayApp

if TYPE_CHECKING:
    from hpatui.session.port import SessionPort
    from hpatui.state.snapshot import Detail
    from hpatui.ui.keep import Kept
    from hpatui.ui.screens.body import Body


EARLY = ("quit", "help", "help_quit", "redraw", "messages")  # commands that need neither a session nor the panes


class CommandApp(DisplayApp):
    """The base of the app. The session and the panes come after the first frame; no command that needs them runs before."""

    _session: SessionPort | None = None
    _body: Body | None = None
    kept: Kept
    _jobs: set[asyncio.Task[None]]

    @property
    def session(self) -> SessionPort:
        """The session; there from `started` on."""
        assert self._session is not None, "check_action lets no command run before"
        return self._session

    @property
    def body(self) -> Body:
        """The panes; there from `started` on."""
        assert self._body is not None, "check_action lets no command run before"
        return self._body

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Textual: whether a command may run now."""
        return self.started or action in EARLY or not hasattr(self, f"action_{action}")

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a command in the background; what goes wrong is shown in one line."""

        async def guarded() -> None:
            try:
                await work
            except HpatuiError as error:
                self.complain(error)
            except Exception as error:  # noqa: BLE001  see hpatui/ui/guard.py
                self.survive(error, "a command")

        task = asyncio.create_task(guarded())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    def complain(self, error: HpatuiError) -> None:
        """Show an error as a toast."""
        self.notify(printable(error.hint) or " ", title=printable(error.message), severity="error", markup=False)

    def tell(self, title: str, text: str = " ") -> None:
        """Say what was done."""
        self.notify(text, title=title, markup=False)

    def settle(self) -> None:
        """Make the HPA under the cursor the selected one now, however short it has been there."""

    def need_selected(self) -> bool:
        """Whether the list has a row under the cursor, which then is the selected one; where not, that is said."""
        self.settle()
        if self.body.hpas.key is not None:
            return True
        why = "no HPA matches the filter: esc drops it" if self.body.hpas.filtered else "choose one with j and k"
        self.tell("No HPA is selected", why)
        return False

    def need_detail(self) -> Detail | None:
        """The details of the HPA under the cursor; where there are none, why is said."""
        if not self.need_selected():
            return None
        detail, key = self.session.snapshot.detail, self.body.hpas.key
        if detail is None or detail.row.key != key:
            self.tell("One moment", f"{printable(str(key))} is being read")
            return None
        return detail
