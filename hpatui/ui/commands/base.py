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
    from hpatui.ui.screens.body import Body


class CommandApp(DisplayApp):
    """The base of the app. `session` and `body` are None until the first frame is out."""

    session: SessionPort | None = None
    body: Body | None = None
    _jobs: set[asyncio.Task[None]]

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

    @property
    def detail(self) -> Detail | None:
        """The selected HPA, if there is one."""
        return self.session.snapshot.detail if self.session is not None else None
