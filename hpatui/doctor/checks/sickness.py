"""Why a pod is not ready: each cause in its own words, from its init containers to its readiness gates."""

from __future__ import annotations

from dataclasses import dataclass

from hpatui.doctor.checks.base import span
from hpatui.doctor.fields import Json, child, condition, items, number, text, time_of

NOT_READY_AFTER = 60.0  # seconds that a pod may take to become ready before it is a finding

_IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull")
_BROKEN = ("CrashLoopBackOff", "RunContainerError", "CreateContainerError", "CreateContainerConfigError")


@dataclass(frozen=True, slots=True)
class Sickness:
    """`cause` groups pods, `field` and `value` are the evidence, `verb` is what kubectl is asked ({pod}: its name)."""

    cause: str
    field: str
    value: str
    sentence: str
    verb: str = "describe pod {pod}"


def why_not_ready(now: float, pod: Json) -> Sickness | None:
    """The cause, or None for a pod that is ready, may still be starting, or waits for room on a node (that is a finding
    of its own).
    """
    if text(condition(pod, "Ready"), "status") == "True":
        return None
    scheduled = condition(pod, "PodScheduled")
    if text(scheduled, "reason") == "Unschedulable":
        return None
    if text(scheduled, "reason") == "SchedulingGated":
        return _gated(now, pod, scheduled)
    return _container(pod) or _waits(now, pod)


def _gated(now: float, pod: Json, scheduled: Json) -> Sickness | None:
    since = time_of(scheduled, "lastTransitionTime") or time_of(pod, "metadata", "creationTimestamp")
    age = now - since if since is not None else 0.0
    if age < NOT_READY_AFTER:
        return None
    gates = ", ".join(text(gate, "name") for gate in items(pod, "spec", "schedulingGates")) or "not named in its spec"
    return Sickness(
        "gated",
        "status.conditions[PodScheduled]",
        f"False SchedulingGated for {span(age)}",
        f"never started: held back from scheduling for {span(age)} by its scheduling gates ({gates}); whoever set a gate "
        "must take it away",
        "get pod {pod} -o jsonpath='{{.spec.schedulingGates}}'",
    )


def _container(pod: Json) -> Sickness | None:
    """An init container, sidecar or container that cannot be pulled, created or kept running."""
    sidecars = {text(c, "name") for c in items(pod, "spec", "initContainers") if c.get("restartPolicy") == "Always"}
    for field in ("initContainerStatuses", "containerStatuses"):
        for status in items(pod, "status", field):
            who = text(status, "name")
            sidecar = who in sidecars or (field == "initContainerStatuses" and status.get("started") is True)
            kind = "container" if field == "containerStatuses" else "sidecar" if sidecar else "init container"
            found = _broken(status, kind, who, f"status.{field}[{who}].state.waiting")
            if found is not None:
                return found
    return None


def _broken(status: Json, kind: str, who: str, field: str) -> Sickness | None:
    waiting = text(status, "state", "waiting", "reason")
    message = text(status, "state", "waiting", "message")
    if waiting in _IMAGE:
        return Sickness(f"image {who}", field, waiting, f"the image {text(status, 'image')} cannot be pulled")
    if waiting not in _BROKEN:
        return None
    restarts = number(status, "restartCount") or 0
    value = f"{waiting}, {restarts} restarts"
    logs = f"logs {{pod}} -c {who} --previous"
    if waiting != "CrashLoopBackOff":
        tail = f": {message}" if message else ""
        return Sickness(f"{waiting} {who}", field, value, f"{kind} {who} cannot be started{tail}")
    if kind == "init container":
        sentence = f"never started: init container {who} crashes again and again"
    elif kind == "sidecar":
        sentence = f"sidecar {who} crashes again and again (no probe is at fault)"
    else:
        sentence = f"container {who} crashes again and again"
    return Sickness(f"crash {who}", field, value, sentence, logs)


def _waits(now: float, pod: Json) -> Sickness | None:
    """Nothing crashes: still being created, an init container that does not end, a gate, or a probe."""
    ready = condition(pod, "Ready")
    started = time_of(pod, "status", "startTime")
    since = time_of(ready, "lastTransitionTime") or started
    age = now - since if since is not None else 0.0
    if age < NOT_READY_AFTER or text(pod, "status", "phase") not in ("Running", "Pending"):
        return None
    for status in items(pod, "status", "initContainerStatuses"):
        if (
            "running" in child(status, "state")
            and status.get("started") is not True
            and text(pod, "status", "phase") == "Pending"
        ):
            who = text(status, "name")
            field = f"status.initContainerStatuses[{who}].state"
            return Sickness(
                f"init {who}", field, "running", f"never started: init container {who} has not ended after {span(age)}",
                f"logs {{pod}} -c {who}",
            )  # fmt: skip
    creating = [s for s in items(pod, "status", "containerStatuses") if _creating(s)]
    if creating:
        who = text(creating[0], "name")
        reason = text(creating[0], "state", "waiting", "reason")
        return Sickness(
            "creating",
            f"status.containerStatuses[{who}].state.waiting",
            f"{reason} for {span(age)}",
            f"never started: container {who} is being created for {span(age)} (a volume, Secret or ConfigMap that is not "
            "there, or a slow image); its events say which",
        )
    return _unready(pod, ready, age)


def _creating(status: Json) -> bool:
    return text(status, "state", "waiting", "reason") in ("ContainerCreating", "PodInitializing")


def _unready(pod: Json, ready: Json, age: float) -> Sickness:
    field, value = "status.conditions[Ready]", f"{text(ready, 'status') or 'absent'} for {span(age)}"
    reason, message = text(ready, "reason"), text(ready, "message")
    gates = [text(gate, "conditionType") for gate in items(pod, "spec", "readinessGates")]
    unmet = [gate for gate in gates if text(condition(pod, gate), "status") != "True"]
    if reason == "ReadinessGatesNotReady" or (unmet and text(condition(pod, "ContainersReady"), "status") == "True"):
        named = ", ".join(unmet) or message
        sentence = (
            f"its containers are ready, and its readiness gate is not for {span(age)} ({named}): whoever watches over "
            "the gate (a load balancer's controller, mostly) does not set the condition"
        )
        return Sickness("gate", field, f"{value} {reason}".strip(), sentence)
    if text(ready, "status") == "Unknown":
        sentence = f"nothing is heard of its node for {span(age)} ({message or reason})"
        return Sickness("node", field, value, sentence, "get pod {pod} -o wide")
    if text(pod, "status", "phase") == "Pending":
        return Sickness("pending", "status.phase", "Pending", f"never started, Pending for {span(age)}")
    lacking = [s for s in items(pod, "status", "containerStatuses") if s.get("ready") is not True]
    probed = {text(c, "name") for c in items(pod, "spec", "containers") if child(c, "readinessProbe")}
    unprobed = [text(s, "name") for s in lacking if text(s, "name") not in probed]
    if lacking and probed and len(unprobed) == len(lacking):
        sentence = f"container {unprobed[0]} is not ready for {span(age)}, and it has no readiness probe"
    else:
        sentence = f"unready for {span(age)}, and the readiness probe does not pass"
    return Sickness("probe", field, value, sentence + (f" ({message})" if message else ""))
