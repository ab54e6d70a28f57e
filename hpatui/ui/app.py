"""The Textual app: wires a session to the main screen, and keys to commands. Data goes one way: snapshot -> panes.

The first frame comes before the session, the panes and all that they need are imported.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from hpatui import logs
from hpatui.errors import HpatuiError
from hpatui.settings import Settings, state_dir
from hpatui.text import printable
from hpatui.ui import textual_private
from hpatui.ui.commands.answers import AnswerCommands
from hpatui.ui.commands.cluster import ClusterCommands
from hpatui.ui.commands.past import PastCommands
from hpatui.ui.guard import EXIT_FAILED, EXIT_INTERRUPTED, thread_failed
from hpatui.ui.keep import Kept
from hpatui.ui.keys import KEYS, bindings, shown_key
from hpatui.ui.messages import SnapshotChanged
from hpatui.ui.screens.main import MainScreen
from hpatui.ui.themes import AA, NATIVE, looks, palette, textual_theme, weak

if TYPE_CHECKING:
    from rich.terminal_theme import TerminalTheme
    from textual.driver import Driver
    from textual.notifications import SeverityLevel

    from hpatui.model import Key
    from hpatui.session.port import SessionPort
    from hpatui.state.snapshot import Snapshot
    from hpatui.ui.panes.hpas import HpaPane

_SEVERITIES: dict[str, SeverityLevel] = {"information": "information", "warning": "warning", "error": "error"}
FEW = 8  # HPAs of which every rescale is worth a toast
REST = 0.12  # seconds after which a cursor that stays on an HPA means it


def run(make_session: Callable[[], SessionPort], settings: Settings) -> int:
    """Show the screen until the user quits; returns the exit code. The terminal is always restored."""
    lacking = textual_private.missing()
    if lacking:
        logs.write("screen", f"this Textual lacks {', '.join(lacking)}: the screen does without")
    before, threading.excepthook = threading.excepthook, thread_failed
    app = HpatuiApp(make_session, settings)
    try:
        app.run()
    finally:
        threading.excepthook = before
    return app.finish()


def _driver() -> type[Driver] | None:
    """Our driver; None (Textual's own) on systems that it is not for, or with a Textual whose parts it needs are gone."""
    if os.name != "posix" or not textual_private.has_key_parser():
        return None
    from hpatui.ui.driver import TerminalDriver

    return TerminalDriver


class HpatuiApp(PastCommands, AnswerCommands, ClusterCommands):
    """See the module."""

    TITLE = "hpatui"
    CSS_PATH = "hpatui.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]

    def __init__(self, make_session: Callable[[], SessionPort], settings: Settings) -> None:
        plain = settings.theme == "ansi" or (settings.theme is None and settings.low_bandwidth)
        super().__init__(ansi_color=plain, driver_class=_driver())
        self._make_session = make_session
        self.settings = settings
        self.main = MainScreen(ascii=settings.ascii, find_context=self._context_asked_for)
        self._unsubscribe: Callable[[], None] | None = None
        self._jobs: set[asyncio.Task[None]] = set()
        self._selecting: asyncio.TimerHandle | None = None
        self._resting: Key | None = None
        self.without_unicode = settings.ascii
        if settings.low_bandwidth or os.environ.get("NO_COLOR"):
            self.animation_level = "none"
        self.kept = Kept(state_dir(settings))
        self._palette: TerminalTheme | None = None
        self._looks = looks(settings.themes)
        self._choose_theme(first=True)

    def get_default_screen(self) -> Screen[None]:
        """Textual: the first screen."""
        return self.main

    def on_mount(self) -> None:
        """Draw the frame, and only then begin."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self.loop_failed)
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            if signal.getsignal(number) is signal.SIG_IGN:
                continue  # `nohup hpatui`: whoever started us wants it so
            with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):
                loop.add_signal_handler(number, self.leave, EXIT_INTERRUPTED)
        self.app_resume_signal.subscribe(self, lambda _: self._frame.forget())
        self.main.call_after_refresh(self._begin)

    def _choose_theme(self, *, first: bool = False) -> None:
        """The theme of the settings. `first`: before anything was drawn, so nothing is drawn anew."""
        name = self.settings.theme or "dark"
        native = NATIVE.get(name)
        look = self._looks.get(name, self._looks["dark"])
        if native is None:
            self.register_theme(textual_theme(name, look))
            self._palette = palette(look)
        if first:
            self.set_reactive(HpatuiApp.theme, native or name)
            textual_private.use_palette(self, self.ansi_theme)
            self.stylesheet.set_variables(self.get_css_variables())
        else:
            self.theme = native or name

    def _judge_theme(self) -> None:
        """Say what of a theme of the user's own is hard to read."""
        name = self.settings.theme or "dark"
        found = weak(self._looks[name]) if name in self.settings.themes else []
        if found:
            ink, ground, ratio = min(found, key=lambda item: item[2])
            title = f"Theme {name}: {len(found)} of its pairs are hard to read"
            self.tell(title, f"{ink} on {ground} has a contrast of {ratio:.1f}:1; {AA}:1 is what WCAG asks for")

    @property
    def ansi_theme(self) -> TerminalTheme:
        """Textual: the colours behind the names that panes use."""
        return self._palette if self._palette is not None else super().ansi_theme

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Textual: variables of the style sheet where a theme has none of that name."""
        return {"calm": "ansi_bright_black", "row-cursor": "ansi_bright_black"}

    def _context_asked_for(self) -> str:
        """The context that will be connected to, for the time before that is done; empty where nobody can tell."""
        if self.settings.context or self._session is None:
            return self.settings.context or ""
        try:
            contexts = self._session.contexts()
        except HpatuiError:
            return ""
        return next((context.name for context in contexts if context.current), "")

    async def _begin(self) -> None:
        from hpatui.ui.screens.body import Body

        session = self._make_session()
        body = Body(self.settings)
        await self.main.furnish(body)
        body.hpas.hide_columns(self.kept.names("hidden_columns"))
        self._session, self._body = session, body
        self._unsubscribe = session.subscribe(self._changed)
        self._show()
        self.started = True
        self._judge_theme()
        self.do(session.start())

    def _changed(self, snapshot: Snapshot) -> None:
        self.post_message(SnapshotChanged(snapshot))

    async def on_unmount(self) -> None:
        """Stop the load first, then everything else."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        await self.leave_past()
        if self._session is None:
            return
        try:
            await self._session.stop()
        except Exception as error:  # noqa: BLE001  the terminal is restored and the reason told, whatever it is
            line = logs.failure("stopping", error)
            self.ended, self.farewell = self.ended or EXIT_FAILED, self.farewell or line

    def line_is_slow(self) -> None:
        """Draw less from now on, and say so."""
        if self.started and not self.settings.low_bandwidth:
            self.settings = replace(self.settings, low_bandwidth=True)
            self.animation_level = "none"
            self.body.set_quiet(True)
            self.tell("The line is slow", "the graph is drawn less often (as with --low-bandwidth)")

    def action_help_quit(self) -> None:
        """ctrl+c: say how to leave, with the key that the footer and the help name."""
        self.tell("Press q to quit", "in a dialog: esc closes it first")

    # Data -----------------------------------------------------------------------------------------------------

    def on_snapshot_changed(self, message: SnapshotChanged) -> None:
        """Show the newest snapshot; older ones that queued up are passed over."""
        self._show()
        self._toast(message.snapshot)

    def _show(self) -> None:
        if self._session is not None:
            self.main.set_past(getattr(self._session, "past", None))
            self.main.show(self._session.snapshot)

    def show_session(self, session: SessionPort) -> None:
        """Another session: the live one, or one of the past."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._session = session
        self._unsubscribe = session.subscribe(self._changed)
        self.body.graph.clear_cursor()
        self._show()

    def _toast(self, snapshot: Snapshot) -> None:
        selected = snapshot.detail.row.key if snapshot.detail is not None else None
        for notice in snapshot.notices:
            # In a fleet somebody always scales: the list shows that. Over a slow line a toast costs seconds.
            if notice.key not in (None, selected) and len(snapshot.rows) > FEW:
                continue
            if self.settings.low_bandwidth and notice.severity == "information":
                continue
            severity = _SEVERITIES.get(notice.severity, "information")
            title = printable(notice.title)
            self.notify(printable(notice.text) or " ", title=title, severity=severity, timeout=6, markup=False)
            if self.settings.bell:
                self.bell()

    def on_hpa_pane_moved(self, message: HpaPane.Moved) -> None:
        """Watch the details of the HPA on which the cursor comes to rest."""
        self._resting = message.key
        if self._selecting is not None:
            self._selecting.cancel()
        if self.started:
            self._selecting = asyncio.get_running_loop().call_later(REST, self.settle)

    def on_hpa_pane_viewed(self, message: HpaPane.Viewed) -> None:
        """Where not all HPAs are observed, those on screen are."""
        if self._session is not None:
            self._session.view(message.keys)

    def settle(self) -> None:
        """Select the HPA on which the cursor is, now."""
        if self._selecting is not None:
            self._selecting.cancel()
            self._selecting = None
        key, self._resting = self._resting, None
        if key is not None and self.started:
            self.session.select(key)

    # All commands ---------------------------------------------------------------------------------------------

    @property
    def may_dim(self) -> bool:
        """Whether the line is known to be quick enough to recolour the whole screen for a dialog."""
        return self.pace.quick and not self.settings.low_bandwidth and not self.settings.ascii

    def action_command_palette(self) -> None:
        """All commands by name, and the themes."""
        from hpatui.ui.screens.dialogs import ChoiceScreen

        if isinstance(self.screen, ChoiceScreen):
            return
        keys = [entry for entry in KEYS if entry.label]
        choices = [(entry.action, f"{entry.help} ({shown_key(entry)})") for entry in keys]
        choices += [(f"look({name!r})", f"Theme: {name}") for name in (*self._looks, *NATIVE)]

        def chosen(action: str | None) -> None:
            if action is not None:
                self.call_later(self.run_action, action)

        self.push_screen(ChoiceScreen("Commands", choices), chosen)

    def action_look(self, name: str) -> None:
        """Another theme."""
        self.settings = replace(self.settings, theme=name)
        self._choose_theme()
