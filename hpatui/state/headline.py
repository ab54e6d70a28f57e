"""One word and one line for an HPA, from its status alone: cheap enough for every row of a large cluster.

The words are those of `HpaState`; the line says what a person would want to know first. Where the decision itself is
known (the HPA in focus), the explanation says more.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from hpatui.autoscaler.sentences import NO_SCALE, no_scale
from hpatui.model import Hpa, MetricTarget
from hpatui.state.snapshot import HpaState

if TYPE_CHECKING:
    from hpatui.state.outlook import Outlook


def headline(hpa: Hpa, now: float) -> tuple[HpaState, str]:
    """(state, line) of an HPA at `now` (epoch seconds)."""
    if not hpa.conditions:
        return HpaState.NEW, "no status yet: the controller has not looked at it"
    able, active = hpa.condition("AbleToScale"), hpa.condition("ScalingActive")
    if able is not None and able.status == "False":
        return HpaState.FAILING, _unable(hpa, able.reason, able.message)
    if active is not None and active.status == "False":
        return _inactive(active.reason, active.message)
    moving = _moving(hpa, now)
    if moving is not None:
        return moving
    return _at_rest(hpa, able.reason if able is not None else "")


def _unable(hpa: Hpa, reason: str, message: str) -> str:
    """The controller's own word, and what the target's reference tells beside it."""
    if reason == "FailedGetScale" and message:
        return no_scale(message.removeprefix(NO_SCALE), hpa.reference.kind, hpa.reference.api_version)
    return message or reason


_COMPUTED = frozenset({HpaState.STEADY, HpaState.HELD, HpaState.LIMITED, HpaState.CAPPED, HpaState.FLOOR})


def refined(hpa: Hpa, outlook: Outlook | None, now: float) -> tuple[HpaState, str]:
    """(state, line) where the next decision is known. What the controller says of itself (it fails, is blind or off)
    stays: computed never beats told.
    """
    state, text = headline(hpa, now)
    if outlook is None or state not in _COMPUTED or not outlook.text:
        return state, text
    if outlook.capped:
        state = HpaState.CAPPED
    elif outlook.floored:
        state = HpaState.FLOOR
    elif outlook.reason:
        pass  # it moves at the next sync; until then it is what it was
    elif outlook.more_at is not None:
        state = HpaState.LIMITED
    elif outlook.held_until is not None:
        state = HpaState.HELD
    return state, f"{outlook.text}; {_largest(hpa)}"


def _at_rest(hpa: Hpa, able: str) -> tuple[HpaState, str]:
    """What keeps the size as it is. Several conditions may stand side by side: TooManyReplicas stays while a window
    holds a recommendation above the maximum that is long past, TooFewReplicas likewise, and both stay until the next
    sync when the limits were changed. So each word is only said where the size and the metrics bear it out.
    """
    condition = hpa.condition("ScalingLimited")
    limited = condition.reason if condition is not None and condition.status == "True" else ""
    size = hpa.desired_replicas
    if limited == "TooFewReplicas" and size == hpa.min_replicas:
        return _limited(hpa, limited)  # the window may hold as well, but the minimum is what stays
    if limited == "TooManyReplicas" and size == hpa.max_replicas and not (able in _HELD and _wants(hpa) <= size):
        return _limited(hpa, limited)
    if able in _HELD:
        return HpaState.HELD, f"held at {size} by the {_HELD[able]}; {_largest(hpa)}"
    if limited and not limited.startswith("Too"):
        return _limited(hpa, limited)
    return HpaState.STEADY, f"{_replicas(hpa.current_replicas)}; {_largest(hpa)}"


_HELD = {"ScaleDownStabilized": "stabilization window", "ScaleUpStabilized": "stabilization window for scaling up"}
TOLERANCE = 0.1


def _wants(hpa: Hpa) -> int:
    """About what the metrics ask for, from the values in the status: the size stays within the tolerance."""
    ratio = max((metric.ratio for metric in hpa.metrics if metric.ratio is not None), default=1.0)
    if abs(ratio - 1.0) <= TOLERANCE:
        return hpa.current_replicas
    return ceil(ratio * hpa.current_replicas)


def _inactive(reason: str, message: str) -> tuple[HpaState, str]:
    if reason == "ScalingDisabled":
        return HpaState.OFF, "the target has 0 replicas, so scaling is off"
    if reason == "AmbiguousSelector":
        return HpaState.AMBIGUOUS, message or "several HPAs select the same pods"
    if reason.startswith("Failed") or reason == "InvalidMetricSourceType":
        return HpaState.BLIND, message or reason
    return HpaState.FAILING, message or reason


def _moving(hpa: Hpa, now: float) -> tuple[HpaState, str] | None:
    current, desired = hpa.current_replicas, hpa.desired_replicas
    if desired > current:
        return HpaState.UP, f"scaling up from {current} to {desired}; {_largest(hpa)}"
    if desired < current:
        return HpaState.DOWN, f"scaling down from {current} to {desired}; {_largest(hpa)}"
    return None


def _limited(hpa: Hpa, reason: str) -> tuple[HpaState, str]:
    if reason == "TooManyReplicas":
        return HpaState.CAPPED, f"capped at maxReplicas {hpa.max_replicas}; {_largest(hpa)}"
    if reason == "TooFewReplicas":
        return HpaState.FLOOR, f"at minReplicas {hpa.min_replicas}; {_largest(hpa)}"
    return HpaState.LIMITED, f"limited by a rate policy ({reason}); {_largest(hpa)}"


def _largest(hpa: Hpa) -> str:
    """The metric that asks for most, with its numbers."""
    known = [metric for metric in hpa.metrics if metric.ratio is not None]
    if not known:
        return "no metric has a value yet"
    metric = max(known, key=lambda item: item.ratio or 0.0)
    return f"{_name(metric)} is {metric.current_text} of {metric.target_text}"


def _name(metric: MetricTarget) -> str:
    return metric.label or (f"{metric.name} of {metric.container}" if metric.container else metric.name)


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"
