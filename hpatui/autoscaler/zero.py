"""At 0 replicas: whether the controller looks at metrics there, and the condition ScaledToZero by which it remembers.

Until 1.35 a target at 0 is looked at where minReplicas is 0, whoever set 0. From 1.36 on only a target that the controller
itself scaled to 0 is, and only with gate HPAScaleToZero (on by default from 1.37 on).
"""

from __future__ import annotations

from hpatui.autoscaler.conditions import Conditions
from hpatui.autoscaler.inputs import HpaObject
from hpatui.autoscaler.rules import Rules

CONDITION = "ScaledToZero"
NOT_TOLD = "at 0 replicas the status of a server before 1.38 does not tell the metric's total"  # in an answer's error
DISABLED = "scaling is disabled since the replica count of the target is zero"


def can_measure_nothing(hpa: HpaObject) -> bool:
    """Whether a metric can be read without any pod: an Object or External one."""
    return any(metric.type in ("Object", "External") for metric in hpa.metrics)


def looks_at_metrics(hpa: HpaObject, conditions: Conditions, rules: Rules) -> bool:
    """Whether metrics are computed for a target at 0 replicas."""
    if not rules.zero_is_guarded:
        return hpa.min_replicas == 0
    known = conditions.get(CONDITION)
    by_controller = rules.scale_to_zero and known is not None and known.status == "True"
    return by_controller and (hpa.min_replicas != 0 or can_measure_nothing(hpa))


def set_disabled(conditions: Conditions, rules: Rules) -> None:
    """The conditions of a target at 0 that is left alone."""
    conditions.set("ScalingActive", False, "ScalingDisabled", DISABLED)
    if rules.zero_is_guarded and not rules.scale_to_zero:
        conditions.remove(CONDITION)


def set_rescaled(hpa: HpaObject, conditions: Conditions, rules: Rules, before: int, after: int) -> None:
    """Remember at a rescale whether it was the controller that went to 0."""
    if not rules.zero_is_guarded:
        return
    if not rules.scale_to_zero:
        conditions.remove(CONDITION)
    elif before > 0 and after == 0 and hpa.min_replicas == 0 and can_measure_nothing(hpa):
        conditions.set(CONDITION, True, "ScaledToZero", "the HPA controller scaled the workload to zero")
    else:
        conditions.set(CONDITION, False, "NotScaledToZero", "the HPA controller did not scale the workload to zero")
