"""The Textual app: wires a session to the main screen, and keys to commands. Data goes one way: snapshot -> panes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.notifications import SeverityLevel
from textual.screen import Screen

from hpatui.errors import HpatuiError
from hpatui.model import LoadState
from hpatui.session.port import SessionPort
from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from hpatui.text import printable
from hpatui.ui.keys import KEYS, bindings
from hpatui.ui.messages import SnapshotChanged
from hpatui.ui.panes.hpas import HpaPane
from hpatui.ui.screens.dialogs import ChoiceScreen, HelpScreen, LineScreen, QuestionScreen, TextScreen
from hpatui.ui.screens.main import MainScreen

_THEMES = {"dark": "textual-dark", "light": "textual-light", "ansi": "textual-ansi", "high-contrast": "monokai"}
_SEVERITIES: dict[str, SeverityLevel] = {"information": "information", "warning": "warning", "error": "error"}
_ALL = "*"


def run(session: SessionPort, settings: Settings) -> int:
    """Show the screen until the user quits; returns the exit code. The terminal is always restored."""
    if settings.low_bandwidth or os.environ.get("NO_COLOR"):
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    app = HpatuiApp(session, settings)
    app.run()
    return app.return_code or 0


class HpatuiApp(App[None]):
    """See the module."""

    TITLE = "hpatui"
    CSS_PATH = "hpatui.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(self, session: SessionPort, settings: Settings) -> None:
        super().__init__(ansi_color=settings.theme == "ansi" or settings.low_bandwidth)
        self.session = session
        self.settings = settings
        self.main = MainScreen(settings)
        self._unsubscribe: Callable[[], None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._selecting: asyncio.TimerHandle | None = None

    def get_default_screen(self) -> Screen[None]:
        """Textual: the first screen."""
        return self.main

    def on_mount(self) -> None:
        """Show what there is, then begin to connect, after the first frame."""
        self.theme = _THEMES.get(self.settings.theme or "dark", "textual-dark")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self._leave)
        self._unsubscribe = self.session.subscribe(self._changed)
        self.main.call_after_refresh(self._begin)

    def _changed(self, snapshot: Snapshot) -> None:
        self.post_message(SnapshotChanged(snapshot))

    def _begin(self) -> None:
        self.main.show(self.session.snapshot)
        self._do(self.session.start())

    async def on_unmount(self) -> None:
        """Stop the load first, then everything else."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        await self.session.stop()

    def _leave(self) -> None:
        self.exit()

    # Data -----------------------------------------------------------------------------------------------------

    def on_snapshot_changed(self, message: SnapshotChanged) -> None:
        """Show the newest snapshot; older ones that queued up are passed over."""
        snapshot = self.session.snapshot
        self.main.show(snapshot)
        self._tell(message.snapshot)

    def _tell(self, snapshot: Snapshot) -> None:
        for notice in snapshot.notices:
            severity = _SEVERITIES.get(notice.severity, "information")
            self.notify(
                printable(notice.text) or " ", title=printable(notice.title), severity=severity, timeout=6, markup=False
            )
            if self.settings.bell:
                self.bell()

    def on_hpa_pane_moved(self, message: HpaPane.Moved) -> None:
        """Watch the details of the HPA on which the cursor comes to rest."""
        if self._selecting is not None:
            self._selecting.cancel()
        self._selecting = asyncio.get_running_loop().call_later(0.12, self.session.select, message.key)

    # Commands -------------------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a command in the background; what goes wrong is shown in one line."""

        async def guarded() -> None:
            try:
                await work
            except HpatuiError as error:
                self.notify(printable(error.hint), title=printable(error.message), severity="error", markup=False)

        task = asyncio.create_task(guarded())
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

    def action_toggle_load(self) -> None:
        """Start the load, after a question where one is due, or stop it."""
        if self.session.snapshot.load.state in (LoadState.RUNNING, LoadState.PAUSED, LoadState.STARTING):
            self._do(self.session.stop_load())
            return
        question = self.session.load_question()
        if question is None:
            self._do(self.session.start_load())
            return

        def answered(yes: bool | None) -> None:
            if yes:
                self._do(self.session.start_load(confirmed=True))

        self.push_screen(QuestionScreen(question), answered)

    def action_nudge_load(self, direction: int) -> None:
        """One step of rate."""
        self._do(self.session.nudge_load(direction))

    def action_pause_load(self) -> None:
        """Pause or resume."""
        self._do(self.session.pause_load())

    def action_ask_rate(self) -> None:
        """Type a rate."""

        def typed(text: str | None) -> None:
            if not text:
                return
            try:
                rate = float(text.removesuffix("/s"))
            except ValueError:
                self.notify(
                    "write a number, e.g. 25", title=f"{printable(text)!r} is no rate", severity="error", markup=False
                )
                return
            self._do(self.session.set_load_rate(rate))

        self.push_screen(LineScreen("Requests per second", f"{self.session.snapshot.load.rate:g}"), typed)

    def action_cursor(self, step: int) -> None:
        """Move the list's cursor."""
        self.main.hpas.move(step)

    def action_filter(self) -> None:
        """Filter as one types would need the list's keys; a line is asked for instead."""

        def typed(text: str | None) -> None:
            if text is not None:
                self.main.hpas.set_filter(text)

        self.push_screen(LineScreen("Filter: name, namespace, label=value, state (empty: all)"), typed)

    def action_sort(self) -> None:
        """The next order."""
        self.main.hpas.next_sort()

    def action_problems(self) -> None:
        """Problems first, on and off."""
        self.main.hpas.toggle_problems()

    def action_zoom(self) -> None:
        """Zoom and back."""
        self.main.toggle_zoom()

    def action_jump(self, name: str) -> None:
        """Go to a pane."""
        self.main.jump(name)

    def action_why(self) -> None:
        """The why pane on the whole screen, and back."""
        self.main.jump("why")
        self.main.toggle_zoom()

    def action_window(self) -> None:
        """The next time window."""
        self.main.graph.next_window()

    def action_freeze(self) -> None:
        """Freeze the graph, or follow."""
        self.main.graph.freeze()

    def action_scroll_time(self, direction: int) -> None:
        """Scroll the graph."""
        self.main.graph.scroll_time(direction)

    def action_help(self) -> None:
        """All keys."""
        self.push_screen(HelpScreen())

    def action_yaml(self) -> None:
        """The selected HPA as YAML."""
        self._do(self._show_text("YAML", "HorizontalPodAutoscaler"))

    def action_describe(self) -> None:
        """The selected HPA as kubectl describes it."""
        self._do(self._show_text("Describe", ""))

    async def _show_text(self, title: str, kind: str) -> None:
        detail = self.session.snapshot.detail
        if detail is None:
            return
        key = detail.row.key
        text = await (self.session.object_yaml(kind, key) if kind else self.session.describe(key))
        self.push_screen(TextScreen(f"{title} {key}", text))

    def action_copy(self) -> None:
        """Copy the description (OSC 52)."""
        self._do(self._copy())

    async def _copy(self) -> None:
        detail = self.session.snapshot.detail
        if detail is not None:
            self.copy_to_clipboard(await self.session.describe(detail.row.key))
            self.notify("the description is on the clipboard", title="Copied", markup=False)

    def action_export(self) -> None:
        """Save the screen as SVG in the current folder."""
        try:
            path = self.save_screenshot()
        except OSError as error:
            self.notify(str(error.strerror), title="The picture cannot be saved here", severity="error", markup=False)
            return
        self.notify(path, title="Saved", markup=False)

    def action_namespace(self) -> None:
        """Choose a namespace."""
        self._do(self._choose_namespace())

    async def _choose_namespace(self) -> None:
        names = await self.session.namespaces()

        def chosen(name: str | None) -> None:
            if name is not None:
                self.session.set_namespace(None if name == _ALL else name)

        self.push_screen(ChoiceScreen("Namespace", [(_ALL, "all namespaces"), *((n, n) for n in names)]), chosen)

    def action_context(self) -> None:
        """Choose a context."""
        try:
            contexts = self.session.contexts()
        except HpatuiError as error:
            self.notify(printable(error.hint), title=printable(error.message), severity="error", markup=False)
            return

        def chosen(name: str | None) -> None:
            if name is not None:
                self._do(self.session.switch_context(name))

        choices = [(c.name, f"{'> ' if c.current else '  '}{c.name}  {c.server}") for c in contexts]
        self.push_screen(ChoiceScreen("Context", choices), chosen)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: the table of keys, then Textual's own."""
        for entry in KEYS:
            if entry.label and entry.action not in ("quit", "focus_next"):
                yield SystemCommand(entry.label.capitalize(), entry.help, self._runner(entry.action))
        yield from super().get_system_commands(screen)

    def _runner(self, action: str) -> Callable[[], None]:
        def go() -> None:
            self.call_later(self.run_action, action)

        return go
