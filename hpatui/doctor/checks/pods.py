"""What becomes of the pods that an HPA asked for: room, quota, start, readiness, traffic, rollouts.

Rows of the failure table: pods Pending (cluster full, quota), pods never ready (probe, image, crash), new pods get no
traffic, rollout and HPA at once.
"""

from __future__ import annotations

from hpatui.doctor.checks.base import Family, plural, span
from hpatui.doctor.fields import Json, amount, child, condition, items, name, namespace, number, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Sight, Subject, World

NOT_READY_AFTER = 60.0  # seconds that a pod may take to become ready before it is a finding
IDLE_SHARE = 0.1  # a pod below a tenth of the others' usage gets no traffic
IDLE_AFTER = 60.0
BUSY_SHARE = 0.2  # of the cpu request: below it nothing can be told about traffic
RECENT_EVENT = 900.0

_IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull")


async def check_pods(world: World) -> Family:
    """The whole family."""
    family = Family("pods")
    if not world.subjects:
        return family
    samples = await world.list("/apis/metrics.k8s.io/v1beta1", "pods", world.scope_namespace)
    usage = {(namespace(s), name(s)): _cpu(s) for s in samples.objects}
    for subject in world.subjects:
        if subject.target.sight is not Sight.READ:
            continue
        if subject.pods.sight is not Sight.READ:
            if not family.found("pods"):
                family.unseen("pods", "pods of the target", subject.pods, about=subject.about)
            continue
        await _quota(world, family, subject)
        _unschedulable(family, subject)
        stuck = _not_ready(world, family, subject)
        _traffic(world, family, subject, usage)
        if not stuck:
            _rollout(family, subject)
    for id_, title in (
        ("quota", "room in quotas"),
        ("unschedulable", "room on nodes"),
        ("not-ready", "pods become ready"),
        ("no-traffic", "traffic reaches all pods"),
        ("rollout", "no rollout meanwhile"),
    ):
        if not family.found(id_) and not family.found("pods"):
            family.ok(id_, title, f"{plural(sum(len(s.pods.objects) for s in world.subjects), 'pod')} looked at")
    return family


async def _quota(world: World, family: Family, subject: Subject) -> None:
    """FailedCreate: the ReplicaSet may not create a pod, mostly because of a ResourceQuota."""
    wanted = number(subject.target.first, "spec", "replicas") or 0
    if len(subject.live_pods()) >= wanted:
        return
    events = await world.events()
    if events.sight is not Sight.READ:
        family.unseen("quota", "room in quotas", events, about=subject.about)
        return
    refused = [e for e in events.objects if _is_refusal(world, subject, e)]
    if not refused:
        return
    last = max(refused, key=lambda e: event_time(e) or 0.0)
    message = text(last, "message")
    about = f"{text(last, 'involvedObject', 'kind')}/{subject.key.namespace}/{text(last, 'involvedObject', 'name')}"
    quotas = await world.list("/api/v1", "resourcequotas", subject.key.namespace)
    named = "exceeded quota" in message
    full = [q for q in quotas.objects if name(q) in message] if named else []
    reason = (
        "a ResourceQuota is used up, so no more pods can be created" if named else f"pods cannot be created: {message}"
    )
    family.fail(
        "quota",
        "room in quotas",
        subject.about,
        reason,
        (
            Evidence(about, "event FailedCreate", message),
            *(
                Evidence(
                    f"ResourceQuota/{namespace(q)}/{name(q)}",
                    f"status.used[{key}]",
                    f"{value} of {child(q, 'status', 'hard').get(key)}",
                )
                for q in full
                for key, value in child(q, "status", "used").items()
            ),
        ),
        f"{subject.kubectl} describe resourcequota",
    )


def _is_refusal(world: World, subject: Subject, event: Json) -> bool:
    if text(event, "reason") != "FailedCreate" or namespace(event) != subject.key.namespace:
        return False
    owner = text(event, "involvedObject", "name")
    moment = event_time(event)
    recent = moment is None or world.now - moment < RECENT_EVENT
    return recent and (owner == subject.target_name or owner.startswith(f"{subject.target_name}-"))


def event_time(event: Json) -> float | None:
    """When an event was seen last, whichever API wrote it."""
    for path in (("series", "lastObservedTime"), ("lastTimestamp",), ("eventTime",), ("metadata", "creationTimestamp")):
        moment = time_of(event, *path)
        if moment is not None:
            return moment
    return None


def _unschedulable(family: Family, subject: Subject) -> None:
    """Pending pods for which no node has room."""
    waiting = []
    for pod in subject.live_pods():
        scheduled = condition(pod, "PodScheduled")
        if text(scheduled, "status") == "False" and text(scheduled, "reason") == "Unschedulable":
            waiting.append((pod, text(scheduled, "message")))
    if not waiting:
        return
    pod, message = waiting[0]
    family.fail(
        "unschedulable",
        "room on nodes",
        subject.about,
        f"{plural(len(waiting), 'pod')} cannot be scheduled: {message or 'no node has room'}",
        (
            Evidence(
                f"Pod/{subject.key.namespace}/{name(pod)}",
                "status.conditions[PodScheduled]",
                f"False Unschedulable: {message}",
            ),
            Evidence(subject.reference, "pods Pending", str(len(waiting))),
        ),
        f"{subject.kubectl} describe pod {name(pod)}  # then add nodes or lower requests",
    )


def _not_ready(world: World, family: Family, subject: Subject) -> bool:
    """Pods that run and do not become ready: image, crash, probe. True if there are some."""
    sick: list[tuple[Json, str, str, str]] = []
    for pod in subject.live_pods():
        if text(condition(pod, "Ready"), "status") == "True":
            continue
        if text(condition(pod, "PodScheduled"), "reason") == "Unschedulable":
            continue
        found = _why_not_ready(world, pod)
        if found is not None:
            sick.append((pod, *found))
    if not sick:
        return False
    pod, _, _, reason = sick[0]
    follow = "logs" if "crash" in reason else "describe pod"
    tail = " --previous" if follow == "logs" else ""
    family.fail(
        "not-ready",
        "pods become ready",
        subject.about,
        f"{plural(len(sick), 'pod')} not ready: {reason}",
        tuple(Evidence(f"Pod/{subject.key.namespace}/{name(p)}", f, v) for p, f, v, _ in sick[:3]),
        f"{subject.kubectl} {follow} {name(pod)}{tail}",
    )
    return True


def _why_not_ready(world: World, pod: Json) -> tuple[str, str, str] | None:
    """(field, value, sentence) or None while a pod may still be starting."""
    for status in items(pod, "status", "containerStatuses"):
        who = text(status, "name")
        waiting = text(status, "state", "waiting", "reason")
        field = f"status.containerStatuses[{who}].state.waiting"
        if waiting in _IMAGE:
            return field, waiting, f"the image {text(status, 'image')} cannot be pulled"
        restarts = number(status, "restartCount") or 0
        if waiting in ("CrashLoopBackOff", "RunContainerError", "CreateContainerError", "CreateContainerConfigError"):
            word = "crashes" if waiting == "CrashLoopBackOff" else "cannot be started"
            return field, f"{waiting}, {restarts} restarts", f"container {who} {word} again and again"
    started = time_of(pod, "status", "startTime")
    age = world.now - started if started is not None else 0.0
    if age < NOT_READY_AFTER or text(pod, "status", "phase") != "Running":
        return None
    message = text(condition(pod, "Ready"), "message")
    return (
        "status.conditions[Ready]",
        f"False for {span(age)}",
        f"running for {span(age)}, and the readiness probe does not pass" + (f" ({message})" if message else ""),
    )


def _traffic(world: World, family: Family, subject: Subject, usage: dict[tuple[str, str], float]) -> None:
    """Ready pods that stay idle beside busy ones: clients keep their old connections."""
    measured = []
    for pod in subject.live_pods():
        ready = condition(pod, "Ready")
        since = time_of(ready, "lastTransitionTime")
        cpu = usage.get((namespace(pod), name(pod)))
        if text(ready, "status") == "True" and since is not None and cpu is not None:
            measured.append((cpu, since, pod))
    if len(measured) < 2:
        return
    busiest, oldest, busy = max(measured, key=lambda item: item[0])
    request = sum(
        amount(child(c, "resources", "requests").get("cpu")) or 0.0 for c in items(busy, "spec", "containers")
    )
    if not request or busiest < BUSY_SHARE * request:
        return
    idle = [
        (cpu, pod)
        for cpu, since, pod in measured
        if cpu < IDLE_SHARE * busiest and world.now - since > IDLE_AFTER and since > oldest
    ]
    if not idle:
        return
    family.warn(
        "no-traffic",
        "traffic reaches all pods",
        subject.about,
        f"{plural(len(idle), 'ready pod')} idle beside a busy one: clients keep their old connections, "
        "so new pods take no load off the old ones",
        (
            Evidence(f"PodMetrics/{subject.key.namespace}/{name(busy)}", "cpu", f"{busiest * 1000:.0f}m"),
            *(
                Evidence(f"PodMetrics/{subject.key.namespace}/{name(pod)}", "cpu", f"{cpu * 1000:.0f}m")
                for cpu, pod in idle[:3]
            ),
        ),
        "let clients or the server close connections now and then (max age), or balance by request, not by connection",
    )


def _cpu(sample: Json) -> float:
    return sum(amount(child(c, "usage").get("cpu")) or 0.0 for c in items(sample, "containers"))


def _rollout(family: Family, subject: Subject) -> None:
    """A Deployment that is rolling out: surge pods count as unready, and start-up costs cpu."""
    target = subject.target.first
    if (
        target is None
        or text(target, "kind") not in ("Deployment", "")
        or "progressDeadlineSeconds" not in child(target, "spec")
    ):
        return
    wanted = number(target, "spec", "replicas") or 0
    updated, total = number(target, "status", "updatedReplicas") or 0, number(target, "status", "replicas") or 0
    if not wanted or (updated >= wanted and total <= updated) or (updated == total and updated < wanted):
        return
    progressing = condition(target, "Progressing")
    family.warn(
        "rollout",
        "no rollout meanwhile",
        subject.about,
        f"a rollout is under way ({updated} of {wanted} updated): surge pods are unready and their start-up costs cpu, "
        "so what the HPA does now says little about the load",
        (
            Evidence(subject.reference, "status.updatedReplicas", f"{updated} of {wanted}, {total} in all"),
            Evidence(
                subject.reference,
                "status.conditions[Progressing]",
                f"{text(progressing, 'status')} {text(progressing, 'reason')}",
            ),
        ),
        f"{subject.kubectl} rollout status {subject.kind}/{subject.target_name}",
    )
