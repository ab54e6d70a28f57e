"""Init containers, native sidecars and readiness gates: what they add to a pod's status, and what an init container does.

An init container ends as its own command says (`sleep N`, `exit N`, `false`), or as the pod's annotations
`sandbox.hpatui.dev/init-takes: "600"` and `sandbox.hpatui.dev/init-fails: "true"` say; `sidecar-fails` crashes sidecars.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hpatui.sandbox.controllers.objects import Object, condition, stamp, with_condition
from hpatui.sandbox.pod_run import PodRun

_SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?|infinity)\b")
_EXIT = re.compile(r"\bexit\s+(\d+)\b")
_FOREVER = 10.0**9  # seconds: a sleep or a loop without an end
_READY = "ContainersReady"


def init_containers(pod: Mapping[str, Any]) -> list[Object]:
    """The init containers in their order, sidecars among them."""
    return list(pod["spec"].get("initContainers") or ())


def is_sidecar(container: Mapping[str, Any]) -> bool:
    """A native sidecar: an init container that runs on beside the others."""
    return container.get("restartPolicy") == "Always"


def outcome(container: Mapping[str, Any], run: PodRun) -> tuple[float, int]:
    """How many seconds an init container runs, and its exit code."""
    words = [str(word) for word in (*(container.get("command") or ()), *(container.get("args") or ()))]
    text = " ".join(words)
    seconds = sum(_FOREVER if found == "infinity" else float(found) for found in _SLEEP.findall(text))
    if re.search(r"\b(until|while)\b", text):
        seconds = _FOREVER
    exits = _EXIT.findall(text)
    code = int(exits[-1]) % 256 if exits else int(bool(words) and words[-1] in ("false", "/bin/false"))
    return run.profile.init_takes or seconds, 1 if run.profile.init_fails else code


def finished(pod: Object, old: Object, status: Object, run: PodRun, now: float) -> Object:
    """A status with what init containers, sidecars and gates make of it; `old` is the one before, for transition times."""
    containers = init_containers(pod)
    if containers:
        entries = _init_statuses(containers, old, run, status["phase"], now)
        status = {**status, "initContainerStatuses": entries}
        late = [
            c["name"] for c, e in zip(containers, entries, strict=True)
            if not (e["started"] if is_sidecar(c) else e["ready"])
        ]  # fmt: skip
        if late and run.init < len(containers):
            text = f"containers with incomplete status: [{' '.join(late)}]"
            status = _with(status, old, now, "Initialized", "ContainersNotInitialized", text)
            status["containerStatuses"] = [_initializing(entry) for entry in status["containerStatuses"]]
        down = [c["name"] for c, e in zip(containers, entries, strict=True) if is_sidecar(c) and not e["ready"]]
        if down and status["phase"] not in ("Succeeded", "Failed"):
            main = [entry["name"] for entry in status["containerStatuses"] if not entry["ready"]]
            text = f"containers with unready status: [{' '.join(down + main)}]"
            for type_ in (_READY, "Ready"):
                status = _with(status, old, now, type_, "ContainersNotReady", text)
    return _gated(pod, old, status, now)


def _gated(pod: Object, old: Object, status: Object, now: float) -> Object:
    ready = condition(status["conditions"], _READY)
    if ready is None or ready["status"] != "True":
        return status
    texts = []
    for gate in pod["spec"].get("readinessGates") or ():
        name = gate.get("conditionType")
        found = condition(status["conditions"], str(name))
        if found is None:
            texts.append(f'corresponding condition of pod readiness gate "{name}" does not exist.')
        elif found.get("status") != "True":
            texts.append(f'the status of pod readiness gate "{name}" is not "True", but {found.get("status")}')
    return _with(status, old, now, "Ready", "ReadinessGatesNotReady", ", ".join(texts)) if texts else status


def _with(status: Object, old: Object, now: float, type_: str, reason: str, message: str) -> Object:
    """The condition is False, since when it was False before."""
    wanted = {"type": type_, "status": "False", "reason": reason, "message": message}
    entry = condition(with_condition(old.get("conditions"), wanted, now), type_)
    return {**status, "conditions": [entry if c["type"] == type_ else c for c in status["conditions"]]}


def _initializing(entry: Object) -> Object:
    state = entry["state"]
    if (state.get("waiting") or {}).get("reason") == "ContainerCreating":
        return {**entry, "state": {"waiting": {"reason": "PodInitializing"}}}
    return entry


def _init_statuses(containers: list[Object], old: Object, run: PodRun, phase: str, now: float) -> list[Object]:
    before = {entry["name"]: entry for entry in old.get("initContainerStatuses") or ()}
    result = []
    for index, container in enumerate(containers):
        known = before.get(container["name"]) or {}
        state, last, restarts, ready = _init_state(index, container, known, run, phase, now)
        result.append(
            {
                "name": container["name"], "image": container.get("image", ""), "imageID": known.get("imageID", ""),
                "ready": ready, "started": "running" in state, "restartCount": restarts, "state": state,
                "lastState": last,
            }
        )  # fmt: skip
    return result


def _init_state(
    index: int, container: Object, known: Object, run: PodRun, phase: str, now: float
) -> tuple[Object, Object, int, bool]:
    """State, last state, restarts, ready."""
    state, last, restarts = known.get("state") or {}, known.get("lastState") or {}, int(known.get("restartCount", 0))
    if is_sidecar(container):
        if index >= run.init:
            return {"waiting": {"reason": "PodInitializing"}}, {}, 0, False
        if phase in ("Succeeded", "Failed"):
            return _ended(state, 0, run, now), last, restarts, False
        if run.profile.sidecar_fails:
            text = f"back-off 5m0s restarting failed container={container['name']} pod={_where(run)}"
            last = last or {"terminated": _terminated(1, now, now)}
            return {"waiting": {"reason": "CrashLoopBackOff", "message": text}}, last, max(restarts, 1), False
        return (state if "running" in state else {"running": {"startedAt": stamp(now)}}), last, restarts, True
    if index < run.init:
        return (
            (state if "terminated" in state else _ended(state, 0, run, now)),
            last,
            run.init_restarts.get(index, 0),
            True,
        )
    if index > run.init or run.stage == "creating":
        return {"waiting": {"reason": "PodInitializing"}}, {}, 0, False
    restarts = run.init_restarts.get(index, 0)
    failed = {"terminated": _terminated(run.init_code, run.init_since, now)}
    if run.stage == "init":
        return {"running": {"startedAt": stamp(run.init_since)}}, last, restarts, False
    if run.stage != "initbackoff":
        return (failed if "terminated" not in state else state), last, restarts, False
    text = f"back-off {run.pause:.0f}s restarting failed container={container['name']} pod={_where(run)}"
    return {"waiting": {"reason": "CrashLoopBackOff", "message": text}}, failed, restarts, False


def _where(run: PodRun) -> str:
    return f"{run.key[1]}_{run.key[0]}({run.uid})"


def _ended(state: Object, code: int, run: PodRun, now: float) -> Object:
    started = (state.get("running") or {}).get("startedAt")
    entry = _terminated(code, run.init_since, now)
    return {"terminated": {**entry, **({"startedAt": started} if started else {})}}


def _terminated(code: int, started: float, now: float) -> Object:
    reason = "Error" if code else "Completed"
    return {"exitCode": code, "reason": reason, "startedAt": stamp(started), "finishedAt": stamp(now)}
