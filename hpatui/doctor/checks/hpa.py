"""What the HPA itself says: is there a controller, is the target there, are the pods its own, can it read its metrics.

Rows of the failure table: nothing in status, FailedGetScale, AmbiguousSelector, ScalingDisabled, missing requests,
custom or external metric missing, `<unknown>`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hpatui.doctor.checks.base import Family, plural, span
from hpatui.doctor.fields import Json, child, condition, items, name, number, selector_matches, text, time_of
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Sight, Subject, World

NO_STATUS_AFTER = 60.0  # two sync periods of the slowest usual setting
SUGGESTED = {"cpu": "100m", "memory": "128Mi"}
_PIPELINE = ("metrics-api", "metrics-server", "custom-metrics-api", "external-metrics-api")


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
    clashes = _clashes(world)
    looked = Counter[str]()
    steps: tuple[tuple[str, Callable[[Subject], bool]], ...] = (
        ("controller", lambda s: not _controller(world, family, s)),
        ("target", lambda s: not _target(family, s)),
        ("selector", lambda s: _ambiguous(family, s, clashes)),
        ("disabled", lambda s: _disabled(family, s)),
        ("metrics", lambda s: _metrics(world, family, s, broken)),
    )
    for subject in world.subjects:
        for id_, stops in steps:
            looked[id_] += 1
            if stops(subject):
                break
    looked["requests"] = looked["metrics"]
    for id_, title in (
        ("controller", "HPA controller"),
        ("target", "scale target"),
        ("selector", "pods of one HPA only"),
        ("disabled", "scaling switched on"),
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


def _target(family: Family, subject: Subject) -> bool:
    """FailedGetScale: the target is gone, or its kind or apiVersion is wrong."""
    able = condition(subject.hpa, "AbleToScale")
    failing = text(able, "status") == "False" and text(able, "reason") in ("FailedGetScale", "FailedUpdateScale")
    if subject.target.sight is Sight.READ and not failing:
        return True
    if subject.target.sight is not Sight.MISSING and not failing:
        family.unseen("target", "scale target", subject.target, about=subject.about)
        return False
    reference = child(subject.hpa, "spec", "scaleTargetRef")
    where = f"{text(reference, 'apiVersion')} {text(reference, 'kind')} {text(reference, 'name')}"
    evidence = (
        Evidence(subject.about, "spec.scaleTargetRef", where),
        Evidence(subject.about, "status.conditions[AbleToScale]", f"{text(able, 'reason')}: {text(able, 'message')}"),
        Evidence(subject.target.path, "HTTP status", str(subject.target.status)),
    )
    if subject.target.sight is Sight.MISSING and "serves no kind" in subject.target.error:
        reason = f"the target's kind is wrong: {subject.target.error}"
    elif subject.target.sight is Sight.MISSING and not subject.target.path.endswith(f"/{subject.target_name}"):
        reason = f"the target's apiVersion {text(reference, 'apiVersion')} is not served by this cluster"
    elif subject.target.sight is Sight.MISSING:
        reason = f"the target {subject.reference} does not exist"
    else:
        reason = f"the controller cannot read or write the target's scale: {text(able, 'message')}"
    command = f"{subject.kubectl} edit hpa {subject.key.name}  # spec.scaleTargetRef"
    family.fail("target", "scale target", subject.about, reason, evidence, command)
    return False


def _clashes(world: World) -> dict[str, list[Subject]]:
    """For each HPA the others of its namespace that select a pod of its own, or the same target."""
    found: dict[str, list[Subject]] = {}
    by_namespace: dict[str, list[Subject]] = {}
    for subject in world.subjects:
        by_namespace.setdefault(subject.key.namespace, []).append(subject)
    for group in by_namespace.values():
        owners: dict[str, list[Subject]] = {}
        for subject in group:
            owners.setdefault(f"target {subject.reference}", []).append(subject)
            for pod in subject.live_pods():
                owners.setdefault(f"pod {name(pod)}", []).append(subject)
        for sharing in owners.values():
            for subject in sharing if len(sharing) > 1 else ():
                others = found.setdefault(str(subject.key), [])
                others += [o for o in sharing if o is not subject and o not in others]
    return found


def _ambiguous(family: Family, subject: Subject, clashes: dict[str, list[Subject]]) -> bool:
    """AmbiguousSelector, or about to become so: another HPA selects the same pods."""
    active = condition(subject.hpa, "ScalingActive")
    said = text(active, "reason") == "AmbiguousSelector"
    others = clashes.get(str(subject.key), [])
    if not said and not others:
        return False
    if others and not said and not _same_template(subject, others):
        return False
    names = ", ".join(str(other.key) for other in others) or "another HPA"
    evidence = [
        Evidence(
            subject.about, "status.conditions[ScalingActive]", f"{text(active, 'reason')}: {text(active, 'message')}"
        ),
        *(Evidence(o.about, "spec.scaleTargetRef", o.reference) for o in others[:3]),
        Evidence(subject.reference, "spec.selector", str(dict(child(subject.target.first, "spec", "selector")))),
    ]
    family.fail(
        "selector",
        "pods of one HPA only",
        subject.about,
        f"{names} selects the same pods, so the controller acts for neither",
        tuple(evidence),
        f"{subject.kubectl} delete hpa "
        f"{others[0].key.name if others else 'NAME'}  # or give each workload its own labels",
    )
    return True


def _same_template(subject: Subject, others: list[Subject]) -> bool:
    """Whether the clash lasts: the selectors overlap on the pods' template, not only on a pod that is leaving."""
    labels = child(subject.target.first, "spec", "template", "metadata", "labels")
    return any(selector_matches(child(other.target.first, "spec", "selector"), labels) for other in others)


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


def _metrics(world: World, family: Family, subject: Subject, broken: set[str]) -> bool:
    """What keeps the HPA from reading its metrics; True if something does."""
    lacking = _without_requests(subject)
    if lacking:
        resource, containers = lacking[0]
        family.fail(
            "requests",
            "resource requests",
            subject.about,
            f"blind: container {containers[0]} has no {resource} request, and utilization is a share of the request",
            tuple(
                Evidence(subject.reference, f"spec.template.spec.containers[{c}].resources.requests.{r}", "absent")
                for r, found in lacking
                for c in found
            ),
            f"{subject.kubectl} set resources {subject.kind} "
            f"{subject.target_name} -c {containers[0]} --requests={resource}={SUGGESTED.get(resource, '1')}",
        )
        return True
    active = condition(subject.hpa, "ScalingActive")
    if text(active, "status") != "False":
        return False
    cause = next((id_ for id_ in _PIPELINE if id_ in broken), "")
    message = text(active, "message")
    if cause:
        family.skip(
            "metrics",
            "metrics of the HPA",
            "has no metrics, because the pipeline is broken",
            about=subject.about,
            follows=cause,
        )
        return True
    if not _ready(subject):
        family.skip("metrics", "metrics of the HPA", "no ready pod to measure yet", about=subject.about, follows="pods")
        return True
    family.fail(
        "metrics",
        "metrics of the HPA",
        subject.about,
        f"the controller cannot compute a size: {message}",
        (Evidence(subject.about, "status.conditions[ScalingActive]", f"{text(active, 'reason')}: {message}"),),
        _metric_command(subject, text(active, "reason")),
    )
    return True


def _ready(subject: Subject) -> bool:
    return any(text(condition(pod, "Ready"), "status") == "True" for pod in subject.live_pods())


def _metric_command(subject: Subject, reason: str) -> str:
    where = subject.key.namespace
    if "External" in reason:
        return f"kubectl get --raw /apis/external.metrics.k8s.io/v1beta1/namespaces/{where}/METRIC"
    if "Pods" in reason or "Object" in reason:
        return "kubectl get --raw /apis/custom.metrics.k8s.io/v1beta2"
    return f"kubectl -n {where} top pods"


def _without_requests(subject: Subject) -> list[tuple[str, list[str]]]:
    """(resource, containers without a request for it) for each Utilization target of the HPA.

    Looks at the live pods (the template where there is none), because that is what the controller looks at.
    """
    wanted = _utilization_resources(subject.hpa)
    template = child(subject.target.first, "spec", "template")
    specs = [child(pod, "spec") for pod in subject.live_pods()] or [child(template, "spec")]
    found: list[tuple[str, list[str]]] = []
    for resource, only in wanted:
        lacking: list[str] = []
        for spec in specs:
            if child(spec, "resources", "requests").get(resource) is not None:
                continue  # a pod-level request stands for all containers
            containers = items(spec, "containers") + [
                c for c in items(spec, "initContainers") if c.get("restartPolicy") == "Always"
            ]
            for container in containers:
                asked = child(container, "resources")  # the API server takes a limit for the request that lacks
                known = child(asked, "requests").get(resource) or child(asked, "limits").get(resource)
                if known is None and text(container, "name") not in lacking and only in ("", text(container, "name")):
                    lacking.append(text(container, "name"))
        if lacking:
            found.append((resource, lacking))
    return found


def _utilization_resources(hpa: Json) -> list[tuple[str, str]]:
    """(resource, container or empty) of each metric with a Utilization target; a v1 HPA has cpu."""
    metrics = items(hpa, "spec", "metrics")
    if not metrics:
        return [("cpu", "")]
    return [
        (text(source, "name"), text(source, "container"))
        for metric in metrics
        for source in (child(metric, "resource"), child(metric, "containerResource"))
        if text(source, "target", "type") == "Utilization"
    ]
