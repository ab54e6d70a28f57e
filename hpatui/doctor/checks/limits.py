"""What holds an HPA back although it works: maxReplicas, minReplicas, rate policies, the stabilization window, and a
memory target that keeps pods.

None of these is broken; each is a warning with the number to change.
"""

from __future__ import annotations

from collections.abc import Mapping

from hpatui.doctor.checks.base import Family, plural, span
from hpatui.doctor.checks.metric import RESOURCES, metrics_of, patch_of, unreadable, wanted_replicas
from hpatui.doctor.checks.reach import REACH, SIZE, fixed_size, is_fixed, reachable
from hpatui.doctor.fields import Json, child, condition, items, number, text, time_of
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
        fixed_size(family, subject)
        if subject.found.served:
            reachable(family, subject)
        if text(condition(subject.hpa, "ScalingActive"), "status") != "True":
            continue
        if subject.about in stuck:
            cause = "its target is not right" if stuck[subject.about] == "target" else "its pods do not come"
            reason = f"{cause}, so nothing follows from what it wants"
            family.skip("at-max", "room up to maxReplicas", reason, about=subject.about, follows=stuck[subject.about])
            continue
        looked += 1
        if not is_fixed(subject):
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
    for id_, title in (SIZE, REACH):
        if not family.found(id_):
            family.ok(id_, title, f"{plural(len(world.subjects), 'HPA')} looked at")
    return family


def _limited(world: World, family: Family, subject: Subject) -> None:
    """TooManyReplicas, TooFewReplicas, ScaleUpLimit, ScaleDownLimit."""
    limited = condition(subject.hpa, "ScalingLimited")
    if text(limited, "status") != "True":
        return
    reason = text(limited, "reason")
    since = time_of(limited, "lastTransitionTime")
    lasted = world.now - since if since is not None else 0.0
    low, high = number(subject.hpa, "spec", "minReplicas") or 1, number(subject.hpa, "spec", "maxReplicas") or 1
    wants = wanted_replicas(subject)
    most = max(wants.values(), default=None)
    seen = (
        Evidence(subject.about, "status.conditions[ScalingLimited]", f"True {reason}: {text(limited, 'message')}"),
        *_values(subject),
    )
    edit = f"{subject.kubectl} patch hpa {subject.key.name} --type=merge -p"
    recalled = text(condition(subject.hpa, "AbleToScale"), "reason") == "ScaleDownStabilized"
    if reason == "TooManyReplicas" and not (recalled and most is not None and most <= high):
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
        _rate(family, subject, "scaleUp" if reason == "ScaleUpLimit" else "scaleDown", seen)


def _values(subject: Subject) -> tuple[Evidence, ...]:
    """What the status says of each metric, by its place."""
    return tuple(
        Evidence(
            subject.about,
            f"status.currentMetrics[{m.index}] ({m.label})",
            f"{_number(m.current)} of {_number(m.target)}",
        )
        for m in metrics_of(subject)
        if m.current is not None
    )


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _rate(family: Family, subject: Subject, direction: str, seen: tuple[Evidence, ...]) -> None:
    """A rate policy holds it back, or the direction is switched off."""
    word = "up" if direction == "scaleUp" else "down"
    where = f"spec.behavior.{direction}"
    if text(subject.hpa, "spec", "behavior", direction, "selectPolicy") == "Disabled":
        family.warn(
            "rate-limited",
            "scaling rate",
            subject.about,
            f"never scales {word}: {direction}.selectPolicy is Disabled",
            (*seen, Evidence(subject.about, f"{where}.selectPolicy", "Disabled")),
            patch_of(
                subject,
                f'{{"spec":{{"behavior":{{"{direction}":{{"selectPolicy":"Max"}}}}}}}}',
                f"if it shall scale {word}",
                deep=True,
            ),
        )
        return
    policies = _policies(subject.hpa, direction)
    family.warn(
        "rate-limited",
        "scaling rate",
        subject.about,
        f"scales {word} no faster than {policies}",
        (*seen, Evidence(subject.about, f"{where}.policies", policies)),
        f"{subject.kubectl} edit hpa {subject.key.name}  # {where}.policies",
    )


def _policies(hpa: Json, direction: str) -> str:
    rules = child(hpa, "spec", "behavior", direction)
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
    shorter = min(60, (DEFAULT_WINDOW if window is None else window) // 2)
    length = f"{window} s" if window is not None else f"{DEFAULT_WINDOW} s unless the controller's flag says otherwise"
    wants = max(wanted_replicas(subject).values(), default=None)
    desired = number(subject.hpa, "status", "desiredReplicas") or 0
    if desired <= (number(subject.hpa, "spec", "minReplicas") or 1):
        return  # there is nothing to come down to
    low = number(subject.hpa, "spec", "minReplicas")
    wanted = None if wants is None else max(wants, 1 if low is None else low)
    wish = f"wants {wanted} now, " if wanted is not None and wanted < desired else ""
    if text(subject.hpa, "spec", "behavior", "scaleDown", "selectPolicy") == "Disabled":
        ends = "; it does not come down afterwards either: scaleDown.selectPolicy is Disabled"
    elif unreadable(subject):
        ends = "; it does not come down afterwards either: a metric has no value"
    else:
        ends = "; it comes down by itself when that expires"
    family.warn(
        "held",
        "scale-down window",
        subject.about,
        f"{wish}held at {desired} by a recommendation of the last {length}{ends}",
        (
            Evidence(subject.about, "status.conditions[AbleToScale]", f"ScaleDownStabilized: {text(able, 'message')}"),
            Evidence(
                subject.about,
                "spec.behavior.scaleDown.stabilizationWindowSeconds",
                str(window) if window is not None else "absent",
            ),
        ),
        patch_of(
            subject,
            f'{{"spec":{{"behavior":{{"scaleDown":{{"stabilizationWindowSeconds":{shorter}}}}}}}}}',
            "if coming down sooner is safe",
            deep=True,
        ),
    )


def _memory_holds(family: Family, subject: Subject) -> None:
    """Memory alone asks for the present size, while the other metrics ask for fewer."""
    wants = wanted_replicas(subject)
    metrics = {metric.index: metric for metric in metrics_of(subject)}
    replicas = number(subject.hpa, "status", "currentReplicas") or 0
    low = number(subject.hpa, "spec", "minReplicas") or 1
    holding = [i for i in wants if metrics[i].type in RESOURCES and metrics[i].name == "memory"]
    others = [index for index in wants if index not in holding]
    if not holding or not others or replicas <= low:
        return
    memory = max(holding, key=lambda index: wants[index])
    most = max(others, key=lambda index: wants[index])
    if wants[memory] != replicas or wants[most] > replicas // 2:
        return
    metric = metrics[memory]
    field = "containerResource" if metric.container else "resource"
    current = child(items(subject.hpa, "status", "currentMetrics")[memory], field, "current")
    value = text(current, "averageValue") or "unknown"
    goal = text(subject.metrics[memory], field, "target", "averageValue") or f"{metric.target:g} %"
    family.warn(
        "memory-holds",
        "memory target",
        subject.about,
        f"{metrics[most].label} asks for {wants[most]}, but {metric.label} keeps {replicas} replicas: {value} on each "
        f"against {goal}; an application that does not give memory back never scales down on it",
        (
            Evidence(subject.about, f"status.currentMetrics[{memory}].{field}.current.averageValue", value),
            Evidence(subject.about, f"spec.metrics[{memory}].{field}.target", goal),
            Evidence(subject.about, "status.currentReplicas", str(replicas)),
        ),
        f"{subject.kubectl} edit hpa {subject.key.name}  # drop the memory metric or raise its target",
    )
