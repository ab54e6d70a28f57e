"""Which pods the HPA counts: the scale's selector, other HPAs on the same pods, and pods that are not the target's."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.doctor.checks.base import Family, plural
from hpatui.doctor.checks.metric import RESOURCES, Metric, metrics_of
from hpatui.doctor.checks.requests import lacking_of, request_of
from hpatui.doctor.fields import Json, child, condition, name, text
from hpatui.doctor.report import Evidence
from hpatui.doctor.target import owner_text
from hpatui.doctor.world import Subject, World
from hpatui.forms.label_selectors import SelectorError, parse_selector

TITLE = "pods of one HPA only"
FOREIGN = "only the target's own pods"
MOST_NAMED = 10  # pods that a command names


def clashes_of(world: World) -> dict[str, list[Subject]]:
    """For each HPA the others of its namespace that select a pod of its own, or the same target."""
    found: dict[str, list[Subject]] = {}
    by_namespace: dict[str, list[Subject]] = {}
    for subject in world.neighbours:
        by_namespace.setdefault(subject.key.namespace, []).append(subject)
    for group in by_namespace.values():
        owners: dict[str, list[Subject]] = {}
        for subject in group:
            owners.setdefault(f"target {subject.reference}", []).append(subject)
            for pod in subject.pods.objects:
                owners.setdefault(f"pod {name(pod)}", []).append(subject)
        for sharing in owners.values():
            for subject in sharing if len(sharing) > 1 else ():
                others = found.setdefault(str(subject.key), [])
                others += [o for o in sharing if o is not subject and o not in others]
    return found


def check_selector(family: Family, subject: Subject, clashes: dict[str, list[Subject]]) -> bool:
    """The scale has a selector that no other HPA's overlaps. True if it has not."""
    return _without_selector(family, subject) or _ambiguous(family, subject, clashes)


def _without_selector(family: Family, subject: Subject) -> bool:
    active = condition(subject.hpa, "ScalingActive")
    said = text(active, "reason") == "InvalidSelector"
    if not said and (not subject.found.served or subject.found.selects() is not None):
        return False
    scale = subject.found.scale
    path = scale.path if scale is not None else subject.target.path
    evidence = [Evidence(path, "status.selector", subject.found.selector or "absent")]
    if said:
        evidence.append(Evidence(subject.about, "status.conditions[ScalingActive]", _said(active)))
    group, resource = subject.found.group, subject.found.plural
    family.fail(
        "selector",
        "the scale's selector",
        subject.about,
        f"the scale of {subject.reference} has no selector that can be used, so the controller finds no pods and never "
        "scales: the definition of its kind must name labelSelectorPath, and its controller must fill it",
        tuple(evidence),
        f"kubectl get crd {resource}.{group} -o yaml  # subresources.scale.labelSelectorPath"
        if group and scale is not None
        else f"{subject.kubectl} get {subject.kind} {subject.target_name} -o yaml",
    )
    return True


def _said(found: Json) -> str:
    return f"{text(found, 'status')} {text(found, 'reason')}: {text(found, 'message')}"


def _ambiguous(family: Family, subject: Subject, clashes: dict[str, list[Subject]]) -> bool:
    """AmbiguousSelector, or about to become so: another HPA selects the same pods."""
    active = condition(subject.hpa, "ScalingActive")
    said = text(active, "reason") == "AmbiguousSelector"
    others = clashes.get(str(subject.key), [])
    if not said and not others:
        return False
    if others and not said and not _same_template(subject, others):
        return False
    names = ", ".join(str(other.key) for other in others) or _named_in(text(active, "message"), str(subject.key))
    evidence = [
        Evidence(subject.about, "status.conditions[ScalingActive]", _said(active)),
        *(Evidence(o.about, "spec.scaleTargetRef", o.reference) for o in others[:3]),
        Evidence(subject.reference, "selector", subject.found.selector or "unknown"),
    ]
    rival = others[0].key.name if others else names.split(",", maxsplit=1)[0].rpartition("/")[2]
    note = "or give each workload its own labels"
    family.fail(
        "selector",
        TITLE,
        subject.about,
        f"{names} selects the same pods, so the controller acts for neither",
        tuple(evidence),
        f"{subject.kubectl} delete hpa {rival}  # {note}" if rival else f"{subject.kubectl} get hpa  # {note}",
    )
    return True


def _named_in(message: str, own: str) -> str:
    """The other HPAs that the condition names: `... are controlled by multiple HPAs: [shop/a shop/b]`."""
    inside = message[message.rfind("[") + 1 : -1] if message.endswith("]") else ""
    return ", ".join(word for word in inside.split() if word != own) or "another HPA"


def _same_template(subject: Subject, others: Sequence[Subject]) -> bool:
    """Whether the clash lasts: the selectors overlap on the pods' template, not only on a pod that is leaving."""
    labels = child(subject.target.first, "spec", "template", "metadata", "labels")
    if not labels:
        return any(other.found.selector == subject.found.selector for other in others)
    known = {str(key): str(value) for key, value in labels.items()}
    return any((s := other.found.selects()) is not None and s.matches(known) for other in others)


# Pods of somebody else ------------------------------------------------------------------------------------------------


def check_foreign(family: Family, subject: Subject) -> bool:
    """Pods that match the selector and are not the target's. True if they keep the HPA from computing a size."""
    metrics = [m for m in metrics_of(subject) if m.type in (*RESOURCES, "Pods")]
    pods = [
        pod
        for pod in subject.foreign_pods()
        if text(pod, "status", "phase") != "Failed" and not text(pod, "metadata", "deletionTimestamp")
    ]
    if not pods or not metrics:
        return False
    groups: dict[str, list[Json]] = {}
    for pod in pods:
        chain = (subject.owners or {}).get(name(pod), ())
        groups.setdefault(owner_text(chain[-1]) if chain else "", []).append(pod)
    blinded = False
    for owner, members in groups.items():
        lacking = [
            (m, pod, container)
            for m in metrics
            if m.target_type == "Utilization" and m.type in RESOURCES
            for pod in members
            for container in lacking_of(child(pod, "spec"), m.name, m.container, subject.rules)
        ]
        _report(family, subject, owner, members, metrics, lacking)
        blinded = blinded or bool(lacking)
    return blinded


def _report(
    family: Family,
    subject: Subject,
    owner: str,
    pods: list[Json],
    metrics: list[Metric],
    lacking: list[tuple[Metric, Json, str]],
) -> None:
    done = [pod for pod in pods if text(pod, "status", "phase") == "Succeeded"]
    kind = "finished pod" if len(done) == len(pods) else "pod"
    whose = f"of {owner}" if owner else "that nobody owns"
    match, them = ("matches", "it") if len(pods) == 1 else ("match", "them")
    start = f"{plural(len(pods), kind)} {whose} {match} the selector {subject.found.selector} of {subject.reference}"
    if lacking:
        metric, pod, container = lacking[0]
        effect = (
            f": the HPA counts {them} as its own, and container {container} of {name(pod)} has no {metric.name} request, "
            "so no utilization can be computed"
        )
    else:
        counted = f"({len(subject.pods.objects)} pods in all)"
        effect = f", so the HPA counts {them} as its own {counted}: {_effect(subject, pods, done, metrics)}"
    evidence = (
        *(
            Evidence(f"Pod/{subject.key.namespace}/{name(pod)}", "status.phase", text(pod, "status", "phase"))
            for pod in pods[:3]
        ),
        Evidence(f"Pod/{subject.key.namespace}/{name(pods[0])}", "metadata.ownerReferences", owner or "absent"),
        Evidence(
            f"Pod/{subject.key.namespace}/{name(pods[0])}",
            "metadata.labels",
            ", ".join(f"{k}={v}" for k, v in sorted(child(pods[0], "metadata", "labels").items())),
        ),
    )
    add = family.fail if lacking else family.warn
    add("foreign-pods", FOREIGN, subject.about, start + effect, evidence, _relabel(subject, owner, pods))


def _effect(subject: Subject, pods: list[Json], done: list[Json], metrics: list[Metric]) -> str:
    """What these pods do to the arithmetic."""
    if not done:
        return "their usage and their number change the average"
    metric = metrics[0]
    full = (
        f"{max(100, round(metric.target or 0))} % of the request"
        if metric.target_type == "Utilization"
        else "on target"
    )
    start = "it has no metrics, and counts" if len(done) == 1 else "they have no metrics, and count"
    text_ = f"{start} as {full} on the way down and as nothing on the way up: finished, not busy"
    example = _example(subject, done, metric)
    return f"{text_}{example}"


def _example(subject: Subject, done: list[Json], metric: Metric) -> str:
    """`: 20 % on 6 pods becomes 47 % over 9` for a utilization."""
    own = subject.live_pods()
    settled = all(text(condition(pod, "Ready"), "status") == "True" for pod in own)
    if metric.target_type != "Utilization" or metric.current is None or not metric.target or not own or not settled:
        return ""
    mine = sum(request_of(child(pod, "spec"), metric.name, metric.container) or 0.0 for pod in own)
    theirs = sum(request_of(child(pod, "spec"), metric.name, metric.container) or 0.0 for pod in done)
    if not mine or not theirs:
        return ""
    assumed = max(100.0, metric.target) if metric.current < metric.target else 0.0
    percent = (metric.current * mine + assumed * theirs) / (mine + theirs)
    return f" ({metric.current:.0f} % on {len(own)} pods becomes {int(percent)} % over {len(own) + len(done)})"


def _relabel(subject: Subject, owner: str, pods: list[Json]) -> str:
    """Take a label that the selector asks for off these pods; where their controller would only replace them, look."""
    try:
        terms = parse_selector(subject.found.selector).terms
    except SelectorError:
        terms = ()
    key = next((term.key for term in terms if term.operator in ("=", "==", "in", "exists")), "")
    note = f"and give the pods of {owner} other labels in their template" if owner else ""
    if not key or (owner and not owner.startswith(("Job/", "CronJob/"))):
        return f"{subject.kubectl} get pods -l '{subject.found.selector}' --show-labels  # {note or 'whose are they?'}"
    named = " ".join(name(pod) for pod in pods[:MOST_NAMED])
    tail = f"  # {note}" if note else ""
    return f"{subject.kubectl} label pod {named} {key}-{tail}"
