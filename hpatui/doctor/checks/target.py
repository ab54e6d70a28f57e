"""Does scaleTargetRef lead to something that can be scaled, and does the controller get through to it?"""

from __future__ import annotations

from difflib import get_close_matches

from hpatui.doctor.checks.base import Family
from hpatui.doctor.checks.metric import patch_of
from hpatui.doctor.fields import condition, name, namespace, number, text
from hpatui.doctor.report import Evidence
from hpatui.doctor.target import Problem, controller, owner_text
from hpatui.doctor.world import Sight, Subject, World

TITLE = "scale target"
_WHY_NO_SCALE = {
    "DaemonSet": "it runs one pod on each node",
    "Job": "it runs to an end; its parallelism is its own",
    "CronJob": "it starts Jobs by the clock",
    "Service": "it sends traffic to pods and owns none",
    "Pod": "it is one pod",
}


async def check_target(world: World, family: Family, subject: Subject) -> bool:
    """True if the HPA has a target that it can scale for good."""
    able = condition(subject.hpa, "AbleToScale")
    refused = text(able, "status") == "False" and text(able, "reason") in ("FailedGetScale", "FailedUpdateScale")
    problem = subject.found.problem
    if problem is Problem.UNSEEN and not refused:
        family.unseen("target", TITLE, subject.target, about=subject.about)
        return False
    if problem in (Problem.NONE, Problem.UNSEEN):
        if refused:
            _refused(family, subject)
            return False
        return not _owned(family, subject)
    reason, command = await _misled(world, subject, problem)
    family.fail("target", TITLE, subject.about, reason, _evidence(subject), command)
    return False


def _evidence(subject: Subject) -> tuple[Evidence, ...]:
    """What the HPA says, what the controller says of it, and what the API server answered to the look at the target."""
    reference = subject.hpa.get("spec", {}).get("scaleTargetRef", {})
    able = condition(subject.hpa, "AbleToScale")
    where = f"apiVersion {text(reference, 'apiVersion') or 'absent'}, kind {text(reference, 'kind') or 'absent'}, "
    found = [Evidence(subject.about, "spec.scaleTargetRef", where + f"name {text(reference, 'name') or 'absent'}")]
    if text(able, "reason"):
        said = f"{text(able, 'status')} {text(able, 'reason')}: {text(able, 'message')}"
        found.append(Evidence(subject.about, "status.conditions[AbleToScale]", said))
    look = subject.target
    if look.status == 200 and look.sight is Sight.MISSING:
        found.append(Evidence(look.path, "items", look.error))
    elif subject.found.problem is Problem.GONE:
        found.append(Evidence(look.path, "HTTP status", f"{look.status} {look.error}".strip()))
    elif subject.found.problem in (Problem.KIND, Problem.NO_SCALE):
        lacks = f"{subject.found.plural}/scale" if subject.found.plural else text(reference, "kind")
        base = look.path.split("/namespaces/", maxsplit=1)[0]
        found.append(Evidence(base, "resources", f"no {lacks}"))
    elif subject.found.problem is Problem.GROUP:
        found.append(Evidence("/apis", "groups", f"no {subject.found.group}"))
    return tuple(found)


async def _misled(world: World, subject: Subject, problem: Problem) -> tuple[str, str]:
    """(sentence, command) where the reference leads to nothing that can be scaled."""
    version, kind = subject.found.meant
    wrote = subject.hpa.get("spec", {}).get("scaleTargetRef", {})
    said, word = text(wrote, "apiVersion"), text(wrote, "kind")
    edit = f"{subject.kubectl} edit hpa {subject.key.name}  # spec.scaleTargetRef"
    if kind:
        edit = patch_of(subject, f'{{"spec":{{"scaleTargetRef":{{"apiVersion":"{version}","kind":"{kind}"}}}}}}')
    fits = f"; {version} has the kind {kind}" if kind else ""
    if problem is Problem.GROUP:
        return f"the target's apiVersion {said} is not served by this cluster{fits}", edit
    if problem is Problem.KIND:
        if not said:
            return f"scaleTargetRef has no apiVersion, and the core group has no kind {word}{fits}", edit
        return f"the target's kind is wrong: {said} has no kind {word}{fits}", edit
    if problem is Problem.NO_SCALE:
        real = subject.found.kind
        why = _WHY_NO_SCALE.get(real, "the API serves no scale of it")
        reason = f"a {real} has no scale ({why}), so no HPA can set its size"
        return reason, await _other_target(world, subject)
    alike = await _alike(world, subject)
    hint = f"; there is {alike}" if alike else ""
    if alike:
        edit = patch_of(subject, f'{{"spec":{{"scaleTargetRef":{{"name":"{alike}"}}}}}}')
    else:
        edit = f"{subject.kubectl} get {subject.kind}  # then correct spec.scaleTargetRef, or create it"
    return f"the target {subject.reference} does not exist{hint}", edit


async def _alike(world: World, subject: Subject) -> str:
    """The only object of the target's kind whose name is close to what was written."""
    base = f"/apis/{subject.found.group}/{subject.found.version}" if subject.found.group else "/api/v1"
    known = await world.list(base, subject.found.plural, subject.key.namespace)
    names = [name(obj) for obj in known.objects]
    close = get_close_matches(subject.target_name.strip(), names, n=2, cutoff=0.75)
    return close[0] if len(close) == 1 or (close and close[0] == subject.target_name.strip()) else ""


async def _other_target(world: World, subject: Subject) -> str:
    """A Deployment of the same name, which is mostly what was meant."""
    known = await world.list("/apis/apps/v1", "deployments", world.scope_namespace)
    for obj in known.objects:
        if name(obj) == subject.target_name and namespace(obj) == subject.key.namespace:
            return patch_of(
                subject, '{"spec":{"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment"}}}',
                f"the Deployment {name(obj)}",
            )  # fmt: skip
    note = "then point spec.scaleTargetRef to one of them, or delete the HPA"
    return f"{subject.kubectl} get deployments,statefulsets  # {note}"


def _refused(family: Family, subject: Subject) -> None:
    """The target is there, and the controller gets no answer, or may not write: its own words."""
    able = condition(subject.hpa, "AbleToScale")
    message = text(able, "message")
    if text(able, "reason") == "FailedUpdateScale":
        size = number(subject.hpa, "status", "desiredReplicas") or number(subject.hpa, "spec", "minReplicas") or 1
        reason = f"the controller computes a size and cannot set it: {_after(message)}"
        command = (
            f"{subject.kubectl} scale {subject.kind} {subject.target_name} --replicas={size} --dry-run=server"
            "  # asks the same of the API server: who refuses it?"
        )
    else:
        reason = f"the controller cannot read the target's scale: {_after(message)}"
        path = subject.target.path if subject.found.plural else ""
        single = f"{path.split('/namespaces/', maxsplit=1)[0]}/namespaces/{subject.key.namespace}"
        command = (
            f"kubectl get --raw {single}/{subject.found.plural}/{subject.target_name}/scale"
            if path
            else f"{subject.kubectl} describe hpa {subject.key.name}"
        )
    family.fail("target", TITLE, subject.about, reason, _evidence(subject), command)


def _after(message: str) -> str:
    """The part after the controller's own prefix."""
    for prefix in (
        "the HPA controller was unable to get the target's current scale: ",
        "the HPA controller was unable to update the target scale: ",
    ):
        message = message.removeprefix(prefix)
    return message


def _owned(family: Family, subject: Subject) -> bool:
    """The target belongs to another workload, which sets its size back: each rescale is undone at once."""
    owner = controller(subject.target.first)
    if owner is None or text(owner, "kind") not in ("Deployment", "ReplicaSet", "StatefulSet", "Rollout"):
        return False
    version, kind, named = text(owner, "apiVersion") or "apps/v1", text(owner, "kind"), text(owner, "name")
    patch = f'{{"spec":{{"scaleTargetRef":{{"apiVersion":"{version}","kind":"{kind}","name":"{named}"}}}}}}'
    family.fail(
        "target",
        TITLE,
        subject.about,
        f"the {subject.found.kind} {subject.target_name} belongs to {owner_text(owner)}, whose controller sets its size "
        f"back at once: every rescale is undone; the HPA must name the {kind}",
        (
            Evidence(subject.about, "spec.scaleTargetRef", f"{subject.found.kind} {subject.target_name}"),
            Evidence(subject.reference, "metadata.ownerReferences", f"{owner_text(owner)} (controller)"),
        ),
        patch_of(subject, patch),
    )
    return True
