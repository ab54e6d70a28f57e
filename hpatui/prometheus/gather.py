"""All that is asked of a Prometheus about a part of the time, as tables.

What changes is read at each moment; what a pod has from its beginning to its end is read once.
"""

from __future__ import annotations

import asyncio
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import isnan
from statistics import median

from hpatui.model import Key
from hpatui.prometheus import queries
from hpatui.prometheus.api import Api, Grid, Series
from hpatui.prometheus.merged import Labels, Table, label, merge, metric_name, nothing
from hpatui.prometheus.queries import Scope

PodId = tuple[str, str, str]  # namespace, name, uid (empty where it is not told)
_HPA = "kube_horizontalpodautoscaler_"
_HPA_LABELS = ("namespace", "hpa")
_METRIC_LABELS = (*_HPA_LABELS, "metric_name", "metric_target_type", "container_name", "target_name")
_POD_LABELS = ("namespace", "pod", "uid")
_CONTAINER_LABELS = (*_POD_LABELS, "container")
_UNITS = {"_cpu_cores": "cpu", "_memory_bytes": "memory"}  # before version 2 of kube-state-metrics


@dataclass(slots=True)
class PodFacts:
    """What does not change about a pod. `owner`: kind and name of what manages it; `workload`: of what that belongs to, where
    a rule of the Prometheus says so; requests and limits: (container, resource) -> cores or bytes.
    """

    uid: str = ""
    node: str = ""
    ip: str = ""
    owner: tuple[str, str] | None = None
    workload: tuple[str, str] | None = None
    created: float | None = None
    started: float | None = None
    images: dict[str, str] = field(default_factory=dict)
    sidecars: dict[str, str] = field(default_factory=dict)
    requests: dict[tuple[str, str], float] = field(default_factory=dict)
    limits: dict[tuple[str, str], float] = field(default_factory=dict)
    init_requests: dict[tuple[str, str], float] = field(default_factory=dict)  # of init containers, sidecars among them
    init_limits: dict[tuple[str, str], float] = field(default_factory=dict)

    def containers(self) -> list[str]:
        """The names of its containers, sidecars not among them."""
        return sorted({*self.images, *(container for container, _ in (*self.requests, *self.limits))})


@dataclass(slots=True)
class Tables:
    """A part of the time. `beat` is when kube-state-metrics was last scraped; `replicas` and the like are by the metric's
    name without `kube_`, then by namespace and name.
    """

    grid: Grid
    beat: array[float]
    hpas: dict[str, Table] = field(default_factory=dict)  # max, min, current, ... -> (namespace, name)
    references: Table = field(default_factory=dict)  # (namespace, name, kind, target, API version)
    targets: Table = field(default_factory=dict)
    currents: Table = field(default_factory=dict)
    conditions: Table = field(default_factory=dict)  # (namespace, name, type, status)
    workloads: dict[str, Table] = field(default_factory=dict)
    owners: dict[Key, tuple[str, str]] = field(default_factory=dict)  # ReplicaSet -> kind and name of its owner
    pods: dict[PodId, PodFacts] = field(default_factory=dict)
    phases: Table = field(default_factory=dict)  # (..., phase)
    ready: Table = field(default_factory=dict)  # (..., condition)
    states: Table = field(default_factory=dict)  # (..., container, reason); reason Running: it runs
    restarts: Table = field(default_factory=dict)  # (..., container)
    deleted: Table = field(default_factory=dict)
    ready_times: Table = field(default_factory=dict)
    cpu: Table = field(default_factory=dict)  # (namespace, pod, container)
    memory: Table = field(default_factory=dict)
    sampled: Table = field(default_factory=dict)  # (namespace, pod)


async def gather(api: Api, scope: Scope, grid: Grid, window: float) -> Tables:
    """Ask for everything. `window` (seconds): within it a container's last two samples must lie."""
    span = grid.step * grid.count
    asked = (
        api.range(queries.heartbeat(scope), grid),
        api.range(scope.states(queries.HPA_NAMES), grid),
        api.range(queries.flags(scope, queries.CONDITIONS), grid),
        api.range(scope.states(queries.WORKLOADS), grid),
        api.instant(queries.last_of(scope, queries.LINKS, span), grid.end),
        api.instant(queries.last_of(scope, queries.PODS, span), grid.end),
        api.range(queries.flags(scope, queries.POD_FLAGS), grid),
        api.range(scope.states(queries.POD_VALUES), grid),
        api.range(queries.cpu(scope, window), grid),
        api.range(queries.memory(scope), grid),
        api.range(queries.sampled(scope), grid),
    )
    tasks = [asyncio.ensure_future(one) for one in asked]
    try:
        answers = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tables_of(grid, answers)


def tables_of(grid: Grid, answers: list[list[Series]]) -> Tables:
    """The answers of `gather`, in its order, as tables."""
    beat, hpas, conditions, workloads, links, pods, flags, values, cpu, memory, sampled = answers
    tables = Tables(grid, beat[0].values if beat else nothing(grid.count))
    _hpas(tables, hpas)
    tables.conditions = merge(conditions, (*_HPA_LABELS, "condition", "status"))
    for name, series in _by_name(workloads).items():
        kind = name.removeprefix("kube_").partition("_")[0]
        tables.workloads[name.removeprefix("kube_")] = merge(series, ("namespace", kind))
    for one in links:
        kind, name = label(one.labels, "owner_kind"), label(one.labels, "owner_name")
        if kind and kind != "<none>":
            tables.owners[Key(label(one.labels, "namespace"), label(one.labels, "replicaset"))] = (kind, name)
    named = _by_name(flags)
    tables.phases = merge(named.get("kube_pod_status_phase", ()), (*_POD_LABELS, "phase"))
    # Old versions put the uid on kube_pod_info alone: then pods are told apart by their names.
    tables.pods = pods_of(pods, by_uid=any(uid for _, _, uid, _ in tables.phases))
    tables.ready = merge(named.get("kube_pod_status_ready", ()), (*_POD_LABELS, "condition"))
    tables.states = merge(named.get("kube_pod_container_status_waiting_reason", ()), (*_CONTAINER_LABELS, "reason"))
    running = merge(named.get("kube_pod_container_status_running", ()), _CONTAINER_LABELS)
    tables.states |= {(*key, "Running"): row for key, row in running.items()}
    named = _by_name(values)
    tables.restarts = merge(named.get("kube_pod_container_status_restarts_total", ()), _CONTAINER_LABELS)
    tables.deleted = merge(named.get("kube_pod_deletion_timestamp", ()), _POD_LABELS)
    tables.ready_times = merge(named.get("kube_pod_status_ready_time", ()), _POD_LABELS)
    tables.cpu = merge(cpu, ("namespace", "pod", "container"))
    tables.memory = merge(memory, ("namespace", "pod", "container"))
    tables.sampled = merge(sampled, ("namespace", "pod"))
    return tables


def _by_name(series: Iterable[Series]) -> dict[str, list[Series]]:
    found: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        found[metric_name(one)].append(one)
    return found


def _hpas(tables: Tables, series: list[Series]) -> None:
    for name, group in _by_name(series).items():
        short = name.removeprefix(_HPA)
        if short == "info":
            reference = ("scaletargetref_kind", "scaletargetref_name", "scaletargetref_api_version")
            tables.references = merge(group, (*_HPA_LABELS, *reference))
        elif short.startswith("spec_target"):
            tables.targets |= merge(group, _METRIC_LABELS)
        elif short.startswith("status_target"):
            tables.currents |= merge(group, _METRIC_LABELS)
        else:
            tables.hpas[short] = merge(group, _HPA_LABELS, strict=short == "spec_max_replicas")


# Pods -----------------------------------------------------------------------------------------------------------------


def pods_of(series: Iterable[Series], *, by_uid: bool = True) -> dict[PodId, PodFacts]:
    """What does not change about each pod."""
    found: dict[PodId, PodFacts] = {}
    mixin: dict[Labels, tuple[str, str]] = {}
    for one in series:
        labels = one.labels
        namespace, name = label(labels, "namespace"), label(labels, "pod")
        if one.name == queries.MIXIN:
            mixin[namespace, name] = (label(labels, "workload_type"), label(labels, "workload"))
            continue
        uid = label(labels, "uid")
        pod = found.setdefault((namespace, name, uid if by_uid else ""), PodFacts())
        pod.uid = uid or pod.uid
        _take(pod, one)
    for (namespace, name, _), pod in found.items():
        pod.workload = mixin.get((namespace, name))
    return found


def _take(pod: PodFacts, one: Series) -> None:
    labels, value, name = one.labels, one.values[0], one.name.removeprefix("kube_pod_")
    container = label(labels, "container")
    if name == "info":
        # A pod is told of before and after it has a node: what is known stays.
        pod.node = label(labels, "node") or pod.node
        pod.ip = label(labels, "pod_ip") or pod.ip
        maker = (labels.get("created_by_kind", ""), labels.get("created_by_name", ""))
        if pod.owner is None and maker[0] not in ("", "<none>"):
            pod.owner = maker
    elif name == "owner":
        owner = (labels.get("owner_kind", ""), labels.get("owner_name", ""))
        if owner[0] not in ("", "<none>") and labels.get("owner_is_controller", "true") == "true":
            pod.owner = owner
    elif name == "created":
        pod.created = None if isnan(value) else value
    elif name == "start_time":
        pod.started = None if isnan(value) else value
    elif name == "container_info":
        pod.images[container] = labels.get("image_spec") or labels.get("image", "")
    elif name == "init_container_info":
        if labels.get("restart_policy") == "Always":
            pod.sidecars[container] = labels.get("image_spec") or labels.get("image", "")
    elif "container_resource_" in name and not isnan(value):
        what = name.partition("container_resource_")[2]
        suffix = what.partition("_")[1] + what.partition("_")[2]
        resource = _UNITS.get(suffix) or label(labels, "resource")
        asked = what.startswith("requests")
        if name.startswith("init_"):
            (pod.init_requests if asked else pod.init_limits)[container, resource] = value
        else:
            (pod.requests if asked else pod.limits)[container, resource] = value


# Time -----------------------------------------------------------------------------------------------------------------


def spacing(beat: Iterable[float]) -> float | None:
    """Seconds between scrapes, as far as they are seen; None where two are not."""
    moments = sorted({moment for moment in beat if not isnan(moment)})
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    return median(gaps) if gaps else None
