"""Commands about where to look: namespace and context."""

from __future__ import annotations

import subprocess

from textual.app import SuspendNotSupported

from hpatui.errors import HpatuiError
from hpatui.ui.commands.base import CommandApp

_ALL = "*"


class ClusterCommands(CommandApp):
    """Another namespace, another context."""

    def action_namespace(self) -> None:
        """Choose a namespace."""
        if self.session is not None:
            self.do(self._choose_namespace())

    async def _choose_namespace(self) -> None:
        from hpatui.ui.screens.dialogs import ChoiceScreen

        session = self.session
        assert session is not None
        names = await session.namespaces()

        def chosen(name: str | None) -> None:
            if name is not None:
                session.set_namespace(None if name == _ALL else name)

        self.push_screen(ChoiceScreen("Namespace", [(_ALL, "all namespaces"), *((n, n) for n in names)]), chosen)

    def action_context(self) -> None:
        """Choose a context."""
        from hpatui.ui.screens.dialogs import ChoiceScreen

        session = self.session
        if session is None:
            return
        try:
            contexts = session.contexts()
        except HpatuiError as error:
            self.complain(error)
            return

        def chosen(name: str | None) -> None:
            if name is not None:
                self.do(session.switch_context(name))

        choices = [(c.name, f"{'> ' if c.current else '  '}{c.name}  {c.server}") for c in contexts]
        self.push_screen(ChoiceScreen("Context", choices), chosen)

    def action_login(self) -> None:
        """Log in where a login plugin has to ask something: the screen steps aside meanwhile. Else: connect anew."""
        session = self.session
        if session is None:
            return
        needed = session.login_needed()
        if needed is None:
            self.do(session.reconnect())
            return
        try:
            with self.suspend():
                done = subprocess.run(needed.command, env=needed.env, stdout=subprocess.PIPE, check=False)
        except (OSError, SuspendNotSupported) as error:
            self.complain(HpatuiError(f"the login cannot be done here: {error}", hint="log in on a shell first"))
            return
        if done.returncode:
            words = f"the login plugin failed (exit code {done.returncode})"
            self.complain(HpatuiError(words, hint="press L to try again"))
        else:
            self.do(session.reconnect(done.stdout))
