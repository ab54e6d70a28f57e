"""Simulated pods that began together: they behave alike."""

from __future__ import annotations

from math import inf

PENDING, RUNNING, READY, KILLED = range(4)
LONG_AGO = -1e12


class Cohort:
    """Pods that began together. `carried`: per metric, what a pod had carried in all (cost x share x seconds) when it became
    ready; `held`: what it holds; `fresh`: its last sample (values, end, length of the window; None: none yet), `sampled`: the
    last that the metrics API has.
    """

    __slots__ = (
        "begun",
        "carried",
        "count",
        "fresh",
        "held",
        "kills",
        "next",
        "ready_at",
        "running_at",
        "sampled",
        "stage",
    )

    def __init__(self, count: int, begun: float, metrics: int) -> None:
        self.count, self.begun = count, begun
        self.stage = PENDING
        self.running_at = self.ready_at = inf
        self.next = inf  # when its stage changes by itself
        self.carried = [0.0] * metrics
        self.held = [0.0] * metrics
        self.fresh: tuple[list[int], float, float] | None = None
        self.sampled: tuple[list[int], float, float] | None = None
        self.kills = 0


def established(count: int, metrics: int) -> Cohort:
    """Pods that have been ready for long."""
    cohort = Cohort(count, LONG_AGO, metrics)
    cohort.stage, cohort.running_at, cohort.ready_at = READY, LONG_AGO, LONG_AGO
    return cohort
