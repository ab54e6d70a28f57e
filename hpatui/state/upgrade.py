"""What another version of Kubernetes would make of an HPA: its recorded syncs and its present, decided by both rules.

    frames (inputs of each sync) -> decide by the rules of now and then -> Verdict: differs (where, why), same, unknown

A difference is one in what would be wanted, in which pods count and how, or in whether metrics are looked at at all: the
stabilization window and limits may hide it for the moment. Each is traced to the facts that make it, turned one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import ControllerConfig, HpaObject, PodInput
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.pods import PodGroups
from hpatui.autoscaler.rules import Fact, Rules, fact
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.state.frames import Frame

_UNREADABLE = (
    "its target, pods or samples cannot be read: that needs get on the target's scale, list on pods and on pod metrics"
)


class Outcome(StrEnum):
    """What can be said about an HPA."""

    DIFFERS = "differs"
    SAME = "same"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Difference:
    """One sync that goes otherwise. `before` and `after` are the sizes that its metrics ask for (None: none is computed).

    `what` says what changes in words, `facts` why.
    """

    time: float
    before: int | None
    after: int | None
    what: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """About one HPA: the differences (oldest first), what cannot be known, and what its spec and pods touch besides.

    `compared` is the number of syncs, the present included.
    """

    outcome: Outcome
    differences: tuple[Difference, ...] = ()
    unknown: tuple[str, ...] = ()
    watch_for: tuple[str, ...] = ()
    compared: int = 0


def verdict(frames: Sequence[Frame], config: ControllerConfig, then: Rules) -> Verdict:
    """Compare the rules of `config` with `then` on an HPA's frames (oldest first; the last is the present)."""
    if not frames:
        return Verdict(Outcome.UNKNOWN, unknown=(_UNREADABLE,))
    differences = [found for frame in frames if (found := _difference(frame, config, then)) is not None]
    unknown = _unknown(frames[-1], config, then)
    if differences:
        outcome = Outcome.DIFFERS
    else:
        outcome = Outcome.UNKNOWN if unknown else Outcome.SAME
    touched = _touched(frames[-1], config.rules, then) if not differences else ()
    return Verdict(outcome, tuple(differences), unknown, touched, len(frames))


def _decide(frame: Frame, config: ControllerConfig) -> Decision:
    inputs, when = frame.inputs, seconds_to_ns(frame.time)
    return decide(inputs.hpa, inputs.scale, inputs.pods, inputs.metrics, frame.memory, config, when)


def _difference(frame: Frame, config: ControllerConfig, then: Rules) -> Difference | None:
    old = _decide(frame, config)
    new = _decide(frame, replace(config, rules=then))
    if _signature(old) == _signature(new):
        return _sleeper(frame, config.rules, then) if old.disabled else None
    return Difference(frame.time, _asked(old), _asked(new), _what(old, new), _why(frame, config, then, old, new))


def _sleeper(frame: Frame, now: Rules, then: Rules) -> Difference | None:
    """A target at 0 that only the rules of `then` would have remembered to be asleep, and would wake."""
    hpa = frame.inputs.hpa
    able = hpa.min_replicas == 0 and any(metric.type in ("Object", "External") for metric in hpa.metrics)
    if not able or now.scale_to_zero or not then.scale_to_zero or frame.inputs.scale.spec_replicas != 0:
        return None
    what = (
        "it is at 0 and stays there now; then the HPA wakes what it scaled to 0 itself (what sleeps at the upgrade must be "
        "scaled up by hand once)"
    )
    return Difference(frame.time, 0, 0, what, (fact("scale_to_zero"),))


def _asked(decision: Decision) -> int | None:
    if decision.disabled:
        return 0
    return decision.wanted if decision.metrics else decision.replicas


def _signature(decision: Decision) -> object:
    """What decides a size, now or later."""
    return (decision.disabled, decision.replicas, decision.wanted, tuple(_metric(item) for item in decision.metrics))


def _metric(item: MetricEvaluation) -> object:
    proposal = item.proposal
    if proposal is None:
        return None
    return proposal.replicas, proposal.utilization, proposal.within_tolerance, _counted(proposal.groups)


def _counted(groups: PodGroups | None) -> object:
    return None if groups is None else (groups.ready, groups.unready, groups.missing, groups.ignored)


def _why(frame: Frame, config: ControllerConfig, then: Rules, old: Decision, new: Decision) -> tuple[Fact, ...]:
    """The facts that alone bring the difference about, or without which it is not there."""
    before, after = _signature(old), _signature(new)
    found = []
    for item in config.rules.differences(then):
        if "size" not in item.affects:
            continue
        on = getattr(then, item.name)
        alone = _decide(frame, replace(config, rules=config.rules.turned(item.name, on)))
        without = _decide(frame, replace(config, rules=then.turned(item.name, not on)))
        if _signature(alone) != before or _signature(without) != after:
            found.append(item)
    return tuple(found)


# Words ----------------------------------------------------------------------------------------------------------------


def _what(old: Decision, new: Decision) -> str:
    if old.disabled != new.disabled:
        return (
            "it sleeps at 0 and a metric that asks for more wakes it; until now it stays at 0"
            if old.disabled
            else "it stays at 0 replicas until someone scales it; until now its metrics wake it"
        )
    sizes = _asked(old), _asked(new)
    if sizes[0] != sizes[1]:
        return f"{_asks(old, sizes[0])} now, {_asks(new, sizes[1])} then"
    for before, after in zip(old.metrics, new.metrics, strict=False):
        if _metric(before) != _metric(after):
            return (
                f"{_name(before)}: {_reading(before)} now, {_reading(after)} then; the size is the same at the moment"
            )
    return f"{old.replicas} replicas now, {new.replicas} then"


def _asks(decision: Decision, size: int | None) -> str:
    if size is None:
        failed = next((item for item in decision.metrics if item.failed), None)
        return "no size" + (f" ({failed.event})" if failed is not None else "")
    return f"wants {size}"


def _name(item: MetricEvaluation) -> str:
    return f"{item.spec.name} of {item.spec.container}" if item.spec.container else item.spec.name


def _reading(item: MetricEvaluation) -> str:
    proposal = item.proposal
    if proposal is None:
        return f"fails ({item.event})"
    percent = f"{proposal.utilization} %, " if proposal.utilization is not None else ""
    groups = proposal.groups
    return f"{percent}{groups.ready} pods counted" if groups is not None else f"{percent}asks for {proposal.replicas}"


def reason(item: Fact, then: Rules) -> str:
    """A fact as the reason of a difference: what holds under the rules of then, since when, and its pull request."""
    on = getattr(then, item.name)
    since = f"since 1.{item.since}" if item.since is not None else "newer"
    return f"{item.now} ({since}, {item.source})" if on else f"{item.before} (before 1.{item.since}, {item.source})"


# What cannot be known -------------------------------------------------------------------------------------------------


def _unknown(frame: Frame, config: ControllerConfig, then: Rules) -> tuple[str, ...]:
    """What the present does not tell, and what it would need. Only where the two rules could differ in it."""
    if not any("size" in item.affects for item in config.rules.differences(then)):
        return ()
    decision = _decide(frame, replace(config, rules=then))
    if decision.disabled and frame.inputs.scale.spec_replicas == 0:
        return ()
    failed = [item for item in decision.metrics if item.failed]
    found = [f"{_name(item)} has no value ({item.event}); it needs one to be compared" for item in failed]
    if not decision.metrics and decision.wanted is None and decision.error:
        found.append(f"no metric can be looked at: {decision.error}")
    return tuple(found)


def _touched(frame: Frame, now: Rules, then: Rules) -> tuple[str, ...]:
    """Facts in which the rules differ and that this HPA could meet, though it does not at the moment."""
    hpa, pods = frame.inputs.hpa, frame.inputs.pods
    return tuple(
        reason(item, then) for item in now.differences(then) if "size" in item.affects and _meets(item, hpa, pods)
    )


def _meets(item: Fact, hpa: HpaObject, pods: Iterable[PodInput]) -> bool:
    kinds = {metric.type for metric in hpa.metrics}
    behavior = hpa.behavior
    match item.name:
        case "tolerance_by_direction":
            return behavior is not None and (behavior.up.tolerance is not None or behavior.down.tolerance is not None)
        case "sidecars_requested":
            return bool(kinds & {"Resource", "ContainerResource"}) and any(pod.sidecars for pod in pods)
        case "absent_container_missing" | "container_required" | "container_metrics":
            return "ContainerResource" in kinds
        case "pod_level_requests" | "overhead_left_out":
            return "Resource" in kinds and any(pod.pod_requests is not None for pod in pods)
        case "zero_is_guarded" | "scale_to_zero":
            return hpa.min_replicas == 0
        case "edge_within_tolerance":
            return True
    return False
