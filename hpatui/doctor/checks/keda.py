"""HPAs that KEDA made: which ScaledObject, and what it says that the HPA does not, where it may be read."""

from __future__ import annotations

from hpatui.autoscaler.keda import facts_of, is_paused, scaled_object, told
from hpatui.doctor.checks.base import Family
from hpatui.doctor.checks.metric import metrics_of
from hpatui.doctor.fields import child, items, text
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Sight, Subject, World

KEDA = ("keda", "KEDA's ScaledObject")


async def check_keda(world: World) -> Family:
    """The whole family: nothing where no HPA is KEDA's."""
    family = Family("keda")
    for subject in world.subjects:
        owners = [
            (text(owner, "kind"), text(owner, "name")) for owner in items(subject.hpa, "metadata", "ownerReferences")
        ]
        labels = {str(key): str(value) for key, value in child(subject.hpa, "metadata", "labels").items()}
        name = scaled_object(labels, owners)
        if name:
            await _look(world, family, subject, name)
    return family


async def _look(world: World, family: Family, subject: Subject, name: str) -> None:
    about = told(name, (metric.name for metric in metrics_of(subject)))
    reading = await world.object(f"/apis/keda.sh/v1alpha1/namespaces/{subject.key.namespace}/scaledobjects/{name}")
    if reading.sight is not Sight.READ:
        reason = (
            f"{about}; the ScaledObject itself could not be read, so its pause, cooldown and cron windows are not known"
        )
        family.skip(*KEDA, reason, about=subject.about)
        return
    found = reading.first or {}
    facts = facts_of(found)
    about_it = f"ScaledObject/{subject.key.namespace}/{name}"
    evidence = (Evidence(about_it, "spec and annotations", "; ".join(facts) or "plain"),)
    reason = "; ".join((about, *facts))
    if is_paused(found):
        family.warn(*KEDA, subject.about, reason, evidence, f"{subject.kubectl} get scaledobject {name} -o yaml")
    else:
        family.ok(*KEDA, reason, evidence)
