"""Commands of the time machine: into the past and back, along the recording, and what keys mean while one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hpatui.errors import HpatuiError
from hpatui.ui.commands.load import LoadCommands
from hpatui.ui.commands.look import LookCommands

if TYPE_CHECKING:
    from hpatui.session.port import SessionPort
    from hpatui.session.replaying import ReplaySession

_STEPS = 60  # into how many steps of the arrow keys what is on the graph is divided


class PastCommands(LoadCommands, LookCommands):
    """While the session is one of the past, the keys of load and graph move in time; nothing acts on the cluster."""

    _now: SessionPort | None = None  # the live session, while one looks at the past

    @property
    def replaying(self) -> ReplaySession | None:
        """The session of the past, if that is what is shown."""
        session = self._session
        return cast("ReplaySession", session) if session is not None and hasattr(session, "past") else None

    # There and back -------------------------------------------------------------------------------------------

    def action_time_machine(self) -> None:
        """Into the past, or back to now."""
        if self.replaying is None:
            self.do(self._enter())
        else:
            self.back_to_now()

    async def _enter(self, direction: int = 0) -> None:
        """Show the recording of what is watched, from its end; with a direction at the rescale before."""
        from hpatui.session.recordings import open_replay_of

        now = self.session
        past = open_replay_of(now, way_back="esc comes back to now")
        await past.start()
        if self.replaying is not None or self._session is None:  # pressed twice, or over
            await past.stop()
            return
        self._now = now
        self.show_session(past)
        if direction:
            self.action_rescale(direction)

    def back_to_now(self) -> None:
        """The live session again."""
        past, now = self.replaying, self._now
        if past is None:
            return
        if now is None:
            self.tell("This is a recording: it has no now", "q quits; G goes to a time, [ and ] to rescales")
            return
        self._now = None
        self.show_session(now)
        self.do(past.stop())

    async def leave_past(self) -> None:
        """At the end of the program: the live session is the one that has something to stop."""
        past, now = self.replaying, self._now
        if past is not None and now is not None:
            self._session, self._now = now, None
            await past.stop()

    def show_session(self, session: SessionPort) -> None:
        """Show another session from now on."""
        raise NotImplementedError

    # Along the recording --------------------------------------------------------------------------------------

    def action_rescale(self, direction: int) -> None:
        """To the rescale before, or after."""
        past = self.replaying
        if past is None:
            if direction < 0:
                self.do(self._enter(direction))
            else:
                self.tell("This is now", "T looks at the past, [ at the rescale before")
            return
        if not past.step(direction):
            word = "before" if direction < 0 else "after"
            self.tell(f"No rescale {word} this is in the recording")

    def action_go_to(self) -> None:
        """Type a time to go to."""
        from hpatui.session.moments import FORMS, clock_text, parse_moment
        from hpatui.ui.screens.dialogs import LineScreen

        past = self.replaying
        if past is None:
            self.tell("This is now", "T looks at the past")
            return

        def typed(text: str | None) -> None:
            if not text or self.replaying is not past:
                return
            try:
                where = past.past
                past.seek(parse_moment(text, where.first, where.last))
            except HpatuiError as error:
                self.complain(error)

        self.push_screen(LineScreen(f"Go to a time: {FORMS}", clock_text(past.past.now)), typed)

    def action_mark_range(self) -> None:
        """Let the range that w and u work on begin here."""
        from hpatui.session.moments import clock_text

        past = self.replaying
        if past is None:
            self.tell("This is now", "T looks at the past")
            return
        if past.mark() is None:
            self.tell("The range is the last hour before the moment again")
        else:
            self.tell(f"The range begins at {clock_text(past.past.now)}", "go on to its end: w and u work on it")

    # What other keys mean there -------------------------------------------------------------------------------

    def action_step_back(self) -> None:
        """One step back; when nothing else is left to leave, to now."""
        if self.replaying is not None and not self.body.can_go_back:
            self.back_to_now()
        else:
            super().action_step_back()

    def action_scroll_time(self, direction: int) -> None:
        """In the past the moment moves, and the graph with it."""
        past = self.replaying
        if past is None:
            super().action_scroll_time(direction)
        else:
            past.seek(past.past.now + direction * self.body.graph.span / _STEPS)

    def action_play(self) -> None:
        """Play, or pause."""
        past = self.replaying
        if past is None:
            self.tell("This is now", "T looks at the past")
        else:
            past.toggle()
            self._show()

    def action_pause_load(self) -> None:
        """In the past: play, or pause."""
        if self.replaying is None:
            super().action_pause_load()
        else:
            self.action_play()

    def action_nudge_load(self, direction: int) -> None:
        """In the past: faster, or slower."""
        past = self.replaying
        if past is None:
            super().action_nudge_load(direction)
        else:
            past.nudge(direction)
            self._show()

    def action_ask_rate(self) -> None:
        """In the past nothing sends."""
        if not self._refused():
            super().action_ask_rate()

    def action_ask_shape(self) -> None:
        """In the past nothing sends."""
        if not self._refused():
            super().action_ask_shape()

    def _refused(self) -> bool:
        past = self.replaying
        if past is None:
            return False
        try:
            past.load.refuse()
        except HpatuiError as error:
            self.complain(error)
        return True

    def _show(self) -> None:
        raise NotImplementedError
