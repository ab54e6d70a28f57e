"""A session in the past: the same snapshots as a live one, from a recording, at any moment and at any speed.

    Player (a store at a moment) --at most four times a second--> subscribers
    seek, step, toggle, nudge, mark: where it is and how it goes on

Implements `SessionPort`. Nothing of it acts on a cluster: commands that would raise PastError.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from hpatui import logs
from hpatui.clock import Clock, SystemClock
from hpatui.errors import LoginNeededError, UsageError
from hpatui.model import ControllerFlags, Key
from hpatui.session.marks import Marks, look_through
from hpatui.session.moments import clock_text
from hpatui.session.past import Past, PastLoad, faster
from hpatui.session.player import Player
from hpatui.session.port import ContextInfo, parse_hpa_name, unknown_hpa
from hpatui.session.recording import RecordingPort
from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from hpatui.supervise import Supervisor

if TYPE_CHECKING:
    from hpatui.doctor.report import Report
    from hpatui.session.trial import Trial
    from hpatui.state.frames import Frame

INTERVAL = 0.25  # seconds between two snapshots while it plays
NEAR = 90.0  # seconds ahead that are played instead of jumped over
TICKS = 20  # into how many steps an interval's time is divided at most, at high speed
PAUSE = 0.02  # seconds that a jump waits for a later one: keys that repeat mean the last


class ReplaySession:
    """See the module. All times are epoch seconds."""

    def __init__(
        self, recording: RecordingPort, settings: Settings, clock: Clock | None = None, *, at: float | None = None,
        speed: float | None = None, way_back: str = "q quits",
    ) -> None:  # fmt: skip
        """Without `at` it begins at the end, with a `speed` at the beginning, playing. `way_back`: how to leave the past."""
        meta = recording.meta
        self._recording, self._settings = recording, settings
        self._clock: Clock = clock or SystemClock()
        self._at = at if at is not None else meta.first if speed is not None else meta.last
        self._speed, self._playing = speed or 1.0, speed is not None
        self._namespace = None if settings.all_namespaces else settings.namespace
        self._hpas: Sequence[Key] = recording.hpas()
        self._key = self._wanted()
        self._mark: float | None = None
        self._player: Player | None = None
        self._marks = Marks()
        self._marked: Key | None = None
        self._load = PastLoad()
        self._load.way_back = way_back
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._tasks = Supervisor(self._failed)
        self._jumping: asyncio.TimerHandle | None = None
        self._target: float | None = None
        self._looking: asyncio.Task[None] | None = None
        self._stopped = False
        self._version = 0
        self._shown: Snapshot | None = None  # as the store made it
        self._snapshot = self._first()

    # What front ends use --------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def load(self) -> PastLoad:
        self._load.moment = self._snapshot.time
        return self._load

    @property
    def snapshot(self) -> Snapshot:
        return self._snapshot

    @property
    def recording(self) -> None:
        """None: the past is not recorded again."""

    @property
    def hpas(self) -> Sequence[Key]:
        """The HPAs in the recording."""
        return self._hpas

    @property
    def past(self) -> Past:
        """Where the replay is."""
        meta, now = self._recording.meta, self._snapshot.time
        return Past(
            meta.first,
            max(meta.last, now),
            self._target if self._target is not None else now,
            self._playing,
            self._speed,
            self.range,
            tuple(self._marks.rescales),
            tuple(self._marks.gaps),
            self._marks.known_from,
            meta.source,
            meta.anonymized,
            self._mark is not None,
        )

    @property
    def range(self) -> tuple[float, float]:
        """What `w` and `u` work on: from the mark, or the last hour, up to the moment."""
        now = self._snapshot.time
        if self._mark is not None and self._mark < now:
            return self._mark, now
        return (self._player.began if self._player is not None else self._recording.meta.first), now

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    async def start(self) -> None:
        if self._player is None and not self._stopped:
            self._jump(self._at)
            self._tasks.start("playing", self._play)

    async def stop(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        if self._jumping is not None:
            self._jumping.cancel()
        try:
            await self._tasks.close()
        finally:
            self._recording.close()

    # Moving ---------------------------------------------------------------------------------------------------

    def seek(self, moment: float) -> None:
        """Go to a moment, as soon as no later order comes within a breath."""
        self._target = self._within(moment)
        if self._jumping is None:
            self._jumping = asyncio.get_running_loop().call_later(PAUSE, self._arrive)

    def step(self, direction: int) -> bool:
        """To the rescale before (-1) or after (+1); False where none is known there."""
        now = self._target if self._target is not None else self._snapshot.time
        found = self._marks.before(now) if direction < 0 else self._marks.after(now)
        while found is None and direction < 0 and self._marks.known_from > self._recording.meta.first:
            next(self._slices(), None)  # it was not looked that far back yet
            found = self._marks.before(now)
        if found is None:
            return False
        self.seek(found.time)
        return True

    def toggle(self) -> bool:
        """Play, or pause; returns whether it plays. At the end it begins anew."""
        self._playing = not self._playing
        if self._playing and self._snapshot.time >= self._recording.meta.last - 0.5:
            self.seek(self._recording.meta.first)
        return self._playing

    def nudge(self, direction: int) -> float:
        """Faster (+1) or slower (-1); returns how many seconds of then pass in one of now."""
        self._speed = faster(self._speed, direction)
        return self._speed

    def mark(self) -> tuple[float, float] | None:
        """Let the range begin here; asked again at the same moment, it begins an hour before. None: no mark any more."""
        now = self._snapshot.time
        self._mark = None if self._mark == now else now
        self._publish(self._snapshot)
        return None if self._mark is None else self.range

    @property
    def player(self) -> Player:
        """What plays; there from `start` on."""
        assert self._player is not None
        return self._player

    def go_to(self, moment: float) -> bool:
        """Play on to a moment ahead; whether anything to be seen has changed."""
        player = self.player
        player.advance(moment)
        changed = player.store.snapshot(moment) is not self._shown
        if changed:
            self._show()
        return changed

    # Playing --------------------------------------------------------------------------------------------------

    def play_on(self, seconds: float) -> bool:
        """Let `seconds` of the recording pass; False at its end. Publishes what there is then."""
        assert self._player is not None
        until = min(self._player.time + seconds, self._recording.meta.last)
        if until <= self._player.time:
            return False
        self._player.advance(until, max(1.0, seconds / TICKS))
        self._show()
        return True

    async def _play(self) -> None:
        before = self._clock.monotonic()
        while True:
            await asyncio.sleep(INTERVAL)
            now = self._clock.monotonic()
            passed, before = now - before, now
            if self._playing and self._target is None and not self.play_on(min(passed, 1.0) * self._speed):
                self._playing = False
                self._publish(self._snapshot)

    async def _look(self) -> None:
        """Look through the recording for the slider, giving keys their turn."""
        for _ in self._slices():
            await asyncio.sleep(0)

    def _slices(self) -> Iterator[None]:
        key = self._player.key if self._player is not None else None
        if key is None:
            return iter(())
        return look_through(self._recording, key, self._marks, self._said)

    def _said(self) -> None:
        self._publish(self._snapshot)

    async def _failed(self, _name: str, line: str) -> None:
        self._playing = False
        logs.write("replay", line)

    # The store at a moment ------------------------------------------------------------------------------------

    def _within(self, moment: float) -> float:
        meta = self._recording.meta
        return min(max(moment, meta.first), meta.last)

    def _arrive(self) -> None:
        self._jumping, target = None, self._target
        self._target = None
        if target is not None and not self._stopped:
            self._jump(target)

    def _jump(self, moment: float) -> None:
        """Be at a moment; what is near ahead is played, everything else is built anew."""
        player = self._player
        if player is not None and player.time <= moment <= player.time + NEAR:
            player.advance(moment)
        else:
            self._player = self._player_at(moment)
        self._show()
        self._look_for_marks()

    def _player_at(self, moment: float, since: float | None = None) -> Player:
        return Player(self._recording, self._key, moment, namespace=self._namespace, since=since, hpas=self._hpas)

    def _look_for_marks(self) -> None:
        key = self._player.key if self._player is not None else None
        if key == self._marked:
            return
        if self._looking is not None:
            self._looking.cancel()
        self._marked, self._marks = key, Marks()
        if key is not None:
            self._looking = self._tasks.start("looking for rescales", self._look)

    def _rebuild(self) -> None:
        if self._player is not None:
            self._player = self._player_at(self._player.time)
            self._show()
            self._look_for_marks()

    def _first(self) -> Snapshot:
        """A snapshot for the time before `start`."""
        from hpatui.state.store import Store

        meta = self._recording.meta
        store = Store(context=meta.context, namespace=self._namespace, sandbox=meta.sandbox, now=self._at)
        return store.snapshot(self._at)

    def _show(self) -> None:
        assert self._player is not None
        store, now = self._player.store, self._player.time
        snapshot = self._shown = store.snapshot(now)
        store.published(snapshot)
        self._publish(snapshot if snapshot.time == now else replace(snapshot, time=now))

    def _publish(self, snapshot: Snapshot) -> None:
        """Versions go up, whatever store a snapshot is from; what happened long ago is no news."""
        self._version += 1
        self._snapshot = replace(snapshot, version=self._version, notices=())
        for callback in tuple(self._subscribers):
            callback(self._snapshot)

    # Commands -------------------------------------------------------------------------------------------------

    def _wanted(self) -> Key | None:
        """The HPA that was asked for. UsageError where the recording has none of that name."""
        if not self._settings.hpa:
            return None
        wanted = parse_hpa_name(self._settings.hpa)
        known = self._hpas
        found = [k for k in known if k.name == wanted.name and wanted.namespace in ("", k.namespace)]
        if not found:
            raise unknown_hpa(wanted, known, None)
        return found[0]

    def select(self, key: Key | None) -> None:
        if key is None or (self._player is not None and key == self._player.key):
            return
        self._key = key
        self._rebuild()

    def view(self, keys: Iterable[Key]) -> None:
        if self._player is not None:
            self._player.store.view(keys)

    def contexts(self) -> Sequence[ContextInfo]:
        self._load.moment = self._snapshot.time
        self._load.refuse("no context is chosen from here")

    async def switch_context(self, name: str) -> None:
        self.load.refuse("no context is chosen from here")

    def login_needed(self) -> LoginNeededError | None:
        return None

    async def reconnect(self, login: bytes = b"") -> None:
        self.load.refuse("nobody logs in from here")

    async def namespaces(self) -> Sequence[str]:
        return sorted({key.namespace for key in self._hpas})

    def set_namespace(self, namespace: str | None) -> None:
        if namespace != self._namespace:
            self._namespace = namespace
            self._rebuild()

    async def object_yaml(self, kind: str, key: Key) -> str:
        from hpatui.session.as_recorded import object_yaml

        return object_yaml(self._snapshot, kind, key)

    async def describe(self, key: Key) -> str:
        from hpatui.session.as_recorded import describe_hpa_of

        return describe_hpa_of(self._snapshot, key)

    async def examine(self) -> Report:
        from hpatui.session.as_recorded import examine

        return await examine(self._snapshot, self._namespace)

    def what_if(self) -> Trial:
        from hpatui.session.trial import trial_of

        snapshot = self._snapshot
        hpa = snapshot.detail.row.hpa if snapshot.detail is not None else None
        start, now = self.range
        frames = tuple(frame for frame in self._frames(start) if start <= frame.time <= now)
        if hpa is not None and not frames:
            raise UsageError(
                f"no sync was recorded from {clock_text(start)} to {clock_text(now)}",
                hint="go on, or choose a longer range",
            )
        return trial_of(hpa, frames, self.controller(), now, snapshot.detail)

    def _frames(self, start: float) -> tuple[Frame, ...]:
        """The syncs from `start` on; where that is longer ago than what was played, it is played."""
        player = self._player
        if player is None:
            return ()
        if start < player.began - 1.0:
            player = self._player_at(player.time, since=start)
        return player.store.frames()

    def recorded(self) -> tuple[Frame, ...]:
        """The selected HPA's syncs up to the moment, and last its present if it can be read."""
        if self._player is None:
            return ()
        store = self._player.store
        present = store.present(self._player.time)
        return store.frames() if present is None else (*store.frames(), present)

    def controller(self) -> ControllerFlags:
        """The controller's flags and rules, as recorded."""
        return self._recording.meta.flags
