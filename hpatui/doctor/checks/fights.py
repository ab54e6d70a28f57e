"""Who interferes with an HPA: flapping loads, another writer of spec.replicas, a vertical autoscaler."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from hpatui.doctor.checks.base import Family, plural, span
from hpatui.doctor.checks.pods import event_time
from hpatui.doctor.fields import Json, child, items, name, namespace, number, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Sight, Subject, World

FLAPPING_WINDOW = 600.0
FLAPPING_CHANGES = 3  # changes of direction within the window
MOST_REPEATS = 50
CONTROLLERS = ("kube-controller-manager", "horizontal-pod-autoscaler")

_NEW_SIZE = re.compile(r"New size: (\d+);")
_COMBINED = "(combined from similar events): "


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
        _flapping(world, family, subject, events.objects)
        _second_writer(world, family, subject, _rescales(subject, events.objects))
        _vertical(family, subject, vpas.objects)
    for id_, title in (
        ("flapping", "steady direction"),
        ("second-writer", "one writer of spec.replicas"),
        ("vertical", "no vertical autoscaler on the same resource"),
    ):
        if not family.found(id_):
            family.ok(id_, title, f"{plural(len(world.subjects), 'HPA')} looked at")
    return family


def direction_changes(sizes: Sequence[int]) -> int:
    """How often a series of sizes turns from growing to shrinking or back."""
    steps = [b - a for a, b in pairwise(sizes) if a != b]
    return sum(1 for a, b in pairwise(steps) if (a > 0) != (b > 0))


def _flapping(world: World, family: Family, subject: Subject, events: Sequence[Json]) -> None:
    """Rescale events whose direction changes again and again within 10 minutes."""
    rescales = _rescales(subject, events)
    recent = [size for moment, size in rescales if world.now - moment <= FLAPPING_WINDOW]
    changes = direction_changes(recent)
    if changes < FLAPPING_CHANGES:
        return
    window = number(subject.hpa, "spec", "behavior", "scaleDown", "stabilizationWindowSeconds")
    family.warn(
        "flapping",
        "steady direction",
        subject.about,
        f"changed direction {changes} times in {span(FLAPPING_WINDOW)}: the target is close to what the load idles at, "
        "the window is too short, or start-up costs cpu",
        (
            Evidence(subject.about, "events SuccessfulRescale", " -> ".join(str(size) for size in recent[-12:])),
            Evidence(
                subject.about,
                "spec.behavior.scaleDown.stabilizationWindowSeconds",
                str(window) if window is not None else "absent",
            ),
        ),
        f"{subject.kubectl} patch hpa {subject.key.name} --type=merge -p "
        f'\'{{"spec":{{"behavior":{{"scaleDown":{{"stabilizationWindowSeconds":{max(300, 2 * (window or 0))}}}}}}}}}\'',
    )


def _rescales(subject: Subject, events: Sequence[Json]) -> list[tuple[float, int]]:
    """(time, size) of the HPA's rescales that its events tell, oldest first."""
    found: list[tuple[float, int]] = []
    for event in events:
        if text(event, "reason") != "SuccessfulRescale" or namespace(event) != subject.key.namespace:
            continue
        size = _NEW_SIZE.match(text(event, "message").removeprefix(_COMBINED))
        if size is not None and text(event, "involvedObject", "name") == subject.key.name:
            found += [(moment, int(size.group(1))) for moment in _moments(event)]
    return sorted(found)


def _moments(event: Json) -> list[float]:
    """When the event happened. Of an aggregated one only the first and last time and the count are told; the others are
    taken to lie evenly between.
    """
    last, first = event_time(event), time_of(event, "firstTimestamp")
    count = min(number(event, "count") or 1, MOST_REPEATS)
    if last is None or first is None or count < 2:
        return [] if last is None else [last]
    return [first + (last - first) * index / (count - 1) for index in range(count)]


def _second_writer(world: World, family: Family, subject: Subject, rescales: Sequence[tuple[float, int]]) -> None:
    """Somebody else writes spec.replicas: managedFields name who did since the last rescale; and an HPA that scales to
    one size again and again, and to no other, is set back in between.
    """
    scaled = time_of(subject.hpa, "status", "lastScaleTime")
    target = subject.target.first
    if target is None or scaled is None:
        return
    title = "one writer of spec.replicas"
    for manager, operation, moment in replica_writers(target):
        if manager in CONTROLLERS or moment is None or moment <= scaled + 1.0:
            continue
        family.warn(
            "second-writer",
            title,
            subject.about,
            f"{manager} set spec.replicas to {number(target, 'spec', 'replicas')} after the HPA's last rescale: "
            "the two overwrite each other",
            (
                Evidence(subject.reference, "metadata.managedFields", f"{manager} ({operation}) owns spec.replicas"),
                Evidence(subject.about, "status.lastScaleTime", f"{span(moment - scaled)} before that write"),
            ),
            f"leave spec.replicas out of what {manager} applies to {subject.reference}",
        )
        return
    recent = [size for moment, size in rescales if world.now - moment <= FLAPPING_WINDOW]
    if len(recent) < 2 or len(set(recent)) > 1:
        return
    others = sorted({manager for manager, _, _ in replica_writers(target) if manager not in CONTROLLERS})
    family.warn(
        "second-writer",
        title,
        subject.about,
        f"the HPA scaled to {plural(recent[0], 'replica')} {len(recent)} times in {span(FLAPPING_WINDOW)} "
        "and to nothing else: something sets spec.replicas back in between",
        (
            Evidence(subject.about, "events SuccessfulRescale", f"New size: {recent[0]}, {len(recent)} times"),
            *(Evidence(subject.reference, "metadata.managedFields", f"{name} wrote spec.replicas") for name in others),
        ),
        f"leave spec.replicas out of what is applied to {subject.reference} (GitOps tools, helm, kubectl apply)",
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
