"""Finds who else writes spec.replicas: a change of the target's size that no rescale of the HPA goes with."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from hpatui.model import Event, Hpa, Workload
from hpatui.state.frames import Sync
from hpatui.state.history import parse_rescale
from hpatui.state.patterns import ReplicaWrite

EFFECT_WITHIN = 5.0  # seconds between the controller's write to the target and its status, as they arrive here
SETTLE = 1.0  # seconds in which the other side of a change of size is about to arrive
MAX_WRITES = 64


class WriteWatch:
    """Changes of the target's size, suspect until the HPA says that it made them. Times are epoch seconds."""

    def __init__(self) -> None:
        self.found: deque[ReplicaWrite] = deque(maxlen=MAX_WRITES)
        self._suspects: list[ReplicaWrite] = []

    def note(self, before: Workload, after: Workload, now: float) -> None:
        """The target has changed."""
        if before.uid == after.uid and before.replicas != after.replicas:
            self._suspects.append(ReplicaWrite(now, before.replicas, after.replicas))

    def unsettled(self, now: float) -> bool:
        """Whether a change of size has just been seen on the target and not yet on the HPA."""
        return any(now - write.time < SETTLE for write in self._suspects)

    def judge(self, now: float, rescales: Callable[[], Iterable[tuple[float, int]]]) -> bool:
        """Compare with the HPA's rescales (time, size); True if a foreign write was found."""
        if not self._suspects:
            return False
        known = list(rescales())
        suspects = [write for write in self._suspects if not _is_own(write, known)]
        self._suspects = [write for write in suspects if now - write.time <= EFFECT_WITHIN]
        foreign = [write for write in suspects if now - write.time > EFFECT_WITHIN]
        self.found.extend(foreign)
        return bool(foreign)


def _is_own(write: ReplicaWrite, rescales: Iterable[tuple[float, int]]) -> bool:
    return any(size == write.to_size and abs(time - write.time) <= EFFECT_WITHIN for time, size in rescales)


def own_rescales(hpa: Hpa | None, events: Iterable[Event], syncs: Iterable[Sync]) -> list[tuple[float, int]]:
    """(time, size) of an HPA's rescales, from its status, its events and the syncs seen."""
    times = [(sync.time, sync.to_size) for sync in syncs if sync.rescaled]
    for event in events:
        parsed = parse_rescale(event.message)
        if parsed is not None and event.last_seen is not None:
            times.append((event.last_seen, parsed[0]))
    if hpa is not None and hpa.last_scale_time is not None:
        times.append((hpa.last_scale_time, hpa.desired_replicas))
    return times
