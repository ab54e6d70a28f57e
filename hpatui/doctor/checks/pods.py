"""What becomes of the pods that an HPA asked for: room, quota, start, readiness, traffic, rollouts.

Rows of the failure table: pods Pending (cluster full, quota), pods never ready (probe, image, crash), new pods get no
traffic, rollout and HPA at once.
"""

from __future__ import annotations

from hpatui.doctor.checks.base import Family, plural
from hpatui.doctor.checks.events import event_time
from hpatui.doctor.checks.metrics import RESOURCE_GROUP, usage_version
from hpatui.doctor.checks.requests import request_of
from hpatui.doctor.checks.sickness import Sickness, why_not_ready
from hpatui.doctor.fields import Json, amount, child, condition, items, name, namespace, number, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Sight, Subject, World

IDLE_SHARE = 0.1  # a pod below a tenth of the others' usage gets no traffic
IDLE_AFTER = 60.0
BUSY_SHARE = 0.2  # of the cpu request: below it nothing can be told about traffic
RECENT_EVENT = 900.0


async def check_pods(world: World) -> Family:
    """The whole family."""
    family = Family("pods")
    if not world.subjects:
        return family
    samples = await world.list(f"/apis/{RESOURCE_GROUP}/{await usage_version(world)}", "pods", world.scope_namespace)
    usage = {(namespace(s), name(s)): _cpu(s) for s in samples.objects}
    looked = 0
    for subject in world.subjects:
        if not subject.found.served or subject.found.selects() is None:
            continue
        if subject.pods.sight is not Sight.READ:
            if not family.found("pods"):
                family.unseen("pods", "pods of the target", subject.pods, about=subject.about)
            continue
        looked += len(subject.live_pods())
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
        if family.found(id_) or family.found("pods"):
            continue
        if looked:
            family.ok(id_, title, f"{plural(looked, 'pod')} looked at")
        else:
            family.skip(id_, title, "no pod to look at: none belongs to the targets of these HPAs")
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
    """Pods that do not become ready: one finding for each cause. True if there are some."""
    causes: dict[str, list[tuple[Json, Sickness]]] = {}
    for pod in subject.live_pods():
        found = why_not_ready(world.now, pod)
        if found is not None:
            causes.setdefault(found.cause, []).append((pod, found))
    for sick in causes.values():
        pod, found = sick[0]
        pending = sum(1 for p, _ in sick if text(p, "status", "phase") == "Pending")
        counts = (
            "; for the HPA it is unready: 0 on the way up, left out on the way down"
            if pending == 1 and len(sick) == 1
            else "; for the HPA they are unready: 0 on the way up, left out on the way down"
        )
        family.fail(
            "not-ready",
            "pods become ready",
            subject.about,
            f"{plural(len(sick), 'pod')} not ready: {found.sentence}{counts if pending else ''}",
            tuple(Evidence(f"Pod/{subject.key.namespace}/{name(p)}", f.field, f.value) for p, f in sick[:3]),
            f"{subject.kubectl} {found.verb.format(pod=name(pod))}",
        )
    return bool(causes)


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
    request = request_of(child(busy, "spec"), "cpu", "") or 0.0
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
