"""What an HPA can never do, whatever the load: a size that is fixed, a target that no usage reaches."""

from __future__ import annotations

from hpatui.doctor.checks.base import Family
from hpatui.doctor.checks.metric import RESOURCES, TOLERANCE, Metric, metrics_of, patch_of
from hpatui.doctor.checks.requests import limit_of, request_of
from hpatui.doctor.fields import Json, child, number
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Subject

SIZE = ("size-fixed", "room between minReplicas and maxReplicas")
REACH = ("reachable", "targets within the limits of the pods")


def is_fixed(subject: Subject) -> bool:
    """Whether the HPA has one size only."""
    low, high = number(subject.hpa, "spec", "minReplicas"), number(subject.hpa, "spec", "maxReplicas")
    return high is not None and (1 if low is None else low) >= high


def fixed_size(family: Family, subject: Subject) -> None:
    """minReplicas = maxReplicas: it computes at every sync and can never scale."""
    if not is_fixed(subject):
        return
    high = number(subject.hpa, "spec", "maxReplicas") or 1
    low = number(subject.hpa, "spec", "minReplicas")
    family.warn(
        *SIZE,
        subject.about,
        f"minReplicas = maxReplicas = {high}: it computes a size at every sync and can never scale",
        (
            Evidence(subject.about, "spec.minReplicas", "absent (1)" if low is None else str(low)),
            Evidence(subject.about, "spec.maxReplicas", str(high)),
        ),
        patch_of(subject, f'{{"spec":{{"maxReplicas":{2 * high}}}}}', "or a smaller minReplicas, or no HPA"),
    )


def reachable(family: Family, subject: Subject) -> None:
    """Limits so low that usage can never pass the target (and its tolerance), so it never scales up on it."""
    pod = next(iter(subject.live_pods()), None)
    spec = child(pod, "spec") if pod is not None else child(subject.target.first, "spec", "template", "spec")
    for metric in metrics_of(subject):
        if metric.type not in RESOURCES or not metric.target:
            continue
        request = request_of(spec, metric.name, metric.container)
        limit = limit_of(spec, metric.name, metric.container)
        if limit is None:
            continue
        if metric.target_type == "Utilization":
            most = 100 * limit / request if request else None
            shown, goal = f"{most:.0f} % of the request" if most is not None else "", f"{metric.target:.0f} %"
        else:
            most, shown, goal = limit, f"{_text(metric, limit)} a pod", _text(metric, metric.target)
        if most is not None and most <= metric.target * (1 + TOLERANCE) * (1 - 1e-9):
            _unreachable(family, subject, metric, spec, most, shown, goal)


def _unreachable(
    family: Family, subject: Subject, metric: Metric, spec: Json, most: float, shown: str, goal: str
) -> None:
    edge = "target" if most < (metric.target or 0) else "target and its tolerance"
    resource = metric.name
    wanted = max(1, int(most * 0.7)) if metric.target_type == "Utilization" else None
    where = "containerResource" if metric.container else "resource"
    path = f"spec.metrics[{metric.index}].{where}.target"
    command = f"{subject.kubectl} edit hpa {subject.key.name}  # {path}, or raise the {resource} limit"
    if wanted is not None and subject.metrics and subject.version in ("v2", "v2beta2"):
        field = f"/spec/metrics/{metric.index}/{where}/target/averageUtilization"
        patch = (
            f'[{{"op":"test","path":"{field}","value":{metric.target:.0f}}},'
            f'{{"op":"replace","path":"{field}","value":{wanted}}}]'
        )
        command = (
            f"{subject.kubectl} patch hpa {subject.key.name} --type=json -p '{patch}'  # or raise the {resource} limit"
        )
    family.warn(
        *REACH,
        subject.about,
        f"{metric.label} can be at most {shown} (the {resource} limit), and the target is {goal}: "
        f"it can never pass its {edge}, so it never scales up on it",
        (
            Evidence(subject.about, path, goal),
            Evidence(
                subject.reference, f"resources.limits.{resource}", _quantity(limit_of(spec, resource, metric.container))
            ),
            Evidence(
                subject.reference,
                f"resources.requests.{resource}",
                _quantity(request_of(spec, resource, metric.container)),
            ),
        ),
        command,
    )


def _quantity(value: float | None) -> str:
    if value is None:
        return "absent"
    return f"{value * 1000:.0f}m" if value < 1000 else f"{value:.0f}"


def _text(metric: Metric, value: float) -> str:
    if metric.name == "cpu":
        return f"{value * 1000:.0f}m"
    for size, unit in ((2**30, "Gi"), (2**20, "Mi"), (2**10, "Ki")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + unit
    return f"{value:.0f}"
