"""Versions: objects are kept in one, and read and written in all that are served.

autoscaling v2beta1 and v1 have other fields for the same metrics; what v1 has no field for goes into annotations, as
pkg/apis/autoscaling/v1/conversion.go does it. events.k8s.io has other names for the fields of core events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.status import bad_request

JsonObject = dict[str, Any]

METRICS = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"


def needs_conversion(resource: Resource, version: str) -> bool:
    """Whether objects of this version differ from the stored ones in more than nothing."""
    return resource.storage is not None or version != resource.version


def to_version(resource: Resource, version: str, obj: JsonObject) -> JsonObject:
    """A stored object as the version shows it."""
    if resource.group == "events.k8s.io":
        return _event_out(obj)
    convert = _OUT.get(version) if resource.group == "autoscaling" else None
    new = convert(obj) if convert is not None else obj
    return new if version == resource.version else {**new, "apiVersion": f"{resource.group}/{version}"}


def from_version(resource: Resource, version: str, obj: JsonObject) -> JsonObject:
    """An object that a client wrote in a version, as it is stored; StatusError 400 where that makes no sense."""
    if resource.group == "events.k8s.io":
        return _event_in(obj)
    convert = _IN.get(version) if resource.group == "autoscaling" else None
    try:
        new = convert(obj) if convert is not None else obj
    except (KeyError, TypeError, AttributeError) as error:
        text = f"{resource.kind} in version {version!r} cannot be handled as a {resource.kind}: {error}"
        raise bad_request(text.replace("'", '"')) from error
    return new if version == resource.version else {**new, "apiVersion": resource.api_version}


# Metrics: v2 <-> the flat form of v2beta1 (which v1 keeps in annotations)


def _some(**fields: Any) -> JsonObject:
    return {key: value for key, value in fields.items() if value is not None}


def _flat_spec(entry: Mapping[str, Any]) -> JsonObject:
    kind = entry["type"]
    if kind == "Resource" or kind == "ContainerResource":
        source = "resource" if kind == "Resource" else "containerResource"
        body = entry[source]
        target = body["target"]
        flat = _some(
            name=body.get("name"), targetAverageUtilization=target.get("averageUtilization"),
            targetAverageValue=target.get("averageValue"), container=body.get("container"),
        )  # fmt: skip
    elif kind == "Pods":
        source, body = "pods", entry["pods"]
        metric, target = body["metric"], body["target"]
        flat = _some(
            metricName=metric["name"], targetAverageValue=target.get("averageValue"), selector=metric.get("selector")
        )
    elif kind == "Object":
        source, body = "object", entry["object"]
        metric, target = body["metric"], body["target"]
        flat = _some(
            target=body["describedObject"], metricName=metric["name"], targetValue=target.get("value") or "0",
            selector=metric.get("selector"), averageValue=target.get("averageValue"),
        )  # fmt: skip
    else:
        source, body = "external", entry["external"]
        metric, target = body["metric"], body["target"]
        flat = _some(
            metricName=metric["name"], metricSelector=metric.get("selector"), targetValue=target.get("value"),
            targetAverageValue=target.get("averageValue"),
        )  # fmt: skip
    return {"type": kind, source: flat}


def _deep_spec(entry: Mapping[str, Any]) -> JsonObject:
    kind = entry["type"]
    if kind == "Resource" or kind == "ContainerResource":
        source = "resource" if kind == "Resource" else "containerResource"
        flat = entry[source]
        target = _target(flat, utilization="targetAverageUtilization", average="targetAverageValue")
        return {"type": kind, source: _some(name=flat["name"], container=flat.get("container"), target=target)}
    if kind == "Pods":
        flat = entry["pods"]
        metric = _some(name=flat["metricName"], selector=flat.get("selector"))
        return {"type": kind, "pods": {"metric": metric, "target": _target(flat, average="targetAverageValue")}}
    if kind == "Object":
        flat = entry["object"]
        metric = _some(name=flat["metricName"], selector=flat.get("selector"))
        target = _target(flat, value="targetValue", average="averageValue")
        return {"type": kind, "object": {"describedObject": flat["target"], "metric": metric, "target": target}}
    if kind == "External":
        flat = entry["external"]
        metric = _some(name=flat["metricName"], selector=flat.get("metricSelector"))
        target = _target(flat, value="targetValue", average="targetAverageValue")
        return {"type": kind, "external": {"metric": metric, "target": target}}
    return dict(entry)


def _target(flat: Mapping[str, Any], *, utilization: str = "", average: str = "", value: str = "") -> JsonObject:
    if utilization and flat.get(utilization) is not None:
        return {"type": "Utilization", "averageUtilization": flat[utilization]}
    if average and flat.get(average) is not None:
        return {"type": "AverageValue", "averageValue": flat[average]}
    if value and flat.get(value) is not None:
        return {"type": "Value", "value": flat[value]}
    return {"type": "Utilization" if utilization else "AverageValue" if not value else "Value"}


def _flat_status(entry: Mapping[str, Any]) -> JsonObject:
    """A current metric. Statuses are not validated: what is missing is empty, as in Go."""
    kind = entry.get("type") or ""
    source = _STATUS_FIELDS.get(kind)
    body = entry.get(source or "")
    if source is None or not isinstance(body, dict):
        return {"type": kind}
    metric, now = body.get("metric") or {}, body.get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        flat = _some(
            name=body.get("name", ""), currentAverageUtilization=now.get("averageUtilization"),
            currentAverageValue=now.get("averageValue") or "0", container=body.get("container"),
        )  # fmt: skip
    elif kind == "Pods":
        flat = _some(
            metricName=metric.get("name", ""), currentAverageValue=now.get("averageValue") or "0",
            selector=metric.get("selector"),
        )  # fmt: skip
    elif kind == "Object":
        flat = _some(
            target=body.get("describedObject") or {}, metricName=metric.get("name", ""),
            currentValue=now.get("value") or "0", averageValue=now.get("averageValue"),
            selector=metric.get("selector"),
        )  # fmt: skip
    else:
        flat = _some(
            metricName=metric.get("name", ""), metricSelector=metric.get("selector"),
            currentValue=now.get("value") or "0", currentAverageValue=now.get("averageValue"),
        )  # fmt: skip
    return {"type": kind, source: flat}


_STATUS_FIELDS = {
    "Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object",
    "External": "external",
}  # fmt: skip


# v2beta1


def _annotated(obj: JsonObject, notes: Mapping[str, Any]) -> JsonObject:
    """The object's metadata with values as JSON in annotations; empty ones are left out."""
    texts = {key: msgspec.json.encode(value).decode() for key, value in notes.items() if value}
    meta = obj["metadata"]
    return {**meta, "annotations": {**(meta.get("annotations") or {}), **texts}} if texts else meta


def _without_notes(obj: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The metadata without the annotations above, and their values."""
    meta = dict(obj.get("metadata") or {})
    annotations = dict(meta.get("annotations") or {})
    notes: JsonObject = {}
    for key in (METRICS, CURRENT, CONDITIONS, BEHAVIOR):
        text = annotations.pop(key, None)
        if text is not None:
            try:
                notes[key] = msgspec.json.decode(str(text).encode())
            except msgspec.DecodeError:
                continue
    if notes:
        meta["annotations"] = annotations
        if not annotations:
            del meta["annotations"]
    return meta, notes


def _beta1_out(obj: JsonObject) -> JsonObject:
    spec = dict(obj["spec"])
    behavior = spec.pop("behavior", None)
    spec["metrics"] = [_flat_spec(entry) for entry in spec.get("metrics") or ()]
    status = dict(obj.get("status") or {})
    if status.get("currentMetrics"):
        status["currentMetrics"] = [_flat_status(entry) for entry in status["currentMetrics"]]
    return {**obj, "metadata": _annotated(obj, {BEHAVIOR: behavior}), "spec": spec, "status": status}


def _beta1_in(obj: JsonObject) -> JsonObject:
    meta, notes = _without_notes(obj)
    spec = dict(obj.get("spec") or {})
    if spec.get("metrics"):
        spec["metrics"] = [_deep_spec(entry) for entry in spec["metrics"]]
    if notes.get(BEHAVIOR):
        spec["behavior"] = notes[BEHAVIOR]
    return {**obj, "metadata": meta, "spec": spec}


# v1


def _is_cpu(entry: Mapping[str, Any]) -> bool:
    body = entry.get("resource") if entry.get("type") == "Resource" else None
    return isinstance(body, Mapping) and body.get("name") == "cpu"


def _v1_out(obj: JsonObject) -> JsonObject:
    spec = dict(obj["spec"])
    behavior = spec.pop("behavior", None)
    others = []
    for entry in spec.pop("metrics", None) or ():
        if _is_cpu(entry) and entry["resource"]["target"].get("averageUtilization") is not None:
            spec["targetCPUUtilizationPercentage"] = entry["resource"]["target"]["averageUtilization"]
        else:
            others.append(_flat_spec(entry))
    had = obj.get("status") or {}
    current = had.get("currentMetrics") or []
    status = {key: value for key, value in had.items() if key not in ("currentMetrics", "conditions")}
    status.setdefault("currentReplicas", 0)
    for entry in current:
        percent = (entry["resource"].get("current") or {}).get("averageUtilization") if _is_cpu(entry) else None
        if percent is not None:
            status["currentCPUUtilizationPercentage"] = percent
    notes = {
        METRICS: others, CURRENT: [_flat_status(entry) for entry in current], CONDITIONS: had.get("conditions"),
        BEHAVIOR: behavior,
    }  # fmt: skip
    return {**obj, "metadata": _annotated(obj, notes), "spec": spec, "status": status}


def _v1_in(obj: JsonObject) -> JsonObject:
    meta, notes = _without_notes(obj)
    spec = dict(obj.get("spec") or {})
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = [_deep_spec(entry) for entry in notes.get(METRICS) or ()]
    if percent is not None:
        cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}}
        metrics.insert(0, {"type": "Resource", "resource": cpu})
    if metrics:
        spec["metrics"] = metrics
    if notes.get(BEHAVIOR):
        spec["behavior"] = notes[BEHAVIOR]
    status = {
        key: value for key, value in (obj.get("status") or {}).items() if key != "currentCPUUtilizationPercentage"
    }
    return {**obj, "metadata": meta, "spec": spec, "status": status}


_OUT: dict[str, Callable[[JsonObject], JsonObject]] = {"v1": _v1_out, "v2beta1": _beta1_out}
_IN: dict[str, Callable[[JsonObject], JsonObject]] = {"v1": _v1_in, "v2beta1": _beta1_in}


# Events

_EVENT_NAMES = {
    "involvedObject": "regarding", "message": "note", "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp", "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount", "reportingComponent": "reportingController",
}  # fmt: skip
_CORE_NAMES = {new: old for old, new in _EVENT_NAMES.items()}


def _event_out(obj: JsonObject) -> JsonObject:
    new = {_EVENT_NAMES.get(key, key): value for key, value in obj.items()}
    return {**new, "apiVersion": "events.k8s.io/v1"}


def _event_in(obj: JsonObject) -> JsonObject:
    new = {_CORE_NAMES.get(key, key): value for key, value in obj.items()}
    return {**new, "apiVersion": "v1"}
