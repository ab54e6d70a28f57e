"""What happened to one HPA in a recording, for a slider: its rescales, and the time in which nothing was seen.

A week of one HPA are some ten thousand facts, so they are looked through in slices, newest first; whoever looks gives
others their turn between two slices.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from hpatui.model import Event, Hpa, Key, Kind, Listed, Seen, SourceState, StatusChanged, Upserted
from hpatui.session.recording import RecordingPort
from hpatui.state.history import parse_rescale, record_events, record_hpa
from hpatui.state.series import HpaHistory, Rescale

SLICE = 1800.0  # seconds of recording looked through at a time
SAME = 3.0  # seconds within which two signs of a rescale to one size are the same rescale


@runtime_checkable
class Indexed(RecordingPort, Protocol):
    """A recording that knows rescales and breaks without being read through."""

    def rescales(self, hpa: Key, since: float | None = None, until: float | None = None) -> list[Seen]:
        """The HPA as it was after each rescale, and the events that told of one, in order of time."""

    def breaks(self) -> list[tuple[float, float]]:
        """From when to when nothing was recorded."""


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
    if isinstance(recording, Indexed):
        _look_up(recording, key, marks)
        changed()
        return
    meta = recording.meta
    while marks.known_from > meta.first:  # others may look too, meanwhile
        end = min(marks.known_from, meta.last)
        start = max(meta.first, end - SLICE)
        _look_at(recording.facts(start, end, key), key, marks, end)
        marks.known_from = min(start, end - 1e-6)
        changed()
        yield


def _look_up(recording: Indexed, key: Key, marks: Marks) -> None:
    """All of it at once, where the recording keeps an index."""
    before: Hpa | None = None
    for seen in recording.rescales(key):
        item = seen.what.item if isinstance(seen.what, Upserted) else None
        if isinstance(item, Hpa) and item.last_scale_time is not None:
            size = before.desired_replicas if before is not None and before.uid == item.uid else None
            marks.add(Rescale(item.last_scale_time, size, item.desired_replicas, "", seen=True))
            before = item
        elif isinstance(item, Event) and item.last_seen is not None:
            parsed = parse_rescale(item.message)
            if parsed is not None:
                marks.add(Rescale(item.last_seen, None, parsed[0], parsed[1], seen=False))
    marks.gaps = recording.breaks()
    marks.known_from = recording.meta.first


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
