"""Commands about where to look: namespace and context."""

from __future__ import annotations

import asyncio
import subprocess

from textual.app import SuspendNotSupported

from hpatui.errors import HpatuiError, LoginNeededError
from hpatui.ui.commands.base import CommandApp

_ALL = "*"


class ClusterCommands(CommandApp):
    """Another namespace, another context."""

    def action_namespace(self) -> None:
        """Choose a namespace."""
        self.do(self._choose_namespace())

    async def _choose_namespace(self) -> None:
        from hpatui.ui.screens.dialogs import ChoiceScreen

        session = self.session
        names = await session.namespaces()

        def chosen(name: str | None) -> None:
            if name is not None:
                session.set_namespace(None if name == _ALL else name)

        now = session.snapshot.namespace or _ALL
        choices = [(_ALL, "all namespaces"), *((n, n) for n in names)]
        self.push_screen(ChoiceScreen("Namespace", choices, current=now), chosen)

    def action_context(self) -> None:
        """Choose a context."""
        from hpatui.ui.screens.dialogs import ChoiceScreen

        session = self.session
        try:
            contexts = session.contexts()
        except HpatuiError as error:
            self.complain(error)
            return

        def chosen(name: str | None) -> None:
            if name is not None:
                self.do(session.switch_context(name))

        now = next((c.name for c in contexts if c.current), None)
        choices = [(c.name, f"{c.name}{'  (now)' if c.current else ''}  {c.server}") for c in contexts]
        self.push_screen(ChoiceScreen("Context", choices, current=now), chosen)

    def action_login(self) -> None:
        """Log in where a login plugin has to ask something: the screen steps aside meanwhile. Else: connect anew."""
        session = self.session
        needed = session.login_needed()
        if needed is None:
            self.do(session.reconnect())
            return
        self.do(self._log_in(needed))

    async def _log_in(self, needed: LoginNeededError) -> None:
        """The plugin has the terminal meanwhile; everything else, a load above all, goes on behind it."""
        try:
            with self.suspend():
                plugin = await asyncio.create_subprocess_exec(*needed.command, env=needed.env, stdout=subprocess.PIPE)
                printed, _ = await plugin.communicate()
        except (OSError, SuspendNotSupported) as error:
            raise HpatuiError(f"the login cannot be done here: {error}", hint="log in on a shell first") from error
        if plugin.returncode:
            words = f"the login plugin failed (exit code {plugin.returncode})"
            raise HpatuiError(words, hint="press L to try again")
        await self.session.reconnect(printed)
