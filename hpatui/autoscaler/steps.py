"""The steps of a Decision as lines: metrics, pods left out, stabilization, rate, limits; what would change the size.

Each function takes the Decision and gives ExplainLines; the words are those of `sentences.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from hpatui.autoscaler import sentences as say
from hpatui.autoscaler.behavior import limit
from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.explanation import ExplainLine, Tone
from hpatui.autoscaler.inputs import ControllerConfig, HpaObject, MetricSpec, Recommendation
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.replicas import Proposal
from hpatui.autoscaler.times import ns_to_seconds, seconds_to_ns

_BINARY = ((2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki"))


@dataclass(frozen=True, slots=True)
class Hold:
    """A recommendation that keeps the size where it is: `until` (epoch s) it leaves its window.

    `inferred`: it was assumed when the observer began, so it may leave earlier.
    """

    wanted: int
    size: int
    made: float
    until: float
    inferred: bool


@dataclass(frozen=True, slots=True)
class Allowance:
    """Rate policies: pods that may come (or go, negative direction) now, and how many more from when on."""

    up: bool
    now: int
    more: int
    more_at: float | None


def metric_name(spec: MetricSpec) -> str:
    """How people call a metric: `cpu`, `cpu of sidecar`, `queue_depth`."""
    return f"{spec.name} of {spec.container}" if spec.container else spec.name


def amount(spec: MetricSpec, milli: int) -> str:
    """A value in thousandths in the metric's unit: `250m` of cpu, `21Mi` of memory, `12.5`."""
    if spec.name == "cpu":
        return f"{milli}m"
    if spec.name == "memory" or spec.name.startswith("memory"):
        return _bytes(milli / 1000)
    return f"{milli / 1000:.3f}".rstrip("0").rstrip(".")


def _bytes(value: float) -> str:
    for size, unit in _BINARY:
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + unit
    return f"{value:.0f}"


def target_text(spec: MetricSpec) -> str:
    """The target as people read it: `30 %`, `80Mi`."""
    target = spec.target
    if target.average_value is not None:
        return amount(spec, target.average_value.milli_value())
    if target.average_utilization is not None and spec.type in ("Resource", "ContainerResource"):
        return f"{target.average_utilization} %"
    return amount(spec, target.value.milli_value()) if target.value is not None else "no target"


def current_text(evaluation: MetricEvaluation) -> str:
    """The value that was used, in the target's unit."""
    proposal = evaluation.proposal
    if proposal is None:
        return "unknown"
    if proposal.utilization is not None:
        return f"{proposal.utilization} %"
    return amount(evaluation.spec, proposal.usage)


# Metrics --------------------------------------------------------------------------------------------------------------


def metric_line(evaluation: MetricEvaluation, decision: Decision) -> ExplainLine:
    """One metric: blind, within the tolerance, on target after rounding, or what it wants."""
    name, proposal = metric_name(evaluation.spec), evaluation.proposal
    if proposal is None:
        return ExplainLine(name, say.blind(evaluation.event), Tone.BAD)
    current, target = current_text(evaluation), target_text(evaluation.spec)
    tolerance = decision.tolerance
    size = decision.current
    if proposal.turned_round:
        return ExplainLine(name, _doubtful(proposal, current, target, size), Tone.WAIT)
    if proposal.within_tolerance and tolerance is not None:
        shown = tolerance.up if proposal.ratio >= 1 else tolerance.down
        if proposal.adjusted_ratio is not None and not tolerance.within(proposal.ratio):
            return ExplainLine(name, _doubtful(proposal, current, target, size), Tone.WAIT)
        return ExplainLine(name, say.metric_stays(current, target, shown, size), Tone.GOOD)
    if proposal.replicas == size:
        return ExplainLine(name, say.metric_exact(current, target, size, below=proposal.ratio < 1), Tone.GOOD)
    tone = Tone.WARN if proposal.replicas > size else Tone.PLAIN
    return ExplainLine(name, say.metric_wants(current, target, proposal.ratio, proposal.replicas), tone)


def _doubtful(proposal: Proposal, current: str, target: str, size: int) -> str:
    groups = proposal.groups
    left_out = len(groups.missing) + (len(groups.unready) if proposal.ratio > 1 else 0) if groups is not None else 0
    return say.metric_doubtful(current, target, size, left_out, below=proposal.ratio < 1)


def pods_lines(decision: Decision) -> tuple[ExplainLine, ...]:
    """Pods that are left out of the average, and how they count instead. One line for all metrics that agree."""
    lines: list[ExplainLine] = []
    if decision.metrics and decision.pods < decision.current:
        lines.append(ExplainLine("pods", f"{decision.pods} of {decision.current} pods exist", Tone.WARN))
    for evaluation in decision.metrics:
        proposal = evaluation.proposal
        if proposal is None or proposal.groups is None:
            continue
        groups = proposal.groups
        text = say.left_out(groups.unready, groups.missing, groups.ignored)
        if not text:
            continue
        if proposal.adjusted_ratio is not None:
            assumed = "nothing" if proposal.ratio > 1 else "all of the request"
            text += f"; counted as if they used {assumed}"
        if all(line.text != text for line in lines):
            first = not any(line.label == "left out" for line in lines)
            label = "left out" if first else f"left out ({metric_name(evaluation.spec)})"
            lines.append(ExplainLine(label, text, Tone.WAIT))
    return tuple(lines)


def winner_line(decision: Decision) -> ExplainLine | None:
    """Which of several metrics decides."""
    known = [e for e in decision.metrics if e.proposal is not None]
    if len(decision.metrics) < 2 or not known:
        return None
    if decision.wanted is None:
        text = "a metric has no value, so the size may not go down"
        return ExplainLine("largest", text, Tone.BAD)
    if all(e.proposal is not None and e.proposal.replicas == decision.wanted for e in decision.metrics):
        return ExplainLine("largest", f"all metrics ask for {say.plural(decision.wanted, 'replica')}")
    chosen = next((e for e in known if e.label == decision.winner), known[0])
    return ExplainLine("largest", f"{metric_name(chosen.spec)} asks for most: {say.plural(decision.wanted, 'replica')}")


# Stabilization --------------------------------------------------------------------------------------------------------


def hold_of(hpa: HpaObject, decision: Decision, config: ControllerConfig, assumed: float | None) -> Hold | None:
    """The recommendation that keeps the size up (or down) although the metrics want another; None if none does.

    The size moves when the last recommendation that asks for at least the present size has left the window, which is
    not always the highest one. `assumed`: recommendations not newer than this (epoch s) were assumed.
    """
    wanted, size = decision.wanted, decision.current
    if wanted is None or decision.stabilization is None or wanted == size or decision.rescaled_to is not None:
        return None
    down = wanted < size
    floor_size = max(wanted, hpa.min_replicas)
    if down and floor_size >= size:
        return None
    window = _window(hpa, config, down=down)
    start = decision.now - seconds_to_ns(window)
    holders = [
        item
        for item in decision.memory.recommendations
        if item.time >= start and item.time < decision.now and _holds(item, size, down=down)
    ]
    if not holders:
        return None
    last = max(holders, key=lambda item: item.time)
    made = ns_to_seconds(last.time)
    return Hold(wanted, size, made, made + window, assumed is not None and made <= assumed + 0.001)


def _holds(item: Recommendation, size: int, *, down: bool) -> bool:
    return item.replicas >= size if down else item.replicas <= size


def _window(hpa: HpaObject, config: ControllerConfig, *, down: bool) -> float:
    if hpa.behavior is None:
        return config.downscale_stabilization if down else 0.0
    window = hpa.behavior.down.window if down else hpa.behavior.up.window
    return float(window) if window is not None else (config.downscale_stabilization if down else 0.0)


def window_down(hpa: HpaObject, config: ControllerConfig) -> float:
    """Seconds of the scale-down window in force."""
    return _window(hpa, config, down=True)


# Rate -----------------------------------------------------------------------------------------------------------------


def allowance_of(hpa: HpaObject, decision: Decision) -> Allowance | None:
    """What the rate policies allow now and when more; None where no policy holds back what is wanted."""
    step, limits = decision.stabilization, decision.limits
    if step is None or limits is None or hpa.behavior is None or step.replicas == decision.current:
        return None
    up = step.replicas > decision.current
    after = decision.rescaled_to if decision.rescaled_to is not None else decision.current
    wish = min(step.replicas, hpa.max_replicas) if up else max(step.replicas, hpa.min_replicas)
    if after == wish and decision.rescaled_to is not None:
        return None
    rules = hpa.behavior.up if up else hpa.behavior.down
    events = decision.memory.scale_up if up else decision.memory.scale_down
    ends = sorted({e.time + seconds_to_ns(p.period) for e in events for p in rules.policies})
    for end in (end for end in ends if end > decision.now):
        then = limit(hpa, decision.memory, after, step.replicas, end).replicas
        if (then > after) if up else (then < after):
            return Allowance(up, abs(after - decision.current), abs(then - after), ns_to_seconds(end))
    return Allowance(up, abs(after - decision.current), 0, None)


def limits_line(hpa: HpaObject, decision: Decision) -> ExplainLine | None:
    """What maxReplicas, minReplicas or a rate made of the size; None where they changed nothing."""
    limits, step = decision.limits, decision.stabilization
    if decision.wanted is not None and decision.wanted < decision.current <= hpa.min_replicas:
        return ExplainLine("limits", f"wants {decision.wanted}, kept at minReplicas {hpa.min_replicas}")
    if limits is None or step is None or not limits.limited or decision.wanted is None:
        return None
    if decision.wanted == decision.current and decision.rescaled_to is None:
        return None  # what an older recommendation would want beyond the limit does not matter
    same_side = (decision.wanted > limits.replicas) == (step.replicas > limits.replicas)
    wants = f"wants {decision.wanted}" if same_side else f"a recent recommendation of {step.replicas} counts"
    match limits.reason:
        case "TooManyReplicas":
            return ExplainLine("limits", f"{wants}, capped at maxReplicas {hpa.max_replicas}", Tone.WARN)
        case "TooFewReplicas":
            return ExplainLine("limits", f"{wants}, raised to minReplicas {hpa.min_replicas}", Tone.PLAIN)
    if limits.disabled:
        direction = "up" if step.replicas > decision.current else "down"
        return ExplainLine("limits", f"{wants}, but scaling {direction} is disabled in behavior", Tone.WARN)
    if hpa.behavior is None:
        text = f"{wants}, at most {limits.replicas} now: at each sync the size may double, or go to 4"
        return ExplainLine("limits", text, Tone.WAIT)
    return ExplainLine("limits", f"{wants}, the rate policies allow {limits.replicas} now", Tone.WAIT)


# What would change it -------------------------------------------------------------------------------------------------


def thresholds_up(decision: Decision) -> list[str]:
    """`cpu above 33 %` for each metric: any one of them is enough."""
    if decision.tolerance is None:
        return []
    return [
        f"{metric_name(e.spec)} above {_scaled(e.spec, 1 + decision.tolerance.up)}"
        for e in decision.metrics
        if not e.failed and _scaled(e.spec, 1.0)
    ]


def thresholds_down(decision: Decision) -> list[str]:
    """`cpu below 27 %` or, where rounding up decides, `cpu at most 20 %`: all of them are needed."""
    size = decision.current
    if decision.tolerance is None or size < 2:
        return []
    edge = 1 - decision.tolerance.down
    rounding = (size - 1) / size
    out: list[str] = []
    for evaluation in decision.metrics:
        if not _scaled(evaluation.spec, 1.0):
            continue
        word, share = ("at most", rounding) if rounding < edge else ("below", edge)
        out.append(f"{metric_name(evaluation.spec)} {word} {_scaled(evaluation.spec, share)}")
    return out


def _scaled(spec: MetricSpec, factor: float) -> str:
    """The target times `factor` in its unit; percentages are whole, as the controller's are."""
    target = spec.target
    if target.average_value is not None:
        return amount(spec, round(target.average_value.milli_value() * factor))
    if target.average_utilization is not None and spec.type in ("Resource", "ContainerResource"):
        return f"{floor(round(target.average_utilization * factor, 6))} %"
    return amount(spec, round(target.value.milli_value() * factor)) if target.value is not None else ""


def joined(parts: Sequence[str], word: str) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}" if len(parts) > 1 else "".join(parts)
