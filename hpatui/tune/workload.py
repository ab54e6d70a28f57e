"""What a workload does with a demand, as learned or as told: plain frozen data.

    Demand (what all pods together have to carry, over time)  +  WorkloadModel  ->  what each pod uses, in time

Units are the autoscaler's: metric values in thousandths (millicores of cpu; memory in thousandths of a byte), times in
epoch seconds, lengths in seconds. A demand is in units of load: requests/s where the load is known, else the metric's own
unit (then a unit costs 1).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf


class Kind(StrEnum):
    """How a metric's value comes about."""

    SHARED = "shared"  # pods that are ready share the demand evenly: cpu, requests/s a pod, memory of a cache
    POD = "pod"  # a pod's own, whatever the load and however many there are: most applications' memory
    HELD = "held"  # what the demand brings in stays in the pod for a while, or for ever: memory
    TOTAL = "total"  # one value for the whole workload, whatever its size: Object and External metrics
    UNREAD = "unread"  # never readable: the controller does not scale down on the others alone


@dataclass(frozen=True, slots=True)
class MetricModel:
    """One metric of spec.metrics (by place). A pod of age `a` that gets the share `s` of the demand uses

        SHARED   idle + cost * s, at most `limit`; while it starts, `startup` more
        POD      idle + cost * demand
        HELD     idle + growth * a + h  with  h' = cost * s - h / hold; over `limit` it is killed and starts again
        TOTAL    cost * demand, whatever the pods do

    `request`: what 100 % of a Utilization target is (None: not a percentage). `error`: how far (relative) the model
    was from what was seen, as the root of the mean square; None where it is not learned. `ceiling`: the memory limit of a pod
    (thousandths of a byte), whatever the kind.
    """

    index: int
    kind: Kind = Kind.SHARED
    cost: float = 1.0
    idle: float = 0.0
    request: int | None = None
    limit: float | None = None
    startup: float = 0.0  # more use (thousandths) while a pod starts
    growth: float = 0.0  # thousandths a second of age
    hold: float = inf  # seconds
    error: float | None = None
    ceiling: float | None = None


@dataclass(frozen=True, slots=True)
class WorkloadModel:
    """How the target's pods behave. `missing` says what could not be learned and what it would take, a sentence each."""

    metrics: tuple[MetricModel, ...]
    start_delay: float = 2.0  # from the change of the size until the container runs
    ready_delay: float = 1.0  # from there until the pod is ready
    startup_time: float = 0.0  # how long after its start a pod uses `startup` more
    restart_delay: float = 10.0  # from a kill to running again, the first time; doubles
    missing: tuple[str, ...] = ()
    learned_from: int = 0  # moments

    @property
    def uncertainty(self) -> float:
        """The largest relative error of its metrics; 1 where none was learned."""
        errors = [metric.error for metric in self.metrics if metric.error is not None]
        return max(errors) if errors else 1.0


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of all pods together: from `times[i]` on `curves[m][i]` for metric m, until `end`.

    Where one load drives all metrics its curve is the same for each. `doubtful`: seconds of it in which the pods were
    saturated, so that more may have been asked for than was seen.
    """

    times: tuple[float, ...]
    curves: tuple[tuple[float, ...], ...]
    end: float
    unit: str = ""
    doubtful: float = 0.0

    @property
    def begin(self) -> float:
        """When it begins."""
        return self.times[0]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.times[0]

    def at(self, time: float) -> tuple[float, ...]:
        """What each metric has to carry at a time (before the begin: as at the begin)."""
        index = max(0, bisect_right(self.times, time) - 1)
        return tuple(curve[index] for curve in self.curves)


def demand_of(points: Iterable[tuple[float, float]], end: float, metrics: int = 1, unit: str = "requests/s") -> Demand:
    """A demand that drives all metrics alike: a load plan's rate, as (time, rate) in order."""
    known = sorted(points)
    curve: Sequence[float] = [rate for _, rate in known]
    return Demand(tuple(time for time, _ in known), (tuple(curve),) * metrics, end, unit)
