"""JSON of the API server -> the shared facts, tolerant of missing fields: a monitor must show what it can.

Objects without a name are dropped (None). Times are epoch seconds, cpu millicores, memory bytes.
"""

from __future__ import annotations

from dataclasses import replace

from hpatui.autoscaler.inputs import MetricSpec, Target
from hpatui.autoscaler.naming import metric_names
from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.autoscaler.targets_column import metric_texts, targets_column
from hpatui.cluster.fields import (
    EMPTY,
    Json,
    conditions_of,
    decode,
    integer,
    key_of,
    labels_of,
    owners_of,
    part,
    quantity_number,
    text,
    time_of,
    uid_of,
)  # fmt: skip
from hpatui.forms.selectors import selector_text
from hpatui.model import Event, Hpa, Key, MetricTarget, Reference, Workload

# HPA ------------------------------------------------------------------------------------------------------------------


def decode_hpa(raw: bytes, rules: Rules = RECORDED) -> Hpa | None:
    """An autoscaling/v2 HPA; `rules` are those of the server, which would print it."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    metadata, spec, status = part(obj, "metadata"), part(obj, "spec"), part(obj, "status")
    ref = part(spec, "scaleTargetRef")
    targets, metrics = _metrics(spec, status, rules)
    return Hpa(
        key=key,
        uid=uid_of(obj),
        resource_version=text(metadata, "resourceVersion"),
        created=time_of(metadata, "creationTimestamp"),
        reference=Reference(text(ref, "kind"), text(ref, "name"), text(ref, "apiVersion")),
        min_replicas=integer(spec, "minReplicas", 1),
        max_replicas=integer(spec, "maxReplicas"),
        current_replicas=integer(status, "currentReplicas"),
        desired_replicas=integer(status, "desiredReplicas"),
        targets=targets,
        metrics=metrics,
        conditions=conditions_of(status),
        last_scale_time=time_of(status, "lastScaleTime"),
        labels=labels_of(metadata),
        raw=raw,
        unseen=_unseen(metadata, status),
        owners=owners_of(metadata),
        generation=integer(metadata, "generation") if integer(status, "observedGeneration") > 0 else None,
        sync_period=period if (period := float(integer(spec, "syncPeriodSeconds"))) > 0 else None,
    )


def _unseen(metadata: Json, status: Json) -> tuple[int, int] | None:
    """(observed, current) generation where the status is of an older spec. Before 1.37 nothing tells."""
    observed, current = integer(status, "observedGeneration"), integer(metadata, "generation")
    return (observed, current) if 0 < observed < current else None


_FIELDS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}


def _metrics(spec: Json, status: Json, rules: Rules) -> tuple[str, tuple[MetricTarget, ...]]:
    """(the TARGETS column, the metrics)."""
    wanted = [_shaped(metric, "target") for metric in _listed(spec, "metrics")]
    statuses = [_shaped(entry, "current") for entry in _listed(status, "currentMetrics")]
    found = []
    for index, metric in enumerate(wanted):
        kind = text(metric, "type")
        field = _FIELDS.get(kind)
        if field is None:
            found.append(MetricTarget(kind, kind, "", "", None, None, "<unknown>", "<unknown>", "", None, index))
            continue
        entry = statuses[index] if index < len(statuses) else EMPTY
        found.append(_metric(kind, metric, part(part(entry, field), "current"), (statuses, index)))
    labels = metric_names([_spec_of(metric) for metric in wanted])
    labelled = tuple(replace(metric, label=label) for metric, label in zip(found, labels, strict=True))
    return targets_column({"spec": {"metrics": wanted}, "status": {"currentMetrics": statuses}}, rules), labelled


def _spec_of(metric: Json) -> MetricSpec:
    """An entry of spec.metrics as far as its name goes."""
    kind = text(metric, "type")
    source = part(metric, _FIELDS.get(kind, ""))
    identity, described = part(source, "metric"), part(source, "describedObject")
    return MetricSpec(
        kind,
        text(source, "name") or text(identity, "name") or kind,
        Target(text(part(source, "target"), "type")),
        text(source, "container") if kind == "ContainerResource" else "",
        selector=part(identity, "selector") or None,
        described=described,
    )


def _shaped(metric: Json, values: str) -> Json:
    """An entry of spec.metrics or currentMetrics whose parts are what they should be, or empty."""
    kind = text(metric, "type")
    field = _FIELDS.get(kind)
    if field is None or not isinstance(metric.get(field), dict):
        return {"type": kind}
    source = part(metric, field)
    return {"type": kind, field: {**source, "name": text(source, "name"), values: part(source, values)}}


def _listed(obj: Json, name: str) -> list[Json]:
    """The entries of a list in their places: metric and status belong together by index, so nothing is left out."""
    value = obj.get(name)
    return [item if isinstance(item, dict) else EMPTY for item in value] if isinstance(value, list) else []


def _metric(kind: str, metric: Json, current: Json, place: tuple[list[Json], int]) -> MetricTarget:
    source = part(metric, _FIELDS[kind])
    target = part(source, "target")
    resource = kind in ("Resource", "ContainerResource")
    identity = part(source, "metric")
    name = text(source, "name") if resource else text(identity, "name")
    target_type, field = target_field(kind, target)
    unit = "%" if target_type == "Utilization" else {"cpu": "m", "memory": "B"}.get(name, "") if resource else ""
    factor = 1000.0 if unit == "m" else 1.0
    wanted, have = quantity_number(target.get(field)), quantity_number(current.get(field))
    wanted = wanted * factor if wanted is not None else None
    have = have * factor if have is not None else None
    statuses, index = place
    current_text, target_text = metric_texts(metric, statuses, index)
    described = part(source, "describedObject")
    return MetricTarget(
        type=kind,
        name=name,
        container=text(source, "container") if kind == "ContainerResource" else "",
        target_type=target_type,
        target=wanted,
        current=have,
        target_text=target_text,
        current_text="<unknown>" if have is None else current_text,
        unit=unit,
        ratio=have / wanted if have is not None and wanted else None,
        index=index,
        selector=selector_text(identity.get("selector")),
        object=f"{text(described, 'kind')}/{text(described, 'name')}" if described else "",
    )


def target_field(kind: str, target: Json) -> tuple[str, str]:
    """(target type, field of target and current) of a metric of that kind, as the controller chooses: for Object by
    target.type, else by which value the target has. Never by what the status has: an old API version or an operator
    may leave `value: "0"` beside an averageValue there.
    """
    average = target.get("averageValue") is not None
    if kind in ("Resource", "ContainerResource"):
        return ("AverageValue", "averageValue") if average else ("Utilization", "averageUtilization")
    if kind == "Object" and target.get("type") in ("Value", "AverageValue"):
        average = target.get("type") == "AverageValue"
    return ("AverageValue", "averageValue") if average or kind == "Pods" else ("Value", "value")


# Details --------------------------------------------------------------------------------------------------------------


def decode_workload(raw: bytes, kind: str = "") -> Workload | None:
    """A scale target: Deployment, StatefulSet, ReplicaSet, Rollout or anything with spec.replicas and a selector.
    `kind`: what it is, where the object does not say so (the items of a list).
    """
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    spec, status = part(obj, "spec"), part(obj, "status")
    progressing = any(c.type == "Progressing" and c.reason == "ReplicaSetUpdated" for c in conditions_of(status))
    return Workload(
        kind=kind or text(obj, "kind"),
        key=key,
        uid=uid_of(obj),
        replicas=integer(spec, "replicas", 1),
        ready=integer(status, "readyReplicas"),
        updated=integer(status, "updatedReplicas"),
        available=integer(status, "availableReplicas"),
        selector=selector_text(spec.get("selector")),
        created=time_of(part(obj, "metadata"), "creationTimestamp"),
        progressing=progressing,
        raw=raw,
        owners=owners_of(part(obj, "metadata")),
        status_replicas=integer(status, "replicas"),
        labels=labels_of(part(obj, "metadata")),
    )


def decode_event(raw: bytes) -> Event | None:
    """A core/v1 or events.k8s.io/v1 Event."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    about = part(obj, "involvedObject") or part(obj, "regarding")
    series = part(obj, "series")
    first = time_of(obj, "firstTimestamp") or time_of(obj, "deprecatedFirstTimestamp") or time_of(obj, "eventTime")
    last = (
        time_of(series, "lastObservedTime") or time_of(obj, "lastTimestamp") or time_of(obj, "deprecatedLastTimestamp")
    )
    count = integer(series, "count") or integer(obj, "count") or integer(obj, "deprecatedCount")
    created = time_of(part(obj, "metadata"), "creationTimestamp")
    return Event(
        key=key,
        uid=uid_of(obj) or str(key),
        about_kind=text(about, "kind"),
        about=Key(text(about, "namespace"), text(about, "name")),
        type=text(obj, "type"),
        reason=text(obj, "reason"),
        message=(text(obj, "message") or text(obj, "note")).strip(),
        count=max(1, count),
        first_seen=first or created,
        last_seen=last or first or created,
        component=text(part(obj, "source"), "component")
        or text(obj, "reportingComponent")
        or text(obj, "reportingController"),
    )
