"""A Decision in sentences: what the controller computes, why the size is what it is, what it waits for and what would
change it.

    explain(hpa, spec, decision, ...) -> Explanation     where pods and samples are known
    explain_status(hpa) -> Explanation                   where only the HPA's own status is
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hpatui.autoscaler import asleep
from hpatui.autoscaler import sentences as say
from hpatui.autoscaler.amounts import current_text, target_text
from hpatui.autoscaler.blindness import blind_text
from hpatui.autoscaler.counting import pods_lines
from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.explanation import Countdown, ExplainLine, Explanation, Tone
from hpatui.autoscaler.inputs import ControllerConfig, HpaObject
from hpatui.autoscaler.keda import scaled_object, told
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.naming import metric_names
from hpatui.autoscaler.seen import NOTHING, Seen
from hpatui.autoscaler.steps import (
    Allowance,
    Hold,
    allowance_of,
    chosen_of,
    fixed,
    hold_of,
    joined,
    limits_line,
    metric_line,
    untold,
    winner_line,
)
from hpatui.autoscaler.utilization import tolerance_of
from hpatui.autoscaler.would_change import would_change
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


def explain(
    hpa: Hpa,
    spec: HpaObject,
    decision: Decision,
    config: ControllerConfig,
    timing: Timing,
    seen: Seen = NOTHING,
) -> Explanation:
    """The Decision for the next sync in sentences. What the controller itself says of a failure comes first."""
    active, able = hpa.condition("ScalingActive"), hpa.condition("AbleToScale")
    if active is not None and active.reason in ("AmbiguousSelector", "InvalidSelector"):
        return explain_status(hpa, seen)
    if able is not None and able.status == "False" and able.reason == "FailedGetScale":
        return explain_status(hpa, seen)
    names = metric_names([evaluation.spec for evaluation in decision.metrics])
    refused = able is not None and able.status == "False"
    hold = None if refused else hold_of(spec, decision, config, timing.assumed)
    allowed = None if refused or is_fixed(spec) else allowance_of(spec, decision)
    steps = _Steps(spec, decision, names, seen, hold, allowed)
    sleep = asleep.headline(spec, decision, names, config.rules)
    lines, headline = steps.lines(), sleep or steps.headline()
    if refused and able is not None:
        lines = (ExplainLine("AbleToScale", _problem(able.reason, able.message, hpa), Tone.BAD), *lines[:-1])
        lines = (*lines, ExplainLine("result", f"{say.stay(decision.current)} while that lasts", Tone.BAD))
        headline = _problem(able.reason, able.message, hpa)
    elif seen.target_owner:
        headline = f"{seen.target} belongs to {seen.target_owner}, which undoes every rescale: the HPA must name that"
    lines = (*lines[:-1], *_keda(hpa, seen), lines[-1])
    lines = (*older_spec(hpa), *lines)
    if timing.old_sample is not None:
        text = f"the newest sample is of {say.clock_time(timing.old_sample)}"
        lines = (ExplainLine("samples", f"{text}: the size rests on old numbers", Tone.WARN), *lines)
        headline = f"{headline}; {text}"
    if not hpa.conditions:
        headline = "no status yet: the controller has not looked at it"
    tolerance = tolerance_of(spec.behavior, config)
    changes = would_change(spec, decision, config, hold, names, seen)
    if sleep and not decision.disabled:
        changes = asleep.would_change(spec, names)
    if refused:
        changes = ("up or down: not before the controller can set the size",)
    elif seen.target_owner:
        changes = (f"nothing, as long as the target is not {seen.target_owner}",)
    return Explanation(
        headline=headline,
        lines=lines,
        countdowns=_countdowns(decision, hold, allowed, timing, told=not refused and not seen.target_owner),
        would_change=changes,
        next_size=None if refused else decision.replicas,
        next_reason=decision.reason if decision.rescaled_to is not None and not refused else "",
        tolerance=(tolerance.down, tolerance.up),
        assumed=timing.assumed is not None,
    )


def older_spec(hpa: Hpa) -> tuple[ExplainLine, ...]:
    """That the controller has not looked at the newest spec yet, where the status tells."""
    if hpa.unseen is None:
        return ()
    observed, current = hpa.unseen
    text = f"the status is of an older spec (generation {observed} of {current}): the next sync looks at the change"
    return (ExplainLine("status", text, Tone.WAIT),)


def is_fixed(spec: HpaObject) -> bool:
    """Whether the HPA has one size only."""
    return spec.min_replicas >= spec.max_replicas


@dataclass(frozen=True, slots=True)
class _Steps:
    """A decision with what its words need."""

    spec: HpaObject
    decision: Decision
    names: tuple[str, ...]
    seen: Seen
    hold: Hold | None
    allowed: Allowance | None

    # Lines ----------------------------------------------------------------------------------------------------

    def lines(self) -> tuple[ExplainLine, ...]:
        """All steps; the last line is the result."""
        decision = self.decision
        found: list[ExplainLine | None] = [self._metric(evaluation) for evaluation in decision.metrics]
        found += pods_lines(decision, self.names, self.seen)
        found.append(winner_line(decision, self.names))
        if self.hold is not None:
            found.append(ExplainLine("stabilization", _held(self.hold), Tone.WAIT))
        if self.allowed is not None:
            found.append(ExplainLine("rate", _allowed(self.allowed), Tone.WAIT))
        found.append(limits_line(self.spec, decision))
        found.append(self._result())
        return tuple(line for line in found if line is not None)

    def _metric(self, evaluation: MetricEvaluation) -> ExplainLine:
        return metric_line(evaluation, self.decision, self.names[evaluation.index], self.seen)

    def _result(self) -> ExplainLine:
        decision = self.decision
        current = decision.current
        if decision.disabled:
            return ExplainLine("result", "the target has 0 replicas, which switches scaling off", Tone.WARN)
        if decision.rescaled_to is not None:
            tone = Tone.WARN if decision.rescaled_to > current else Tone.GOOD
            why = _bounds_reason(self.spec, decision) or self._undone()
            return ExplainLine("result", f"the next sync scales from {current} to {decision.rescaled_to}{why}", tone)
        if decision.metrics and decision.wanted is None:
            failed = [e for e in decision.metrics if e.failed]
            if asleep.untold(decision):
                return ExplainLine("result", "0 replicas stay until the controller reads more than 0", Tone.PLAIN)
            text = "no size can be computed" if len(failed) == len(decision.metrics) else "fewer are refused"
            return ExplainLine("result", f"{text}: {say.stay(current)}", Tone.BAD)
        return ExplainLine("result", say.stay(current), Tone.GOOD)

    def _undone(self) -> str:
        return f", and {self.seen.target_owner} sets it back at once" if self.seen.target_owner else ""

    # Headline -------------------------------------------------------------------------------------------------

    def headline(self) -> str:
        """The one sentence: what keeps or moves the size."""
        spec, decision = self.spec, self.decision
        if decision.disabled:
            return "the target has 0 replicas, so scaling is off"
        failed = [e for e in decision.metrics if e.failed]
        if decision.wanted is None and failed:
            return self._blind(failed)
        if decision.wanted is None and decision.rescaled_to is None:
            return decision.error or say.stay(decision.current)
        if decision.rescaled_to is not None:
            return self._scaling()
        if self.hold is not None:
            return _held(self.hold) + untold(chosen_of(decision), decision.current)
        limited = limits_line(spec, decision)
        if limited is not None:
            why = self._deciding()
            text = f"{why}: {limited.text}" if why else limited.text
            return f"{text}; {_allowed(self.allowed)}" if self.allowed is not None else text
        chosen = chosen_of(decision)
        if chosen is None:
            return say.stay(decision.current)
        line = self._metric(chosen)
        text = f"{line.label} is {line.text}"
        if is_fixed(spec):
            return f"{text} ({fixed(spec)})"
        blocked = [self.names[e.index] for e in failed]
        return f"{text}; {joined(blocked, 'and')} cannot be read, so it may not scale down" if blocked else text

    def _blind(self, failed: list[MetricEvaluation]) -> str:
        first = failed[0]
        text = blind_text(first, self.seen)
        if len(failed) == len(self.decision.metrics):
            return text
        rest = max(
            (e.proposal.replicas for e in self.decision.metrics if e.proposal is not None),
            default=self.decision.current,
        )
        return f"wants {rest}, and may not scale down while {self.names[first.index]} has no value: {text}"

    def _scaling(self) -> str:
        decision = self.decision
        text = f"scales from {decision.current} to {decision.rescaled_to}"
        bounds = _bounds_reason(self.spec, decision)
        if bounds:
            return text + bounds
        why = self._deciding()
        limited = limits_line(self.spec, decision)
        text = f"{why}: {text}" if why else text
        if limited is not None:
            text += f" ({limited.text})"
        text += untold(chosen_of(decision), decision.current)
        return (
            f"{text}; {_allowed(self.allowed)}"
            if self.allowed is not None and self.allowed.more_at is not None
            else text
        )

    def _deciding(self) -> str:
        """`cpu is 100 % of 30 %` of the metric that asks for most; empty where none was asked."""
        chosen = chosen_of(self.decision)
        if chosen is None:
            return ""
        proposals = {e.proposal.replicas if e.proposal is not None else None for e in self.decision.metrics}
        if len(self.decision.metrics) > 1 and len(proposals) == 1:
            return (
                f"all {len(self.decision.metrics)} metrics ask for {say.plural(self.decision.wanted or 0, 'replica')}"
            )
        return (
            f"{self.names[chosen.index]} is {current_text(chosen, self.decision.current)} of {target_text(chosen.spec)}"
        )


def _held(hold: Hold) -> str:
    return say.held(hold.wanted, hold.size, hold.until, hold.made, inferred=hold.inferred)


def _allowed(allowed: Allowance) -> str:
    return say.allowance("up" if allowed.up else "down", allowed.now, allowed.more, allowed.more_at)


def _bounds_reason(spec: HpaObject, decision: Decision) -> str:
    if decision.current > spec.max_replicas:
        return f", because {decision.current} is above maxReplicas"
    if decision.current < spec.min_replicas:
        return f", because {decision.current} is below minReplicas"
    return ""


# Waiting --------------------------------------------------------------------------------------------------------------


def _countdowns(
    decision: Decision, hold: Hold | None, allowed: Allowance | None, timing: Timing, *, told: bool
) -> tuple[Countdown, ...]:
    """`told`: a rescale will be carried out, and last."""
    found: list[Countdown] = []
    if decision.rescaled_to is not None and told:
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


# From the status alone ------------------------------------------------------------------------------------------------


_NO_UPDATE = "the HPA controller was unable to update the target scale: "


def _keda(hpa: Hpa, seen: Seen) -> tuple[ExplainLine, ...]:
    """Who made an HPA that KEDA made, and what its ScaledObject says beside it: pause, cooldown to 0, cron windows."""
    name = scaled_object(hpa.labels, ((owner.kind, owner.name) for owner in hpa.owners))
    if not name:
        return ()
    about = ExplainLine("KEDA", told(name, (metric.name for metric in hpa.metrics)), Tone.PLAIN)
    if seen.keda is None:
        text = "the ScaledObject could not be read, so its pause, cooldown and cron windows are not known"
        return (about, ExplainLine("KEDA", text, Tone.PLAIN))
    tone = Tone.WARN if seen.keda_paused else Tone.PLAIN
    return (about, *(ExplainLine("KEDA", text, tone) for text in seen.keda))


def explain_status(hpa: Hpa, seen: Seen = NOTHING) -> Explanation:
    """What the HPA's own status tells, where its pods or samples cannot be seen."""
    lines = [*older_spec(hpa), *(_status_line(metric) for metric in hpa.metrics), *_keda(hpa, seen)]
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
        headline = _problem(bad[-1].reason, bad[-1].message, hpa)
    else:
        headline = f"{say.stay(hpa.desired_replicas)}, as its status says; pods and samples are not known here"
    return Explanation(headline=headline, lines=tuple(lines))


def _problem(reason: str, message: str, hpa: Hpa) -> str:
    if reason == "ScalingDisabled":
        return "the target has 0 replicas, so scaling is off"
    if reason == "AmbiguousSelector":
        names = message[message.rfind("[") + 1 :].removesuffix("]") if message.endswith("]") else ""
        who = " and ".join(sorted(names.split())) or "several HPAs"
        return f"{who} select the same pods, so the controller acts for none of them"
    if reason == "FailedGetScale":
        return say.no_scale(message.removeprefix(say.NO_SCALE), hpa.reference.kind, hpa.reference.api_version)
    if reason.startswith("FailedGet") and reason != "FailedGetScale":
        return say.blind(message)
    if reason == "FailedUpdateScale":
        return f"the controller cannot set the size: {message.removeprefix(_NO_UPDATE)}"
    if reason == "InvalidSelector":
        return f"the controller can find no pods: {message}"
    return message or reason


def _status_line(metric: MetricTarget) -> ExplainLine:
    name = metric.label or (f"{metric.name} of {metric.container}" if metric.container else metric.name)
    if metric.ratio is None:
        return ExplainLine(name, f"no value, target {metric.target_text}", Tone.WAIT)
    return ExplainLine(name, f"{metric.current_text} of {metric.target_text} (x{metric.ratio:.2f})")
