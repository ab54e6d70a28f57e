"""The controller's memory of an HPA, rebuilt by an observer: what it starts with, and how it is mended where a sync
went otherwise than predicted.

The API tells neither recommendations nor scale events. What is assumed here errs on the side of waiting: a countdown
from an assumed memory tells the latest moment, and says so until a whole window has been watched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

from hpatui.autoscaler.inputs import HpaObject, Memory, Recommendation, ScaleEvent
from hpatui.autoscaler.times import SECOND, seconds_to_ns
from hpatui.model import ControllerFlags, Event, Hpa
from hpatui.state.history import parse_rescale

EDGE = 0.15  # seconds: see `shifted`
MAX_SLOTS = 512  # recommendations kept at most; the controller drops them by age


def first_memory(hpa: Hpa, now: float) -> Memory:
    """What can be told of the memory of an HPA that was there before the observer: it wanted its present size now."""
    size = hpa.desired_replicas or hpa.current_replicas
    return Memory(recommendations=(Recommendation(seconds_to_ns(now), size),)) if hpa.conditions else Memory()


def longest_window(hpa: HpaObject | None, flags: ControllerFlags) -> float:
    """Seconds after which nothing from before can matter: the windows and policy periods of both directions."""
    if hpa is None or hpa.behavior is None:
        return flags.downscale_stabilization
    down, up = hpa.behavior.down, hpa.behavior.up
    windows = [flags.downscale_stabilization if down.window is None else float(down.window), float(up.window or 0)]
    return max(windows + [float(policy.period) for policy in (*down.policies, *up.policies)])


def with_events(memory: Memory, events: Iterable[Event], known_since: float, now: float) -> Memory:
    """`memory` with the scale events that SuccessfulRescale events from before `known_since` tell.

    Sizes are known from one event to the next, so the first event only gives the size from which the second counts.
    """
    rescales: list[tuple[float, int, str]] = []
    for event in events:
        parsed = parse_rescale(event.message) if event.reason == "SuccessfulRescale" else None
        if parsed is not None and event.last_seen is not None and event.last_seen < known_since:
            rescales.append((event.last_seen, *parsed))
    rescales.sort()
    up: list[ScaleEvent] = []
    down: list[ScaleEvent] = []
    for (_, before, _), (time, after, reason) in pairwise(rescales):
        if reason.endswith("above target") and after <= before:
            continue  # something else lowered the size in between: from how much it grew is not told
        if now - time <= 3600.0 and after != before:
            (up if after > before else down).append(ScaleEvent(seconds_to_ns(time), abs(after - before)))
    return replace(memory, scale_up=_merged(memory.scale_up, up), scale_down=_merged(memory.scale_down, down))


def _merged(known: Sequence[ScaleEvent], told: Sequence[ScaleEvent]) -> tuple[ScaleEvent, ...]:
    """Events that are not yet known: API events have whole seconds, so within 2 s and of one size is the same."""
    new = [t for t in told if not any(k.change == t.change and abs(k.time - t.time) <= 2 * SECOND for k in known)]
    return (*new, *known)


def mended(before: Memory, after: Memory, now: float, from_size: int, to_size: int | None) -> Memory:
    """The memory after a sync that went otherwise than predicted.

    `before` and `after` are the memory around the prediction; `to_size` is what the controller really scaled to (None:
    it did not scale). The recommendation of the prediction is kept, unless the controller scaled up: then it must have
    recommended at least that much. Where it scaled down, none in its window is of more than that.
    """
    time = seconds_to_ns(now)
    memory = replace(after, scale_up=before.scale_up, scale_down=before.scale_down)
    if to_size is None or to_size == from_size:
        return memory
    event = ScaleEvent(time, abs(to_size - from_size))
    if to_size > from_size:
        recommendations = (*before.recommendations, Recommendation(time, to_size))
        return replace(memory, recommendations=recommendations, scale_up=(*memory.scale_up, event))
    recommendations = tuple(replace(i, replicas=min(i.replicas, to_size)) for i in memory.recommendations)
    return replace(memory, recommendations=recommendations, scale_down=(*memory.scale_down, event))


def shifted(memory: Memory, by: int, before: int | None = None) -> Memory:
    """The memory with all times (of before `before`) moved by so many nanoseconds.

    Syncs of a real controller are a period and a few milliseconds apart, so what it recommended exactly a window of whole
    periods ago is always just out of the window. Seen from here, both moments are blurred by the time that a write
    takes to arrive, and that is longer: memories are taken to be `EDGE` older than they were seen.
    """
    if not by:
        return memory
    return Memory(
        tuple(_moved(item, by) if before is None or item.time < before else item for item in memory.recommendations),
        tuple(_moved(item, by) if before is None or item.time < before else item for item in memory.scale_up),
        tuple(_moved(item, by) if before is None or item.time < before else item for item in memory.scale_down),
    )


_T = TypeVar("_T", Recommendation, ScaleEvent)


def _moved(item: _T, by: int) -> _T:
    return replace(item, time=item.time + by)


def bounded(memory: Memory) -> Memory:
    """At most MAX_SLOTS of each kind, the newest."""
    return Memory(memory.recommendations[-MAX_SLOTS:], memory.scale_up[-MAX_SLOTS:], memory.scale_down[-MAX_SLOTS:])
