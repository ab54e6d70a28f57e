"""Step 3: how many replicas one metric asks for.

    samples -> groups -> ratio -> assume for pods without a trusted sample -> ratio again -> proposal

Pods without a sample are assumed to use what keeps the size safe: all of their request (or the target) on the way down,
nothing on the way up. If that turns the direction round or lands within the tolerance, nothing changes.
Source: replica_calculator.go of the controller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hpatui.autoscaler.arithmetic import (
    MAX_INT32,
    MAX_INT64,
    ceil_int32,
    ceil_int64,
    ceil_replicas,
    divide,
    quotient,
    wrap64,
)
from hpatui.autoscaler.inputs import ControllerConfig, PodInput
from hpatui.autoscaler.pods import MissingRequest, PodGroups, Sample, group_pods, pod_requests, ready_pods
from hpatui.autoscaler.utilization import NoKnownPods, Tolerance, Usage, plain_ratio, utilization_ratio


class ProposalError(Exception):
    """No proposal can be made; the message is the controller's."""


@dataclass(frozen=True, slots=True)
class Context:
    """What every metric of one decision shares. `pods` are those that the target's selector selects."""

    pods: Sequence[PodInput]
    spec_replicas: int
    status_replicas: int
    tolerance: Tolerance
    config: ControllerConfig
    now: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one metric asks for, and how it came to that.

    `usage` is the number for the status (thousandths a pod, or in total for a Value target); `utilization` in percent.
    `ratio` is the first ratio, `adjusted_ratio` the one after assumptions for unready and missing pods (None: none were
    needed). `within_tolerance` tells that the size stays because the ratio is close to 1.
    """

    replicas: int
    usage: int
    utilization: int | None
    ratio: float
    adjusted_ratio: float | None = None
    groups: PodGroups | None = None
    samples: Mapping[str, int] | None = None
    counted: int = 0
    within_tolerance: bool = False
    turned_round: bool = False


_NO_PODS = "no pods returned by selector while calculating replica count"
_NO_SAMPLES = "did not receive metrics for targeted pods (pods might be unready)"


def by_utilization(
    context: Context, samples: Mapping[str, Sample], resource: str, container: str, target_percent: int
) -> Proposal:
    """A resource's utilization, in percent of the requests."""

    def prepare() -> tuple[Callable[[Mapping[str, int]], Usage], Callable[[str], int]]:
        try:
            requests = pod_requests(context.pods, container, resource, context.config.rules)
        except MissingRequest as error:
            raise ProposalError(str(error)) from error
        fallback = max(100, target_percent)

        def ratio(values: Mapping[str, int]) -> Usage:
            try:
                return utilization_ratio(values, requests, target_percent)
            except NoKnownPods as error:
                raise ProposalError(str(error)) from error

        return ratio, lambda name: quotient(wrap64(requests[name] * fallback), 100)

    return _per_pod(context, samples, resource, prepare)


def by_average(context: Context, samples: Mapping[str, Sample], resource: str, target: int) -> Proposal:
    """An average per pod against a target in thousandths; `resource` is empty for Pods metrics."""

    def prepare() -> tuple[Callable[[Mapping[str, int]], Usage], Callable[[str], int]]:
        return lambda values: plain_ratio(values, target), lambda _name: target

    return _per_pod(context, samples, resource, prepare)


def _per_pod(
    context: Context,
    samples: Mapping[str, Sample],
    resource: str,
    prepare: Callable[[], tuple[Callable[[Mapping[str, int]], Usage], Callable[[str], int]]],
) -> Proposal:
    """The shared calculation; `prepare` gives the ratio and what a missing pod is assumed to use on the way down.

    With a ratio of exactly 1, missing pods do not count at all.
    """
    if not context.pods:
        raise ProposalError(_NO_PODS)
    groups = group_pods(context.pods, samples, resource, context.config, context.now)
    left_out = {*groups.ignored, *groups.unready}
    values = {name: sample.value for name, sample in samples.items() if name not in left_out}
    if not values:
        raise ProposalError(_NO_SAMPLES)
    ratio_of, assumed_down = prepare()
    usage = ratio_of(values)
    ratio = usage.ratio
    known = dict(values)
    up_with_unready = bool(groups.unready) and ratio > 1.0

    def proposal(
        replicas: int, adjusted: float | None = None, *, within: bool = False, turned: bool = False
    ) -> Proposal:
        return Proposal(
            replicas,
            usage.average,
            usage.utilization,
            ratio,
            adjusted,
            groups,
            known,
            groups.ready if adjusted is None else len(values),
            within,
            turned,
        )

    current = context.spec_replicas
    whole = _rounding(capped=context.config.rules.all_sizes_capped)
    if not up_with_unready and not groups.missing:
        if context.tolerance.within(ratio):
            return proposal(current, within=True)
        return proposal(whole(ratio * float(groups.ready)))
    values.update(_assumed(groups, ratio, assumed_down))
    adjusted = ratio_of(values).ratio
    if context.tolerance.within(adjusted):
        return proposal(current, adjusted, within=True)
    if _flips(ratio, adjusted):
        return proposal(current, adjusted, turned=True)
    replicas = whole(adjusted * float(len(values)))
    if (adjusted < 1.0 and replicas > current) or (adjusted > 1.0 and replicas < current):
        return proposal(current, adjusted, turned=True)
    return proposal(replicas, adjusted)


def _assumed(groups: PodGroups, ratio: float, down: Callable[[str], int]) -> dict[str, int]:
    """What pods without a sample are taken to use, against the direction of the ratio: `down` on the way down, nothing on the
    way up, where that holds for pods that are not ready too.
    """
    if ratio < 1.0:
        return {name: down(name) for name in groups.missing}
    return dict.fromkeys((*groups.missing, *groups.unready), 0) if ratio > 1.0 else {}


def _flips(before: float, after: float) -> bool:
    return (before < 1.0 and after > 1.0) or (before > 1.0 and after < 1.0)


def _rounding(*, capped: bool) -> Callable[[float], int]:
    """How a number of replicas is rounded up: stopped at the largest int32, or wrapped to the smallest."""
    return ceil_replicas if capped else ceil_int32


def by_value(context: Context, usage: int, target: int) -> Proposal:
    """A single value against a target for the whole workload, both in thousandths."""
    rules = context.config.rules
    ratio = divide(float(usage), float(target))
    current = context.spec_replicas
    if current == 0:
        # From 0 the ratio itself is the size: no tolerance, and never capped before all sizes are.
        return Proposal(_rounding(capped=rules.all_sizes_capped)(ratio), usage, None, ratio)
    if context.tolerance.within(ratio):
        return Proposal(current, usage, None, ratio, within_tolerance=True)
    if not context.pods:
        raise ProposalError(f"unable to calculate ready pods: {_NO_PODS}")
    ready = ready_pods(context.pods)
    return Proposal(_rounding(capped=rules.value_capped)(ratio * float(ready)), usage, None, ratio, counted=ready)


def by_value_per_pod(
    context: Context, usage: int, target: int, *, summed: bool = False, overflowed: bool = False
) -> Proposal:
    """A single value, shared by all pods, against a target per pod; both in thousandths.

    `summed`: an External metric. `overflowed`: its sum is taken for one that overflowed, the largest there is.
    """
    rules = context.config.rules
    replicas = context.status_replicas
    ratio = divide(float(usage), float(target) * float(replicas))
    if overflowed:
        return Proposal(MAX_INT32, MAX_INT64, None, ratio, counted=replicas)
    within = context.tolerance.within(ratio)
    if not within:
        capped = rules.all_sizes_capped or (summed and rules.external_average_capped)
        replicas = _rounding(capped=capped)(divide(float(usage), float(target)))
    if rules.total_at_zero and context.status_replicas == 0:
        average = usage
    else:
        average = ceil_int64(divide(float(usage), float(context.status_replicas)))
    return Proposal(replicas, average, None, ratio, counted=context.status_replicas, within_tolerance=within)
