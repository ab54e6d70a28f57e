"""Judges HPAs by what is recorded of them, or by what a live watch shows, for `hpatui advise` and the screen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from hpatui.errors import UsageError
from hpatui.model import ControllerFlags, Key, SourceState
from hpatui.session.live import Session
from hpatui.session.recording import OpenRecording
from hpatui.state.snapshot import Snapshot
from hpatui.text import printable
from hpatui.tune.rank import Judged, Prices, judge, ranked
from hpatui.tune.timeline import Collector, Timeline

PODS_EVERY = 5.0  # seconds between looks at the pods of all HPAs
Progress = Callable[[int, int], None]


def scope_of(recording: OpenRecording, namespace: str | None, wanted: Key | None) -> list[Key]:
    """The HPAs of a recording that are asked for. UsageError for one that is not in it."""
    keys = recording.hpas()
    if wanted is not None:
        found = [key for key in keys if key.name == wanted.name and wanted.namespace in ("", key.namespace)]
        if not found:
            near = printable(", ".join(map(str, keys[:5])), 200) or "no HPA"
            raise UsageError(f"HPA {printable(str(wanted))} is not in the recording", hint=f"it has {near}")
        return found
    return [key for key in keys if namespace is None or key.namespace == namespace]


def judge_recording(
    recording: OpenRecording, keys: Sequence[Key], since: float, until: float, prices: Prices, goal: str, *,
    curves: bool = False, progress: Progress | None = None,
) -> Iterator[Judged]:  # fmt: skip
    """Each HPA judged by its facts from `since` to `until` (epoch seconds); one at a time, so that memory stays small."""
    flags = recording.meta.flags
    for number, key in enumerate(keys):
        line = timeline_of(recording, key, flags, since, until)
        if line is not None:
            yield judge(line, prices, goal, keep_curves=curves)
        if progress is not None:
            progress(number + 1, len(keys))


def timeline_of(
    recording: OpenRecording, key: Key, flags: ControllerFlags, since: float, until: float
) -> Timeline | None:
    """What one HPA went through; None where it was not seen."""
    collector = Collector(key, flags)
    for seen in recording.facts(since, until, key):
        collector.take(seen)
    return collector.timeline(since, until)


class LiveWatch:
    """Collects what a live session shows of all its HPAs, from now on."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._collectors: dict[Key, Collector] = {}
        self._last: dict[Key, object] = {}
        self._pods_at = -1e9
        self._lost = False
        self.begin = session.clock.time()
        self._unsubscribe = session.subscribe(self._look)
        self._look(session.snapshot)

    def close(self) -> None:
        """Look no more; idempotent."""
        self._unsubscribe()

    def _look(self, snapshot: Snapshot) -> None:
        live = snapshot.status.state is SourceState.LIVE
        if not live:
            if not self._lost:
                for collector in self._collectors.values():
                    collector.gap(snapshot.time)
            self._lost = True
            return
        again, self._lost = self._lost, False
        pods = snapshot.time - self._pods_at >= PODS_EVERY
        self._pods_at = snapshot.time if pods else self._pods_at
        for row in snapshot.rows:
            if row.key not in self._collectors:
                self._collectors[row.key] = Collector(row.key, self._session.controller())
            collector = self._collectors[row.key]
            if again or self._last.get(row.key) is not row.hpa:
                self._last[row.key] = row.hpa
                collector.hpa(snapshot.time, row.hpa)
            if pods:
                found = self._session.store.pods_of(row.key)
                if found:
                    collector.pods(snapshot.time, found)

    def judged(
        self, prices: Prices, goal: str, keys: Sequence[Key] | None = None, *, curves: bool = False
    ) -> list[Judged]:
        """All HPAs (or `keys`), judged by what was seen so far, the worst first."""
        now = self._session.clock.time()
        found = []
        for key, collector in self._collectors.items():
            line = collector.timeline(self.begin, now) if keys is None or key in keys else None
            if line is not None:
                found.append(judge(line, prices, goal, keep_curves=curves))
        return ranked(found)
