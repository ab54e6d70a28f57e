"""The statuses that a kubelet writes, stage by stage; each takes the old status and gives the whole new one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from hpatui.forms.qos import qos_class
from hpatui.sandbox.controllers.objects import Key, Object, stamp, with_condition

HOST_IP = "127.0.0.1"


class Run(Protocol):
    """What is read of a pod's run."""

    @property
    def key(self) -> Key: ...
    @property
    def uid(self) -> str: ...
    @property
    def ip(self) -> str: ...
    @property
    def restarts(self) -> int: ...
    @property
    def started(self) -> float: ...


def pod_ip(number: int) -> str:
    """The address of the n-th pod: 10.244.0.0/16, then 10.245..."""
    return f"10.{244 + (number >> 16) % 12}.{number >> 8 & 255}.{number & 255}"


def creating(pod: Object, old: Object, ip: str, now: float) -> Object:
    """Scheduled, containers not yet there."""
    state = {"waiting": {"reason": "ContainerCreating"}}
    statuses = [_container(c, state, ready=False, restarts=0) for c in pod["spec"]["containers"]]
    return _status(pod, old, "Pending", statuses, now, ready=False, start=old.get("startTime") or stamp(now))


def running(pod: Object, old: Object, ip: str, restarts: int, now: float, *, ready: bool) -> Object:
    """Containers run; ready or not yet."""
    before = {entry["name"]: entry for entry in old.get("containerStatuses") or ()}
    statuses = []
    for container in pod["spec"]["containers"]:
        known = before.get(container["name"]) or {}
        state = known.get("state") if ready and "running" in (known.get("state") or {}) else None
        statuses.append(
            _container(
                container, state or {"running": {"startedAt": stamp(now)}}, ready=ready, restarts=restarts,
                last=known.get("lastState"),
            )
        )  # fmt: skip
    return _status(pod, old, "Running", statuses, now, ready=ready, start=old.get("startTime") or stamp(now), ip=ip)


def ended(pod: Object, old: Object, code: int, started: float, restarts: int, now: float) -> Object:
    """The containers ended and are not started again."""
    reason = "Completed" if code == 0 else "Error"
    state = {"terminated": _terminated(code, reason, started, now)}
    statuses = [_container(c, state, ready=False, restarts=restarts) for c in pod["spec"]["containers"]]
    phase = "Succeeded" if code == 0 else "Failed"
    why = "PodCompleted" if code == 0 else "PodFailed"
    return _status(pod, old, phase, statuses, now, ready=False, start=old.get("startTime"), why=why)


def waiting(pod: Object, old: Object, reason: str, code: int, run: Run, pause: float, now: float) -> Object:
    """The first container exited and waits for its back-off."""
    name = pod["spec"]["containers"][0]["name"]
    where = f"{run.key[1]}_{run.key[0]}({run.uid})"
    message = f"back-off {pause:.0f}s restarting failed container={name} pod={where}"
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    last = {"terminated": _terminated(code, reason, run.started, now)}
    statuses = [_container(c, state, ready=False, restarts=run.restarts, last=last) for c in pod["spec"]["containers"]]
    return _status(pod, old, "Running", statuses, now, ready=False, start=old.get("startTime"), ip=run.ip)


def image_missing(pod: Object, old: Object, image: str, ip: str, now: float, *, first: bool) -> Object:
    """The image cannot be pulled."""
    if first:
        text = f'failed to pull and unpack image "{image}": not found'
        state = {"waiting": {"reason": "ErrImagePull", "message": f"rpc error: code = NotFound desc = {text}"}}
    else:
        state = {"waiting": {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}}
    statuses = [_container(c, state, ready=False, restarts=0) for c in pod["spec"]["containers"]]
    return _status(pod, old, "Pending", statuses, now, ready=False, start=old.get("startTime"), ip=ip)


def config_missing(pod: Object, old: Object, name: str, missing: str, now: float) -> Object:
    """A variable of one container has no source; the others wait."""
    states = {name: {"waiting": {"reason": "CreateContainerConfigError", "message": missing}}}
    other = {"waiting": {"reason": "ContainerCreating"}}
    statuses = [_container(c, states.get(c["name"], other), ready=False, restarts=0) for c in pod["spec"]["containers"]]
    return _status(pod, old, "Pending", statuses, now, ready=False, start=old.get("startTime"))


def node_lost(old: Object, now: float) -> Object:
    """The node does not report: its pods are not ready, as far as anybody knows."""
    lost = {"type": "Ready", "status": "False", "reason": "NodeNotReady", "message": "Node is not ready"}
    return {**old, "conditions": with_condition(old.get("conditions"), lost, now)}


def _terminated(code: int, reason: str, started: float, now: float) -> Object:
    return {"exitCode": code, "reason": reason, "startedAt": stamp(started), "finishedAt": stamp(now)}


def _container(
    spec: Mapping[str, Any], state: Object, *, ready: bool, restarts: int, last: Object | None = None
) -> Object:
    return {
        "name": spec["name"],
        "image": spec.get("image", ""),
        "imageID": "",
        "ready": ready,
        "started": "running" in state,
        "restartCount": restarts,
        "state": state,
        "lastState": last or {},
    }


def _status(
    pod: Object, old: Object, phase: str, statuses: list[Object], now: float, *, ready: bool, start: str | None,
    ip: str = "", why: str = "ContainersNotReady",
) -> Object:  # fmt: skip
    names = " ".join(c["name"] for c in pod["spec"]["containers"])
    conditions = old.get("conditions")
    for type_ in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"):
        if ready or type_ in ("Initialized", "PodScheduled") or (type_ == "PodReadyToStartContainers" and ip):
            conditions = with_condition(conditions, {"type": type_, "status": "True"}, now)
            conditions = [_reasonless(entry) if entry["type"] == type_ else entry for entry in conditions]
        else:
            wanted = {"type": type_, "status": "False"}
            if type_ != "PodReadyToStartContainers":
                wanted["reason"] = why
                if why == "ContainersNotReady":
                    wanted["message"] = f"containers with unready status: [{names}]"
            conditions = with_condition(conditions, wanted, now)
    statuses = [_identified(pod, entry) for entry in statuses]
    result: Object = {
        "phase": phase, "conditions": conditions, "hostIP": HOST_IP, "hostIPs": [{"ip": HOST_IP}],
        "containerStatuses": statuses, "qosClass": qos_class(pod["spec"]),
    }  # fmt: skip
    if start:
        result["startTime"] = start
    if ip or old.get("podIP"):
        result["podIP"] = ip or old["podIP"]
        result["podIPs"] = [{"ip": result["podIP"]}]
    return result


def _identified(pod: Object, entry: Object) -> Object:
    """With the ids of container and image, once there was a container."""
    if "waiting" in entry["state"] and not entry["lastState"]:
        return entry
    image = entry["image"].partition("@")[0]
    digest = hashlib.sha256(image.encode()).hexdigest()
    number = hashlib.sha256(f"{pod['metadata']['uid']}/{entry['name']}/{entry['restartCount']}".encode()).hexdigest()
    repository, _, tag = image.rpartition(":")
    named = repository if repository and "/" not in tag else image
    return {**entry, "containerID": f"hpatui://{number}", "imageID": f"{named}@sha256:{digest}"}


def _reasonless(entry: Object) -> Object:
    return {name: value for name, value in entry.items() if name not in ("reason", "message")}
