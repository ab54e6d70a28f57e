"""What was known of an HPA's target at one moment, and how it becomes the input of `decide`.

Parsing is lazy (only a sync or a look at the explanation needs it) and cached per object: a steady HPA costs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpatui.autoscaler.inputs import (
    HpaObject,
    MetricAnswer,
    MetricItem,
    MetricsInput,
    MetricSpec,
    OtherHpa,
    PodInput,
    PodMetricsInput,
    ScaleInput,
)
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.autoscaler.zero import NOT_TOLD
from hpatui.errors import MalformedObject
from hpatui.model import Hpa, Key, OwnerLink, Pod, PodUsage, Scale, ScaledObject, SourceState, SourceStatus, Workload
from hpatui.quantity import parse_quantity

_OVER_ZERO = ("-9223372036854775808m", "-9223372036854775.808")  # what a division by 0 makes of an average
_CACHE = 4096  # objects; an observer of a fleet sees few


@dataclass(frozen=True, slots=True)
class Facts:
    """The target as it was from `time` (epoch seconds) until the next Facts."""

    time: float
    workload: Workload | None
    pods: Mapping[Key, Pod]
    usages: Mapping[Key, PodUsage]
    usage_status: SourceStatus
    scale: Scale | None = None
    links: Mapping[str, OwnerLink] = field(default_factory=dict)  # by uid
    others: tuple[OtherHpa, ...] = ()  # HPAs that select some of the same pods, as far as known
    scaled_object: ScaledObject | None = None  # KEDA's, where it made the HPA and may be read

    @property
    def size(self) -> int | None:
        """The size that the target is asked for."""
        if self.scale is not None:
            return self.scale.spec_replicas
        return self.workload.replicas if self.workload is not None else None

    def usable(self) -> bool:
        """Whether a decision can be computed from them at all."""
        known = self.workload is not None or self.scale is not None
        return known and self.usage_status.state is not SourceState.FORBIDDEN


@dataclass(frozen=True, slots=True)
class Inputs:
    """The arguments of `decide` besides memory, flags and time."""

    hpa: HpaObject
    scale: ScaleInput
    pods: tuple[PodInput, ...]
    metrics: MetricsInput
    others: tuple[OtherHpa, ...] = ()


class Reader:
    """Facts -> Inputs. Raises MalformedObject where an object cannot be read."""

    def __init__(self) -> None:
        self._pods: dict[str, tuple[Pod, PodInput]] = {}
        self._usages: dict[Key, tuple[PodUsage, PodMetricsInput]] = {}
        self._hpa: tuple[Hpa, HpaObject] | None = None

    def read(self, hpa: Hpa, facts: Facts, divisor: int | None = None) -> Inputs:
        """All inputs at once. `divisor`: the status size of the scale at the sync that wrote the HPA's status, by which
        it divided averages (None: not seen, as now).
        """
        parsed = self.hpa(hpa)
        pods = tuple(self.pod(facts.pods[key]) for key in sorted(facts.pods))
        scale = _scale(hpa, facts)
        known = scale.status_replicas if divisor is None else divisor
        return Inputs(parsed, scale, pods, self._metrics(parsed, known, facts), facts.others)

    def hpa(self, hpa: Hpa) -> HpaObject:
        """The HPA's own object."""
        if self._hpa is None or self._hpa[0] is not hpa:
            self._hpa = (hpa, parse_hpa(_json(hpa.raw, "HorizontalPodAutoscaler")))
        return self._hpa[1]

    def pod(self, pod: Pod) -> PodInput:
        """A pod as the controller reads it."""
        known = self._pods.get(pod.uid)
        if known is not None and known[0] is pod:
            return known[1]
        parsed = parse_pod(_json(pod.raw, "Pod")) if pod.raw and pod.requests is None else _pod_of_model(pod)
        if len(self._pods) >= _CACHE:
            self._pods.clear()
        self._pods[pod.uid] = (pod, parsed)
        return parsed

    def usage(self, usage: PodUsage, labels: Mapping[str, str]) -> PodMetricsInput:
        """A sample as the controller reads it; `labels`: the pod's."""
        known = self._usages.get(usage.key)
        if known is not None and known[0] is usage:
            return known[1]
        parsed = (
            parse_pod_metrics(_json(usage.raw, "PodMetrics"))
            if usage.raw and usage.exact is None
            else _usage_of_model(usage, labels)
        )
        if len(self._usages) >= _CACHE:
            self._usages.clear()
        self._usages[usage.key] = (usage, parsed)
        return parsed

    def _metrics(self, hpa: HpaObject, divisor: int, facts: Facts) -> MetricsInput:
        state = facts.usage_status.state
        broken = state in (SourceState.NOT_SERVED, SourceState.FAILED, SourceState.RECONNECTING)
        samples: tuple[PodMetricsInput, ...] = ()
        if not broken:
            samples = tuple(
                self.usage(facts.usages[key], facts.pods[key].labels if key in facts.pods else {})
                for key in sorted(facts.usages)
            )
        error = facts.usage_status.message or "the server could not find the requested resource"
        told = told_answers(hpa, divisor, [key.name for key in facts.pods])
        return MetricsInput(samples, error if broken else None, by_index=told)


def _scale(hpa: Hpa, facts: Facts) -> ScaleInput:
    """The scale subresource as it was read, or where it was not, as the target's own object has it."""
    scale, workload = facts.scale, facts.workload
    if scale is not None:
        return ScaleInput(scale.spec_replicas, scale.status_replicas, scale.selector)
    if workload is None:
        return ScaleInput(hpa.current_replicas, hpa.current_replicas, "")
    return ScaleInput(workload.replicas, workload.status_replicas, workload.selector)


def told_answers(hpa: HpaObject, replicas: int, pods: Sequence[str]) -> dict[int, MetricAnswer]:
    """Custom and external metrics as the HPA's status tells them, by their place in spec.metrics: nobody but the
    controller asks for them, and several may have one name.

    `replicas` is the status size of the target's scale at that sync, which averages were divided by.
    """
    problem = _problem(hpa)
    current = hpa.status.get("currentMetrics")
    entries = current if isinstance(current, list) else []
    answers = {}
    for index, spec in enumerate(hpa.metrics):
        if spec.type in ("Pods", "Object", "External"):
            entry = entries[index] if index < len(entries) and isinstance(entries[index], Mapping) else {}
            answers[index] = _answer(spec, entry, replicas, pods, problem)
    return answers


def untold(inputs: Inputs) -> bool:
    """Whether a metric has a value that its status cannot tell, so that a decision on these inputs says nothing."""
    return any(answer.error == NOT_TOLD for answer in inputs.metrics.by_index.values())


def _problem(hpa: HpaObject) -> str:
    """Why the controller has no value, in the words of its condition."""
    for condition in hpa.conditions:
        if condition.type == "ScalingActive" and condition.status == "False":
            return condition.message.split("metrics API: ")[-1]
    return "the HPA's status has no value of it"


def _per_pod(spec: MetricSpec) -> bool:
    """Whether the target is an average a pod: for Object its type decides, for External which value it has."""
    if spec.type == "Object" and spec.target.type in ("Value", "AverageValue"):
        return spec.target.type == "AverageValue"
    return spec.type == "Pods" or spec.target.average_value is not None


def _answer(
    spec: MetricSpec, entry: Mapping[str, Any], replicas: int, pods: Sequence[str], problem: str
) -> MetricAnswer:
    source = entry.get(spec.type[:1].lower() + spec.type[1:])
    values = source.get("current") if isinstance(source, Mapping) else None
    told = values if isinstance(values, Mapping) else {}
    if not _per_pod(spec):
        value = _milli(told.get("value"))
    else:
        if told.get("averageValue") in _OVER_ZERO:
            return MetricAnswer(error=NOT_TOLD)
        average = _milli(told.get("averageValue"))
        if spec.type == "Pods" and average is not None:
            return MetricAnswer(tuple(MetricItem(average, name) for name in pods))
        value = None if average is None else _total(average, max(replicas, 1))
    if value is None:
        return MetricAnswer(error=problem)
    return MetricAnswer((MetricItem(value, str(spec.described.get("name", ""))),))


def _total(average: int, replicas: int) -> int:
    """The total that an average (thousandths, rounded up) was made from: the whole number in its range, if there is
    one, because a few thousandths too much would already ask for another pod.
    """
    highest = average * replicas
    whole = highest // 1000 * 1000
    return whole if whole > (average - 1) * replicas else highest


def _milli(text: Any) -> int | None:
    try:
        return parse_quantity(text).milli_value() if isinstance(text, str) else None
    except ValueError:
        return None


def _pod_of_model(pod: Pod) -> PodInput:
    ready = next((c for c in pod.conditions if c.type == "Ready"), None)
    moment = ready.last_transition_time if ready is not None else pod.ready_since
    if pod.requests is not None:
        requests, without = pod.requests, None
    else:
        without = "True" if pod.ready else "False"
        requests = tuple((c.name, _requests(c.cpu_request, c.memory_request)) for c in pod.containers) or (
            ("main", _requests(pod.cpu_request, pod.memory_request)),
        )
    return PodInput(
        namespace=pod.key.namespace,
        name=pod.key.name,
        labels=pod.labels,
        phase=pod.phase,
        terminating=pod.deleted is not None,
        start_time=seconds_to_ns(pod.started) if pod.started is not None else None,
        ready=ready.status if ready is not None else without,
        ready_transition=seconds_to_ns(moment) if moment is not None else 0,
        requests=requests,
        pod_requests=pod.pod_requests,
        sidecars=sum(1 for item in pod.init_containers if item.sidecar) if pod.requests is not None else 0,
    )


def _requests(cpu: float | None, memory: float | None) -> dict[str, int]:
    known = (("cpu", cpu), ("memory", None if memory is None else memory * 1000))
    return {name: round(value) for name, value in known if value is not None}


def _usage_of_model(usage: PodUsage, labels: Mapping[str, str]) -> PodMetricsInput:
    containers = usage.containers or {"main": (usage.cpu, usage.memory)}
    return PodMetricsInput(
        namespace=usage.key.namespace,
        name=usage.key.name,
        labels=usage.labels or labels,
        time=seconds_to_ns(usage.time),
        window=seconds_to_ns(usage.window),
        containers=usage.exact
        if usage.exact is not None
        else tuple(
            (name, {"cpu": round(cpu), "memory": round(memory * 1000)}) for name, (cpu, memory) in containers.items()
        ),
    )


def _json(raw: bytes, kind: str) -> Mapping[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise MalformedObject(kind, f"is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedObject(kind, "is no JSON object")
    return value
