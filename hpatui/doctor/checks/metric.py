"""The metrics of one HPA as the checks need them: by place, with the value of the status and what it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from hpatui.autoscaler.naming import metric_names
from hpatui.autoscaler.parse import parse_hpa
from hpatui.doctor.fields import Json, amount, child, condition, items, number, text
from hpatui.doctor.world import Subject
from hpatui.errors import MalformedObject

TOLERANCE = 0.1
FIELDS = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
RESOURCES = ("Resource", "ContainerResource")


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of spec.metrics. `target` and `current` are in the unit of the target's own type (percent, or the
    quantity as a number); `current` is None where the status has no value. `label` is its name among its siblings.
    """

    index: int
    type: str
    name: str
    container: str
    label: str
    target_type: str  # Utilization, AverageValue, Value
    target: float | None
    current: float | None

    @property
    def ratio(self) -> float | None:
        """current / target, or None."""
        return self.current / self.target if self.target and self.current is not None else None

    @property
    def field(self) -> str:
        """Where it is in the HPA."""
        return f"spec.metrics[{self.index}]"


def metrics_of(subject: Subject) -> list[Metric]:
    """All metrics; an HPA without any has cpu at the default of 80 %."""
    specs = subject.metrics
    if not specs:
        return [Metric(0, "Resource", "cpu", "", "cpu", "Utilization", 80.0, None)]
    labels = _labels(subject.hpa, specs)
    values = child(subject.hpa, "status").get("currentMetrics")
    known = values if isinstance(values, list) else []
    return [_metric(i, spec, known[i] if i < len(known) else None, labels[i]) for i, spec in enumerate(specs)]


def _labels(hpa: Json, specs: Sequence[Json]) -> Sequence[str]:
    try:
        names = metric_names(parse_hpa(dict(hpa)).metrics)
    except (MalformedObject, ValueError, TypeError, AttributeError, KeyError):
        names = ()
    return names if len(names) == len(specs) else [f"metric {index}" for index in range(1, len(specs) + 1)]


def _metric(index: int, spec: Json, status: object, label: str) -> Metric:
    kind = text(spec, "type")
    field = FIELDS.get(kind, kind)
    source = child(spec, field)
    target = child(source, "target")
    type_, goal = _goal(target)
    now = child(status, field, "current") if isinstance(status, dict) and text(status, "type") == kind else {}
    seen = _value(now, type_)
    name = text(source, "name") or text(source, "metric", "name")
    return Metric(index, kind, name, text(source, "container"), label, type_, goal, seen)


def _goal(target: Json) -> tuple[str, float | None]:
    """The target's type and number; the type is what it says, or what its only value is."""
    said = text(target, "type")
    fields = {"Utilization": "averageUtilization", "AverageValue": "averageValue", "Value": "value"}
    if said not in fields or target.get(fields[said]) is None:
        said = next((t for t, f in fields.items() if target.get(f) is not None), said)
    return said, _value(target, said)


def _value(values: Json, type_: str) -> float | None:
    match type_:
        case "Utilization":
            found = number(values, "averageUtilization")
            return None if found is None else float(found)
        case "AverageValue":
            return amount(values.get("averageValue"))
        case "Value":
            return amount(values.get("value"))
    return None


def wanted_replicas(subject: Subject) -> dict[int, int]:
    """For each metric with a value, by its place, roughly how many replicas it asks for: from the status alone, without
    pods that are left out.
    """
    replicas = number(subject.hpa, "status", "currentReplicas") or 0
    size = subject.found.counted or replicas
    found: dict[int, int] = {}
    for metric in metrics_of(subject):
        ratio = metric.ratio
        if ratio is None or not replicas:
            continue
        divided = metric.type in ("Object", "External") and metric.target_type == "AverageValue"
        basis = size if divided else replicas
        found[metric.index] = replicas if abs(ratio - 1) <= TOLERANCE else max(0, ceil(round(ratio * basis, 9)))
    return found


def unreadable(subject: Subject) -> list[Metric]:
    """The metrics without a value in the last status, where the controller has computed one at all. Where the status
    kept values of before although the condition says that they cannot be read: those of the kind that it names.
    """
    active = condition(subject.hpa, "ScalingActive")
    if not text(active, "status"):
        return []
    without = [metric for metric in metrics_of(subject) if metric.current is None]
    if without or text(active, "status") != "False":
        return without
    return [m for m in metrics_of(subject) if text(active, "reason") == f"FailedGet{m.type}Metric"]


def event_of(subject: Subject, metric: Metric, events: Sequence[Json]) -> Json | None:
    """The newest event that tells why this metric has no value."""
    reason = f"FailedGet{metric.type}Metric"
    own = [
        event
        for event in events
        if text(event, "reason") == reason
        and text(event, "involvedObject", "kind") == "HorizontalPodAutoscaler"
        and text(event, "involvedObject", "name") == subject.key.name
        and text(event, "involvedObject", "namespace") in ("", subject.key.namespace)
        and metric.name in text(event, "message")
    ]
    alike = [m for m in metrics_of(subject) if m.type == metric.type and m.name == metric.name]
    if len(alike) > 1 and metric.container:
        own = [e for e in own if metric.container in text(e, "message")]
    return max(own, key=lambda e: text(e, "lastTimestamp") or text(e, "eventTime"), default=None)


def patch_of(subject: Subject, patch: str, note: str = "", *, deep: bool = False) -> str:
    """A kubectl command that merges `patch` into the HPA; `deep`: it is about metrics or behavior, which only the newer
    versions of the API have as fields.
    """
    tail = f"  # {note}" if note else ""
    if deep and subject.version not in ("v2", "v2beta2"):
        return f"{subject.kubectl} edit hpa {subject.key.name}{tail}"
    return f"{subject.kubectl} patch hpa {subject.key.name} --type=merge -p '{patch}'{tail}"


def json_patch_of(subject: Subject, patch: str, note: str = "") -> str:
    """As `patch_of`, with a list of JSON patches."""
    tail = f"  # {note}" if note else ""
    if subject.version not in ("v2", "v2beta2"):
        return f"{subject.kubectl} edit hpa {subject.key.name}{tail}"
    return f"{subject.kubectl} patch hpa {subject.key.name} --type=json -p '{patch}'{tail}"


def sources(subject: Subject) -> list[Json]:
    """The resource and containerResource parts of spec.metrics."""
    return [
        s for m in items(subject.hpa, "spec", "metrics") for s in (child(m, "resource"), child(m, "containerResource"))
    ]
