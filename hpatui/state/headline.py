"""One word and one line for an HPA, from its status alone: cheap enough for every row of a large cluster.

The words are those of `HpaState`; the line says what a person would want to know first. Where the decision itself is
known (the HPA in focus), the explanation says more.
"""

from __future__ import annotations

from hpatui.model import Hpa, MetricTarget
from hpatui.state.snapshot import HpaState

JUST_SCALED = 20.0  # seconds after a rescale in which "up" or "down" is the news


def headline(hpa: Hpa, now: float) -> tuple[HpaState, str]:
    """(state, line) of an HPA at `now` (epoch seconds)."""
    if not hpa.conditions:
        return HpaState.NEW, "no status yet: the controller has not looked at it"
    able, active = hpa.condition("AbleToScale"), hpa.condition("ScalingActive")
    if able is not None and able.status == "False":
        return HpaState.FAILING, able.message or able.reason
    if active is not None and active.status == "False":
        return _inactive(active.reason, active.message)
    moving = _moving(hpa, now)
    if moving is not None:
        return moving
    limited = hpa.condition("ScalingLimited")
    if limited is not None and limited.status == "True" and limited.reason == "TooManyReplicas":
        return _limited(hpa, limited.reason)  # at the maximum, whatever the window does
    if able is not None and able.reason == "ScaleDownStabilized":
        return HpaState.HELD, f"held at {hpa.desired_replicas} by the stabilization window; {_largest(hpa)}"
    if limited is not None and limited.status == "True":
        return _limited(hpa, limited.reason)
    return HpaState.STEADY, f"{_replicas(hpa.current_replicas)}; {_largest(hpa)}"


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
    return f"{metric.name} of {metric.container}" if metric.container else metric.name


def _replicas(count: int) -> str:
    return "1 replica" if count == 1 else f"{count} replicas"
