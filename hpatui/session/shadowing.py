"""Candidates run beside a live HPA: fed from a session's observer as the controller's syncs are seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hpatui.model import Key, SourceState
from hpatui.session.candidates import Candidate
from hpatui.session.live import Session
from hpatui.state.shadow import Shadows
from hpatui.state.snapshot import ShadowLine, Snapshot


class ShadowRun:
    """From the moment the HPA is live: each sync that is seen goes to all candidates, and their lines to the graph.

    `on_sync` is called with the time of each new sync. Applies nothing.
    """

    def __init__(
        self, session: Session, key: Key, candidates: Sequence[Candidate], on_sync: Callable[[float], None] | None = None
    ) -> None:  # fmt: skip
        """`key` may lack the namespace."""
        self.key = key
        self.shadows: Shadows | None = None
        self._session = session
        self._candidates = candidates
        self._on_sync = on_sync
        self._unsubscribe = session.subscribe(self._look)
        self._look(session.snapshot)  # syncs count from now on

    def close(self) -> None:
        """Look no more; idempotent."""
        self._unsubscribe()

    def _look(self, snapshot: Snapshot) -> None:
        store = self._session.store
        focused = store.focused
        if focused is None or focused.name != self.key.name or self.key.namespace not in ("", focused.namespace):
            return
        if self.shadows is None:
            if snapshot.status.state is not SourceState.LIVE:
                return
            trials = [(candidate.name, candidate.trial) for candidate in self._candidates]
            self.key, self.shadows = focused, Shadows(trials, store.flags, snapshot.time)
        times = self.shadows.take(store.frames())
        if not times:
            return
        self._session._publisher.shadows = tuple(
            ShadowLine(s.name, tuple(s.run.points)) for s in self.shadows.candidates
        )
        self._session.changed()
        if self._on_sync is not None:
            for time in times:
                self._on_sync(time)
