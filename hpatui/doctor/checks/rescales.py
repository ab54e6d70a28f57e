"""An HPA's rescales as its events tell them: when, to which size, in which direction.

The direction is what the controller says ("... above target" and "... below Spec.MinReplicas" are up, "All metrics below
target" and "... above Spec.MaxReplicas" are down): the size before is not told, and may be another's work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from hpatui.doctor.checks.events import event_time
from hpatui.doctor.fields import Json, namespace, number, text, time_of
from hpatui.doctor.world import Subject

MOST_REPEATS = 50

_NEW_SIZE = re.compile(r"New size: (\d+); reason: (.*)", re.DOTALL)
_COMBINED = "(combined from similar events): "


@dataclass(frozen=True, slots=True)
class Rescale:
    """One rescale. `up` is None where the controller gave a reason that is not known here. `exact`: the time is
    told; of an event that was counted up, only the first and the last time are. `event`: which event it is of.
    """

    time: float
    size: int
    up: bool | None
    exact: bool
    event: int


def rescales_of(subject: Subject, events: Sequence[Json]) -> list[Rescale]:
    """The rescales, oldest first."""
    found: list[Rescale] = []
    for index, event in enumerate(events):
        if text(event, "reason") != "SuccessfulRescale" or namespace(event) != subject.key.namespace:
            continue
        told = _NEW_SIZE.match(text(event, "message").removeprefix(_COMBINED))
        if told is None or text(event, "involvedObject", "name") != subject.key.name:
            continue
        up = _direction(told.group(2))
        moments = _moments(event)
        for at, moment in enumerate(moments):
            found.append(Rescale(moment, int(told.group(1)), up, at in (0, len(moments) - 1), index))
    return sorted(found, key=lambda rescale: rescale.time)


def _direction(reason: str) -> bool | None:
    if reason.endswith("above target") or reason.endswith("below Spec.MinReplicas"):
        return True
    return False if reason.startswith("All metrics below") or reason.endswith("above Spec.MaxReplicas") else None


def _moments(event: Json) -> list[float]:
    """When the event happened. Of an aggregated one only the first and last time and the count are told; the others are
    taken to lie evenly between.
    """
    last, first = event_time(event), time_of(event, "firstTimestamp")
    count = min(number(event, "count") or 1, MOST_REPEATS)
    if last is None or first is None or count < 2:
        return [] if last is None else [last]
    return [first + (last - first) * index / (count - 1) for index in range(count)]


def direction_changes(rescales: Sequence[Rescale]) -> int:
    """How often the HPA itself turned from up to down or back."""
    known = [rescale.up for rescale in rescales if rescale.up is not None]
    return sum(1 for before, after in pairwise(known) if before != after)


def contradictions(rescales: Sequence[Rescale]) -> tuple[int, tuple[Rescale, Rescale] | None]:
    """(how often at least, the last pair): two rescales up whose sizes do not climb, or two down whose sizes do not
    fall, with none the other way (or of an unknown reason) between them. Something else must have changed the size.

    Times between the first and the last of a counted event are guessed, so such a pair only counts where no other
    direction occurs in the event's whole span.
    """
    count = 0
    pair: tuple[Rescale, Rescale] | None = None
    for before, after in pairwise(rescales):
        if before.up is None or before.up != after.up:
            continue
        stands = after.size <= before.size if before.up else after.size >= before.size
        if stands and not _turned_between(rescales, before, after):
            count += 1
            pair = before, after
    return count, pair


def _turned_between(rescales: Sequence[Rescale], before: Rescale, after: Rescale) -> bool:
    """Whether a rescale of another direction may lie between the two."""
    low, high = before.time, after.time
    for end in (before, after):
        if not end.exact:
            span = [r.time for r in rescales if r.event == end.event]
            low, high = min(low, *span), max(high, *span)
    others = {r.event for r in rescales if r.up != before.up}
    for event in others:
        mine = [r for r in rescales if r.event == event]
        guessed = any(not r.exact for r in mine)
        if any(low <= r.time <= high for r in mine):
            return True
        if guessed and min(r.time for r in mine) <= high and max(r.time for r in mine) >= low:
            return True
    return False
