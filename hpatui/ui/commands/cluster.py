"""Commands about where to look: namespace and context."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator

from textual.app import SuspendNotSupported

from hpatui.errors import HpatuiError, LoginNeededError
from hpatui.masking import masked
from hpatui.ui.commands.base import CommandApp

_ALL = "*"


class ClusterCommands(CommandApp):
    """Another namespace, another context."""

    _logging_in = False

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
        """The plugin has the terminal; the watches, and a load with its heartbeat, go on meanwhile."""
        if self._logging_in:
            return
        self._logging_in = True
        try:
            with self.suspend(), _interrupts_for_the_plugin():
                code, out = await _run_there(needed)
        except (OSError, ValueError, SuspendNotSupported) as error:
            words = f"the login cannot be done here: {masked(str(error))}"
            raise HpatuiError(words, hint="log in on a shell first") from error
        finally:
            self._logging_in = False
        self.action_redraw()
        if code:
            raise HpatuiError(f"the login plugin failed (exit code {code})", hint="press L to try again")
        await self.session.reconnect(out)


@contextlib.contextmanager
def _interrupts_for_the_plugin() -> Iterator[None]:
    """ctrl-c ends the plugin that has the terminal, not us."""
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def _run_there(needed: LoginNeededError) -> tuple[int, bytes]:
    """Exit code and standard output of a plugin that uses our terminal; it ends when we do."""
    process = await asyncio.create_subprocess_exec(*needed.command, env=needed.env, stdout=asyncio.subprocess.PIPE)
    try:
        out, _ = await process.communicate()
        return process.returncode or 0, out
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
