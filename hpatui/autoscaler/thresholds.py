"""What a metric's value would have to be for the size to move: the controller's own arithmetic, tried out.

The pods left out stay as they are: unready ones count as 0 on the way up and not at all on the way down, those without a
sample as 0 on the way up and as full (100 % of the request or the target, whichever is more; else on target) on the way
down. So with many of them no value at all may move the size.
Source: replica_calculator.go of the controller, as in replicas.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from hpatui.autoscaler.amounts import goal_of, is_percent, is_shared
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.utilization import Tolerance

_HIGH = 10**15  # thousandths: beyond it nothing is looked for


@dataclass(frozen=True, slots=True)
class Edge:
    """A value in the unit of the target (percent or thousandths): at `value` the size moves, one step before not."""

    value: int


def size_at(evaluation: MetricEvaluation, tolerance: Tolerance, size: int, counted: int, value: float) -> int:
    """What the metric would ask for at `value` (an average a pod, or a total where the target is one), with the pods as
    they are. `size` is the target's size; `counted` the scale's status size.
    """
    goal = goal_of(evaluation.spec)
    if not goal:
        return size
    ratio = value / goal
    if evaluation.spec.type in ("Object", "External"):
        return _single(evaluation, tolerance, size, counted, ratio)
    proposal = evaluation.proposal
    groups = proposal.groups if proposal is not None else None
    ready = groups.ready if groups is not None else size
    missing = len(groups.missing) if groups is not None else 0
    unready = len(groups.unready) if groups is not None and ratio > 1 else 0
    if not missing and not unready:
        return size if tolerance.within(ratio) else _up(ratio * ready)
    full = max(100, goal) / goal if is_percent(evaluation.spec) else 1.0
    assumed = missing * full if ratio < 1 else 0.0
    all_pods = ready + missing + unready
    adjusted = (ratio * ready + assumed) / all_pods
    if tolerance.within(adjusted) or (adjusted > 1) != (ratio > 1):
        return size
    wanted = _up(adjusted * all_pods)
    return size if (adjusted < 1 and wanted > size) or (adjusted > 1 and wanted < size) else wanted


def _single(evaluation: MetricEvaluation, tolerance: Tolerance, size: int, counted: int, ratio: float) -> int:
    if is_shared(evaluation.spec):
        return counted if tolerance.within(ratio) else _up(ratio * counted)
    proposal = evaluation.proposal
    ready = proposal.counted if proposal is not None and proposal.counted else size
    return size if tolerance.within(ratio) else _up(ratio * ready)


def _up(value: float) -> int:
    return ceil(round(value, 9))


def edge_up(evaluation: MetricEvaluation, tolerance: Tolerance, size: int, counted: int) -> Edge | None:
    """The highest value at which the size does not grow; None where no value makes it grow."""
    return _search(lambda v: size_at(evaluation, tolerance, size, counted, v) > size, _most(evaluation), rising=True)


def edge_down(evaluation: MetricEvaluation, tolerance: Tolerance, size: int, counted: int) -> Edge | None:
    """The highest value at which the size shrinks; None where not even 0 makes it shrink."""
    return _search(lambda v: size_at(evaluation, tolerance, size, counted, v) < size, _most(evaluation), rising=False)


def _most(evaluation: MetricEvaluation) -> int:
    """A value high enough to ask for more whatever is left out."""
    goal = goal_of(evaluation.spec) or 1
    return min(_HIGH, max(2, abs(goal)) * 10_000)


def _search(holds: Callable[[int], bool], most: int, *, rising: bool) -> Edge | None:
    """Bisect for where `holds` turns: from false to true as the value rises, or from true to false."""
    if holds(most if rising else 0) is False:
        return None
    low, high = 0, most
    if holds(low if rising else high):
        return Edge(low if rising else high)
    while high - low > 1:
        middle = (low + high) // 2
        if holds(middle) == rising:
            high = middle
        else:
            low = middle
    return Edge(low)
