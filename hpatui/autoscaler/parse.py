"""JSON objects -> the typed inputs of a decision.

Everything that the API server could serve is accepted: missing, null and empty fields mean the same. A value of the
wrong type, or a quantity that is none, raises MalformedObject with the field's path, never a wrong number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hpatui.autoscaler.inputs import (
    Behavior,
    ConditionInput,
    HpaObject,
    JsonObject,
    MetricItem,
    MetricSpec,
    PodInput,
    PodMetricsInput,
    ScaleInput,
    ScalingPolicy,
    ScalingRules,
    Target,
)
from hpatui.autoscaler.times import SECOND, to_ns
from hpatui.errors import MalformedObject
from hpatui.forms.durations import go_duration
from hpatui.quantity import Quantity, QuantityError, parse_quantity

_EMPTY: Mapping[str, Any] = {}
_METRIC_FIELDS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def parse_hpa(value: object) -> HpaObject:
    """A HorizontalPodAutoscaler of autoscaling/v2."""
    obj = _object(value, "")
    metadata = _child(obj, "metadata", "metadata")
    spec = _child(obj, "spec", "spec")
    status = _child(obj, "status", "status")
    ref = _child(spec, "scaleTargetRef", "spec.scaleTargetRef")
    minimum = _integer(spec, "minReplicas", "spec.minReplicas")
    return HpaObject(
        namespace=_text(metadata, "namespace", "metadata.namespace"),
        name=_text(metadata, "name", "metadata.name"),
        target_api_version=_text(ref, "apiVersion", "spec.scaleTargetRef.apiVersion"),
        target_kind=_text(ref, "kind", "spec.scaleTargetRef.kind"),
        target_name=_text(ref, "name", "spec.scaleTargetRef.name"),
        min_replicas=1 if minimum is None else minimum,
        max_replicas=_integer(spec, "maxReplicas", "spec.maxReplicas") or 0,
        metrics=tuple(
            _metric(item, f"spec.metrics[{index}]") for index, item in enumerate(_list(spec, "metrics", "spec.metrics"))
        ),
        behavior=_behavior(spec),
        desired_replicas=_integer(status, "desiredReplicas", "status.desiredReplicas") or 0,
        last_scale_time=_time(status, "lastScaleTime", "status.lastScaleTime"),
        conditions=tuple(
            _condition(item, f"status.conditions[{index}]")
            for index, item in enumerate(_list(status, "conditions", "status.conditions"))
        ),
        status=status,
    )


def parse_scale(value: object) -> ScaleInput:
    """A Scale of autoscaling/v1."""
    obj = _object(value, "scale")
    spec, status = _child(obj, "spec", "scale.spec"), _child(obj, "status", "scale.status")
    return ScaleInput(
        spec_replicas=_integer(spec, "replicas", "scale.spec.replicas") or 0,
        status_replicas=_integer(status, "replicas", "scale.status.replicas") or 0,
        selector=_text(status, "selector", "scale.status.selector"),
    )


def parse_pod(value: object) -> PodInput:
    """A core/v1 Pod."""
    obj = _object(value, "pod")
    metadata, spec, status = (
        _child(obj, "metadata", "metadata"),
        _child(obj, "spec", "spec"),
        _child(obj, "status", "status"),
    )
    ready, transition = _ready(status)
    sidecars = [
        item
        for item in _list(spec, "initContainers", "spec.initContainers")
        if isinstance(item, Mapping) and item.get("restartPolicy") == "Always"
    ]
    containers = [*_list(spec, "containers", "spec.containers"), *sidecars]
    pod_level = _child(_child(spec, "resources", "spec.resources"), "requests", "spec.resources.requests")
    requests = tuple(_container_requests(item, f"spec.containers[{i}]") for i, item in enumerate(containers))
    return PodInput(
        namespace=_text(metadata, "namespace", "metadata.namespace"),
        name=_text(metadata, "name", "metadata.name"),
        labels=_labels(metadata, "metadata.labels"),
        phase=_text(status, "phase", "status.phase"),
        terminating=metadata.get("deletionTimestamp") is not None,
        start_time=_time(status, "startTime", "status.startTime"),
        ready=ready,
        ready_transition=transition,
        requests=requests,
        pod_requests=_pod_level(pod_level, spec) if pod_level else None,
        sidecars=len(sidecars),
        overhead=_milli_map(_child(spec, "overhead", "spec.overhead"), "spec.overhead"),
    )


def parse_pod_metrics(value: object) -> PodMetricsInput:
    """A PodMetrics of metrics.k8s.io/v1beta1."""
    obj = _object(value, "podMetrics")
    metadata = _child(obj, "metadata", "metadata")
    containers = []
    for index, item in enumerate(_list(obj, "containers", "containers")):
        path = f"containers[{index}]"
        container = _object(item, path)
        usage = _child(container, "usage", f"{path}.usage")
        containers.append((_text(container, "name", f"{path}.name"), _milli_map(usage, f"{path}.usage")))
    return PodMetricsInput(
        namespace=_text(metadata, "namespace", "metadata.namespace"),
        name=_text(metadata, "name", "metadata.name"),
        labels=_labels(metadata, "metadata.labels"),
        time=_time(obj, "timestamp", "timestamp") or 0,
        window=_duration(_text(obj, "window", "window"), "window"),
        containers=tuple(containers),
    )


def parse_metric_item(value: object) -> MetricItem:
    """A MetricValue of custom.metrics.k8s.io or an ExternalMetricValue of external.metrics.k8s.io."""
    obj = _object(value, "metricValue")
    described = _child(obj, "describedObject", "describedObject")
    seconds = _integer(obj, "windowSeconds", "windowSeconds")
    return MetricItem(
        value=_quantity(obj.get("value", "0"), "value").milli_value(),
        object_name=_text(described, "name", "describedObject.name"),
        time=_time(obj, "timestamp", "timestamp") or 0,
        window=(60 if seconds is None else seconds) * SECOND,
    )


# Parts ----------------------------------------------------------------------------------------------------------------


def _metric(value: object, path: str) -> MetricSpec:
    obj = _object(value, path)
    kind = _text(obj, "type", f"{path}.type")
    field = _METRIC_FIELDS.get(kind)
    if field is None:
        return MetricSpec(kind, "", Target(""))
    source = obj.get(field)
    if source is None:
        raise MalformedObject(f"{path}.{field}", f"is missing, though type is {kind}")
    path = f"{path}.{field}"
    source = _object(source, path)
    target = _target(_child(source, "target", f"{path}.target"), f"{path}.target")
    if kind in ("Resource", "ContainerResource"):
        container = _text(source, "container", f"{path}.container") if kind == "ContainerResource" else ""
        return MetricSpec(kind, _text(source, "name", f"{path}.name"), target, container)
    metric = _child(source, "metric", f"{path}.metric")
    selector = metric.get("selector")
    described = _child(source, "describedObject", f"{path}.describedObject") if kind == "Object" else _EMPTY
    if kind == "Pods" and target.average_value is None:
        raise MalformedObject(f"{path}.target.averageValue", "is missing; a Pods metric needs one")
    return MetricSpec(
        kind,
        _text(metric, "name", f"{path}.metric.name"),
        target,
        selector=None if selector is None else _object(selector, f"{path}.metric.selector"),
        described=described,
    )


def _target(obj: JsonObject, path: str) -> Target:
    def quantity(name: str) -> Quantity | None:
        value = obj.get(name)
        return None if value is None else _quantity(value, f"{path}.{name}")

    return Target(
        type=_text(obj, "type", f"{path}.type"),
        average_utilization=_integer(obj, "averageUtilization", f"{path}.averageUtilization"),
        average_value=quantity("averageValue"),
        value=quantity("value"),
    )


def _behavior(spec: JsonObject) -> Behavior | None:
    value = spec.get("behavior")
    if value is None:
        return None
    obj = _object(value, "spec.behavior")
    up = _rules(obj, "scaleUp", 0, (ScalingPolicy("Pods", 4, 15), ScalingPolicy("Percent", 100, 15)))
    down = _rules(obj, "scaleDown", None, (ScalingPolicy("Percent", 100, 15),))
    return Behavior(up, down)


def _rules(obj: JsonObject, name: str, window: int | None, policies: tuple[ScalingPolicy, ...]) -> ScalingRules:
    """One direction, with what the API server would fill in where a field is missing."""
    path = f"spec.behavior.{name}"
    rules = _child(obj, name, path)
    given = _list(rules, "policies", f"{path}.policies")
    seconds = _integer(rules, "stabilizationWindowSeconds", f"{path}.stabilizationWindowSeconds")
    tolerance = rules.get("tolerance")
    return ScalingRules(
        window=window if seconds is None else seconds,
        select=_text(rules, "selectPolicy", f"{path}.selectPolicy") or "Max",
        policies=tuple(_policy(item, f"{path}.policies[{i}]") for i, item in enumerate(given)) if given else policies,
        tolerance=None if tolerance is None else _quantity(tolerance, f"{path}.tolerance").approximate_float(),
    )


def _policy(value: object, path: str) -> ScalingPolicy:
    obj = _object(value, path)
    return ScalingPolicy(
        _text(obj, "type", f"{path}.type"),
        _integer(obj, "value", f"{path}.value") or 0,
        _integer(obj, "periodSeconds", f"{path}.periodSeconds") or 0,
    )


def _condition(value: object, path: str) -> ConditionInput:
    obj = _object(value, path)
    return ConditionInput(
        _text(obj, "type", f"{path}.type"),
        _text(obj, "status", f"{path}.status"),
        _text(obj, "reason", f"{path}.reason"),
        _text(obj, "message", f"{path}.message"),
        _time(obj, "lastTransitionTime", f"{path}.lastTransitionTime"),
    )


def _ready(status: JsonObject) -> tuple[str | None, int]:
    for index, item in enumerate(_list(status, "conditions", "status.conditions")):
        path = f"status.conditions[{index}]"
        condition = _object(item, path)
        if condition.get("type") == "Ready":
            changed = _time(condition, "lastTransitionTime", f"{path}.lastTransitionTime")
            return _text(condition, "status", f"{path}.status"), changed or 0
    return None, 0


def _container_requests(value: object, path: str) -> tuple[str, Mapping[str, int]]:
    obj = _object(value, path)
    resources = _child(obj, "resources", f"{path}.resources")
    requests = _child(resources, "requests", f"{path}.resources.requests")
    return _text(obj, "name", f"{path}.name"), _milli_map(requests, f"{path}.resources.requests")


def _pod_level(pod_level: JsonObject, spec: JsonObject) -> Mapping[str, int]:
    """Requests of a pod with pod-level resources: those where set, else what its containers need together.

    Source: PodRequests of k8s.io/component-helpers/resource: containers and sidecars add up; an init container needs
    its own and those of the sidecars started before it. Overhead is left to the rules.
    """
    total: dict[str, int] = {}
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}

    def add(to: dict[str, int], requests: Mapping[str, int]) -> None:
        for name, value in requests.items():
            to[name] = to.get(name, 0) + value

    for index, item in enumerate(_list(spec, "containers", "spec.containers")):
        add(total, _container_requests(item, f"spec.containers[{index}]")[1])
    for index, item in enumerate(_list(spec, "initContainers", "spec.initContainers")):
        path = f"spec.initContainers[{index}]"
        needs = dict(_container_requests(item, path)[1])
        if _object(item, path).get("restartPolicy") == "Always":
            add(total, needs)
            add(sidecars, needs)
            needs = sidecars
        else:
            add(needs, sidecars)
        for name, value in needs.items():
            peak[name] = max(peak.get(name, 0), value)
    for name, value in peak.items():
        total[name] = max(total.get(name, 0), value)
    total |= _milli_map(pod_level, "spec.resources.requests")
    return total


# Fields ---------------------------------------------------------------------------------------------------------------


def _object(value: object, path: str) -> JsonObject:
    if not isinstance(value, Mapping):
        raise MalformedObject(path or "object", f"is {_kind(value)}, not an object")
    return value


def _child(obj: JsonObject, name: str, path: str) -> JsonObject:
    value = obj.get(name)
    return _EMPTY if value is None else _object(value, path)


def _list(obj: JsonObject, name: str, path: str) -> Sequence[object]:
    value = obj.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise MalformedObject(path, f"is {_kind(value)}, not a list")
    return value


def _text(obj: JsonObject, name: str, path: str) -> str:
    value = obj.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedObject(path, f"is {_kind(value)}, not a text")
    return value


def _integer(obj: JsonObject, name: str, path: str) -> int | None:
    value = obj.get(name)
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise MalformedObject(path, f"is {_kind(value)}, not an integer")
    return value


def _time(obj: JsonObject, name: str, path: str) -> int | None:
    value = obj.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise MalformedObject(path, f"is {_kind(value)}, not a time")
    try:
        return to_ns(value)
    except ValueError as error:
        raise MalformedObject(path, str(error)) from error


def _labels(metadata: JsonObject, path: str) -> Mapping[str, str]:
    labels = _child(metadata, "labels", path)
    for key, value in labels.items():
        if not isinstance(value, str):
            raise MalformedObject(f"{path}.{key}", f"is {_kind(value)}, not a text")
    return labels


def _quantity(value: object, path: str) -> Quantity:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise MalformedObject(path, f"is {_kind(value)}, not a quantity")
    try:
        return parse_quantity(str(value))
    except QuantityError as error:
        raise MalformedObject(path, f"{value!r} is no quantity: {error}") from error


def _milli_map(obj: JsonObject, path: str) -> Mapping[str, int]:
    return {name: _quantity(value, f"{path}.{name}").milli_value() for name, value in obj.items()}


def _duration(text: str, path: str) -> int:
    """A Go duration ("30s", "1m0s", "14.2s") -> nanoseconds; empty: 0."""
    try:
        return go_duration(text) if text else 0
    except ValueError:
        raise MalformedObject(path, f"{text!r} is no duration") from None


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names: Iterable[tuple[type, str]] = (
        (bool, "a boolean"),
        (str, "a text"),
        (int, "a number"),
        (float, "a number"),
        (Mapping, "an object"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a list")
