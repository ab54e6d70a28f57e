"""What the API server fills in where a client left it out, by resource. Idempotent; never changes what it is given.

Follows pkg/apis/*/defaults.go of Kubernetes 1.36, for the fields that an HPA, its target and its pods have.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from hpatui.forms.qos import qos_class
from hpatui.quantity import QuantityError, parse_quantity
from hpatui.sandbox.apiserver.pod_defaults import pod_spec, pod_template, requests_from_limits
from hpatui.sandbox.apiserver.resources import Resource

JsonObject = dict[str, Any]


def apply_defaults(stored: Resource, obj: JsonObject, old: JsonObject | None) -> JsonObject:
    """The object with its defaults; `old` is what is stored so far (None: it is being created)."""
    fill = _FILL.get((stored.group, stored.plural))
    return fill(obj, old) if fill is not None else obj


def with_defaults(mapping: Mapping[str, Any] | None, **defaults: Any) -> JsonObject:
    """The mapping with what it lacks; the same one if it lacks nothing."""
    have = mapping if isinstance(mapping, dict) else {}
    missing = {key: value for key, value in defaults.items() if have.get(key) is None}
    return {**have, **missing} if missing or mapping is None else have


def _spec(obj: JsonObject, **defaults: Any) -> JsonObject:
    return with_defaults(obj.get("spec"), **defaults)


def canonical(value: Any) -> Any:
    """A quantity as Kubernetes writes it back; what is none is left for validation."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        return str(parse_quantity(str(value)))
    except QuantityError:
        return value


# Autoscaling

_UP = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max"}
_UP_POLICIES = [
    {"type": "Pods", "value": 4, "periodSeconds": 15},
    {"type": "Percent", "value": 100, "periodSeconds": 15},
]
_DOWN_POLICIES = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
_CPU_80 = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
SOURCES = {
    "Resource": "resource", "ContainerResource": "containerResource", "Pods": "pods", "Object": "object",
    "External": "external",
}  # fmt: skip


def _hpa(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    spec = _spec(obj, minReplicas=1)
    metrics = spec.get("metrics")
    if not metrics:
        spec = {**spec, "metrics": [_CPU_80]}
    elif isinstance(metrics, list):
        spec = {**spec, "metrics": [_metric(entry) for entry in metrics]}
    behavior = spec.get("behavior")
    if isinstance(behavior, dict):
        up = with_defaults(behavior.get("scaleUp"), **_UP, policies=_UP_POLICIES)
        down = with_defaults(behavior.get("scaleDown"), selectPolicy="Max", policies=_DOWN_POLICIES)
        up, down = (
            {**side, "tolerance": canonical(side["tolerance"])} if side.get("tolerance") is not None else side
            for side in (up, down)
        )
        spec = {**spec, "behavior": {**behavior, "scaleUp": up, "scaleDown": down}}
    new = {**obj, "spec": spec}
    if old is None and "status" not in obj:
        new["status"] = {"desiredReplicas": 0, "currentMetrics": None}
    status = new.get("status")
    if isinstance(status, dict) and status.get("currentReplicas") == 0:  # omitempty in v2
        new["status"] = {key: value for key, value in status.items() if key != "currentReplicas"}
    return new


def _metric(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    source = SOURCES.get(entry.get("type", ""), "")
    body = entry.get(source)
    target = body.get("target") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(target, dict):
        return entry
    changed = {key: canonical(target[key]) for key in ("value", "averageValue") if key in target}
    if all(changed[key] == target[key] for key in changed):
        return entry
    return {**entry, source: {**body, "target": {**target, **changed}}}


# Workloads


def _templated(obj: JsonObject, **defaults: Any) -> JsonObject:
    spec = _spec(obj, **defaults)
    if isinstance(spec.get("template"), dict):
        spec = {**spec, "template": pod_template(spec["template"])}
    return {**obj, "spec": spec}


def _deployment(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    new = _templated(obj, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    strategy = with_defaults(new["spec"]["strategy"], type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = with_defaults(strategy.get("rollingUpdate"), maxUnavailable="25%", maxSurge="25%")
        strategy = {**strategy, "rollingUpdate": rolling}
    new["spec"] = {**new["spec"], "strategy": strategy}
    return with_defaults(new, status={})


def _replica_set(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    return with_defaults(_templated(obj, replicas=1), status={"replicas": 0})


def _rollout(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    return _templated(obj)


def _stateful_set(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    new = _templated(
        obj, replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10,
        updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        persistentVolumeClaimRetentionPolicy={"whenDeleted": "Retain", "whenScaled": "Retain"},
    )  # fmt: skip
    return with_defaults(new, status={"replicas": 0, "availableReplicas": 0})


def _daemon_set(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    new = _templated(obj, updateStrategy=update, revisionHistoryLimit=10)
    counts = dict.fromkeys(("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"), 0)
    return with_defaults(new, status=counts)


def _job(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    spec = obj.get("spec") or {}
    new = _templated(
        obj, parallelism=1, backoffLimit=6, completionMode="NonIndexed", suspend=False,
        podReplacementPolicy="TerminatingOrFailed", manualSelector=False,
    )  # fmt: skip
    if spec.get("completions") is None and spec.get("parallelism") is None:
        new["spec"] = {**new["spec"], "completions": 1}
    uid = obj["metadata"]["uid"]
    if old is None and not spec.get("manualSelector"):
        labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": obj["metadata"]["name"],
                  "controller-uid": uid, "job-name": obj["metadata"]["name"]}  # fmt: skip
        template = new["spec"].get("template") or {}
        meta = template.get("metadata") or {}
        meta = {**meta, "labels": {**(meta.get("labels") or {}), **labels}}
        if not obj["metadata"].get("labels"):
            new["metadata"] = {**obj["metadata"], "labels": dict(meta["labels"])}
        selector = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
        new["spec"] = {**new["spec"], "selector": selector, "template": {**template, "metadata": meta}}
    elif old is not None:
        kept = {key: old["spec"][key] for key in ("selector",) if key in old["spec"]}
        new["spec"] = {**new["spec"], **kept}
    return with_defaults(new, status={})


def _cron_job(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    spec = _spec(obj, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    return with_defaults({**obj, "spec": spec}, status={})


def _pod(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    spec = pod_spec(obj.get("spec") or {})
    if old is not None:
        return {**obj, "spec": spec}
    spec = with_defaults(
        {**spec, "containers": [requests_from_limits(entry) for entry in spec.get("containers") or ()]},
        enableServiceLinks=True, serviceAccountName="default", preemptionPolicy="PreemptLowerPriority", priority=0,
        tolerations=_TOLERATIONS,
    )  # fmt: skip
    spec = with_defaults(spec, serviceAccount=spec["serviceAccountName"])
    status = with_defaults(obj.get("status"), phase="Pending", qosClass=qos_class(spec))
    return {**obj, "spec": spec, "status": status}


_TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    for key in ("not-ready", "unreachable")
]


# Everything else


def _service(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    spec = _spec(obj, type="ClusterIP", sessionAffinity="None")
    ports = []
    had = {port.get("port"): port for port in ((old or {}).get("spec") or {}).get("ports") or ()}
    for port in spec.get("ports") or ():
        if isinstance(port, dict):
            port = with_defaults(port, protocol="TCP", targetPort=port.get("port"))
            if spec["type"] in ("NodePort", "LoadBalancer"):
                known = had.get(port.get("port"), {}).get("nodePort")
                number = 30000 + zlib.crc32(f"{obj['metadata']['uid']}:{port.get('port')}".encode()) % 2768
                port = with_defaults(port, nodePort=known or number)
        ports.append(port)
    if ports:
        spec = {**spec, "ports": ports}
    if spec["type"] != "ExternalName":
        address = ((old or {}).get("spec") or {}).get("clusterIP") or _cluster_ip(obj["metadata"]["uid"])
        if not spec.get("clusterIP"):
            spec = {**spec, "clusterIP": address}
        spec = with_defaults(
            spec, clusterIPs=[spec["clusterIP"]], ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack",
            internalTrafficPolicy="Cluster",
        )  # fmt: skip
    return with_defaults({**obj, "spec": spec}, status={"loadBalancer": {}})


def _cluster_ip(uid: str) -> str:
    number = zlib.crc32(uid.encode())
    return f"10.96.{(number >> 8) % 256}.{2 + number % 252}"


def _namespace(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    meta = obj["metadata"]
    labels = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}
    spec = with_defaults(obj.get("spec"), finalizers=["kubernetes"])
    return with_defaults({**obj, "metadata": {**meta, "labels": labels}, "spec": spec}, status={"phase": "Active"})


def _secret(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    new = with_defaults(obj, type="Opaque")
    plain = new.get("stringData")
    if isinstance(plain, dict):
        coded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        new = {key: value for key, value in new.items() if key != "stringData"}
        new["data"] = {**(new.get("data") or {}), **coded}
    return new


def _quota(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    spec = obj.get("spec") or {}
    hard = spec.get("hard")
    if isinstance(hard, dict):
        spec = {**spec, "hard": {key: canonical(value) for key, value in hard.items()}}
    return with_defaults({**obj, "spec": spec}, status={})


def _limit_range(obj: JsonObject) -> JsonObject:
    """Container limits: `default` from `max`, `defaultRequest` from `default`, then from `min`."""
    spec = obj.get("spec") or {}
    limits = []
    for entry in spec.get("limits") or ():
        if isinstance(entry, dict) and entry.get("type") == "Container":
            default = {**(entry.get("max") or {}), **(entry.get("default") or {})}
            request = {**(entry.get("min") or {}), **default, **(entry.get("defaultRequest") or {})}
            entry = {**entry, **({"default": default} if default else {})}
            entry = {**entry, **({"defaultRequest": request} if request else {})}
        limits.append(entry)
    return {**obj, "spec": {**spec, "limits": limits}} if limits else obj


def _budget(obj: JsonObject, old: JsonObject | None) -> JsonObject:
    counts = dict.fromkeys(("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods"), 0)
    return with_defaults(obj, status=counts)


_FILL: dict[tuple[str, str], Callable[[JsonObject, JsonObject | None], JsonObject]] = {
    ("autoscaling", "horizontalpodautoscalers"): _hpa,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _replica_set,
    ("apps", "statefulsets"): _stateful_set,
    ("apps", "daemonsets"): _daemon_set,
    ("", "replicationcontrollers"): _replica_set,
    ("argoproj.io", "rollouts"): _rollout,
    ("batch", "jobs"): _job,
    ("batch", "cronjobs"): _cron_job,
    ("", "pods"): _pod,
    ("", "services"): _service,
    ("", "namespaces"): _namespace,
    ("", "nodes"): lambda obj, old: with_defaults(obj, spec={}, status={}),
    ("", "secrets"): _secret,
    ("", "resourcequotas"): _quota,
    ("", "limitranges"): lambda obj, old: _limit_range(obj),
    ("policy", "poddisruptionbudgets"): _budget,
}
