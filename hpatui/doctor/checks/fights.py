"""Who interferes with an HPA: flapping loads, another writer of spec.replicas, a vertical autoscaler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hpatui.doctor.checks.base import Family, plural, span
from hpatui.doctor.checks.metric import patch_of
from hpatui.doctor.checks.rescales import Rescale, contradictions, direction_changes, rescales_of
from hpatui.doctor.fields import Json, child, items, name, namespace, number, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.target import controller, owner_text
from hpatui.doctor.world import Sight, Subject, World

FLAPPING_WINDOW = 600.0
FLAPPING_CHANGES = 3  # changes of direction within the window
PROOF_WINDOW = 3600.0  # events are kept for an hour
DEFAULT_WINDOW = 300
WRITER = "one writer of spec.replicas"
CONTROLLERS = ("kube-controller-manager", "horizontal-pod-autoscaler")


async def check_fights(world: World) -> Family:
    """The whole family."""
    family = Family("others")
    if not world.subjects:
        return family
    events = await world.events()
    vpas = await world.list("/apis/autoscaling.k8s.io/v1", "verticalpodautoscalers", world.scope_namespace)
    if events.sight is not Sight.READ:
        family.unseen("flapping", "steady direction", events)
    for subject in world.subjects:
        rescales = rescales_of(subject, events.objects)
        _flapping(world, family, subject, rescales)
        _second_writer(world, family, subject, rescales)
        _vertical(family, subject, vpas.objects)
    for id_, title in (
        ("flapping", "steady direction"),
        ("second-writer", WRITER),
        ("vertical", "no vertical autoscaler on the same resource"),
    ):
        if not family.found(id_):
            family.ok(id_, title, f"{plural(len(world.subjects), 'HPA')} looked at")
    return family


def _flapping(world: World, family: Family, subject: Subject, rescales: Sequence[Rescale]) -> None:
    """The HPA's own rescales turn from up to down and back again and again within 10 minutes."""
    recent = [rescale for rescale in rescales if world.now - rescale.time <= FLAPPING_WINDOW]
    changes = direction_changes(recent)
    if changes < FLAPPING_CHANGES:
        return
    window = number(subject.hpa, "spec", "behavior", "scaleDown", "stabilizationWindowSeconds")
    longer = min(3600, 2 * (DEFAULT_WINDOW if window is None else max(window, 150)))
    family.warn(
        "flapping",
        "steady direction",
        subject.about,
        f"changed direction {changes} times in {span(FLAPPING_WINDOW)}: the target is close to what the load idles at, "
        "the window is too short, or start-up costs cpu",
        (
            Evidence(subject.about, "events SuccessfulRescale", " -> ".join(str(r.size) for r in recent[-12:])),
            Evidence(
                subject.about,
                "spec.behavior.scaleDown.stabilizationWindowSeconds",
                str(window)
                if window is not None
                else f"absent ({DEFAULT_WINDOW} unless the controller's flag differs)",
            ),
        ),
        patch_of(
            subject, f'{{"spec":{{"behavior":{{"scaleDown":{{"stabilizationWindowSeconds":{longer}}}}}}}}}', deep=True
        ),
    )


def _second_writer(world: World, family: Family, subject: Subject, rescales: Sequence[Rescale]) -> None:
    """Somebody else writes spec.replicas: managedFields name who did since the last rescale; and rescales of the HPA
    that do not fit together prove that something changed the size in between.
    """
    scaled = time_of(subject.hpa, "status", "lastScaleTime")
    target = subject.target.first
    if target is None or scaled is None:
        return
    owner = controller(target)
    if owner is not None:
        reason = f"its target belongs to {owner_text(owner)}, whose controller sets the size back"
        family.skip("second-writer", WRITER, reason, about=subject.about, follows="target")
        return
    look = f"{subject.kubectl} get {subject.kind} {subject.target_name} -o yaml --show-managed-fields  # "
    for manager, operation, moment in replica_writers(target):
        if manager in CONTROLLERS or moment is None or moment <= scaled + 1.0:
            continue
        family.warn(
            "second-writer",
            WRITER,
            subject.about,
            f"{manager} set spec.replicas to {number(target, 'spec', 'replicas')} after the HPA's last rescale: "
            "the two overwrite each other",
            (
                Evidence(
                    subject.reference, "metadata.managedFields", f"{manager} ({operation}) owns f:spec.f:replicas"
                ),
                Evidence(subject.about, "status.lastScaleTime", f"{span(moment - scaled)} before that write"),
            ),
            f"{look}leave spec.replicas out of what {manager} applies",
        )
        return
    recent = [rescale for rescale in rescales if world.now - rescale.time <= PROOF_WINDOW]
    count, pair = contradictions(recent)
    if not count or pair is None:
        return
    others = sorted({manager for manager, _, _ in replica_writers(target) if manager not in CONTROLLERS})
    same = pair[0].size == pair[1].size
    sizes = f"{pair[0].size} again and again" if same else f"{pair[0].size} and then to {pair[1].size}"
    word, turned = ("up", "lowered") if pair[0].up else ("down", "raised")
    family.warn(
        "second-writer",
        WRITER,
        subject.about,
        f"the HPA scaled {word} to {sizes}, and not the other way in between: "
        f"something else {turned} spec.replicas {'once' if count == 1 else f'at least {count} times'} meanwhile; "
        "this is no flapping, and a longer window does not help",
        (
            Evidence(
                subject.about,
                "events SuccessfulRescale",
                ", ".join(f"{r.size} ({'up' if r.up else 'down'})" for r in recent[-8:]),
            ),
            *(
                Evidence(subject.reference, "metadata.managedFields", f"{name} owns f:spec.f:replicas")
                for name in others
            ),
        ),
        f"{look}leave spec.replicas out of what is applied (GitOps tools, helm, kubectl apply)",
    )


def replica_writers(target: Json) -> list[tuple[str, str, float | None]]:
    """(manager, operation, time) of each owner of spec.replicas."""
    found: list[tuple[str, str, float | None]] = []
    for entry in items(target, "metadata", "managedFields"):
        spec: Any = child(entry, "fieldsV1", "f:spec")
        if "f:replicas" in spec:
            found.append((text(entry, "manager"), text(entry, "operation"), time_of(entry, "time")))
    return found


def _vertical(family: Family, subject: Subject, vpas: Sequence[Json]) -> None:
    """A VerticalPodAutoscaler that changes requests of the same target moves the HPA's utilization with them."""
    resources = {
        text(source, "name")
        for metric in items(subject.hpa, "spec", "metrics")
        for source in (child(metric, "resource"), child(metric, "containerResource"))
        if text(source, "target", "type") == "Utilization"
    }
    for vpa in vpas:
        reference = child(vpa, "spec", "targetRef")
        same = text(reference, "name") == subject.target_name and namespace(vpa) == subject.key.namespace
        mode = text(vpa, "spec", "updatePolicy", "updateMode") or "Auto"
        if not same or mode == "Off" or not resources:
            continue
        family.warn(
            "vertical",
            "no vertical autoscaler on the same resource",
            subject.about,
            f"VerticalPodAutoscaler {name(vpa)} changes the requests that this HPA's utilization is a share of",
            (
                Evidence(
                    f"VerticalPodAutoscaler/{subject.key.namespace}/{name(vpa)}", "spec.updatePolicy.updateMode", mode
                ),
                Evidence(subject.about, "spec.metrics", ", ".join(sorted(resources))),
            ),
            f"{subject.kubectl} edit vpa {name(vpa)}  # controlledResources, or updateMode Off",
        )
