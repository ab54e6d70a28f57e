"""How far a simulated run is from what really happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from hpatui.tune.outcome import Outcome

NEAR = 1  # pods: as close as that counts as right


@dataclass(frozen=True, slots=True)
class Fit:
    """`error`: mean absolute difference in pods; `near`: the part of the time within one pod. `rescales`: those that really
    came, `in_time`: those of them that the simulation makes to a size within one pod no more than one sync away; `made`: all
    that it makes. `pod_seconds`: what really was paid for, `simulated` by the simulation.
    """

    error: float
    near: float
    rescales: int
    in_time: int
    made: int
    pod_seconds: float
    simulated: float
    difference: float  # pods x seconds

    @property
    def uncertainty(self) -> float:
        """The difference relative to what was paid for: of pod-seconds."""
        return self.difference / self.pod_seconds if self.pod_seconds else 0.0


def compare(outcome: Outcome, sizes: Sequence[tuple[float, int]], sync_period: float) -> Fit:
    """A simulated run against the sizes that the target really had, as (time, size) in order."""
    begin, end = outcome.begin, outcome.end
    differs = near = paid = simulated = 0.0
    for seconds, one, other in _together(sizes, outcome.replicas, begin, end):
        differs += seconds * abs(one - other)
        near += seconds if abs(one - other) <= NEAR else 0.0
        paid += seconds * one
        simulated += seconds * other
    whole = max(end - begin, 1e-9)
    real = [
        (time, before, after)
        for (_, before), (time, after) in pairwise(sizes)
        if begin < time <= end and before != after
    ]
    made = [(resize.time, resize.after) for resize in outcome.resizes]
    in_time = 0
    for time, _, after in real:
        found = next((m for m in made if abs(m[0] - time) <= 1.2 * sync_period and abs(m[1] - after) <= NEAR), None)
        if found is not None:
            made.remove(found)
            in_time += 1
    return Fit(differs / whole, near / whole, len(real), in_time, len(outcome.resizes), paid, simulated, differs)


def _together(
    one: Sequence[tuple[float, int]], other: Sequence[tuple[float, int]], begin: float, end: float
) -> Iterator[tuple[float, int, int]]:
    """(seconds, value of one, value of the other) of all spans in which both hold."""
    times = sorted({begin, end, *(t for t, _ in one if begin < t < end), *(t for t, _ in other if begin < t < end)})
    i = j = 0
    for start, until in pairwise(times):
        while i + 1 < len(one) and one[i + 1][0] <= start:
            i += 1
        while j + 1 < len(other) and other[j + 1][0] <= start:
            j += 1
        yield until - start, one[i][1], other[j][1]
