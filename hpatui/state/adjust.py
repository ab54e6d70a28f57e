"""What the controller must have measured, where its status tells other numbers than the samples at hand.

A sync may use a sample that reaches an observer only seconds later. The status then holds the average that was used, so
the samples are scaled to that average: not what each pod used, but what the decision came from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.inputs import HpaObject, MetricSpec, PodInput, PodMetricsInput
from hpatui.quantity import parse_quantity
from hpatui.state.facts import Inputs, told_answers


def adjusted(inputs: Inputs, decision: Decision, after: HpaObject) -> Inputs | None:
    """`inputs` with samples that give the averages of the status in `after`; None where they already do, or where the
    status tells none.
    """
    told = _told_averages(after)
    used = {i: e.proposal.usage for i, e in enumerate(decision.metrics) if e.proposal is not None}
    wrong = [(i, average) for i, average in told if used.get(i) != average]
    answers = told_answers(after, inputs.scale.status_replicas, [pod.name for pod in inputs.pods])
    same = answers == inputs.metrics.by_index
    if not wrong and (same or not after.status.get("currentMetrics")):
        return None
    if not same:
        inputs = replace(inputs, metrics=replace(inputs.metrics, by_index=answers))
    if not wrong:
        return inputs
    samples = inputs.metrics.pod_metrics if inputs.metrics.pod_metrics_error is None else ()
    for index, average in wrong:
        spec, known = after.metrics[index], used.get(index)
        if known and samples:
            samples = tuple(_scaled(sample, spec, average / known) for sample in samples)
        else:
            samples = tuple(_even(samples, inputs.pods, spec, average, decision.now))
    return replace(inputs, metrics=replace(inputs.metrics, pod_metrics=samples, pod_metrics_error=None))


def _told_averages(hpa: HpaObject) -> list[tuple[int, int]]:
    """(index, average in thousandths) of each resource metric that the status has a value for."""
    current = hpa.status.get("currentMetrics")
    entries: Sequence[Any] = current if isinstance(current, list) else ()
    found: list[tuple[int, int]] = []
    for index, (spec, entry) in enumerate(zip(hpa.metrics, entries, strict=False)):
        field = {"Resource": "resource", "ContainerResource": "containerResource"}.get(spec.type)
        if field is None or not isinstance(entry, Mapping) or not isinstance(entry.get(field), Mapping):
            continue
        values = entry[field].get("current")
        text = values.get("averageValue") if isinstance(values, Mapping) else None
        if isinstance(text, str):
            try:
                found.append((index, parse_quantity(text).milli_value()))
            except ValueError:
                continue
    return found


def _scaled(sample: PodMetricsInput, spec: MetricSpec, factor: float) -> PodMetricsInput:
    containers = tuple(
        (
            name,
            {
                key: round(value * factor) if key == spec.name and _concerns(spec, name) else value
                for key, value in usage.items()
            },
        )
        for name, usage in sample.containers
    )
    return replace(sample, containers=containers)


def _concerns(spec: MetricSpec, container: str) -> bool:
    return spec.container in ("", container)


def _even(
    samples: Sequence[PodMetricsInput], pods: Sequence[PodInput], spec: MetricSpec, average: int, now: int
) -> list[PodMetricsInput]:
    """The average as the value of each running pod, beside what its sample holds of other resources."""
    known = {sample.name: sample for sample in samples}
    out: list[PodMetricsInput] = []
    for pod in pods:
        if pod.phase != "Running" or pod.terminating:
            continue
        name = spec.container or (pod.requests[0][0] if pod.requests else "main")
        sample = known.get(pod.name) or PodMetricsInput(pod.namespace, pod.name, pod.labels, now, 0, ((name, {}),))
        usage = {container: dict(values) for container, values in sample.containers}
        usage.setdefault(name, {})[spec.name] = average
        out.append(replace(sample, containers=tuple(usage.items())))
    return out
