"""One moment as the API server would have told it: Kubernetes objects made of what the series say, and of nothing else.

A field that no series tells is left out. What has to be there although it is not told (labels by which a selector finds
pods, how often samples came) is marked by its name, `from-prometheus/...`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.model import SAMPLED, Key
from hpatui.prometheus.gather import PodFacts, PodId, Tables
from hpatui.prometheus.merged import Labels, value_at

Json = dict[str, Any]
Target = tuple[str, Key]  # kind, namespace and name
TARGET_LABEL = "from-prometheus/target"
RESOURCES = ("cpu", "memory")
_LONGEST = 63  # characters of a label's value
_ORDER = ("AbleToScale", "ScalingActive", "ScalingLimited")
_SIZES = {"Deployment": "deployment_spec_replicas", "StatefulSet": "statefulset_replicas"}
KINDS = tuple(_SIZES)
_MIXIN_KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "replicaset": "ReplicaSet"}


def label_of(target: Target) -> str:
    """The value of the label that pods of a target have."""
    text = f"{target[0]}.{target[1].name}"
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()[:40]


def time_text(moment: float | None) -> str | None:
    """As Kubernetes writes it."""
    return None if moment is None else format_rfc3339(as_datetime(moment))


def told(**fields: object) -> Json:
    """The fields that are told."""
    return {name: value for name, value in fields.items() if value is not None}


# HPAs -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HpaState:
    """An HPA at a moment, as far as it is told; equal ones are the same version."""

    low: int | None
    high: int
    current: int
    desired: int
    generation: int | None
    created: float | None
    reference: tuple[str, str, str] | None  # kind, name, API version
    targets: tuple[tuple[Labels, float], ...]  # (metric, target type, container, object) -> value
    currents: tuple[tuple[Labels, float], ...]
    conditions: tuple[tuple[str, str], ...]


class HpaIndex:
    """Which rows of the tables are about which HPA."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.keys = sorted(Key(*key) for key in tables.hpas.get("spec_max_replicas", {}))
        self._references = _grouped(tables.references)
        self._targets = _grouped(tables.targets)
        self._currents = _grouped(tables.currents)
        self._conditions = _grouped(tables.conditions)

    def at(self, key: Key, index: int) -> HpaState | None:
        """The HPA at a moment; None where it is not there, or not told of whole."""
        high, current, desired = (
            self._number(name, key, index)
            for name in ("spec_max_replicas", "status_current_replicas", "status_desired_replicas")
        )
        if high is None or current is None or desired is None:
            return None
        created = self._tables.hpas.get("created")
        reference = self._present(self._references, self._tables.references, key, index)
        conditions = self._present(self._conditions, self._tables.conditions, key, index)
        return HpaState(
            self._number("spec_min_replicas", key, index),
            high,
            current,
            desired,
            self._number("metadata_generation", key, index),
            value_at(created, key, index) if created is not None else None,
            (reference[0][0][0], reference[0][0][1], reference[0][0][2]) if reference else None,
            self._present(self._targets, self._tables.targets, key, index),
            self._present(self._currents, self._tables.currents, key, index),
            tuple((labels[0], labels[1].capitalize()) for labels, _ in conditions),
        )

    def _number(self, name: str, key: Key, index: int) -> int | None:
        table = self._tables.hpas.get(name)
        value = value_at(table, key, index) if table is not None else None
        return None if value is None else round(value)

    def _present(
        self, groups: Mapping[Key, list[Labels]], table: Mapping[Labels, Any], key: Key, index: int
    ) -> tuple[tuple[Labels, float], ...]:
        found = []
        for labels in groups.get(key, ()):
            value = value_at(table, labels, index)
            if value is not None:
                found.append((labels[2:], value))
        return tuple(found)

    def references(self) -> Iterable[Target]:
        """What any HPA scales at some moment."""
        for namespace, _, kind, name, _ in self._tables.references:
            yield kind, Key(namespace, name)


def _grouped(table: Mapping[Labels, Any]) -> dict[Key, list[Labels]]:
    groups: dict[Key, list[Labels]] = {}
    for labels in sorted(table):
        groups.setdefault(Key(labels[0], labels[1]), []).append(labels)
    return groups


def hpa_json(key: Key, state: HpaState, last_scale: float | None, every: float) -> Json:
    """An autoscaling/v2 HPA."""
    metrics, currents = _metrics(state)
    kind, name, version = state.reference or ("", "", "")
    ref = told(apiVersion=version or None, kind=kind, name=name)
    conditions = [
        {"type": type_, "status": status}
        for type_, status in sorted(state.conditions, key=lambda c: (_ORDER.index(c[0]) if c[0] in _ORDER else 9, c))
    ]
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": told(
            namespace=key.namespace, name=key.name, generation=state.generation, labels={SAMPLED: f"{every:g}"},
            creationTimestamp=time_text(state.created),
        ),
        "spec": told(scaleTargetRef=ref, minReplicas=state.low, maxReplicas=state.high, metrics=metrics),
        "status": told(
            currentReplicas=state.current, desiredReplicas=state.desired, lastScaleTime=time_text(last_scale),
            currentMetrics=currents or None, conditions=conditions or None,
        ),
    }  # fmt: skip


def _metrics(state: HpaState) -> tuple[list[Json], list[Json]]:
    """spec.metrics and status.currentMetrics, in the order of names: that of the spec is not told."""
    wanted, seen = _by_metric(state.targets), _by_metric(state.currents)
    specs, currents = [], []
    for metric in sorted(wanted):
        name, container, described = metric
        values = wanted[metric]
        type_ = metric_type(name, container, described, values)
        body: Json = {"name": name} if type_ in ("Resource", "ContainerResource") else {"metric": {"name": name}}
        if container:
            body["container"] = container
        if described:
            body["describedObject"] = {"name": described}
        field = type_[:1].lower() + type_[1:]
        specs.append({"type": type_, field: {**body, "target": _target(name, values)}})
        current = seen.get(metric, {})
        currents.append({"type": type_, field: {**body, "current": _values(name, current)}})
    return specs, currents if seen else []


def _by_metric(rows: Iterable[tuple[Labels, float]]) -> dict[tuple[str, str, str], dict[str, float]]:
    """(name, container, object) -> type of the value -> value. Versions of kube-state-metrics that tell of a container's or
    an object's metric under its name alone as well would make two of it.
    """
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for (name, type_, container, described), value in rows:
        found.setdefault((name, container, described), {})[type_] = value
    for name, container, described in list(found):
        if container or described:
            plain = (name, "", "")
            if plain in found and found[plain] == found[name, container, described]:
                del found[plain]
    return found


def metric_type(name: str, container: str, described: str, values: Mapping[str, float]) -> str:
    """The type of a metric. kube-state-metrics tells Pods and External apart by nothing: such a one counts as External."""
    if container:
        return "ContainerResource"
    if described:
        return "Object"
    return "Resource" if "utilization" in values or name in RESOURCES else "External"


def _target(name: str, values: Mapping[str, float]) -> Json:
    if "utilization" in values:
        return {"type": "Utilization", "averageUtilization": round(values["utilization"])}
    if "average" in values:
        return {"type": "AverageValue", "averageValue": quantity(name, values["average"])}
    return {"type": "Value", "value": quantity(name, values.get("value", 0.0))}


def _values(name: str, values: Mapping[str, float]) -> Json:
    utilization = values.get("utilization")
    return told(
        averageUtilization=None if utilization is None else round(utilization),
        averageValue=quantity(name, values["average"]) if "average" in values else None,
        value=quantity(name, values["value"]) if "value" in values else None,
    )


def quantity(name: str, value: float) -> str:
    """A number as Kubernetes writes it, exact to a thousandth."""
    if name != "cpu" and value == round(value):
        return str(round(value))
    return f"{round(value * 1000)}m"


# Targets --------------------------------------------------------------------------------------------------------------


def workload_json(tables: Tables, target: Target, index: int, ready_pods: int | None) -> Json | None:
    """A Deployment or StatefulSet; None where it is not there. `ready_pods`: how many of its pods are ready, where no series
    of the target tells it.
    """
    kind, key = target
    if kind not in _SIZES:
        return None

    def number(name: str) -> int | None:
        table = tables.workloads.get(name)
        value = value_at(table, key, index) if table is not None else None
        return None if value is None else round(value)

    size = number(_SIZES[kind])
    if size is None:
        return None
    of = kind.lower()
    ready = number(f"{of}_status_replicas_ready")
    available = number(f"{of}_status_replicas_available")
    if ready is None:
        ready = ready_pods if ready_pods is not None else available
    created = tables.workloads.get(f"{of}_created")
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": told(
            namespace=key.namespace, name=key.name, generation=number(f"{of}_metadata_generation"),
            creationTimestamp=time_text(value_at(created, key, index)) if created is not None else None,
        ),
        "spec": {"replicas": size, "selector": {"matchLabels": {TARGET_LABEL: label_of(target)}}},
        "status": told(
            replicas=number(f"{of}_status_replicas"), readyReplicas=ready, availableReplicas=available,
            updatedReplicas=number(f"{of}_status_replicas_updated"),
        ),
    }  # fmt: skip


# Pods -----------------------------------------------------------------------------------------------------------------


def target_of(tables: Tables, pod: PodId, facts: PodFacts | None) -> Target | None:
    """What a pod belongs to in the end; None where that is not told."""
    if facts is None:
        return None
    if facts.workload is not None and facts.workload[0].lower() in _MIXIN_KINDS:
        return _MIXIN_KINDS[facts.workload[0].lower()], Key(pod[0], facts.workload[1])
    if facts.owner is None:
        return None
    kind, name = facts.owner
    if kind == "ReplicaSet" and (above := tables.owners.get(Key(pod[0], name))) is not None:
        kind, name = above
    return kind, Key(pod[0], name)


@dataclass(frozen=True, slots=True)
class PodState:
    """What changes about a pod; equal ones are the same version. `ready`: True, False or Unknown, empty where not told."""

    phase: str
    ready: str
    deleted: float | None
    containers: tuple[tuple[str, str], ...]  # name -> Running, or why it waits
    restarts: tuple[tuple[str, int], ...]


def pod_json(pod: PodId, facts: PodFacts, state: PodState, target: Target, ready_since: float | None) -> Json:
    """A core/v1 Pod."""
    kind, name = facts.owner or ("", "")
    conditions = []
    if state.ready:
        conditions.append(told(type="Ready", status=state.ready, lastTransitionTime=time_text(ready_since)))
    states, restarts = dict(state.containers), dict(state.restarts)
    statuses = [
        _status(name, states.get(name, ""), restarts.get(name), state.ready)
        for name in facts.containers()
        if name in states or name in restarts
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": told(
            namespace=pod[0], name=pod[1], uid=facts.uid or None, creationTimestamp=time_text(facts.created),
            deletionTimestamp=time_text(state.deleted), labels={TARGET_LABEL: label_of(target)},
            ownerReferences=[{"kind": kind, "name": name, "uid": "", "controller": True}] if kind else None,
        ),
        "spec": told(
            nodeName=facts.node or None,
            containers=[_container(c, facts.images, facts.requests, facts.limits) for c in facts.containers()],
            initContainers=[
                {**_container(c, facts.sidecars, facts.init_requests, facts.init_limits), "restartPolicy": "Always"}
                for c in sorted(facts.sidecars)
            ] or None,
        ),
        "status": told(
            phase=state.phase, podIP=facts.ip or None, startTime=time_text(facts.started), conditions=conditions or None,
            containerStatuses=statuses or None,
        ),
    }  # fmt: skip


def _container(
    name: str, images: Mapping[str, str], requests: Mapping[tuple[str, str], float],
    limits: Mapping[tuple[str, str], float],
) -> Json:  # fmt: skip
    def of(what: Mapping[tuple[str, str], float]) -> Json:
        return {r.replace("_", "-"): quantity(r, value) for (c, r), value in sorted(what.items()) if c == name}

    return {"name": name, "image": images.get(name, ""), "resources": {"requests": of(requests), "limits": of(limits)}}


def _status(name: str, state: str, restarts: int | None, ready: str) -> Json:
    if state == "Running":
        now: Json = {"running": {}}
    else:
        now = {"waiting": {"reason": state}} if state else {}
    return told(name=name, restartCount=restarts, state=now, ready=ready == "True" and state == "Running")
