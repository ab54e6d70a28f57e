"""The steps of a Decision as lines: metrics, stabilization, rate, limits.

Each function takes the Decision and gives ExplainLines; the words are those of `sentences.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hpatui.autoscaler import sentences as say
from hpatui.autoscaler.amounts import current_text, target_text
from hpatui.autoscaler.behavior import limit
from hpatui.autoscaler.blindness import blind_text
from hpatui.autoscaler.counting import doubtful
from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.explanation import ExplainLine, Tone
from hpatui.autoscaler.inputs import ControllerConfig, HpaObject, Recommendation
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.seen import Seen
from hpatui.autoscaler.times import ns_to_seconds, seconds_to_ns


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


# Metrics --------------------------------------------------------------------------------------------------------------


def chosen_of(decision: Decision) -> MetricEvaluation | None:
    """The metric that decides, by its place; None where none does."""
    if decision.winner_index is None:
        return None
    return next((e for e in decision.metrics if e.index == decision.winner_index and not e.failed), None)


def metric_line(evaluation: MetricEvaluation, decision: Decision, name: str, seen: Seen) -> ExplainLine:
    """One metric: blind, within the tolerance, on target after rounding, or what it wants."""
    proposal = evaluation.proposal
    if proposal is None:
        return ExplainLine(name, blind_text(evaluation, seen), Tone.BAD)
    size = decision.current
    current, target = current_text(evaluation, size), target_text(evaluation.spec)
    tolerance = decision.tolerance
    if proposal.turned_round:
        return ExplainLine(name, doubtful(evaluation, size, seen), Tone.WAIT)
    if proposal.within_tolerance and tolerance is not None:
        shown = tolerance.up if proposal.ratio >= 1 else tolerance.down
        if proposal.adjusted_ratio is not None and not tolerance.within(proposal.ratio):
            return ExplainLine(name, doubtful(evaluation, size, seen), Tone.WAIT)
        if proposal.replicas != size:
            return ExplainLine(name, say.metric_surge(current, target, shown, proposal.replicas), Tone.WARN)
        return ExplainLine(name, say.metric_stays(current, target, shown, size), Tone.GOOD)
    if proposal.replicas == size:
        return ExplainLine(name, say.metric_exact(current, target, size, below=proposal.ratio < 1), Tone.GOOD)
    tone = Tone.WARN if proposal.replicas > size else Tone.PLAIN
    text = say.metric_wants(current, target, proposal.ratio, proposal.replicas)
    return ExplainLine(name, text + untold(evaluation, size), tone)


def untold(evaluation: MetricEvaluation | None, size: int) -> str:
    """Single values of a Pods metric are only the controller's to see, and on the way down those that lack one matter."""
    proposal = evaluation.proposal if evaluation is not None else None
    if proposal is None or evaluation is None or evaluation.spec.type != "Pods" or proposal.replicas >= size:
        return ""
    return ", if every pod reports it (which ones do is not known here: one that does not counts as on target)"


def winner_line(decision: Decision, names: Sequence[str]) -> ExplainLine | None:
    """Which of several metrics decides."""
    known = [e for e in decision.metrics if e.proposal is not None]
    if len(decision.metrics) < 2 or not known:
        return None
    if decision.wanted is None:
        text = "a metric has no value, so the size may not go down"
        return ExplainLine("largest", text, Tone.BAD)
    if all(e.proposal is not None and e.proposal.replicas == decision.wanted for e in decision.metrics):
        return ExplainLine("largest", f"all metrics ask for {say.plural(decision.wanted, 'replica')}")
    chosen = chosen_of(decision) or known[0]
    return ExplainLine("largest", f"{names[chosen.index]} asks for most: {say.plural(decision.wanted, 'replica')}")


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
    if is_off(hpa, up=not down):
        return None  # nothing is waited for: it never moves that way
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
    if is_off(hpa, up=up):
        return None
    after = decision.rescaled_to if decision.rescaled_to is not None else decision.current
    wish = min(step.replicas, hpa.max_replicas) if up else max(step.replicas, hpa.min_replicas)
    if after == wish:
        return None  # what is wanted is reached, or a limit holds it and no rate
    rules = hpa.behavior.up if up else hpa.behavior.down
    events = decision.memory.scale_up if up else decision.memory.scale_down
    ends = sorted({e.time + seconds_to_ns(p.period) for e in events for p in rules.policies})
    for end in (end for end in ends if end > decision.now):
        then = limit(hpa, decision.memory, after, step.replicas, end).replicas
        if (then > after) if up else (then < after):
            return Allowance(up, abs(after - decision.current), abs(then - after), ns_to_seconds(end))
    return Allowance(up, abs(after - decision.current), 0, None)


def fixed(hpa: HpaObject) -> str:
    """minReplicas = maxReplicas."""
    return f"minReplicas = maxReplicas = {hpa.max_replicas}: it can never scale"


def never(*, up: bool) -> str:
    """A direction that behavior switches off."""
    return f"never scales {'up' if up else 'down'}: {'scaleUp' if up else 'scaleDown'}.selectPolicy is Disabled"


def is_off(hpa: HpaObject, *, up: bool) -> bool:
    """Whether behavior switches the direction off."""
    return hpa.behavior is not None and (hpa.behavior.up if up else hpa.behavior.down).select == "Disabled"


def limits_line(hpa: HpaObject, decision: Decision) -> ExplainLine | None:
    """What maxReplicas, minReplicas or a rate made of the size; None where they changed nothing."""
    limits, step = decision.limits, decision.stabilization
    if hpa.min_replicas >= hpa.max_replicas and decision.wanted is not None and decision.current == hpa.max_replicas:
        if decision.wanted == decision.current:
            return None
        return ExplainLine("limits", f"wants {max(0, decision.wanted)}, but {fixed(hpa)}", Tone.WARN)
    if decision.wanted is not None and decision.wanted < decision.current <= hpa.min_replicas:
        return ExplainLine("limits", f"wants {max(0, decision.wanted)}, kept at minReplicas {hpa.min_replicas}")
    if limits is None or step is None or not limits.limited or decision.wanted is None:
        return None
    if decision.wanted == decision.current and decision.rescaled_to is None:
        return None  # what an older recommendation would want beyond the limit does not matter
    same_side = (decision.wanted > limits.replicas) == (step.replicas > limits.replicas)
    wants = f"wants {max(0, decision.wanted)}" if same_side else f"a recent recommendation of {step.replicas} counts"
    match limits.reason:
        case "TooManyReplicas":
            return ExplainLine("limits", f"{wants}, capped at maxReplicas {hpa.max_replicas}", Tone.WARN)
        case "TooFewReplicas":
            return ExplainLine("limits", f"{wants}, raised to minReplicas {hpa.min_replicas}", Tone.PLAIN)
    if limits.disabled:
        up = step.replicas > decision.current
        return ExplainLine("limits", f"{wants}, {never(up=up)}", Tone.WARN)
    if hpa.behavior is None:
        text = f"{wants}, at most {limits.replicas} now: at each sync the size may double, or go to 4"
        return ExplainLine("limits", text, Tone.WAIT)
    return ExplainLine("limits", f"{wants}, the rate policies allow {limits.replicas} now", Tone.WAIT)


def joined(parts: Sequence[str], word: str) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}" if len(parts) > 1 else "".join(parts)
