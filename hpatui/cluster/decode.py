"""JSON of the API server -> the shared facts, tolerant of missing fields: a monitor must show what it can.

Objects without a name are dropped (None). Times are epoch seconds, cpu millicores, memory bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hpatui.autoscaler.targets_column import metric_texts, targets_column
from hpatui.clock import parse_rfc3339
from hpatui.errors import UnreachableError
from hpatui.model import (
    Condition,
    ContainerFacts,
    Event,
    Hpa,
    Key,
    MetricTarget,
    Pod,
    PodUsage,
    Reference,
    Workload,
)
from hpatui.quantity import QuantityError, parse_quantity

Json = Mapping[str, Any]
_EMPTY: Json = {}


def decode(raw: bytes) -> dict[str, Any]:
    """JSON object -> dict. UnreachableError where it is cut off or none."""
    try:
        value = msgspec.json.decode(raw)
    except msgspec.MsgspecError as error:
        raise UnreachableError("an object is cut off or no JSON") from error
    return value if isinstance(value, dict) else {}


def _part(obj: Json, name: str) -> Json:
    value = obj.get(name)
    return value if isinstance(value, dict) else _EMPTY


def _items(obj: Json, name: str) -> Iterable[Json]:
    value = obj.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def _text(obj: Json, name: str) -> str:
    value = obj.get(name)
    return value if isinstance(value, str) else ""


def _int(obj: Json, name: str, default: int = 0) -> int:
    value = obj.get(name)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _time(obj: Json, name: str) -> float | None:
    value = obj.get(name)
    if not isinstance(value, str) or not value:
        return None
    try:
        return parse_rfc3339(value).timestamp()
    except ValueError:
        return None


def _labels(metadata: Json) -> dict[str, str]:
    return {key: value for key, value in _part(metadata, "labels").items() if isinstance(value, str)}


def key_of(obj: Json) -> Key:
    """Namespace and name of an object."""
    metadata = _part(obj, "metadata")
    return Key(_text(metadata, "namespace"), _text(metadata, "name"))


def uid_of(obj: Json) -> str:
    """The object's uid."""
    return _text(_part(obj, "metadata"), "uid")


def quantity_number(value: object) -> float | None:
    """A quantity as a plain number; None where it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        return parse_quantity(value).approximate_float()
    except QuantityError:
        return None


def _conditions(status: Json) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            _text(item, "type"),
            _text(item, "status"),
            _text(item, "reason"),
            _text(item, "message"),
            _time(item, "lastTransitionTime"),
        )
        for item in _items(status, "conditions")
    )


# HPA ------------------------------------------------------------------------------------------------------------------


def decode_hpa(raw: bytes) -> Hpa | None:
    """An autoscaling/v2 HPA."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    metadata, spec, status = _part(obj, "metadata"), _part(obj, "spec"), _part(obj, "status")
    ref = _part(spec, "scaleTargetRef")
    return Hpa(
        key=key,
        uid=uid_of(obj),
        resource_version=_text(metadata, "resourceVersion"),
        created=_time(metadata, "creationTimestamp"),
        reference=Reference(_text(ref, "kind"), _text(ref, "name"), _text(ref, "apiVersion")),
        min_replicas=_int(spec, "minReplicas", 1),
        max_replicas=_int(spec, "maxReplicas"),
        current_replicas=_int(status, "currentReplicas"),
        desired_replicas=_int(status, "desiredReplicas"),
        targets=targets_column(obj),
        metrics=_metrics(spec, status),
        conditions=_conditions(status),
        last_scale_time=_time(status, "lastScaleTime"),
        labels=_labels(metadata),
        raw=raw,
    )


_FIELDS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _metrics(spec: Json, status: Json) -> tuple[MetricTarget, ...]:
    statuses = list(_items(status, "currentMetrics"))
    found = []
    for index, metric in enumerate(_items(spec, "metrics")):
        kind = _text(metric, "type")
        field = _FIELDS.get(kind)
        if field is None:
            found.append(MetricTarget(kind, kind, "", "", None, None, "<unknown>", "<unknown>", "", None))
            continue
        source = _part(metric, field)
        entry = _part(statuses[index], field) if index < len(statuses) else _EMPTY
        found.append(_metric(kind, metric, source, _part(entry, "current"), statuses, index))
    return tuple(found)


def _metric(kind: str, metric: Json, source: Json, current: Json, statuses: list[Json], index: int) -> MetricTarget:
    target = _part(source, "target")
    resource = kind in ("Resource", "ContainerResource")
    name = _text(source, "name") if resource else _text(_part(source, "metric"), "name")
    if resource and target.get("averageValue") is None:
        target_type, unit, factor = "Utilization", "%", 1.0
        wanted, have = (
            quantity_number(target.get("averageUtilization")),
            quantity_number(current.get("averageUtilization")),
        )
    else:
        average = kind == "Pods" or target.get("averageValue") is not None
        target_type = "AverageValue" if average else "Value"
        field = "averageValue" if average else "value"
        unit = {"cpu": "m", "memory": "B"}.get(name, "") if resource else ""
        factor = 1000.0 if unit == "m" else 1.0
        wanted, have = quantity_number(target.get(field)), quantity_number(current.get(field))
    wanted = wanted * factor if wanted is not None else None
    have = have * factor if have is not None else None
    ratio = have / wanted if have is not None and wanted else None
    current_text, target_text = metric_texts(metric, statuses, index)
    return MetricTarget(
        type=kind,
        name=name,
        container=_text(source, "container") if kind == "ContainerResource" else "",
        target_type=target_type,
        target=wanted,
        current=have,
        target_text=target_text,
        current_text="<unknown>" if have is None else current_text,
        unit=unit,
        ratio=ratio,
    )


# Details --------------------------------------------------------------------------------------------------------------


def decode_workload(raw: bytes) -> Workload | None:
    """A scale target: Deployment, StatefulSet, ReplicaSet, Rollout or anything with spec.replicas and a selector."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    spec, status = _part(obj, "spec"), _part(obj, "status")
    progressing = any(c.type == "Progressing" and c.reason == "ReplicaSetUpdated" for c in _conditions(status))
    return Workload(
        kind=_text(obj, "kind"),
        key=key,
        uid=uid_of(obj),
        replicas=_int(spec, "replicas", 1),
        ready=_int(status, "readyReplicas"),
        updated=_int(status, "updatedReplicas"),
        available=_int(status, "availableReplicas"),
        selector=selector_text(spec.get("selector")),
        created=_time(_part(obj, "metadata"), "creationTimestamp"),
        progressing=progressing,
        raw=raw,
    )


_OPERATORS = {"In": "in", "NotIn": "notin"}


def selector_text(selector: object) -> str:
    """A label selector (API object) as the text that query parameters take."""
    if not isinstance(selector, dict):
        return ""
    if "matchLabels" not in selector and "matchExpressions" not in selector:
        return ",".join(f"{key}={value}" for key, value in sorted(selector.items()) if isinstance(value, str))
    terms = [f"{key}={value}" for key, value in sorted(_part(selector, "matchLabels").items())]
    for item in _items(selector, "matchExpressions"):
        key, operator = _text(item, "key"), _text(item, "operator")
        values = ",".join(str(value) for value in item.get("values") or ())
        if operator in _OPERATORS:
            terms.append(f"{key} {_OPERATORS[operator]} ({values})")
        elif operator:
            terms.append(key if operator == "Exists" else f"!{key}")
    return ",".join(terms)


def decode_event(raw: bytes) -> Event | None:
    """A core/v1 or events.k8s.io/v1 Event."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    about = _part(obj, "involvedObject") or _part(obj, "regarding")
    series = _part(obj, "series")
    first = _time(obj, "firstTimestamp") or _time(obj, "deprecatedFirstTimestamp") or _time(obj, "eventTime")
    last = _time(series, "lastObservedTime") or _time(obj, "lastTimestamp") or _time(obj, "deprecatedLastTimestamp")
    count = _int(series, "count") or _int(obj, "count") or _int(obj, "deprecatedCount")
    created = _time(_part(obj, "metadata"), "creationTimestamp")
    return Event(
        key=key,
        uid=uid_of(obj) or str(key),
        about_kind=_text(about, "kind"),
        about=Key(_text(about, "namespace"), _text(about, "name")),
        type=_text(obj, "type"),
        reason=_text(obj, "reason"),
        message=(_text(obj, "message") or _text(obj, "note")).strip(),
        count=max(1, count),
        first_seen=first or created,
        last_seen=last or first or created,
        component=_text(_part(obj, "source"), "component")
        or _text(obj, "reportingComponent")
        or _text(obj, "reportingController"),
    )


def decode_pod(raw: bytes) -> Pod | None:
    """A core/v1 Pod."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    metadata, spec, status = _part(obj, "metadata"), _part(obj, "spec"), _part(obj, "status")
    conditions = _conditions(status)
    ready = next((c for c in conditions if c.type == "Ready"), None)
    is_ready = ready is not None and ready.status == "True"
    states = {_text(item, "name"): item for item in _items(status, "containerStatuses")}
    containers = tuple(_container(item, states.get(_text(item, "name"), _EMPTY)) for item in _items(spec, "containers"))
    deleted = _time(metadata, "deletionTimestamp")
    return Pod(
        key=key,
        uid=uid_of(obj),
        phase=_text(status, "phase"),
        ready=is_ready,
        reason=_pod_reason(status, containers, conditions, deleted),
        restarts=sum(container.restarts for container in containers),
        node=_text(spec, "nodeName"),
        ip=_text(status, "podIP"),
        created=_time(metadata, "creationTimestamp"),
        started=_time(status, "startTime"),
        ready_since=ready.last_transition_time if is_ready and ready is not None else None,
        deleted=deleted,
        labels=_labels(metadata),
        containers=containers,
        cpu_request=_sum(c.cpu_request for c in containers),
        memory_request=_sum(c.memory_request for c in containers),
        cpu_limit=_sum(c.cpu_limit for c in containers),
        memory_limit=_sum(c.memory_limit for c in containers),
        conditions=conditions,
        raw=raw,
    )


def _sum(values: Iterable[float | None]) -> float | None:
    total = 0.0
    some = False
    for value in values:
        if value is None:
            return None
        some, total = True, total + value
    return total if some else None


def _milli(value: object) -> float | None:
    number = quantity_number(value)
    return number * 1000.0 if number is not None else None


def _container(spec: Json, status: Json) -> ContainerFacts:
    resources = _part(spec, "resources")
    requests, limits = _part(resources, "requests"), _part(resources, "limits")
    return ContainerFacts(
        name=_text(spec, "name"),
        image=_text(spec, "image"),
        cpu_request=_milli(requests.get("cpu")),
        memory_request=quantity_number(requests.get("memory")),
        cpu_limit=_milli(limits.get("cpu")),
        memory_limit=quantity_number(limits.get("memory")),
        ready=status.get("ready") is True,
        restarts=_int(status, "restartCount"),
        state=_container_state(_part(status, "state")),
    )


def _container_state(state: Json) -> str:
    for name, word in (("waiting", "Waiting"), ("terminated", "Terminated")):
        if name in state:
            return _text(_part(state, name), "reason") or word
    return "Running" if "running" in state else ""


def _pod_reason(
    status: Json, containers: tuple[ContainerFacts, ...], conditions: tuple[Condition, ...], deleted: float | None
) -> str:
    """The word of kubectl's STATUS column, or Unschedulable, which says more than Pending."""
    if deleted is not None:
        return "Terminating"
    troubled = next((c.state for c in containers if c.state not in ("", "Running", "Completed")), "")
    if troubled:
        return troubled
    scheduled = next((c for c in conditions if c.type == "PodScheduled"), None)
    if scheduled is not None and scheduled.status == "False" and scheduled.reason:
        return scheduled.reason
    return _text(status, "reason") or _text(status, "phase")


def decode_usage(raw: bytes) -> PodUsage | None:
    """A PodMetrics."""
    obj = decode(raw)
    key = key_of(obj)
    time = _time(obj, "timestamp")
    if not key.name or time is None:
        return None
    containers = {}
    for item in _items(obj, "containers"):
        usage = _part(item, "usage")
        containers[_text(item, "name")] = (_milli(usage.get("cpu")) or 0.0, quantity_number(usage.get("memory")) or 0.0)
    return PodUsage(
        key=key,
        time=time,
        window=_duration(_text(obj, "window")),
        cpu=sum(cpu for cpu, _ in containers.values()),
        memory=sum(memory for _, memory in containers.values()),
        containers=containers,
        labels=_labels(_part(obj, "metadata")),
        raw=raw,
    )


def _duration(text: str) -> float:
    """A Go duration ("15.2s", "1m0s") in seconds; 0 where it is none."""
    total, number = 0.0, ""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    text = text.replace("ms", "x").replace("µs", "y").replace("us", "y").replace("ns", "z")
    units |= {"x": 1e-3, "y": 1e-6, "z": 1e-9}
    for char in text:
        if char.isdigit() or char == ".":
            number += char
        elif char in units and number:
            total, number = total + float(number) * units[char], ""
        else:
            return 0.0
    return total
