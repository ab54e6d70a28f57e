"""Step 4: one metric of the spec -> an evaluation: samples from the metrics APIs, the proposal or the failure, the status.

Source: computeStatusFor*Metric of the controller and its metrics clients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.autoscaler.arithmetic import wrap64
from hpatui.autoscaler.inputs import HpaObject, MetricAnswer, MetricsInput, MetricSpec
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
from hpatui.autoscaler.selectors import Selector, SelectorError, check_api_selector, format_api_selector
from hpatui.quantity import milli


@dataclass(frozen=True, slots=True)
class MetricEvaluation:
    """What became of one metric: a proposal, or a failure.

    `label` names it as events do ("cpu resource utilization (percentage of request)"). `status` is its entry of
    status.currentMetrics. Of a failure: `reason` and `event` are the event's, `error` is the wrapped text.
    """

    spec: MetricSpec
    status: Mapping[str, Any]
    proposal: Proposal | None = None
    label: str = ""
    reason: str = ""
    event: str = ""
    error: str = ""

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


def evaluate(
    spec: MetricSpec, hpa: HpaObject, selector: Selector, metrics: MetricsInput, context: Context
) -> MetricEvaluation:
    """Evaluate one metric; never raises for what the cluster could answer."""
    how = _EVALUATORS.get(spec.type)
    if how is None:
        error = f'unknown metric source type "{spec.type}"'
        return MetricEvaluation(spec, _EMPTY_STATUS, reason="InvalidMetricSourceType", event=error, error=error)
    try:
        proposal, label, current = how.run(spec, hpa, selector, metrics, context)
    except _Failed as failure:
        prefix = f"failed to get {how.title(spec)}"
        return MetricEvaluation(
            spec,
            _EMPTY_STATUS,
            reason=how.reason,
            event=failure.text,
            error=f"{prefix} metric value: {failure.wrapped}",
        )
    return MetricEvaluation(spec, _status(spec, current), proposal, label)


# Resource and ContainerResource ---------------------------------------------------------------------------------------


def _resource(
    spec: MetricSpec, hpa: HpaObject, selector: Selector, metrics: MetricsInput, context: Context
) -> tuple[Proposal, str, dict[str, Any]]:
    target = spec.target
    if target.average_value is None and target.average_utilization is None:
        raise _Failed(
            "invalid resource metric source: neither an average utilization target nor an average value (usage) "
            "target was set"
        )
    what = "usage" if target.average_value is not None else "utilization"
    try:
        samples = _resource_samples(spec, hpa.namespace, selector, metrics)
        if target.average_value is not None:
            proposal = by_average(context, samples, spec.name, target.average_value.milli_value())
        else:
            assert target.average_utilization is not None
            proposal = by_utilization(context, samples, spec.name, spec.container, target.average_utilization)
    except ProposalError as error:
        raise _Failed(f"failed to get {spec.name} {what}: {error}") from error
    current: dict[str, Any] = {"averageValue": str(milli(proposal.usage))}
    if proposal.utilization is None:
        return proposal, f"{spec.name} resource", current
    current["averageUtilization"] = proposal.utilization
    container = "container " if spec.type == "ContainerResource" else ""
    return proposal, f"{spec.name} {container}resource utilization (percentage of request)", current


def _resource_samples(spec: MetricSpec, namespace: str, selector: Selector, metrics: MetricsInput) -> dict[str, Sample]:
    """Samples of the selected pods: the sum over containers (none if one lacks the resource), or one container's."""
    prefix = f"unable to get metrics for resource {spec.name}:"
    if metrics.pod_metrics_error is not None:
        raise ProposalError(f"{prefix} unable to fetch metrics from resource metrics API: {metrics.pod_metrics_error}")
    found = [item for item in metrics.pod_metrics if item.namespace == namespace and selector.matches(item.labels)]
    if not found:
        raise ProposalError(f"{prefix} no metrics returned from resource metrics API")
    samples: dict[str, Sample] = {}
    for item in found:
        value: int | None = None
        if spec.type == "ContainerResource":
            value = next((usage.get(spec.name) for name, usage in item.containers if name == spec.container), None)
        elif item.containers and all(spec.name in usage for _, usage in item.containers):
            value = wrap64(sum(usage[spec.name] for _, usage in item.containers))
        if value is not None:
            samples[item.name] = Sample(value, item.time, item.window)
    return samples


# Pods, Object, External -----------------------------------------------------------------------------------------------


def _pods(
    spec: MetricSpec, hpa: HpaObject, selector: Selector, metrics: MetricsInput, context: Context
) -> tuple[Proposal, str, dict[str, Any]]:
    _check_selector(spec)
    answer = metrics.custom.get(spec.name, MetricAnswer())
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


def _object(
    spec: MetricSpec, hpa: HpaObject, selector: Selector, metrics: MetricsInput, context: Context
) -> tuple[Proposal, str, dict[str, Any]]:
    _check_selector(spec)
    target = spec.target
    answer = metrics.custom.get(spec.name, MetricAnswer())
    kind, name = spec.described.get("kind", ""), spec.described.get("name", "")
    problem = _object_problem(answer)
    problem = problem and f"unable to get metric {spec.name}: {kind} on {hpa.namespace} {name}/{problem}"
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


def _external(
    spec: MetricSpec, hpa: HpaObject, selector: Selector, metrics: MetricsInput, context: Context
) -> tuple[Proposal, str, dict[str, Any]]:
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
        answer = metrics.external.get(spec.name, MetricAnswer())
        problem = _answer_problem(answer, "external")
        if problem:
            where = f"{hpa.namespace}/{spec.name}/{format_api_selector(spec.selector)}"
            raise ProposalError(f"unable to get external metric {where}: {problem}")
        usage = wrap64(sum(item.value for item in answer.items))
        if target.average_value is not None:
            proposal = by_value_per_pod(context, usage, target.average_value.milli_value(), summed=True)
        else:
            assert target.value is not None
            proposal = by_value(context, usage, target.value.milli_value())
    except ProposalError as error:
        raise _Failed(str(error), f"{wrap}: {error}") from error
    return proposal, _external_label(spec), {"averageValue" if per_pod else "value": str(milli(proposal.usage))}


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


def _status(spec: MetricSpec, current: dict[str, Any]) -> dict[str, Any]:
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
        entry["describedObject"] = dict(spec.described)
    return {"type": spec.type, spec.type.lower(): entry}


_Run = Callable[[MetricSpec, HpaObject, Selector, MetricsInput, Context], tuple[Proposal, str, dict[str, Any]]]


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
