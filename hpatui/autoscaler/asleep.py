"""A target at 0 replicas in words: asleep by the HPA, which wakes it, or at 0 by someone else, which it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.autoscaler import zero
from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.inputs import HpaObject
from hpatui.autoscaler.rules import Rules


def headline(spec: HpaObject, decision: Decision, names: Sequence[str], rules: Rules) -> str:
    """The sentence for a target at 0 that stays there at the next sync; empty where another says more."""
    if decision.current != 0 or decision.rescaled_to is not None:
        return ""
    if decision.disabled:
        return _disabled(spec, rules)
    failed = any(evaluation.failed for evaluation in decision.metrics)
    if not untold(decision) and (failed or decision.wanted != 0):
        return ""
    who = "asleep at 0 by the HPA" if rules.zero_is_guarded else "asleep at 0"
    return f"{who}; {_wakes(spec, names)}"


def untold(decision: Decision) -> bool:
    """Whether metrics lack a value only because the status of a target at 0 does not tell it."""
    failed = [evaluation for evaluation in decision.metrics if evaluation.failed]
    return bool(failed) and all(zero.NOT_TOLD in evaluation.event for evaluation in failed)


def _disabled(spec: HpaObject, rules: Rules) -> str:
    slept = any(item.type == zero.CONDITION and item.status == "True" for item in spec.conditions)
    if slept and not rules.scale_to_zero:
        return "the target has 0 replicas, so scaling is off: this controller does not wake it (HPAScaleToZero is off)"
    if slept:
        return "the target has 0 replicas, so scaling is off: without an Object or External metric nothing wakes it"
    if rules.scale_to_zero:
        return (
            "the target has 0 replicas, so scaling is off: not the HPA set 0, and only what it set itself does it wake"
        )
    return "the target has 0 replicas, so scaling is off"


def _wakes(spec: HpaObject, names: Sequence[str]) -> str:
    if stuck(spec):
        return f"cannot wake: {stuck(spec)}"
    asking = [n for n, metric in zip(names, spec.metrics, strict=False) if metric.type in ("Object", "External")]
    return f"wakes when {' or '.join(asking) or 'a metric'} > 0"


def stuck(spec: HpaObject) -> str:
    """Why the scale-up rules do not let it leave 0; empty where they do."""
    rules = spec.behavior.up if spec.behavior is not None else None
    if rules is None:
        return ""
    if rules.select == "Disabled":
        return "scaleUp.selectPolicy is Disabled"
    kinds = {policy.type for policy in rules.policies}
    one_is_enough = kinds == {"Percent"} or (rules.select == "Min" and "Percent" in kinds)
    return "a percentage of 0 is 0, so scaleUp needs a policy in Pods" if one_is_enough else ""


def would_change(spec: HpaObject, names: Sequence[str]) -> tuple[str, ...]:
    """What moves a target that is asleep."""
    reason = stuck(spec)
    return (f"up: {_wakes(spec, names).removeprefix('wakes when ')}",) if not reason else (f"up: never: {reason}",)
