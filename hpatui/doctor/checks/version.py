"""What the cluster's version of Kubernetes cannot do that an HPA or its pods ask for.

Rules by version: autoscaler/rules.py. What an API server drops on write is no longer in the object; what was applied still
tells it (the annotation that `kubectl apply` leaves).
"""

from __future__ import annotations

import json

from hpatui.autoscaler.rules import fact
from hpatui.doctor.checks.base import Family, plural
from hpatui.doctor.checks.metric import metrics_of
from hpatui.doctor.checks.requests import counted
from hpatui.doctor.fields import Json, child, name, text
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Subject, World

TOLERANCE = ("version-tolerance", "tolerance of one direction")
PODS = ("version-pods", "pods that the version counts otherwise")
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def check_version(world: World) -> Family:
    """The whole family."""
    family = Family("version")
    if not world.subjects:
        return family
    for subject in world.subjects:
        _tolerance(family, subject)
        _pod_level(family, subject)
        _sidecars(family, subject)
        _container(family, subject)
    for id_, title in (TOLERANCE, PODS):
        if not family.found(id_):
            family.ok(id_, title, f"{plural(len(world.subjects), 'HPA')} looked at by the {world.rules_text}")
    return family


def _since(switch: str) -> str:
    return f"from Kubernetes 1.{fact(switch).since} on"


def _tolerance(family: Family, subject: Subject) -> None:
    if subject.rules.tolerance_by_direction:
        return
    served, applied = _tolerances(subject.hpa), _tolerances(_applied(subject.hpa))
    asked = {**applied, **served}
    if not asked:
        return
    evidence = tuple(
        Evidence(
            subject.about,
            f"spec.behavior.{way}.tolerance" + ("" if way in served else f" in {_APPLIED}"),
            value,
        )
        for way, value in asked.items()
    )
    if served:
        fate = "the controller does not look at it"
    elif subject.rules.minor >= fact("tolerance_by_direction").gate_from:
        fate = "the API server dropped it when the HPA was written (feature gate HPAConfigurableTolerance is off)"
    else:
        fate = "the API server does not know the field and dropped it when the HPA was written"
    family.warn(
        *TOLERANCE,
        subject.about,
        f"tolerance of {' and '.join(sorted(asked))} has no effect here: {fate}; it counts "
        f"{_since('tolerance_by_direction')}, until then the controller's own tolerance (10 % by default) does for both "
        "directions",
        evidence,
        f"{subject.kubectl} get hpa {subject.key.name} -o jsonpath='{{.spec.behavior}}'",
    )


def _tolerances(hpa: Json) -> dict[str, str]:
    behavior = child(hpa, "spec", "behavior")
    found = {way: child(behavior, way).get("tolerance") for way in ("scaleUp", "scaleDown")}
    return {way: str(value) for way, value in found.items() if value is not None}


def _applied(hpa: Json) -> Json:
    """The object as it was last applied, if kubectl left it."""
    try:
        value = json.loads(text(hpa, "metadata", "annotations", _APPLIED) or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _pod_level(family: Family, subject: Subject) -> None:
    if subject.rules.pod_level_requests or not any(m.type == "Resource" and _share(m) for m in metrics_of(subject)):
        return
    pods = [pod for pod in subject.live_pods() if child(pod, "spec", "resources", "requests")]
    if pods:
        family.warn(
            *PODS,
            subject.about,
            f"requests at the level of the pod do not count here ({plural(len(pods), 'pod')}), only those of the "
            f"containers do: the HPA looks at them {_since('pod_level_requests')}",
            tuple(Evidence(f"Pod/{name(pod)}", "spec.resources.requests", "set") for pod in pods[:3]),
        )


def _sidecars(family: Family, subject: Subject) -> None:
    if subject.rules.sidecars_requested or not any(m.type == "Resource" and _share(m) for m in metrics_of(subject)):
        return
    for pod in subject.live_pods():
        sidecar = next((c for field, c in counted(child(pod, "spec")) if field == "initContainers"), None)
        if sidecar is not None:
            family.warn(
                *PODS,
                subject.about,
                f"the native sidecar {text(sidecar, 'name')} counts in what is used, but its request does not: the "
                f"utilization reads too high; its request counts {_since('sidecars_requested')}",
                (
                    Evidence(
                        f"Pod/{name(pod)}", f"spec.initContainers[{text(sidecar, 'name')}].restartPolicy", "Always"
                    ),
                ),
            )
            return


def _container(family: Family, subject: Subject) -> None:
    """A pod without the metric's container: an error, a request of 0 or an error again, by version."""
    rules = subject.rules
    for metric in metrics_of(subject):
        if metric.type != "ContainerResource":
            continue
        pods = subject.live_pods()
        lacking = [p for p in pods if all(text(c, "name") != metric.container for _, c in counted(child(p, "spec")))]
        if not lacking or len(lacking) == len(pods):
            continue  # that no pod has it is another check's finding
        evidence = tuple(Evidence(f"Pod/{name(pod)}", f"container {metric.container}", "absent") for pod in lacking[:3])
        have = "has" if len(lacking) == 1 else "have"
        some = f"{len(lacking)} of {plural(len(pods), 'pod')} {have} no container {metric.container}"
        if not rules.absent_container_missing:
            text_ = f"{metric.label} fails: {some}, and before 1.{fact('absent_container_missing').since} one is enough"
        elif not rules.container_required and _share(metric):
            text_ = f"{metric.label}: {some}, which counts as a request of 0; {_since('container_required')} it fails"
        else:
            continue  # the controller's own error says it
        family.warn(*PODS, subject.about, text_, evidence)


def _share(metric: object) -> bool:
    return getattr(metric, "target_type", "") == "Utilization"
