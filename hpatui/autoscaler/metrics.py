"""Step 4: one metric of the spec -> an evaluation: samples from the metrics APIs, the proposal or the failure, the status.

Source: computeStatusFor*Metric of the controller and its metrics clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpatui.autoscaler.arithmetic import MAX_INT64, wrap64
from hpatui.autoscaler.inputs import HpaObject, MetricAnswer, MetricItem, MetricsInput, MetricSpec, PodMetricsInput
from hpatui.autoscaler.pods import Sample
from hpatui.autoscaler.replicas import (
    Context,
    Proposal,
    ProposalError,
    by_average,
    by_utilization,
    by_value,
    by_value_per_pod,
)
from hpatui.autoscaler.rules import Rules
from hpatui.forms.label_selectors import Selector, SelectorError, check_api_selector, format_api_selector
from hpatui.quantity import Format, milli


@dataclass(frozen=True, slots=True)
class MetricEvaluation:
    """What became of one metric: a proposal, or a failure.

    `index` is its place in spec.metrics, which alone identifies it; `label` names it as events do ("cpu resource
    utilization (percentage of request)"). `status` is its entry of status.currentMetrics. Of a failure: `reason` and
    `event` are the event's (no reason: there is no event), `error` is the wrapped text.
    """

    spec: MetricSpec
    status: Mapping[str, Any]
    proposal: Proposal | None = None
    label: str = ""
    reason: str = ""
    event: str = ""
    error: str = ""
    index: int = -1

    @property
    def failed(self) -> bool:
        """Whether there is no proposal."""
        return self.proposal is None


class _Failed(Exception):
    """A metric failed: `text` is what the event says, `wrapped` what the caller passes on."""

    def __init__(self, text: str, wrapped: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.wrapped = text if wrapped is None else wrapped


_EMPTY_STATUS: Mapping[str, Any] = {"type": ""}
_GATE_OFF = "ContainerResource metric type is not supported: disabled by the feature gate"


def evaluate(
    spec: MetricSpec, hpa: HpaObject, selector: Selector, metrics: MetricsInput, context: Context, index: int
) -> MetricEvaluation:
    """Evaluate the metric at a place of spec.metrics; never raises for what the cluster could answer."""
    how = _EVALUATORS.get(spec.type)
    if how is None:
        error = f'unknown metric source type "{spec.type}"'
        return MetricEvaluation(
            spec, _EMPTY_STATUS, reason="InvalidMetricSourceType", event=error, error=error, index=index
        )
    if spec.type == "ContainerResource" and not context.config.rules.container_metrics:
        return MetricEvaluation(spec, _EMPTY_STATUS, event=_GATE_OFF, error=_GATE_OFF, index=index)
    try:
        proposal, label, current = how.run(_Query(spec, index, hpa, selector, metrics, context))
    except _Failed as failure:
        prefix = f"failed to get {how.title(spec)}"
        return MetricEvaluation(
            spec,
            _EMPTY_STATUS,
            reason=how.reason,
            event=failure.text,
            error=f"{prefix} metric value: {failure.wrapped}",
            index=index,
        )
    return MetricEvaluation(spec, _status(spec, current, context.config.rules), proposal, label, index=index)


@dataclass(frozen=True, slots=True)
class _Query:
    """One metric and all that it is evaluated from."""

    spec: MetricSpec
    index: int
    hpa: HpaObject
    selector: Selector
    metrics: MetricsInput
    context: Context

    def answer(self) -> MetricAnswer:
        """What the custom or external metrics API answers for it."""
        return self.metrics.answer(self.index, self.spec.type, self.spec.name)


# Resource and ContainerResource ---------------------------------------------------------------------------------------


def _resource(query: _Query) -> tuple[Proposal, str, dict[str, Any]]:
    spec, context = query.spec, query.context
    target = spec.target
    if target.average_value is None and target.average_utilization is None:
        raise _Failed(
            "invalid resource metric source: neither an average utilization target nor an average value (usage) "
            "target was set"
        )
    what = "usage" if target.average_value is not None else "utilization"
    try:
        samples = _resource_samples(query)
        if target.average_value is not None:
            proposal = by_average(context, samples, spec.name, target.average_value.milli_value())
        else:
            assert target.average_utilization is not None
            proposal = by_utilization(context, samples, spec.name, spec.container, target.average_utilization)
    except ProposalError as error:
        raise _Failed(f"failed to get {spec.name} {what}: {error}") from error
    binary = spec.name == "memory" and context.config.rules.memory_in_binary
    usage = milli(proposal.usage, Format.BINARY_SI if binary else Format.DECIMAL_SI)
    current: dict[str, Any] = {"averageValue": str(usage)}
    if proposal.utilization is None:
        return proposal, f"{spec.name} resource", current
    current["averageUtilization"] = proposal.utilization
    container = "container " if spec.type == "ContainerResource" else ""
    return proposal, f"{spec.name} {container}resource utilization (percentage of request)", current


def _resource_samples(query: _Query) -> dict[str, Sample]:
    """Samples of the selected pods: the sum over containers (none if one lacks the resource), or one container's."""
    spec, namespace, metrics = query.spec, query.hpa.namespace, query.metrics
    prefix = f"unable to get metrics for resource {spec.name}:"
    if metrics.pod_metrics_error is not None:
        raise ProposalError(f"{prefix} unable to fetch metrics from resource metrics API: {metrics.pod_metrics_error}")
    found = [
        item for item in metrics.pod_metrics if item.namespace == namespace and query.selector.matches(item.labels)
    ]
    if not found:
        raise ProposalError(f"{prefix} no metrics returned from resource metrics API")
    samples: dict[str, Sample] = {}
    for item in found:
        value: int | None = None
        if spec.type == "ContainerResource":
            if not query.context.config.rules.absent_container_missing:
                _check_container(spec.container, item, prefix)
            value = next((usage.get(spec.name) for name, usage in item.containers if name == spec.container), None)
        elif item.containers and all(spec.name in usage for _, usage in item.containers):
            value = wrap64(sum(usage[spec.name] for _, usage in item.containers))
        if value is not None:
            samples[item.name] = Sample(value, item.time, item.window)
    return samples


def _check_container(container: str, item: PodMetricsInput, prefix: str) -> None:
    if all(name != container for name, _ in item.containers):
        problem = f"container {container} not present in metrics for pod {item.namespace}/{item.name}"
        raise ProposalError(f"{prefix} failed to get container metrics: {problem}")


# Pods, Object, External -----------------------------------------------------------------------------------------------


def _pods(query: _Query) -> tuple[Proposal, str, dict[str, Any]]:
    spec, context = query.spec, query.context
    _check_selector(spec)
    answer = query.answer()
    try:
        problem = _answer_problem(answer, "custom")
        if problem:
            raise ProposalError(f"unable to get metric {spec.name}: {problem}")
        samples = {item.object_name: Sample(item.value, item.time, item.window) for item in answer.items}
        assert spec.target.average_value is not None
        proposal = by_average(context, samples, "", spec.target.average_value.milli_value())
    except ProposalError as error:
        raise _Failed(str(error)) from error
    return proposal, f"pods metric {spec.name}", {"averageValue": str(milli(proposal.usage))}


def _object(query: _Query) -> tuple[Proposal, str, dict[str, Any]]:
    spec, context = query.spec, query.context
    _check_selector(spec)
    target = spec.target
    answer = query.answer()
    kind, name = spec.described.get("kind", ""), spec.described.get("name", "")
    problem = _object_problem(answer)
    problem = problem and f"unable to get metric {spec.name}: {kind} on {query.hpa.namespace} {name}/{problem}"
    if target.type == "Value" and target.value is not None:
        try:
            if problem:
                raise ProposalError(problem)
            proposal = by_value(context, answer.items[0].value, target.value.milli_value())
        except ProposalError as error:
            raise _Failed(str(error)) from error
        return proposal, f"{kind} metric {spec.name}", {"value": str(milli(proposal.usage))}
    if target.type == "AverageValue" and target.average_value is not None:
        if problem:
            raise _Failed(problem, f"failed to get {spec.name} object metric: {problem}")
        proposal = by_value_per_pod(context, answer.items[0].value, target.average_value.milli_value())
        return proposal, _external_label(spec), {"averageValue": str(milli(proposal.usage))}
    raise _Failed("invalid object metric source: neither a value target nor an average value target was set")


def _external(query: _Query) -> tuple[Proposal, str, dict[str, Any]]:
    spec, context = query.spec, query.context
    target = spec.target
    per_pod = target.average_value is not None
    if not per_pod and target.value is None:
        raise _Failed("invalid external metric source: neither a value target nor an average value target was set")
    wrap = f"failed to get {spec.name} external metric" if per_pod else f"failed to get external metric {spec.name}"
    try:
        try:
            check_api_selector(spec.selector)
        except SelectorError as error:
            raise ProposalError(str(error)) from error
        answer = query.answer()
        problem = _answer_problem(answer, "external")
        if problem:
            where = f"{query.hpa.namespace}/{spec.name}/{format_api_selector(spec.selector)}"
            raise ProposalError(f"unable to get external metric {where}: {problem}")
        rules = context.config.rules
        if target.average_value is not None:
            usage, overflowed = _sum_per_pod(answer.items, rules)
            milli_target = target.average_value.milli_value()
            proposal = by_value_per_pod(context, usage, milli_target, summed=True, overflowed=overflowed)
        else:
            assert target.value is not None
            proposal = by_value(context, _sum(answer.items, rules), target.value.milli_value())
    except ProposalError as error:
        raise _Failed(str(error), f"{wrap}: {error}") from error
    return proposal, _external_label(spec), {"averageValue" if per_pod else "value": str(milli(proposal.usage))}


def _sum(items: Sequence[MetricItem], rules: Rules) -> int:
    """The sum of External items for a Value target, in thousandths."""
    total = 0
    for item in items:
        if rules.external_sum_stops and item.value > MAX_INT64 - max(total, 0):
            return MAX_INT64
        total = wrap64(total + item.value)
    return total


def _sum_per_pod(items: Sequence[MetricItem], rules: Rules) -> tuple[int, bool]:
    """The sum for an AverageValue target, and whether it is taken for one that overflowed."""
    total = 0
    for item in items:
        total = wrap64(total + item.value)
        if total < 0 and rules.negative_sum_overflows:
            return total, True
    return total, False


def _external_label(spec: MetricSpec) -> str:
    return f"external metric {spec.name}({format_api_selector(spec.selector)})"


def _check_selector(spec: MetricSpec) -> None:
    try:
        check_api_selector(spec.selector)
    except SelectorError as error:
        raise _Failed(str(error)) from error


def _answer_problem(answer: MetricAnswer, api: str) -> str:
    """Why a query gave nothing; empty if it gave something."""
    if answer.error is not None:
        return f"unable to fetch metrics from {api} metrics API: {answer.error}"
    return "" if answer.items else f"no metrics returned from {api} metrics API"


def _object_problem(answer: MetricAnswer) -> str:
    """A query about one object must give exactly one value."""
    if answer.error is None and len(answer.items) != 1:
        count = f"{len(answer.items)} results when we asked for exactly one"
        return f"unable to fetch metrics from custom metrics API: the custom metrics API server returned {count}"
    return _answer_problem(answer, "custom")


# Status ---------------------------------------------------------------------------------------------------------------


def _status(spec: MetricSpec, current: dict[str, Any], rules: Rules) -> dict[str, Any]:
    if spec.type == "Resource":
        return {"type": spec.type, "resource": {"name": spec.name, "current": current}}
    if spec.type == "ContainerResource":
        entry = {"name": spec.name, "container": spec.container, "current": current}
        return {"type": spec.type, "containerResource": entry}
    metric: dict[str, Any] = {"name": spec.name}
    if spec.selector is not None:
        metric["selector"] = spec.selector
    entry = {"metric": metric, "current": current}
    if spec.type == "Object":
        shown = rules.described_object_shown or "value" in current
        entry["describedObject"] = dict(spec.described) if shown else {"kind": "", "name": ""}
    return {"type": spec.type, spec.type.lower(): entry}


_Run = Callable[[_Query], tuple[Proposal, str, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Evaluator:
    run: _Run
    reason: str
    title: Callable[[MetricSpec], str]


_EVALUATORS: dict[str, _Evaluator] = {
    "Resource": _Evaluator(_resource, "FailedGetResourceMetric", lambda spec: f"{spec.name} resource"),
    "ContainerResource": _Evaluator(
        _resource, "FailedGetContainerResourceMetric", lambda spec: f"{spec.container} container"
    ),
    "Pods": _Evaluator(_pods, "FailedGetPodsMetric", lambda _spec: "pods"),
    "Object": _Evaluator(_object, "FailedGetObjectMetric", lambda _spec: "object"),
    "External": _Evaluator(_external, "FailedGetExternalMetric", lambda spec: f"{spec.name} external"),
}
