"""Pods, their usage, who owns them, and the scale of their target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hpatui.cluster.fields import (
    EMPTY,
    Json,
    conditions_of,
    decode,
    integer,
    items,
    key_of,
    labels_of,
    milli_of,
    owners_of,
    part,
    quantity_number,
    text,
    time_of,
    uid_of,
)  # fmt: skip
from hpatui.forms.durations import SECOND, go_duration
from hpatui.model import Condition, ContainerFacts, Key, OwnerLink, Pod, PodUsage, Scale


def decode_pod(raw: bytes) -> Pod | None:
    """A core/v1 Pod."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    metadata, spec, status = part(obj, "metadata"), part(obj, "spec"), part(obj, "status")
    conditions = conditions_of(status)
    ready = next((c for c in conditions if c.type == "Ready"), None)
    is_ready = ready is not None and ready.status == "True"
    containers = _containers(spec, status, "containers", "containerStatuses")
    inits = _containers(spec, status, "initContainers", "initContainerStatuses")
    requests = _requests(spec)
    deleted = time_of(metadata, "deletionTimestamp")
    gates = tuple(text(item, "name") for item in items(spec, "schedulingGates"))
    return Pod(
        key=key,
        uid=uid_of(obj),
        phase=text(status, "phase"),
        ready=is_ready,
        reason=_reason(status, containers, inits, conditions, deleted),
        restarts=sum(c.restarts for c in (*containers, *(c for c in inits if c.sidecar))),
        node=text(spec, "nodeName"),
        ip=text(status, "podIP"),
        created=time_of(metadata, "creationTimestamp"),
        started=time_of(status, "startTime"),
        ready_since=ready.last_transition_time if is_ready and ready is not None else None,
        deleted=deleted,
        labels=labels_of(metadata),
        containers=containers,
        cpu_request=_sum(c.cpu_request for c in containers),
        memory_request=_sum(c.memory_request for c in containers),
        cpu_limit=_sum(c.cpu_limit for c in containers),
        memory_limit=_sum(c.memory_limit for c in containers),
        conditions=conditions,
        # Pod-level resources and what could not be read go to the exact reader, which says what is wrong.
        raw=raw if requests is None else b"",
        owners=owners_of(metadata),
        init_containers=inits,
        gates=gates,
        readiness_gates=tuple(text(item, "conditionType") for item in items(spec, "readinessGates")),
        unready_since=ready.last_transition_time if ready is not None and not is_ready else None,
        requests=requests,
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


def _requests(spec: Json) -> tuple[tuple[str, Mapping[str, int]], ...] | None:
    """What the controller reads: requests in thousandths of each container and native sidecar. None where a field is
    not what it should be, or where pod-level requests or an overhead need the whole spec.
    """
    if spec.get("resources"):
        return None
    found = []
    for name in ("containers", "initContainers"):
        for item in items(spec, name):
            if name == "initContainers" and item.get("restartPolicy") != "Always":
                continue
            asked = {}
            for resource, value in part(part(item, "resources"), "requests").items():
                number = milli_of(value)
                if number is None:
                    return None
                asked[resource] = number
            found.append((text(item, "name"), asked))
    return tuple(found)


def _containers(spec: Json, status: Json, name: str, statuses: str) -> tuple[ContainerFacts, ...]:
    """Those of the spec, and those that only the status has (written by hand, or by a newer kubelet than the spec)."""
    states = {text(item, "name"): item for item in items(status, statuses)}
    specs = [*items(spec, name)]
    known = {text(item, "name") for item in specs}
    for named, state in states.items():
        if named not in known:
            sidecar = name == "initContainers" and state.get("started") is True
            specs.append({"name": named, **({"restartPolicy": "Always"} if sidecar else {})})
    return tuple(_container(item, states.get(text(item, "name"), EMPTY)) for item in specs)


def _container(spec: Json, status: Json) -> ContainerFacts:
    resources = part(spec, "resources")
    requests, limits = part(resources, "requests"), part(resources, "limits")
    state = part(status, "state")
    started, ended = status.get("started"), part(state, "terminated")
    return ContainerFacts(
        name=text(spec, "name"),
        image=text(spec, "image"),
        cpu_request=_milli(requests.get("cpu")),
        memory_request=quantity_number(requests.get("memory")),
        cpu_limit=_milli(limits.get("cpu")),
        memory_limit=quantity_number(limits.get("memory")),
        ready=status.get("ready") is True,
        restarts=integer(status, "restartCount"),
        state=_container_state(state),
        sidecar=spec.get("restartPolicy") == "Always",
        started=started if isinstance(started, bool) else None,
        exit_code=integer(ended, "exitCode") if ended else None,
        readiness_probe=bool(part(spec, "readinessProbe")),
    )


def _container_state(state: Json) -> str:
    for name, word in (("waiting", "Waiting"), ("terminated", "Terminated")):
        if name in state:
            return text(part(state, name), "reason") or word
    return "Running" if "running" in state else ""


_QUIET = ("", "Running", "Completed")


def _reason(
    status: Json,
    containers: tuple[ContainerFacts, ...],
    inits: tuple[ContainerFacts, ...],
    conditions: tuple[Condition, ...],
    deleted: float | None,
) -> str:
    """The word of kubectl's STATUS column, or Unschedulable and SchedulingGated, which say more than Pending."""
    if deleted is not None:
        return "Terminating"
    initializing = _initializing(inits)
    if initializing and text(status, "phase") not in ("Succeeded", "Failed"):
        scheduled = next((c for c in conditions if c.type == "PodScheduled"), None)
        if scheduled is None or scheduled.status == "True":
            return initializing
    troubled = next((c.state for c in containers if c.state not in _QUIET), "")
    if troubled:
        return troubled
    scheduled = next((c for c in conditions if c.type == "PodScheduled"), None)
    if scheduled is not None and scheduled.status == "False" and scheduled.reason:
        return scheduled.reason
    if containers and all(c.state == "Completed" for c in containers):
        return "Completed"
    return text(status, "reason") or text(status, "phase")


def _initializing(inits: tuple[ContainerFacts, ...]) -> str:
    """`Init:0/2`, `Init:CrashLoopBackOff`: how far the init containers are; empty when they are done.

    Source: printPod of the API server's printers. A native sidecar that has started is done.
    """
    for index, init in enumerate(inits):
        if init.exit_code == 0 or (init.sidecar and init.started):
            continue
        if init.exit_code is not None:
            return f"Init:{init.state}" if init.state != "Terminated" else f"Init:ExitCode:{init.exit_code}"
        if init.state not in ("", "Running", "Waiting", "PodInitializing"):
            return f"Init:{init.state}"
        return f"Init:{index}/{len(inits)}"
    return ""


# Usage ----------------------------------------------------------------------------------------------------------------


class _Items(msgspec.Struct):
    items: list[dict[str, Any]] | None = None


_ITEMS = msgspec.json.Decoder(_Items)


def decode_usages(data: bytes) -> dict[Key, PodUsage]:
    """A PodMetricsList, decoded once; what cannot be read is left out."""
    try:
        found: Iterable[Json] = _ITEMS.decode(data).items or ()
    except (msgspec.MsgspecError, ValueError):
        found = items(decode(data), "items")
    usages = (usage_of(item) for item in found)
    return {usage.key: usage for usage in usages if usage is not None}


def usage_of(obj: Json, raw: bytes = b"") -> PodUsage | None:
    """A PodMetrics that is decoded already. `raw` is kept only where a value is none, so that the exact reader can
    say so.
    """
    key = key_of(obj)
    time = time_of(obj, "timestamp")
    if not key.name or time is None:
        return None
    containers: dict[str, tuple[float, float]] = {}
    exact: list[tuple[str, Mapping[str, int]]] = []
    broken = False
    for item in items(obj, "containers"):
        name, usage = text(item, "name"), part(item, "usage")
        values = {}
        for resource, value in usage.items():
            number = milli_of(value)
            if number is None:
                broken = True
            else:
                values[resource] = number
        exact.append((name, values))
        containers[name] = (_milli(usage.get("cpu")) or 0.0, quantity_number(usage.get("memory")) or 0.0)
    try:
        window = go_duration(text(obj, "window")) / SECOND
    except ValueError:
        window = 0.0
    return PodUsage(
        key=key,
        time=time,
        window=window,
        cpu=sum(cpu for cpu, _ in containers.values()),
        memory=sum(memory for _, memory in containers.values()),
        containers=containers,
        labels=labels_of(part(obj, "metadata")),
        raw=(raw or msgspec.json.encode(obj)) if broken else b"",
        exact=None if broken else tuple(exact),
    )


# Owners and scale -----------------------------------------------------------------------------------------------------


def decode_owner(raw: bytes) -> OwnerLink | None:
    """An object that owns pods (a ReplicaSet), as far as ownership goes."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    kind = text(obj, "kind") or "ReplicaSet"  # the items of a list have no kind
    replicas = integer(part(obj, "spec"), "replicas", 1)
    return OwnerLink(kind, key, uid_of(obj), owners_of(part(obj, "metadata")), replicas)


def decode_scale(raw: bytes, kind: str, api_version: str) -> Scale | None:
    """The answer of .../scale of an object of that kind."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        return None
    spec, status = part(obj, "spec"), part(obj, "status")
    return Scale(
        kind=kind,
        key=key,
        spec_replicas=integer(spec, "replicas"),
        status_replicas=integer(status, "replicas"),
        selector=text(status, "selector"),
        api_version=api_version,
        uid=uid_of(obj),
    )
