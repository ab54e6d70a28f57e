"""A Deployment's status and conditions, as pkg/controller/deployment/{sync,progress}.go write them."""

from __future__ import annotations

from typing import Any, NamedTuple

from hpatui.sandbox.controllers.objects import Object, condition, scaled_value, seconds_of, stamp

_DONE = "NewReplicaSetAvailable"


class Result(NamedTuple):
    """The status, and when to look again (epoch seconds) so that a missed progress deadline is noticed."""

    status: Object
    check_again: float | None


def deployment_status(deployment: Object, new: Object | None, sets: list[Object], now: float) -> Result:
    """The status that follows from the ReplicaSets."""
    spec, before = deployment["spec"], deployment.get("status") or {}
    desired = spec.get("replicas", 1)
    counts = _counts(new, sets, desired)
    status: Object = {"observedGeneration": deployment["metadata"].get("generation", 1), **counts}
    if "collisionCount" in before:
        status["collisionCount"] = before["collisionCount"]
    status = {name: value for name, value in status.items() if value}
    conditions = list(before.get("conditions") or [])
    conditions = _put(conditions, _available(spec, counts, desired), now)
    progressing, check_again = _progressing(deployment, new, counts, conditions, now)
    if progressing is not None:
        conditions = _put(conditions, progressing, now)
    conditions = _put_failure(conditions, sets, now)
    status["conditions"] = conditions
    return Result(status, check_again)


def _counts(new: Object | None, sets: list[Object], desired: int) -> dict[str, int]:
    def total(name: str) -> int:
        return sum((rs.get("status") or {}).get(name, 0) for rs in sets)

    available = total("availableReplicas")
    return {
        "replicas": total("replicas"),
        "updatedReplicas": ((new or {}).get("status") or {}).get("replicas", 0),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(rs["spec"].get("replicas", 1) for rs in sets) - available),
    }


def _available(spec: Object, counts: dict[str, int], desired: int) -> Object:
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    recreate = (spec.get("strategy") or {}).get("type") == "Recreate"
    unavailable = 0 if recreate else scaled_value(rolling.get("maxUnavailable"), desired, up=False, default="25%")
    if counts["availableReplicas"] >= desired - min(unavailable, desired):
        return _condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    message = "Deployment does not have minimum availability."
    return _condition("Available", "False", "MinimumReplicasUnavailable", message)


def _progressing(
    deployment: Object, new: Object | None, counts: dict[str, int], conditions: list[Any], now: float
) -> tuple[Object | None, float | None]:
    """The Progressing condition and when to look again."""
    spec, before = deployment["spec"], deployment.get("status") or {}
    desired = spec.get("replicas", 1)
    deadline = spec.get("progressDeadlineSeconds", 600)
    known = condition(conditions, "Progressing")
    name = f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    if spec.get("paused"):
        return _condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused"), None
    if new is not None and (known is None or f'"{new["metadata"]["name"]}"' not in known["message"]):
        message = f'Created new replica set "{new["metadata"]["name"]}"'
        started = _condition("Progressing", "True", "NewReplicaSetCreated", message)
        return {**started, "lastUpdateTime": stamp(now)}, now + deadline
    if known is None or (known["reason"] == _DONE and counts["updatedReplicas"] == counts["replicas"]):
        return None, None  # a finished roll-out stays finished through resizes
    complete = counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == desired and before.get(
        "observedGeneration", 0
    ) >= deployment["metadata"].get("generation", 1)
    if complete:
        return _condition("Progressing", "True", _DONE, f"{name} has successfully progressed."), None
    if _moved(before, counts):
        moving = _condition("Progressing", "True", "ReplicaSetUpdated", f"{name} is progressing.")
        return {**moving, "lastUpdateTime": stamp(now)}, now + deadline
    since = seconds_of(known.get("lastUpdateTime")) or now
    if since + deadline <= now:
        message = f"{name} has timed out progressing."
        return _condition("Progressing", "False", "ProgressDeadlineExceeded", message), None
    return None, since + deadline


def _moved(before: Object, counts: dict[str, int]) -> bool:
    old = before.get("replicas", 0) - before.get("updatedReplicas", 0)
    return bool(
        counts["updatedReplicas"] > before.get("updatedReplicas", 0)
        or counts["replicas"] - counts["updatedReplicas"] < old
        or counts["readyReplicas"] > before.get("readyReplicas", 0)
        or counts["availableReplicas"] > before.get("availableReplicas", 0)
    )


def _put_failure(conditions: list[Any], sets: list[Object], now: float) -> list[Any]:
    for rs in sets:
        failed = condition((rs.get("status") or {}).get("conditions"), "ReplicaFailure")
        if failed is not None:
            return _put(conditions, _condition("ReplicaFailure", "True", failed["reason"], failed["message"]), now)
    return [entry for entry in conditions if entry["type"] != "ReplicaFailure"]


def _condition(type_: str, status: str, reason: str, message: str) -> Object:
    return {"type": type_, "status": status, "reason": reason, "message": message}


def _put(conditions: list[Any], new: Object, now: float) -> list[Any]:
    """Replace the condition of that type unless status and reason are the same, as SetDeploymentCondition."""
    known = condition(conditions, new["type"])
    if known is not None and known["status"] == new["status"] and known["reason"] == new["reason"]:
        if "lastUpdateTime" not in new:
            return conditions
        update = {**known, "message": new["message"], "lastUpdateTime": new["lastUpdateTime"]}
        return [update if entry is known else entry for entry in conditions]
    since = known["lastTransitionTime"] if known is not None and known["status"] == new["status"] else stamp(now)
    entry = {
        "type": new["type"],
        "status": new["status"],
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": since,
        "reason": new["reason"],
        "message": new["message"],
    }
    return [*(other for other in conditions if other["type"] != new["type"]), entry]
