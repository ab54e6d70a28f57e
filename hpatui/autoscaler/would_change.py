"""What would have to be true for the size to move up or down: nothing that is met already, nothing that cannot be."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.autoscaler import sentences as say
from hpatui.autoscaler.amounts import is_percent, shown, target_text
from hpatui.autoscaler.counting import full_use
from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.inputs import ControllerConfig, HpaObject
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.seen import Seen
from hpatui.autoscaler.steps import Hold, fixed, is_off, joined, never, window_down
from hpatui.autoscaler.thresholds import edge_down, edge_up


def would_change(
    spec: HpaObject,
    decision: Decision,
    config: ControllerConfig,
    hold: Hold | None,
    names: Sequence[str],
    seen: Seen,
) -> tuple[str, ...]:
    """A line for each direction."""
    if decision.disabled:
        return ("up: scale the target to at least 1 replica by hand",)
    if not decision.metrics:
        return ()
    if spec.min_replicas >= spec.max_replicas and decision.current == spec.max_replicas:
        return (f"nothing: {fixed(spec)}",)
    failed = [names[e.index] for e in decision.metrics if e.failed]
    if len(failed) == len(decision.metrics):
        return (f"up or down: {joined(failed, 'or')} must have a value first",)
    size = decision.rescaled_to if decision.rescaled_to is not None else decision.current
    up, down = _up(spec, decision, names, seen, size), _down(spec, decision, config, hold, names, seen, size, failed)
    return tuple(line for line in (up, down) if line)


def _up(spec: HpaObject, decision: Decision, names: Sequence[str], seen: Seen, size: int) -> str:
    if size >= spec.max_replicas:
        return f"up: not above maxReplicas {spec.max_replicas}"
    if is_off(spec, up=True):
        return f"up: {never(up=True)}"
    if decision.rescaled_to is not None and decision.rescaled_to > decision.current:
        return ""
    if decision.wanted is not None and decision.wanted > decision.current:
        return ""  # it is wanted already: another line says what holds it
    reachable: list[str] = []
    beyond: list[str] = []
    for evaluation in (e for e in decision.metrics if not e.failed):
        text, can = _above(evaluation, decision, names[evaluation.index], seen)
        (reachable if can else beyond).append(text)
    if reachable:
        return f"up: {joined(reachable, 'or')}"
    return f"up: {joined(beyond, 'and')}" if beyond else ""


def _above(evaluation: MetricEvaluation, decision: Decision, name: str, seen: Seen) -> tuple[str, bool]:
    """(words, whether it can happen) of the value beyond which the metric asks for more."""
    spec = evaluation.spec
    assert decision.tolerance is not None
    counted = seen.status_replicas if seen.status_replicas is not None else decision.current
    edge = edge_up(evaluation, decision.tolerance, decision.current, counted)
    if edge is None:
        return f"never on {name} (target {target_text(spec)})", False
    most = seen.most.get(evaluation.index)
    if most is not None and edge.value >= most:
        limit = f"{shown(spec, round(most))}{' of the request' if is_percent(spec) else ''}"
        needs = f"it would take more than {shown(spec, edge.value)}"
        return f"never on {name}: its limit allows at most {limit}, and {needs}", False
    return f"{name} above {shown(spec, edge.value)}", True


def _down(
    spec: HpaObject,
    decision: Decision,
    config: ControllerConfig,
    hold: Hold | None,
    names: Sequence[str],
    seen: Seen,
    size: int,
    failed: Sequence[str],
) -> str:
    if is_off(spec, up=False):
        return f"down: {never(up=False)}"
    if failed:
        return f"down: {joined(failed, 'and')} must have a value first"
    if size <= spec.min_replicas:
        return f"down: not below minReplicas {spec.min_replicas}"
    if decision.rescaled_to is not None and decision.rescaled_to != decision.current:
        return ""
    if hold is not None and hold.wanted < hold.size:
        edge = " at the latest" if hold.inferred else ""
        parts, _ = _below(decision, names, seen, unmet=False)
        kept = f", if {joined(parts, 'and')} until then" if parts else ""
        return f"down: at {say.clock_time(hold.until)}{edge}{kept}"
    parts, blocked = _below(decision, names, seen, unmet=True)
    if blocked:
        return f"down: {joined(blocked, 'and')}"
    window = window_down(spec, config)
    lasting = f" for {say.duration(window)}" if window else ""
    return f"down: {joined(parts, 'and')}{lasting}" if parts else ""


def _below(decision: Decision, names: Sequence[str], seen: Seen, *, unmet: bool) -> tuple[list[str], list[str]]:
    """(conditions for fewer, what makes fewer impossible); `unmet`: without metrics that ask for fewer already."""
    parts: list[str] = []
    blocked: list[str] = []
    counted = seen.status_replicas if seen.status_replicas is not None else decision.current
    assert decision.tolerance is not None
    for evaluation in decision.metrics:
        proposal = evaluation.proposal
        name = names[evaluation.index]
        if proposal is None or (unmet and proposal.replicas < decision.current):
            continue
        edge = edge_down(evaluation, decision.tolerance, decision.current, counted)
        if edge is not None:
            parts.append(f"{name} at most {shown(evaluation.spec, edge.value)}")
            continue
        missing = len(proposal.groups.missing) if proposal.groups is not None else 0
        if missing:
            pods = f"{missing} pods without a sample count" if missing > 1 else "1 pod without a sample counts"
            blocked.append(f"not on any value of {name}, while {pods} as {full_use(evaluation)}")
        else:
            blocked.append(f"not on any value of {name}: even 0 asks for {say.plural(decision.current, 'replica')}")
    return parts, blocked
