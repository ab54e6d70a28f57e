"""The rows of pods, with the status text that kubectl shows (printPod of pkg/printers/internalversion)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpatui.clock import parse_rfc3339
from hpatui.sandbox.apiserver.tables.columns import Cells, JsonObject, age, columns, dig, entries, human_duration

POD_COLUMNS = columns("Name|Ready|Status|Restarts|Age", "IP|Node|Nominated Node|Readiness Gates")


def print_pod(pod: JsonObject, now: float) -> Cells:
    """The cells of one pod."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {c.get("name") for c in entries(spec.get("initContainers")) if c.get("restartPolicy") == "Always"}
    containers = [*entries(spec.get("containers")), *sidecars]
    before = entries(status.get("initContainerStatuses"))
    statuses = entries(status.get("containerStatuses"))
    if _initializing(pod) and not _true(status, "Initialized"):
        counted = before
    else:
        counted = [*statuses, *(each for each in before if each.get("name") in sidecars)]
    statuses = [*statuses, *(each for each in before if each.get("name") in sidecars)]
    ready = sum(1 for each in statuses if each.get("ready") and "running" in (each.get("state") or {}))
    gates = entries(spec.get("readinessGates"))
    met = sum(1 for gate in gates if _true(status, str(gate.get("conditionType"))))
    return [
        pod["metadata"]["name"],
        f"{ready}/{len(containers)}",
        pod_status(pod),
        _restarts(counted, now),
        age(pod, now),
        status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{met}/{len(gates)}" if gates else "<none>",
    ]


def _true(status: Mapping[str, Any], kind: str) -> bool:
    return any(e.get("type") == kind and e.get("status") == "True" for e in entries(status.get("conditions")))


def _restarts(statuses: list[Any], now: float) -> str:
    total = sum(int(each.get("restartCount") or 0) for each in statuses)
    ended = [dig(each, "lastState", "terminated", "finishedAt") for each in statuses]
    times = [parse_rfc3339(text).timestamp() for text in ended if text]
    return f"{total} ({human_duration(now - max(times))} ago)" if total and times else str(total)


def pod_status(pod: JsonObject) -> str:
    """The STATUS column: the phase, or what its containers wait for or ended by."""
    status = pod.get("status") or {}
    reason = status.get("reason") or status.get("phase") or ""
    for condition in entries(status.get("conditions")):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "SchedulingGated":
            reason = "SchedulingGated"
    said = _initializing(pod)
    if said and not _true(status, "Initialized"):
        return _deleted(pod, status, said)
    reason = said or reason  # a sidecar that crashes later is told so too
    running = False
    for each in reversed(entries(status.get("containerStatuses"))):
        state = each.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None and ended.get("reason"):
            reason = ended["reason"]
        elif ended is not None:
            signal = ended.get("signal")
            reason = f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"
        elif each.get("ready") and "running" in state:
            running = True
    if reason == "Completed" and running:
        reason = "Running" if _true(status, "Ready") else "NotReady"
    return _deleted(pod, status, str(reason))


def _initializing(pod: JsonObject) -> str:
    """`Init:...`: what the first init container that has not ended (a sidecar: started) does; "" if there is none."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    containers = entries(spec.get("initContainers"))
    kinds = {c.get("name"): c.get("restartPolicy") for c in containers}
    for index, each in enumerate(entries(status.get("initContainerStatuses"))):
        state = each.get("state") or {}
        ended, reason = state.get("terminated"), (state.get("waiting") or {}).get("reason") or ""
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if kinds.get(each.get("name")) == "Always" and each.get("started"):
            continue
        if ended is not None:
            signal = ended.get("signal")
            number = f"Signal:{signal}" if signal else f"ExitCode:{ended.get('exitCode', 0)}"
            return f"Init:{ended.get('reason') or number}"
        return f"Init:{reason}" if reason not in ("", "PodInitializing") else f"Init:{index}/{len(containers)}"
    return ""


def _deleted(pod: JsonObject, status: JsonObject, reason: str) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            return "Unknown"
        if status.get("phase") not in ("Succeeded", "Failed"):
            return "Terminating"
    return reason
