"""HPAs of older API versions, made into autoscaling/v2, so that everything behind this door knows one shape.

v2beta2 has the shape of v2. v2beta1 names targets inside each metric. v1 knows only cpu and keeps the rest as JSON in
annotations (in the shape of v2beta1); v2beta1 keeps the behavior so.
"""

from __future__ import annotations

import json
from typing import Any

VERSIONS = ("v2", "v2beta2", "v2beta1", "v1")
_NOTE = "autoscaling.alpha.kubernetes.io/"


def to_v2(version: str, obj: dict[str, Any]) -> dict[str, Any]:
    """An HPA of `version` as an autoscaling/v2 object; what it cannot say is left out."""
    if version == "v2":
        return obj
    notes = dict((obj.get("metadata") or {}).get("annotations") or {})
    if version == "v1":
        obj = _from_v1(obj)
        version = "v2beta1"
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    if version == "v2beta1":
        obj = {**obj, "metadata": _without_notes(obj)}
        if "behavior" not in spec and (behavior := _behavior(notes)):
            spec["behavior"] = behavior
        spec["metrics"] = [_spec_metric(m) for m in spec.get("metrics") or () if isinstance(m, dict)]
        current = status.get("currentMetrics")
        status["currentMetrics"] = [_status_metric(m) for m in current or () if isinstance(m, dict)]
    return {**obj, "apiVersion": "autoscaling/v2", "spec": spec, "status": status}


def _from_v1(obj: dict[str, Any]) -> dict[str, Any]:
    notes = dict((obj.get("metadata") or {}).get("annotations") or {})
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    metrics, current = _note(notes, "metrics"), _note(notes, "current-metrics")
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    if percent is not None:
        cpu = {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": percent}}
        metrics.insert(_place_of_cpu(metrics, current), cpu)
    have = status.pop("currentCPUUtilizationPercentage", None)
    if have is not None and not any(m.get("resource", {}).get("name") == "cpu" for m in current):
        current.insert(0, {"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": have}})
    status["conditions"] = _note(notes, "conditions")
    spec["metrics"], status["currentMetrics"] = metrics, current
    return {**obj, "spec": spec, "status": status}


def _without_notes(obj: dict[str, Any]) -> dict[str, Any]:
    metadata = dict(obj.get("metadata") or {})
    notes = metadata.get("annotations")
    if isinstance(notes, dict):
        metadata["annotations"] = {key: value for key, value in notes.items() if not key.startswith(_NOTE)}
    return metadata


def _behavior(notes: dict[str, Any]) -> Any:
    """v1 and v2beta1 keep the behavior in an annotation, written by a server whose own type has no JSON names: its keys
    begin with capitals.
    """
    value = _note_value(notes, "behavior")
    return _small(value) if isinstance(value, dict) else None


def _small(value: Any) -> Any:
    if isinstance(value, dict):
        return {name[:1].lower() + name[1:]: _small(inner) for name, inner in value.items() if inner is not None}
    return [_small(item) for item in value] if isinstance(value, list) else value


def _place_of_cpu(others: list[dict[str, Any]], current: list[dict[str, Any]]) -> int:
    """Where cpu stands among the metrics: v1 takes it out of their row, and only the row of statuses still has it in its
    place. A status without a value has no type, and fits any metric.
    """
    if len(current) != len(others) + 1:
        return 0

    def fits(place: int) -> int:
        types = [str(metric.get("type")) for metric in others]
        types.insert(place, "Resource")
        told = [(str(status.get("type") or ""), type_) for status, type_ in zip(current, types, strict=True)]
        if any(status and status != type_ for status, type_ in told):
            return 0
        resource = current[place].get("resource")
        return 2 if isinstance(resource, dict) and resource.get("name") == "cpu" else 1

    return max(range(len(current)), key=fits)


def _note_value(notes: dict[str, Any], name: str) -> Any:
    try:
        return json.loads(notes.get(_NOTE + name) or "null")
    except ValueError:
        return None


def _note(notes: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = _note_value(notes, name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _without(source: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in source.items() if key not in names}


def _values(pairs: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    return {name: value for name, value in pairs if value is not None}


def _spec_metric(metric: dict[str, Any]) -> dict[str, Any]:
    kind = metric.get("type", "")
    field = kind[:1].lower() + kind[1:]
    source = dict(metric.get(field) or {})
    percent, average = source.get("targetAverageUtilization"), source.get("targetAverageValue")
    average = source.get("averageValue") if average is None else average
    value = source.get("targetValue")
    target = _values((("averageUtilization", percent), ("averageValue", average), ("value", value)))
    target["type"] = "Utilization" if percent is not None else "AverageValue" if average is not None else "Value"
    if kind in ("Resource", "ContainerResource"):
        rest = _without(source, "targetAverageUtilization", "targetAverageValue")
        return {"type": kind, field: {**rest, "target": target}}
    return {"type": kind, field: {**_metric_identity(kind, source), "target": target}}


def _status_metric(metric: dict[str, Any]) -> dict[str, Any]:
    kind = metric.get("type", "")
    field = kind[:1].lower() + kind[1:]
    source = dict(metric.get(field) or {})
    average = source.get("currentAverageValue")
    average = source.get("averageValue") if average is None else average
    pairs = (
        ("averageUtilization", source.get("currentAverageUtilization")),
        ("averageValue", average),
        ("value", source.get("currentValue")),
    )
    if kind in ("Resource", "ContainerResource"):
        rest = _without(source, "currentAverageUtilization", "currentAverageValue")
        return {"type": kind, field: {**rest, "current": _values(pairs)}}
    return {"type": kind, field: {**_metric_identity(kind, source), "current": _values(pairs)}}


def _metric_identity(kind: str, source: dict[str, Any]) -> dict[str, Any]:
    selector = source.get("metricSelector") or source.get("selector")
    name = source.get("metricName")
    identity: dict[str, Any] = {"metric": _values((("name", name), ("selector", selector)))}
    if kind == "Object" and isinstance(source.get("target"), dict):
        identity["describedObject"] = source["target"]
    return identity
