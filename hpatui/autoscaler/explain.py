"""A Decision in sentences: what the controller computes, why the size is what it is, what it waits for and what would
change it.

    explain(hpa, spec, decision, ...) -> Explanation     where pods and samples are known
    explain_status(hpa) -> Explanation                   where only the HPA's own status is
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hpatui.autoscaler import sentences as say
from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.explanation import Countdown, ExplainLine, Explanation, Tone
from hpatui.autoscaler.inputs import ControllerConfig, HpaObject
from hpatui.autoscaler.steps import (
    Allowance,
    Hold,
    allowance_of,
    current_text,
    hold_of,
    joined,
    limits_line,
    metric_line,
    metric_name,
    pods_lines,
    target_text,
    thresholds_down,
    thresholds_up,
    window_down,
    winner_line,
)
from hpatui.autoscaler.utilization import tolerance_of
from hpatui.model import Hpa, MetricTarget

__all__ = ["Countdown", "ExplainLine", "Explanation", "Timing", "Tone", "explain", "explain_status"]


@dataclass(frozen=True, slots=True)
class Timing:
    """When things will happen (epoch seconds). `next_sync` is the look that the decision is for; `sync_after` gives the
    first look after a moment; `assumed` is up to when the memory was assumed; `next_sample` when new metrics are due.
    """

    next_sync: float
    sync_after: Callable[[float], float | None] = field(default=lambda moment: moment)
    assumed: float | None = None
    next_sample: float | None = None
    old_sample: float | None = None  # the newest sample's time, where that is suspiciously long ago


def explain(hpa: Hpa, spec: HpaObject, decision: Decision, config: ControllerConfig, timing: Timing) -> Explanation:
    """The Decision for the next sync in sentences."""
    active = hpa.condition("ScalingActive")
    if active is not None and active.reason in ("AmbiguousSelector", "InvalidSelector"):
        return explain_status(hpa)
    hold = hold_of(spec, decision, config, timing.assumed)
    allowed = allowance_of(spec, decision)
    lines = _lines(spec, decision, hold, allowed)
    headline = _headline(spec, decision, hold, allowed)
    if timing.old_sample is not None:
        text = f"the newest sample is of {say.clock_time(timing.old_sample)}"
        lines = (ExplainLine("samples", f"{text}: the size rests on old numbers", Tone.WARN), *lines)
        headline = f"{headline}; {text}"
    if not hpa.conditions:
        headline = "no status yet: the controller has not looked at it"
    tolerance = tolerance_of(spec.behavior, config)
    return Explanation(
        headline=headline,
        lines=lines,
        countdowns=_countdowns(decision, hold, allowed, timing),
        would_change=_would_change(spec, decision, config, hold),
        next_size=decision.replicas,
        next_reason=decision.reason if decision.rescaled_to is not None else "",
        tolerance=(tolerance.down, tolerance.up),
    )


# Lines ----------------------------------------------------------------------------------------------------------------


def _lines(
    spec: HpaObject, decision: Decision, hold: Hold | None, allowed: Allowance | None
) -> tuple[ExplainLine, ...]:
    lines: list[ExplainLine | None] = [metric_line(evaluation, decision) for evaluation in decision.metrics]
    lines += pods_lines(decision)
    lines.append(winner_line(decision))
    if hold is not None:
        lines.append(ExplainLine("stabilization", _held(hold), Tone.WAIT))
    if allowed is not None:
        lines.append(ExplainLine("rate", _allowed(allowed), Tone.WAIT))
    lines.append(limits_line(spec, decision))
    lines.append(_result(spec, decision))
    return tuple(line for line in lines if line is not None)


def _held(hold: Hold) -> str:
    return say.held(hold.wanted, hold.size, hold.until, hold.made, inferred=hold.inferred)


def _allowed(allowed: Allowance) -> str:
    return say.allowance("up" if allowed.up else "down", allowed.now, allowed.more, allowed.more_at)


def _result(spec: HpaObject, decision: Decision) -> ExplainLine:
    current = decision.current
    if decision.disabled:
        return ExplainLine("result", "the target has 0 replicas, which switches scaling off", Tone.WARN)
    if decision.rescaled_to is not None:
        tone = Tone.WARN if decision.rescaled_to > current else Tone.GOOD
        why = _bounds_reason(spec, decision)
        return ExplainLine("result", f"the next sync scales from {current} to {decision.rescaled_to}{why}", tone)
    if decision.metrics and decision.wanted is None:
        return ExplainLine("result", f"no size can be computed: {say.stay(current)}", Tone.BAD)
    return ExplainLine("result", say.stay(current), Tone.GOOD)


def _bounds_reason(spec: HpaObject, decision: Decision) -> str:
    if decision.current > spec.max_replicas:
        return f", because {decision.current} is above maxReplicas"
    if decision.current < spec.min_replicas:
        return f", because {decision.current} is below minReplicas"
    return ""


# Headline -------------------------------------------------------------------------------------------------------------


def _headline(spec: HpaObject, decision: Decision, hold: Hold | None, allowed: Allowance | None) -> str:
    """The one sentence: what keeps or moves the size."""
    if decision.disabled:
        return "the target has 0 replicas, so scaling is off"
    failed = [e for e in decision.metrics if e.failed]
    if decision.wanted is None and failed:
        text = say.blind(failed[0].event)
        return text if len(failed) == len(decision.metrics) else f"{text}; the size may not go down meanwhile"
    if decision.wanted is None and decision.rescaled_to is None:
        return decision.error or say.stay(decision.current)
    if decision.rescaled_to is not None:
        return _scaling(spec, decision, allowed)
    if hold is not None:
        return _held(hold)
    limited = limits_line(spec, decision)
    if limited is not None:
        why = _deciding(decision)
        text = f"{why}: {limited.text}" if why else limited.text
        return f"{text}; {_allowed(allowed)}" if allowed is not None else text
    line = _deciding_line(decision)
    return f"{line.label} is {line.text}" if line is not None else say.stay(decision.current)


def _scaling(spec: HpaObject, decision: Decision, allowed: Allowance | None) -> str:
    text = f"scales from {decision.current} to {decision.rescaled_to}"
    bounds = _bounds_reason(spec, decision)
    if bounds:
        return text + bounds
    why = _deciding(decision)
    limited = limits_line(spec, decision)
    text = f"{why}: {text}" if why else text
    if limited is not None:
        text += f" ({limited.text})"
    return f"{text}; {_allowed(allowed)}" if allowed is not None and allowed.more_at is not None else text


def _deciding(decision: Decision) -> str:
    """`cpu is 100 % of 30 %` of the metric that asks for most; empty where none was asked."""
    chosen = next((e for e in decision.metrics if e.label == decision.winner and not e.failed), None)
    if chosen is None:
        return ""
    return f"{metric_name(chosen.spec)} is {current_text(chosen)} of {target_text(chosen.spec)}"


def _deciding_line(decision: Decision) -> ExplainLine | None:
    chosen = next((e for e in decision.metrics if e.label == decision.winner and not e.failed), None)
    return metric_line(chosen, decision) if chosen is not None else None


# Waiting --------------------------------------------------------------------------------------------------------------


def _countdowns(
    decision: Decision, hold: Hold | None, allowed: Allowance | None, timing: Timing
) -> tuple[Countdown, ...]:
    found: list[Countdown] = []
    if decision.rescaled_to is not None:
        up = decision.rescaled_to > decision.current
        words = f"scales {'up' if up else 'down'} to {decision.rescaled_to}"
        found.append(Countdown("scale-up" if up else "scale-down", words, timing.next_sync))
    if hold is not None:
        down = hold.wanted < hold.size
        until = timing.sync_after(hold.until)
        words = "scale-down not before" if down else "scale-up not before"
        if hold.inferred:
            words = "scale-down at the latest" if down else "scale-up at the latest"
        if until is not None:
            found.append(Countdown("scale-down" if down else "scale-up", words, until))
    if allowed is not None and allowed.more_at is not None:
        until = timing.sync_after(allowed.more_at)
        kind, word = ("scale-up", "added") if allowed.up else ("scale-down", "removed")
        if until is not None:
            found.append(Countdown(kind, f"{say.plural(allowed.more, 'pod')} may be {word}", until))
    found.append(Countdown("sync", "the controller looks again", timing.next_sync))
    if timing.next_sample is not None:
        found.append(Countdown("sample", "new metrics are due", timing.next_sample))
    return tuple(found)


def _would_change(spec: HpaObject, decision: Decision, config: ControllerConfig, hold: Hold | None) -> tuple[str, ...]:
    """What would have to be true for the size to move up or down."""
    if decision.disabled:
        return ("up: scale the target to at least 1 replica by hand",)
    if not decision.metrics:
        return ()
    out: list[str] = []
    size = decision.rescaled_to if decision.rescaled_to is not None else decision.current
    failed = [metric_name(e.spec) for e in decision.metrics if e.failed]
    ups = thresholds_up(decision)
    if size >= spec.max_replicas:
        out.append(f"up: not above maxReplicas {spec.max_replicas}")
    elif ups and decision.wanted is not None and decision.wanted <= size:
        out.append(f"up: {joined(ups, 'or')}")
    if failed:
        out.append(f"down: {joined(failed, 'and')} must have a value first")
    elif size <= spec.min_replicas:
        out.append(f"down: not below minReplicas {spec.min_replicas}")
    elif hold is not None and hold.wanted < hold.size:
        edge = " at the latest" if hold.inferred else ""
        out.append(
            f"down: at {say.clock_time(hold.until)}{edge}, if {joined(thresholds_down(decision), 'and')} until then"
        )
    elif decision.rescaled_to is None:
        window = window_down(spec, config)
        lasting = f" for {say.duration(window)}" if window else ""
        downs = thresholds_down(decision)
        if downs:
            out.append(f"down: {joined(downs, 'and')}{lasting}")
    return tuple(out)


# From the status alone ------------------------------------------------------------------------------------------------


_NO_SCALE = "the HPA controller was unable to get the target's current scale: "


def explain_status(hpa: Hpa) -> Explanation:
    """What the HPA's own status tells, where its pods or samples cannot be seen."""
    lines = [_status_line(metric) for metric in hpa.metrics]
    bad = [c for c in hpa.conditions if c.type in ("AbleToScale", "ScalingActive") and c.status == "False"]
    lines += [ExplainLine(c.type, c.message or c.reason, Tone.BAD) for c in bad]
    limited = hpa.condition("ScalingLimited")
    if limited is not None and limited.status == "True":
        lines.append(ExplainLine("limits", limited.message or limited.reason, Tone.WARN))
    able = hpa.condition("AbleToScale")
    if able is not None and able.reason in ("ScaleDownStabilized", "ScaleUpStabilized"):
        lines.append(ExplainLine("stabilization", able.message or able.reason, Tone.WAIT))
    if not hpa.conditions:
        headline = "no status yet: the controller has not looked at it"
    elif bad:
        headline = _problem(bad[-1].reason, bad[-1].message)
    else:
        headline = f"{say.stay(hpa.desired_replicas)}, as its status says; pods and samples are not known here"
    return Explanation(headline=headline, lines=tuple(lines))


def _problem(reason: str, message: str) -> str:
    if reason == "ScalingDisabled":
        return "the target has 0 replicas, so scaling is off"
    if reason == "AmbiguousSelector":
        names = message[message.rfind("[") + 1 :].removesuffix("]") if message.endswith("]") else ""
        who = " and ".join(sorted(names.split())) or "several HPAs"
        return f"{who} select the same pods, so the controller acts for none of them"
    if reason == "FailedGetScale":
        return f"the target cannot be read: {message.removeprefix(_NO_SCALE)}"
    if reason.startswith("FailedGet") and reason != "FailedGetScale":
        return say.blind(message)
    return message or reason


def _status_line(metric: MetricTarget) -> ExplainLine:
    name = f"{metric.name} of {metric.container}" if metric.container else metric.name
    if metric.ratio is None:
        return ExplainLine(name, f"no value yet, target {metric.target_text}", Tone.WAIT)
    return ExplainLine(name, f"{metric.current_text} of {metric.target_text} (x{metric.ratio:.2f})")
