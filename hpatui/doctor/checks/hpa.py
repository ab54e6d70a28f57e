"""What the HPA itself says: is there a controller, is the target there, are the pods its own, can it read its metrics.

Rows of the failure table: nothing in status, FailedGetScale, AmbiguousSelector, ScalingDisabled, missing requests,
custom or external metric missing, `<unknown>`.
"""

from __future__ import annotations

from collections import Counter

from hpatui.doctor.checks.base import Family, plural, span
from hpatui.doctor.checks.readable import check_readable
from hpatui.doctor.checks.selected import FOREIGN, check_foreign, check_selector, clashes_of
from hpatui.doctor.checks.target import check_target
from hpatui.doctor.fields import condition, items, number, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Sight, Subject, World

NO_STATUS_AFTER = 60.0  # two sync periods of the slowest usual setting


async def check_hpas(world: World, broken: set[str]) -> Family:
    """The whole family. `broken` holds the ids of what failed in the metrics pipeline."""
    family = Family("HPA")
    if world.hpas.sight is not Sight.READ:
        family.unseen("hpas", "HPAs", world.hpas)
        return family
    if not world.subjects and world.only is not None:
        about = f"HorizontalPodAutoscaler/{world.only}"
        family.fail(
            "hpas",
            "HPAs",
            about,
            "there is no such HPA",
            (Evidence(world.hpas.path, "items", f"no {world.only.name}"),),
            f"kubectl -n {world.only.namespace} get hpa",
        )
        return family
    if not world.subjects:
        family.skip("hpas", "HPAs", f"no HPA in {world.scope}")
        return family
    clashes = clashes_of(world)
    events = await world.events()
    looked = Counter[str]()
    for subject in world.subjects:
        looked["controller"] += 1
        if not _controller(world, family, subject):
            continue
        looked["target"] += 1
        if not await check_target(world, family, subject):
            continue
        looked["selector"] += 1
        if check_selector(family, subject, clashes):
            continue
        looked["disabled"] += 1
        if _disabled(family, subject):
            continue
        for id_ in ("requests", "metrics", "foreign-pods"):
            looked[id_] += 1
        blinded = check_foreign(family, subject)
        check_readable(family, subject, broken, events.objects, foreign=blinded)
    for id_, title in (
        ("controller", "HPA controller"),
        ("target", "scale target"),
        ("selector", "pods of one HPA only"),
        ("disabled", "scaling switched on"),
        ("foreign-pods", FOREIGN),
        ("requests", "resource requests"),
        ("metrics", "metrics of the HPA"),
    ):
        if not family.found(id_) and looked[id_]:
            family.ok(id_, title, f"{plural(looked[id_], 'HPA')} looked at")
        elif not family.found(id_):
            family.skip(id_, title, "nothing to look at, because of what was found before")
    return family


def _controller(world: World, family: Family, subject: Subject) -> bool:
    """Nothing in the status after two sync periods: no controller works on it."""
    if items(subject.hpa, "status", "conditions"):
        return True
    created = time_of(subject.hpa, "metadata", "creationTimestamp")
    age = world.now - created if created is not None else NO_STATUS_AFTER + 1
    if age <= NO_STATUS_AFTER:
        family.skip("controller", "HPA controller", f"only {span(age)} old, no status yet", about=subject.about)
        return False
    family.fail(
        "controller",
        "HPA controller",
        subject.about,
        f"{span(age)} old and still without a status: the HPA controller does not run, or cannot write",
        (Evidence(subject.about, "status.conditions", "absent"),),
        "kubectl -n kube-system get pods -l component=kube-controller-manager",
    )
    return False


def _disabled(family: Family, subject: Subject) -> bool:
    """ScalingDisabled: the target has 0 replicas."""
    active = condition(subject.hpa, "ScalingActive")
    if text(active, "reason") != "ScalingDisabled":
        return False
    replicas = number(subject.target.first, "spec", "replicas")
    low = number(subject.hpa, "spec", "minReplicas") or 1
    family.warn(
        "disabled",
        "scaling switched on",
        subject.about,
        "the target has 0 replicas, which switches the HPA off until someone scales it up",
        (
            Evidence(subject.reference, "spec.replicas", str(replicas if replicas is not None else 0)),
            Evidence(subject.about, "status.conditions[ScalingActive]", "False ScalingDisabled"),
        ),
        f"{subject.kubectl} scale {subject.kind} {subject.target_name} --replicas={low}",
    )
    return True
