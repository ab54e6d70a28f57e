"""Can each metric of an HPA be read? Failures belong to a metric, by its place in spec.metrics: one that never has a value
blocks every scale-down, though the HPA says that it is active.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from urllib.parse import quote

from hpatui.doctor.checks.base import Family
from hpatui.doctor.checks.metric import (
    FIELDS,
    RESOURCES,
    Metric,
    event_of,
    json_patch_of,
    metrics_of,
    unreadable,
)
from hpatui.doctor.checks.requests import counted, lacking_of
from hpatui.doctor.fields import Json, child, condition, items, text
from hpatui.doctor.report import Evidence
from hpatui.doctor.world import Subject
from hpatui.forms.selectors import selector_text

TITLE = "metrics of the HPA"
SUGGESTED = {"cpu": "100m", "memory": "128Mi"}
API_OF = {
    "Resource": ("metrics-server", "metrics-api"),
    "ContainerResource": ("metrics-server", "metrics-api"),
    "Pods": ("custom-metrics-api",),
    "Object": ("custom-metrics-api",),
    "External": ("external-metrics-api",),
}
_PREFIX = re.compile(
    r"^(?:unable to get (?:external )?metric \S+: )?(?:unable to fetch metrics from \w+ metrics API: )?"
)


def check_readable(
    family: Family, subject: Subject, broken: set[str], events: Sequence[Json], *, foreign: bool
) -> bool:
    """What keeps the HPA from reading its metrics; True if something does. `broken`: ids of what failed in the metrics
    pipeline; `foreign`: pods of others lack a request, which is a finding of its own.
    """
    without = unreadable(subject)
    stopped = False
    for metric in metrics_of(subject):
        if _never(family, subject, metric) or _without_request(family, subject, metric):
            stopped = True
        elif metric in without:
            stopped = True
            _no_value(family, subject, metric, without, broken, events, foreign=foreign)
    if not stopped and text(condition(subject.hpa, "ScalingActive"), "status") == "False" and not foreign:
        active = condition(subject.hpa, "ScalingActive")
        family.fail(
            "metrics", TITLE, subject.about, f"the controller cannot compute a size: {text(active, 'message')}",
            _active(subject), f"{subject.kubectl} describe hpa {subject.key.name}",
        )  # fmt: skip
        return True
    return stopped


def _active(subject: Subject) -> tuple[Evidence, ...]:
    active = condition(subject.hpa, "ScalingActive")
    value = f"{text(active, 'status')} {text(active, 'reason')}: {text(active, 'message')}"
    return (Evidence(subject.about, "status.conditions[ScalingActive]", value),)


# Never ----------------------------------------------------------------------------------------------------------------


def _never(family: Family, subject: Subject, metric: Metric) -> bool:
    """Metrics that no waiting brings: a resource that metrics-server does not know, a container that no pod has."""
    if metric.type in RESOURCES and metric.name not in ("cpu", "memory") and not metric.name.startswith("hugepages"):
        family.fail(
            "metrics",
            TITLE,
            subject.about,
            f"{metric.label} can never be read: {metric.type} metrics are cpu and memory only; "
            "other resources (GPU, disk) come from a metrics adapter, as a Pods or External metric",
            (Evidence(subject.about, f"{metric.field}.{FIELDS[metric.type]}.name", metric.name), *_active(subject)),
            _take_out(subject, metric, "then add it as a Pods or External metric"),
        )
        return True
    if metric.type != "ContainerResource":
        return False
    pods = subject.live_pods() or [{"spec": child(subject.target.first, "spec", "template", "spec")}]
    known = {text(c, "name") for pod in pods for _, c in counted(child(pod, "spec"))}
    if metric.container in known or not known:
        return False
    plain = {text(c, "name") for pod in pods for c in items(pod, "spec", "initContainers")} - known
    if metric.container in plain:
        cause = f"{metric.container} is an init container, which ends before the pod serves and is not measured"
    else:
        cause = f"no pod of {subject.reference} has a container {metric.container}"
    there = ", ".join(sorted(known))
    close = get_close_matches(metric.container, sorted(known), n=1, cutoff=0.0)[0]
    path = f"/spec/metrics/{metric.index}/containerResource/container"
    patch = (
        f'[{{"op":"test","path":"{path}","value":"{metric.container}"}},'
        f'{{"op":"replace","path":"{path}","value":"{close}"}}]'
    )
    family.fail(
        "metrics",
        TITLE,
        subject.about,
        f"{metric.label} can never be read: {cause}; there is {there}",
        (
            Evidence(subject.about, f"{metric.field}.containerResource.container", metric.container),
            Evidence(subject.reference, "containers of its pods", there),
        ),
        json_patch_of(subject, patch),
    )
    return True


def _take_out(subject: Subject, metric: Metric, note: str) -> str:
    """Remove the metric, where others are left; else the HPA is to be edited."""
    if len(subject.metrics) < 2:
        return f"{subject.kubectl} edit hpa {subject.key.name}  # {metric.field}: {note}"
    path = f"/spec/metrics/{metric.index}"
    named = "name" if metric.type in RESOURCES else "metric/name"
    patch = (
        f'[{{"op":"test","path":"{path}/{FIELDS.get(metric.type, "")}/{named}","value":"{metric.name}"}},'
        f'{{"op":"remove","path":"{path}"}}]'
    )
    return json_patch_of(subject, patch, note)


# Requests -------------------------------------------------------------------------------------------------------------


def _without_request(family: Family, subject: Subject, metric: Metric) -> bool:
    """A utilization is a share of the request: each container that counts needs one."""
    if metric.type not in RESOURCES or metric.target_type != "Utilization":
        return False
    template = child(subject.target.first, "spec", "template", "spec")
    specs = [child(pod, "spec") for pod in subject.live_pods()] or [template]
    lacking = list(
        dict.fromkeys(c for spec in specs for c in lacking_of(spec, metric.name, metric.container, subject.rules))
    )
    if not lacking:
        return False
    first = lacking[0]
    field = next((f for spec in specs for f, c in counted(spec) if text(c, "name") == first), "containers")
    where = "spec.template.spec" if template else "pods: spec"
    about = "native sidecar" if field == "initContainers" else "container"
    fields = {
        c: f"{where}.{next((f for s in specs for f, x in counted(s) if text(x, 'name') == c), 'containers')}[{c}]"
        for c in lacking
    }
    family.fail(
        "requests",
        "resource requests",
        subject.about,
        f"blind: {about} {first} has no {metric.name} request, and utilization is a share of the request",
        tuple(Evidence(subject.reference, f"{fields[c]}.resources.requests.{metric.name}", "absent") for c in lacking),
        _set_request(subject, metric, first, field, template),
    )
    return True


def _set_request(subject: Subject, metric: Metric, container: str, field: str, template: Json) -> str:
    amount = SUGGESTED.get(metric.name, "1")
    kind = (subject.found.group, subject.found.kind)
    if kind not in (
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "ReplicaSet"),
        ("", "ReplicationController"),
    ):
        return f"{subject.kubectl} edit {subject.kind} {subject.target_name}  # a {metric.name} request for {container}"
    if field == "containers" and container != "(pod level)":
        return (
            f"{subject.kubectl} set resources {subject.kind} {subject.target_name} -c {container} "
            f"--requests={metric.name}={amount}"
        )
    if container == "(pod level)":
        inner = f'{{"resources":{{"requests":{{"{metric.name}":"{amount}"}}}}}}'
    else:  # kubectl set resources does not know init containers
        inner = f'{{"{field}":[{{"name":"{container}","resources":{{"requests":{{"{metric.name}":"{amount}"}}}}}}]}}'
    patch = f'{{"spec":{{"template":{{"spec":{inner}}}}}}}'
    return f"{subject.kubectl} patch {subject.kind} {subject.target_name} --type=strategic -p '{patch}'"


# No value now ---------------------------------------------------------------------------------------------------------


def _no_value(
    family: Family,
    subject: Subject,
    metric: Metric,
    without: Sequence[Metric],
    broken: set[str],
    events: Sequence[Json],
    *,
    foreign: bool,
) -> None:
    if _misfit(subject, metric, family):
        return
    cause = next((id_ for id_ in API_OF.get(metric.type, ()) if id_ in broken), "")
    if cause:
        reason = f"{metric.label} has no value, because the pipeline is broken"
        family.skip("metrics", TITLE, reason, about=subject.about, follows=cause)
        return
    if foreign and metric.type in RESOURCES:
        reason = f"{metric.label} has no value, because of pods that are not the target's"
        family.skip("metrics", TITLE, reason, about=subject.about, follows="foreign-pods")
        return
    if metric.type in (*RESOURCES, "Pods") and not _ready(subject):
        reason = f"{metric.label}: no ready pod to measure yet"
        family.skip("metrics", TITLE, reason, about=subject.about, follows="pods")
        return
    event = event_of(subject, metric, events)
    active = condition(subject.hpa, "ScalingActive")
    mine = text(active, "reason") == f"FailedGet{metric.type}Metric"
    said = text(event, "message") or (text(active, "message") if mine and len(without) == 1 else "")
    said = _PREFIX.sub("", said.removeprefix("the HPA was unable to compute the replica count: "))
    others = len(metrics_of(subject)) - len(without)
    start = f"{metric.label} has no value" + (f": {said}" if said else "")
    if others:
        reason = f"{start}; the other metrics can scale up without it, and nothing scales down while it lasts"
    else:
        reason = f"the controller cannot compute a size: {start}"
    evidence = [Evidence(subject.about, f"status.currentMetrics[{metric.index}]", "no value")]
    if event is not None:
        evidence.append(Evidence(subject.about, f"event {text(event, 'reason')}", text(event, "message")))
    family.fail("metrics", TITLE, subject.about, reason, (*evidence, *_active(subject)), _ask(subject, metric, others))


def _ready(subject: Subject) -> bool:
    return any(text(condition(pod, "Ready"), "status") == "True" for pod in subject.live_pods())


_FITTING = {"Value": ("value", "averageValue", "AverageValue"), "AverageValue": ("averageValue", "value", "Value")}
_MISFIT = "invalid object metric source: neither a value target nor an average value target was set"


def _misfit(subject: Subject, metric: Metric, family: Family) -> bool:
    """An Object metric whose target's type and field do not fit: the controller never asks for it.

    Older versions of the API have no type; there the controller's word tells.
    """
    target = child(_source(subject, metric), "target")
    if metric.type != "Object":
        return False
    said = text(target, "type")
    told = _MISFIT in text(condition(subject.hpa, "ScalingActive"), "message") and subject.version != "v2"
    if told:
        said = "Value" if text(target, "averageValue") else "AverageValue"
    if said not in _FITTING:
        return False
    field, other, fitting = _FITTING[said]
    if not text(target, other) or (text(target, field) and not told):
        return False
    path = f"/spec/metrics/{metric.index}/object/target/type"
    patch = f'[{{"op":"test","path":"{path}","value":"{said}"}},{{"op":"replace","path":"{path}","value":"{fitting}"}}]'
    family.fail(
        "metrics",
        TITLE,
        subject.about,
        f"{metric.label} can never be used: its target has the type {said} and no {field}, only {other}",
        (
            Evidence(subject.about, f"{metric.field}.object.target", f"type {said}, {other} {text(target, other)}"),
            *_active(subject),
        ),
        json_patch_of(subject, patch),
    )
    return True


def _ask(subject: Subject, metric: Metric, others: int) -> str:
    """Ask the metrics API as the controller does; of a metric beside others: take it out."""
    where, source = subject.key.namespace, _source(subject, metric)
    if metric.type in RESOURCES:
        return f"{subject.kubectl} top pods"
    shown = selector_text(child(source, "metric").get("selector"))
    if metric.type == "External":
        query = f"?labelSelector={quote(shown)}" if shown else ""
        path = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{where}/{quote(metric.name)}{query}"
    elif metric.type == "Pods":
        query = f"&metricLabelSelector={quote(shown)}" if shown else ""
        chosen = f"?labelSelector={quote(subject.found.selector)}" if subject.found.selector else "?"
        path = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{where}/pods/*/{quote(metric.name)}{chosen}{query}"
    else:
        described = child(source, "describedObject")
        resource = f"{text(described, 'kind').lower()}s"
        path = (
            f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{where}/{resource}/{text(described, 'name')}/{metric.name}"
        )
    if others:
        return _take_out(subject, metric, f"or mend it: kubectl get --raw '{path}'")
    return f"kubectl get --raw '{path}'"


def _source(subject: Subject, metric: Metric) -> Json:
    specs = subject.metrics
    return child(specs[metric.index], FIELDS.get(metric.type, "")) if metric.index < len(specs) else {}
