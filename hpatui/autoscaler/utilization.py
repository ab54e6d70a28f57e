"""Step 2: how much is used, against the target. A usage ratio of 1 is exactly on target.

Source: metrics/utilization.go and the tolerances of the replica calculator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hpatui.autoscaler.arithmetic import divide, quotient, wrap32, wrap64
from hpatui.autoscaler.inputs import Behavior, ControllerConfig


class NoKnownPods(Exception):
    """None of the samples belongs to a pod with a request."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Within 1 - down and 1 + up of the target nothing changes. The distance from 1 is compared where `by_distance`:
    then some edges are outside (1.1 - 1 is a little more than 0.1).
    """

    down: float
    up: float
    by_distance: bool = False

    def within(self, ratio: float) -> bool:
        """Whether the ratio is too close to 1 to act."""
        if self.by_distance:
            return abs(1.0 - ratio) <= (self.up if ratio > 1.0 else self.down)
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Usage:
    """`ratio` of usage to target; `utilization` in percent (None for plain values); `average` in thousandths a pod."""

    ratio: float
    utilization: int | None
    average: int


def tolerance_of(behavior: Behavior | None, config: ControllerConfig) -> Tolerance:
    """The tolerance of each direction: its own in behavior (if the rules look at it), else the controller's."""
    rules = config.rules
    own = behavior if rules.tolerance_by_direction else None
    up = own.up.tolerance if own is not None else None
    down = own.down.tolerance if own is not None else None
    by_distance = not rules.edge_within_tolerance
    return Tolerance(config.tolerance if down is None else down, config.tolerance if up is None else up, by_distance)


def utilization_ratio(values: Mapping[str, int], requests: Mapping[str, int], target_percent: int) -> Usage:
    """Usage as a whole percentage of the requests, cut toward zero, over the target percentage.

    Samples of pods without a request do not take part. Raises NoKnownPods where none is left.
    """
    used = wanted = entries = 0
    for name, value in values.items():
        request = requests.get(name)
        if request is not None:
            used += value
            wanted += request
            entries += 1
    used, wanted = wrap64(used), wrap64(wanted)
    if wanted == 0:
        raise NoKnownPods("no metrics returned matched known pods")
    percent = wrap32(quotient(wrap64(used * 100), wanted))
    return Usage(divide(float(percent), float(target_percent)), percent, quotient(used, entries))


def plain_ratio(values: Mapping[str, int], target: int) -> Usage:
    """The average of the values (cut toward zero) over the target, both in thousandths."""
    average = quotient(wrap64(sum(values.values())), len(values))
    return Usage(divide(float(average), float(target)), None, average)
