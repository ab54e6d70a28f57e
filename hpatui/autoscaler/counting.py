"""The pods left out of an average: who they are, why, and how the controller counts them instead."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.autoscaler import sentences as say
from hpatui.autoscaler.amounts import current_text, goal_of, is_percent, shown, target_text
from hpatui.autoscaler.blindness import causes
from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.explanation import ExplainLine, Tone
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.replicas import Proposal
from hpatui.autoscaler.seen import Seen


def pods_lines(decision: Decision, names: Sequence[str], seen: Seen) -> tuple[ExplainLine, ...]:
    """How many pods are counted where that is not the size, and one line for all metrics that leave out the same."""
    lines: list[ExplainLine] = []
    if decision.metrics and decision.pods != decision.current:
        lines.append(ExplainLine("pods", _number(decision, seen), Tone.WARN))
    for evaluation in decision.metrics:
        proposal = evaluation.proposal
        if proposal is None or proposal.groups is None:
            continue
        text = _left_out(proposal, seen)
        if not text:
            continue
        text += _counted(evaluation, proposal)
        if all(line.text != text for line in lines):
            first = not any(line.label == "left out" for line in lines)
            label = "left out" if first else f"left out ({names[evaluation.index]})"
            lines.append(ExplainLine(label, text, Tone.WAIT))
    return tuple(lines)


def _number(decision: Decision, seen: Seen) -> str:
    if decision.pods < decision.current:
        return f"{decision.pods} of {decision.current} pods exist"
    text = f"{decision.pods} pods match the selector, the size is {decision.current}"
    if not seen.strangers:
        return text
    owners: dict[str, int] = {}
    for stranger in seen.strangers.values():
        owners[stranger.owner or "nobody"] = owners.get(stranger.owner or "nobody", 0) + 1
    whose = " and ".join(f"{count} of {owner}" for owner, count in owners.items())
    return f"{text}: {whose} {'is' if len(seen.strangers) == 1 else 'are'} not the target's"


def _left_out(proposal: Proposal, seen: Seen) -> str:
    groups = proposal.groups
    assert groups is not None
    parts = []
    if groups.unready:
        parts.append(causes(groups.unready, seen))
    finished = [pod for pod in groups.missing if _finished(pod, seen)]
    others = [pod for pod in groups.missing if not _finished(pod, seen)]
    if finished:
        parts.append(_of_strangers(finished, seen))
    if others:
        parts.append(f"{say.names(others)} without a sample")
    if groups.ignored:
        parts.append(f"{say.names(groups.ignored)} failed or leaving (ignored)")
    return "; ".join(parts)


def _finished(pod: str, seen: Seen) -> bool:
    stranger = seen.strangers.get(pod)
    return stranger is not None and stranger.finished


def _of_strangers(pods: Sequence[str], seen: Seen) -> str:
    owners = sorted({seen.strangers[pod].owner or "nobody" for pod in pods})
    return f"{say.names(pods)} finished, of {say.names(owners)}: never measured again, and not busy"


def _counted(evaluation: MetricEvaluation, proposal: Proposal) -> str:
    """How they count instead."""
    groups = proposal.groups
    if proposal.adjusted_ratio is None or groups is None:
        return ""
    if proposal.ratio > 1:
        return "; counted as if they used nothing"
    who = "those without a sample" if groups.unready else "counted"
    return f"; {who}{' counted' if groups.unready else ''} as if they used {full_use(evaluation)}"


def full_use(evaluation: MetricEvaluation) -> str:
    """What a pod without a sample is taken to use on the way down."""
    if is_percent(evaluation.spec):
        return f"{max(100, goal_of(evaluation.spec) or 0)} % of the request"
    return f"the target, {target_text(evaluation.spec)}"


def doubtful(evaluation: MetricEvaluation, size: int, seen: Seen) -> str:
    """A metric that would move the size, but for the pods left out."""
    proposal = evaluation.proposal
    assert proposal is not None
    groups = proposal.groups
    up = proposal.ratio > 1
    out = [*(groups.missing if groups else ()), *(groups.unready if groups and up else ())]
    finished = [pod for pod in out if _finished(pod, seen)]
    which = f"{len(out)} pods left out count" if len(out) != 1 else "1 pod left out counts"
    if finished and len(finished) == len(out):
        owners = say.names(sorted({seen.strangers[pod].owner or "nobody" for pod in finished}))
        which = f"{say.plural(len(out), 'finished pod')} of {owners} {'counts' if len(out) == 1 else 'count'}"
    counted = "as nothing" if up else f"as {full_use(evaluation)}"
    whole = ""
    goal = goal_of(evaluation.spec)
    if proposal.adjusted_ratio is not None and goal:
        whole = f" ({shown(evaluation.spec, round(proposal.adjusted_ratio * goal))} over all)"
    return (
        f"{current_text(evaluation)} of {target_text(evaluation.spec)}, but {which} {counted}{whole}: {say.stay(size)}"
    )
