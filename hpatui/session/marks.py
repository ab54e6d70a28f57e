"""What happened to one HPA in a recording, for a slider: its rescales, and the time in which nothing was seen.

A week of one HPA are some ten thousand facts, so they are looked through in slices, newest first; whoever looks gives
others their turn between two slices.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hpatui.model import Event, Hpa, Key, Kind, Listed, Seen, SourceState, StatusChanged, Upserted
from hpatui.session.recording import RecordingPort
from hpatui.state.history import record_events, record_hpa
from hpatui.state.series import HpaHistory, Rescale

SLICE = 1800.0  # seconds of recording looked through at a time
SAME = 3.0  # seconds within which two signs of a rescale to one size are the same rescale


@dataclass(slots=True)
class Marks:
    """`rescales` in order of time; `gaps` are (from, to) without a live source.

    `known_from`: looked through from there on.
    """

    rescales: list[Rescale] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    known_from: float = float("inf")

    def before(self, moment: float) -> Rescale | None:
        """The last rescale before a moment."""
        return next((one for one in reversed(self.rescales) if one.time < moment - 0.5), None)

    def after(self, moment: float) -> Rescale | None:
        """The first rescale after a moment."""
        return next((one for one in self.rescales if one.time > moment + 0.5), None)

    def add(self, rescale: Rescale) -> None:
        """In order of time; what is known already only gains its reason."""
        for index, known in enumerate(self.rescales):
            if known.to_size == rescale.to_size and abs(known.time - rescale.time) <= SAME:
                from_size = known.from_size if known.from_size is not None else rescale.from_size
                self.rescales[index] = Rescale(
                    min(known.time, rescale.time), from_size, known.to_size, known.reason or rescale.reason, seen=True
                )
                return
        insort(self.rescales, rescale, key=lambda one: one.time)


def look_through(
    recording: RecordingPort, key: Key, marks: Marks, changed: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Fill `marks`, newest first, from where it was looked last; yields after each slice."""
    meta = recording.meta
    while marks.known_from > meta.first:  # others may look too, meanwhile
        end = min(marks.known_from, meta.last)
        start = max(meta.first, end - SLICE)
        _look_at(recording.facts(start, end, key), key, marks, end)
        marks.known_from = min(start, end - 1e-6)
        changed()
        yield


def _look_at(facts: Iterator[Seen], key: Key, marks: Marks, end: float) -> None:
    """One slice. An event that tells of an earlier rescale counts too, where that lies in the recording."""
    history = HpaHistory(64)
    before: Hpa | None = None
    lost: float | None = None
    for seen in facts:
        what = seen.what
        if isinstance(what, StatusChanged):
            if what.kind is Kind.HPA and not what.scope:
                live = what.status.state is SourceState.LIVE
                lost = _status(marks, live, lost, seen.time)
            continue
        items = what.items if isinstance(what, Listed) else (what.item,) if isinstance(what, Upserted) else ()
        for item in items:
            if isinstance(item, Hpa) and item.key == key:
                before = None if before is not None and before.uid != item.uid else before
                record_hpa(history, before, item, seen.time)
                before = item
        events = [
            i for i in items if isinstance(i, Event) and i.about == key and i.about_kind == "HorizontalPodAutoscaler"
        ]
        if events:
            record_events(history, events)
    if lost is not None:
        _status(marks, True, lost, end)
    for rescale in history.rescales:
        if rescale.time <= end:
            marks.add(rescale)


def _status(marks: Marks, live: bool, lost: float | None, now: float) -> float | None:
    """Follow whether the source was live; returns since when it is not."""
    if not live:
        return now if lost is None else lost
    if lost is not None and now > lost:
        known = marks.gaps
        joined = [gap for gap in known if abs(gap[0] - now) < 0.5]
        for gap in joined:
            known.remove(gap)
            now = gap[1]
        insort(known, (lost, now))
    return None
