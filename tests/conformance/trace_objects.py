"""JSON of a trace -> the model's facts, with just what the observer looks at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hpatui.clock import parse_rfc3339
from hpatui.model import (
    Condition,
    Event,
    Hpa,
    Key,
    MetricTarget,
    Pod,
    PodUsage,
    Reference,
    Workload,
)
from hpatui.quantity import parse_quantity

Obj = Mapping[str, Any]


def key_of(obj: Obj) -> Key:
    """Namespace and name."""
    return Key(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def seconds(text: str | None) -> float | None:
    """An API time in epoch seconds."""
    return parse_rfc3339(text).timestamp() if text else None


def conditions(status: Obj) -> tuple[Condition, ...]:
    """The conditions of a status."""
    return tuple(
        Condition(
            c["type"], c["status"], c.get("reason", ""), c.get("message", ""), seconds(c.get("lastTransitionTime"))
        )
        for c in status.get("conditions") or ()
    )


def raw(obj: Obj) -> bytes:
    """The object as the server would send it."""
    return json.dumps(obj).encode()


def hpa(obj: Obj) -> Hpa:
    """A HorizontalPodAutoscaler (autoscaling/v2)."""
    spec, status = obj["spec"], obj.get("status") or {}
    reference = spec["scaleTargetRef"]
    current = status.get("currentMetrics") or []
    metrics = [_metric(m, current[i] if i < len(current) else {}) for i, m in enumerate(spec.get("metrics") or ())]
    return Hpa(
        key=key_of(obj),
        uid=obj["metadata"]["uid"],
        resource_version=obj["metadata"]["resourceVersion"],
        created=seconds(obj["metadata"]["creationTimestamp"]),
        reference=Reference(reference["kind"], reference["name"], reference.get("apiVersion", "")),
        min_replicas=spec.get("minReplicas", 1),
        max_replicas=spec["maxReplicas"],
        current_replicas=status.get("currentReplicas", 0),
        desired_replicas=status.get("desiredReplicas", 0),
        targets="",
        metrics=tuple(metrics),
        conditions=conditions(status),
        last_scale_time=seconds(status.get("lastScaleTime")),
        labels={},
        raw=raw(obj),
    )


def _metric(spec: Obj, current: Obj) -> MetricTarget:
    source, now = _source(spec), _source(current).get("current") or {}
    target = source.get("target") or {}
    field = next((f for f in ("averageUtilization", "averageValue", "value") if f in target), "averageValue")
    goal, value = _number(target.get(field)), _number(now.get(field))
    return MetricTarget(
        type=spec["type"],
        name=source.get("name") or (source.get("metric") or {}).get("name", ""),
        container=source.get("container", ""),
        target_type=target.get("type", ""),
        target=goal,
        current=value,
        target_text=str(target.get(field)),
        current_text=" ".join(f"{name}={text}" for name, text in sorted(now.items())),
        unit="%" if field == "averageUtilization" else "",
        ratio=value / goal if value is not None and goal else None,
    )


def _source(metric: Obj) -> Obj:
    found = [value for name, value in metric.items() if name != "type" and isinstance(value, Mapping)]
    return found[0] if found else {}


def _number(value: Any) -> float | None:
    if value is None:
        return None
    return float(value) if isinstance(value, int) else parse_quantity(value).milli_value() / 1000


def workload(obj: Obj) -> Workload:
    """A Deployment."""
    status = obj.get("status") or {}
    labels = obj["spec"]["selector"].get("matchLabels") or {}
    return Workload(
        kind=obj["kind"],
        key=key_of(obj),
        uid=obj["metadata"]["uid"],
        replicas=obj["spec"].get("replicas", 0),
        ready=status.get("readyReplicas", 0),
        updated=status.get("updatedReplicas", 0),
        available=status.get("availableReplicas", 0),
        selector=",".join(f"{name}={value}" for name, value in labels.items()),
        raw=raw(obj),
    )


def pod(obj: Obj) -> Pod:
    """A Pod."""
    status = obj["status"]
    known = conditions(status)
    ready = next((c for c in known if c.type == "Ready"), None)
    return Pod(
        key=key_of(obj),
        uid=obj["metadata"]["uid"],
        phase=status.get("phase", ""),
        ready=ready is not None and ready.status == "True",
        reason=status.get("phase", ""),
        restarts=0,
        node="",
        ip="",
        created=seconds(obj["metadata"]["creationTimestamp"]),
        started=seconds(status.get("startTime")),
        ready_since=ready.last_transition_time if ready is not None and ready.status == "True" else None,
        deleted=seconds(obj["metadata"].get("deletionTimestamp")),
        labels=obj["metadata"].get("labels") or {},
        containers=(),
        cpu_request=None,
        memory_request=None,
        cpu_limit=None,
        memory_limit=None,
        conditions=known,
        raw=raw(obj),
    )


def event(obj: Obj) -> Event:
    """A core/v1 Event."""
    about = obj["involvedObject"]
    return Event(
        key=key_of(obj),
        uid=obj["metadata"]["uid"],
        about_kind=about["kind"],
        about=Key(about.get("namespace", ""), about["name"]),
        type=obj["type"],
        reason=obj["reason"],
        message=obj["message"],
        count=obj.get("count", 1),
        first_seen=seconds(obj.get("firstTimestamp")),
        last_seen=seconds(obj.get("lastTimestamp")),
        component="",
    )


def usage(obj: Obj) -> PodUsage:
    """A PodMetrics."""
    containers = {
        c["name"]: (
            parse_quantity(c["usage"]["cpu"]).milli_value() * 1.0,
            parse_quantity(c["usage"]["memory"]).milli_value() / 1000,
        )
        for c in obj.get("containers") or ()
    }
    return PodUsage(
        key=key_of(obj),
        time=seconds(obj["timestamp"]) or 0.0,
        window=float(obj["window"].removesuffix("s")),
        cpu=sum(cpu for cpu, _ in containers.values()),
        memory=sum(memory for _, memory in containers.values()),
        containers=containers,
        labels=obj["metadata"].get("labels") or {},
        raw=raw(obj),
    )
