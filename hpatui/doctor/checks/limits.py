"""What holds an HPA back although it works: maxReplicas, minReplicas, rate policies, the stabilization window, and a
memory target that keeps pods.

None of these is broken; each is a warning with the number to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from hpatui.doctor.checks.base import Family, plural, span
from hpatui.doctor.fields import Json, amount, child, condition, items, number, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Subject, World

FLOOR_FOR = 1800.0  # seconds at minReplicas before the floor is worth a word
DEFAULT_WINDOW = 300


def check_limits(world: World, stuck: Mapping[str, str]) -> Family:
    """The whole family, from the HPAs' own status. `stuck`: HPAs whose pods do not come, with the check that says so:
    what such an HPA wants in vain follows from that.
    """
    family = Family("limits")
    if not world.subjects:
        return family
    looked = 0
    for subject in world.subjects:
        if text(condition(subject.hpa, "ScalingActive"), "status") != "True":
            continue
        if subject.about in stuck:
            reason = "its pods do not come, so nothing follows from what it wants"
            family.skip("at-max", "room up to maxReplicas", reason, about=subject.about, follows=stuck[subject.about])
            continue
        looked += 1
        _limited(world, family, subject)
        _held(family, subject)
        _memory_holds(family, subject)
    for id_, title in (
        ("at-max", "room up to maxReplicas"),
        ("at-min", "minReplicas"),
        ("rate-limited", "scaling rate"),
        ("held", "scale-down window"),
        ("memory-holds", "memory target"),
    ):
        if not family.found(id_) and looked:
            family.ok(id_, title, f"{plural(looked, 'HPA')} looked at")
        elif not family.found(id_):
            family.skip(id_, title, "no HPA here computes a size now")
    return family


def wanted_replicas(hpa: Json) -> dict[str, int]:
    """For each Resource metric with a current value in the status, roughly how many replicas it asks for."""
    replicas = number(hpa, "status", "currentReplicas") or 0
    specs = {_metric_name(m): m for m in items(hpa, "spec", "metrics")}
    found: dict[str, int] = {}
    for current in items(hpa, "status", "currentMetrics"):
        label = _metric_name(current)
        ratio = _ratio(specs.get(label, {}), current)
        if ratio is not None and replicas:
            found[label] = replicas if abs(ratio - 1) <= 0.1 else max(0, ceil(ratio * replicas))
    return found


def _metric_name(metric: Json) -> str:
    source = child(metric, "resource") or child(metric, "containerResource")
    container = text(source, "container")
    return f"{text(source, 'name')} of {container}" if container else text(source, "name")


def _ratio(spec: Json, current: Json) -> float | None:
    target = child(child(spec, "resource") or child(spec, "containerResource"), "target")
    now = child(child(current, "resource") or child(current, "containerResource"), "current")
    wanted = number(target, "averageUtilization")
    seen = number(now, "averageUtilization")
    if wanted and seen is not None:
        return seen / wanted
    goal, value = amount(target.get("averageValue")), amount(now.get("averageValue"))
    return value / goal if goal and value is not None else None


def _limited(world: World, family: Family, subject: Subject) -> None:
    """TooManyReplicas, TooFewReplicas, ScaleUpLimit, ScaleDownLimit."""
    limited = condition(subject.hpa, "ScalingLimited")
    if text(limited, "status") != "True":
        return
    reason = text(limited, "reason")
    since = time_of(limited, "lastTransitionTime")
    lasted = world.now - since if since is not None else 0.0
    low, high = number(subject.hpa, "spec", "minReplicas") or 1, number(subject.hpa, "spec", "maxReplicas") or 1
    wants = wanted_replicas(subject.hpa)
    most = max(wants.values(), default=None)
    seen = (
        Evidence(subject.about, "status.conditions[ScalingLimited]", f"True {reason} for {span(lasted)}"),
        *(
            Evidence(subject.about, f"status.currentMetrics[{name}] asks for", plural(count, "replica"))
            for name, count in wants.items()
        ),
    )
    edit = f"{subject.kubectl} patch hpa {subject.key.name} --type=merge -p"
    if reason == "TooManyReplicas" and (most is None or most >= high):
        wish = f"wants {most} replicas and " if most is not None and most > high else ""
        raised = max(most or 0, high + 1)
        family.warn(
            "at-max",
            "room up to maxReplicas",
            subject.about,
            f"{wish}may not go above maxReplicas {high}, for {span(lasted)}",
            (*seen, Evidence(subject.about, "spec.maxReplicas", str(high))),
            f'{edit} \'{{"spec":{{"maxReplicas":{raised}}}}}\'  # or make the pods larger',
        )
    elif reason == "TooFewReplicas" and lasted >= FLOOR_FOR:
        family.warn(
            "at-min",
            "minReplicas",
            subject.about,
            f"has wanted fewer than minReplicas {low} for {span(lasted)}: the floor costs more than the load needs",
            (*seen, Evidence(subject.about, "spec.minReplicas", str(low))),
            f'{edit} \'{{"spec":{{"minReplicas":{max(1, most or 1)}}}}}\'',
        )
    elif reason in ("ScaleUpLimit", "ScaleDownLimit"):
        direction = "scaleUp" if reason == "ScaleUpLimit" else "scaleDown"
        policies = _policies(subject.hpa, direction)
        word = "up" if direction == "scaleUp" else "down"
        family.warn(
            "rate-limited",
            "scaling rate",
            subject.about,
            f"scales {word} no faster than {policies}",
            (*seen, Evidence(subject.about, f"spec.behavior.{direction}.policies", policies)),
            f"{subject.kubectl} edit hpa {subject.key.name}  # spec.behavior.{direction}.policies",
        )


def _policies(hpa: Json, direction: str) -> str:
    rules = child(hpa, "spec", "behavior", direction)
    if text(rules, "selectPolicy") == "Disabled":
        return "not at all (selectPolicy Disabled)"
    shown = [
        f"{f'{count} %' if p.get('type') == 'Percent' else plural(count, 'pod')} every {number(p, 'periodSeconds')} s"
        for p in items(rules, "policies")
        for count in [number(p, "value") or 0]
    ]
    if shown:
        return (" and " if text(rules, "selectPolicy") == "Min" else " or ").join(shown)
    return "twice the size or 4 pods at a time" if direction == "scaleUp" else "the default policy allows"


def _held(family: Family, subject: Subject) -> None:
    """ScaleDownStabilized: a higher recommendation of the last minutes still holds."""
    able = condition(subject.hpa, "AbleToScale")
    if text(able, "reason") != "ScaleDownStabilized":
        return
    window = number(subject.hpa, "spec", "behavior", "scaleDown", "stabilizationWindowSeconds")
    length = f"{window} s" if window is not None else f"{DEFAULT_WINDOW} s unless the controller's flag says otherwise"
    wants = max(wanted_replicas(subject.hpa).values(), default=None)
    desired = number(subject.hpa, "status", "desiredReplicas") or 0
    if desired <= (number(subject.hpa, "spec", "minReplicas") or 1):
        return  # there is nothing to come down to
    wish = f"wants {wants} now, " if wants is not None and wants < desired else ""
    family.warn(
        "held",
        "scale-down window",
        subject.about,
        f"{wish}held at {desired} by a recommendation of the last {length}; it comes down by itself when that expires",
        (
            Evidence(subject.about, "status.conditions[AbleToScale]", f"ScaleDownStabilized: {text(able, 'message')}"),
            Evidence(
                subject.about,
                "spec.behavior.scaleDown.stabilizationWindowSeconds",
                str(window) if window is not None else "absent",
            ),
        ),
        f"{subject.kubectl} patch hpa {subject.key.name} --type=merge -p "
        '\'{"spec":{"behavior":{"scaleDown":{"stabilizationWindowSeconds":60}}}}\'  # if coming down sooner is safe',
    )


def _memory_holds(family: Family, subject: Subject) -> None:
    """Memory alone asks for the present size, while the other metrics ask for fewer."""
    wants = wanted_replicas(subject.hpa)
    replicas = number(subject.hpa, "status", "currentReplicas") or 0
    low = number(subject.hpa, "spec", "minReplicas") or 1
    others = [count for name, count in wants.items() if not name.startswith("memory")]
    memory = next((count for name, count in wants.items() if name.startswith("memory")), None)
    if memory is None or not others or replicas <= low or memory != replicas or max(others) > replicas // 2:
        return
    current = next(
        (m for m in items(subject.hpa, "status", "currentMetrics") if _metric_name(m).startswith("memory")), {}
    )
    value = text(current, "resource", "current", "averageValue") or "unknown"
    target = next((m for m in items(subject.hpa, "spec", "metrics") if _metric_name(m).startswith("memory")), {})
    goal = (
        text(target, "resource", "target", "averageValue")
        or f"{number(target, 'resource', 'target', 'averageUtilization')} %"
    )
    family.warn(
        "memory-holds",
        "memory target",
        subject.about,
        f"cpu asks for {max(others)}, but memory keeps {replicas} replicas: {value} on each against {goal}; "
        "an application that does not give memory back never scales down on it",
        (
            Evidence(subject.about, "status.currentMetrics[memory].averageValue", value),
            Evidence(subject.about, "spec.metrics[memory].target", goal),
            Evidence(subject.about, "status.currentReplicas", str(replicas)),
        ),
        f"{subject.kubectl} edit hpa {subject.key.name}  # drop the memory metric or raise its target",
    )
