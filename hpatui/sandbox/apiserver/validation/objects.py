"""Validation of metadata, workloads, pods and Services; `validate` is the door."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.status import FieldError, invalid
from hpatui.sandbox.apiserver.validation.batch import check_cron_job, check_limit_range, check_quota
from hpatui.sandbox.apiserver.validation.containers import check_container, check_tolerations
from hpatui.sandbox.apiserver.validation.errors import (
    check_annotations,
    check_labels,
    check_not_negative,
    duplicate,
    forbidden_field,
    name_errors,
    quoted,
    required,
    unsupported,
    wrong,
)
from hpatui.sandbox.apiserver.validation.hpa import check_hpa
from hpatui.sandbox.apiserver.validation.others import (
    check_api_service,
    check_budget,
    check_config,
    check_finalizers,
    check_secret,
)
from hpatui.sandbox.release import DEFAULT, Release

JsonObject = dict[str, Any]
SERVICE_RANGE = "10.96.0.0/16"
Check = Callable[[JsonObject, JsonObject | None], list[FieldError]]
_STYLES = {"services": "service", "namespaces": "label"}


def validate(resource: Resource, obj: JsonObject, old: JsonObject | None, release: Release = DEFAULT) -> None:
    """StatusError 422 with all field errors of the stored form; `old` is what is replaced (None: created)."""
    errors = _metadata(resource, obj, old)
    check = _CHECKS.get((resource.group, resource.plural))
    if check is check_hpa:
        errors += check_hpa(obj, old, release)
    elif check is not None:
        errors += check(obj, old)
    if errors:
        raise invalid(resource, obj["metadata"].get("name", ""), errors)


def _metadata(resource: Resource, obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    meta = obj["metadata"]
    errors = []
    if old is None:
        style = _STYLES.get(resource.plural, "subdomain") if resource.group == "" else "subdomain"
        errors = [wrong("metadata.name", meta["name"], text) for text in name_errors(meta["name"], style)]
    if "." not in resource.group or resource.group.endswith(".k8s.io"):
        errors += check_finalizers(meta.get("finalizers"))
    errors += check_labels("metadata.labels", meta.get("labels"))
    errors += check_annotations("metadata.annotations", meta.get("annotations"))
    for index, owner in enumerate(meta.get("ownerReferences") or ()):
        for key in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(key):
                errors.append(required(f"metadata.ownerReferences[{index}].{key}", f"{key} must not be empty"))
    return errors


# Pods


def _pod_spec(field: str, spec: JsonObject, *, restart: tuple[str, ...] = ("Always",)) -> list[FieldError]:
    errors: list[FieldError] = []
    containers = spec.get("containers") or []
    volumes = {str(volume.get("name")) for volume in spec.get("volumes") or ()}
    if not containers:
        errors.append(required(f"{field}.containers"))
    seen: set[str] = set()
    for index, container in enumerate(containers):
        where = f"{field}.containers[{index}]"
        name = container.get("name") or ""
        if not name:
            errors.append(required(f"{where}.name"))
        elif name in seen:
            errors.append(duplicate(f"{where}.name", name))
        else:
            errors += [wrong(f"{where}.name", name, text) for text in name_errors(name, "label")]
        seen.add(name)
        if not container.get("image"):
            errors.append(required(f"{where}.image"))
        errors += check_container(where, container, volumes)
    policy = spec.get("restartPolicy", "Always")
    if policy not in ("Always", "OnFailure", "Never"):
        errors.append(unsupported(f"{field}.restartPolicy", policy, ("Always", "OnFailure", "Never")))
    elif policy not in restart:
        errors.append(unsupported(f"{field}.restartPolicy", policy, restart))
    errors += check_not_negative(f"{field}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
    return errors + check_tolerations(f"{field}.tolerations", spec.get("tolerations"))


_CHANGING = ("tolerations", "activeDeadlineSeconds", "schedulingGates")
_MUTABLE = ("image", "resources")


def _pod(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    spec = obj.get("spec") or {}
    if old is None:
        return _pod_spec("spec", spec, restart=("Always", "OnFailure", "Never"))
    gates = [
        entry for entry in spec.get("schedulingGates") or () if entry not in (old["spec"].get("schedulingGates") or ())
    ]
    if gates:
        return [forbidden_field("spec.schedulingGates", "only deletion is allowed, but found new scheduling gates")]
    if _frozen(spec) != _frozen(old["spec"]):
        text = (
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
            "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        )
        return [forbidden_field("spec", text)]
    return []


def _frozen(spec: JsonObject) -> JsonObject:
    """The parts of a pod's spec that never change."""
    rest = {key: value for key, value in spec.items() if key not in _CHANGING}
    for field in ("containers", "initContainers"):
        if field in rest:
            rest[field] = [{key: c[key] for key in c if key not in _MUTABLE} for c in rest[field]]
    return rest


# Workloads


def _workload(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = check_not_negative("spec.replicas", spec.get("replicas"))
    errors += check_not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))
    errors += check_not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit"))
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    selector = spec.get("selector")
    if not selector:
        errors.append(required("spec.selector"))
        errors.append(wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        errors.append(wrong("spec.selector", selector, "empty selector is invalid for deployment"))
    elif not _selects(selector, labels):
        errors.append(wrong("spec.template.metadata.labels", labels, "`selector` does not match template `labels`"))
    if old is not None and selector and selector != old["spec"].get("selector"):
        errors.append(wrong("spec.selector", selector, "field is immutable"))
    errors += check_labels("spec.template.metadata.labels", labels)
    return errors + _pod_spec("spec.template.spec", template.get("spec") or {})


def _selects(selector: JsonObject, labels: JsonObject) -> bool:
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for term in selector.get("matchExpressions") or ():
        found = labels.get(term.get("key"))
        values = term.get("values") or ()
        fits = {
            "In": found in values, "NotIn": found not in values, "Exists": found is not None,
            "DoesNotExist": found is None,
        }  # fmt: skip
        if not fits.get(term.get("operator"), False):
            return False
    return True


def _deployment(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    errors = _workload(obj, old)
    spec = obj.get("spec") or {}
    strategy = spec.get("strategy") or {}
    kind = strategy.get("type")
    if kind not in ("RollingUpdate", "Recreate"):
        shown = {"Type": kind, "RollingUpdate": strategy.get("rollingUpdate")}  # as Go prints its struct
        errors.append(unsupported("spec.strategy", shown, ("Recreate", "RollingUpdate")))
    if kind == "Recreate" and strategy.get("rollingUpdate"):
        text = "may not be specified when strategy `type` is 'Recreate'"
        errors.append(forbidden_field("spec.strategy.rollingUpdate", text))
    rolling = strategy.get("rollingUpdate") or {}
    where = "spec.strategy.rollingUpdate"
    for key in ("maxUnavailable", "maxSurge"):
        value = rolling.get(key)
        errors += check_not_negative(f"{where}.{key}", value)
        if isinstance(value, str) and not (value.endswith("%") and value[:-1].isdigit()):
            text = "a valid percent string must be a numeric string followed by an ending '%'"
            errors.append(wrong(f"{where}.{key}", value, text))
    if kind == "RollingUpdate" and all(rolling.get(key) in (0, "0%") for key in ("maxUnavailable", "maxSurge")):
        text = "may not be 0 when `maxSurge` is 0"
        errors.append(wrong(f"{where}.maxUnavailable", rolling.get("maxUnavailable"), text))
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds") or 0
    if isinstance(deadline, int) and deadline <= ready:
        errors.append(wrong("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
    return errors


def _stateful_set(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = []
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        errors.append(wrong("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'"))
    update = spec.get("updateStrategy") or {}
    if update.get("type") not in ("RollingUpdate", "OnDelete"):
        shown = {"Type": update.get("type"), "RollingUpdate": update.get("rollingUpdate")}
        errors.append(wrong("spec.updateStrategy", shown, "must be 'RollingUpdate' or 'OnDelete'"))
    return errors + _workload(obj, old)


def _job(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = []
    for key in ("parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        errors += check_not_negative(f"spec.{key}", spec.get(key))
    template = spec.get("template") or {}
    if old is not None and template != old["spec"].get("template"):
        errors.append(wrong("spec.template", quoted(template)[:80], "field is immutable"))
    pod = template.get("spec") or {}
    errors += _pod_spec("spec.template.spec", pod, restart=("Always", "OnFailure", "Never"))
    if pod.get("restartPolicy") == "Always":
        errors.append(required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
    return errors


def _service(obj: JsonObject, old: JsonObject | None) -> list[FieldError]:
    spec = obj.get("spec") or {}
    errors = []
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        errors.append(required("spec.ports"))
    seen: set[str] = set()
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        name = port.get("name") or ""
        if not name and len(ports) > 1:
            errors.append(required(f"{where}.name"))
        elif name in seen:
            errors.append(duplicate(f"{where}.name", name))
        seen.add(name)
        for key in ("port", "targetPort"):
            value = port.get(key)
            if isinstance(value, int) and not 0 < value < 65536:
                errors.append(wrong(f"{where}.{key}", value, "must be between 1 and 65535, inclusive"))
        if port.get("port") is None:
            errors.append(wrong(f"{where}.port", 0, "must be between 1 and 65535, inclusive"))
    if spec.get("type") not in ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName"):
        known = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
        errors.append(unsupported("spec.type", spec.get("type"), known))
    address = spec.get("clusterIP") or ""
    if old is None and address not in ("", "None") and not _in_range(address):
        text = (
            f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
            f"The range of valid IPs is {SERVICE_RANGE}"
        )
        errors.append(wrong("spec.clusterIPs", [address], text))
    if old is not None and spec.get("type") != "ExternalName":
        had = (old.get("spec") or {}).get("clusterIP")
        if had and spec.get("clusterIP") != had:
            errors.append(wrong("spec.clusterIP", spec.get("clusterIP"), "field is immutable"))
    return errors


def _in_range(address: str) -> bool:
    try:
        return ip_address(address) in ip_network(SERVICE_RANGE)
    except ValueError:
        return False


_CHECKS: dict[tuple[str, str], Check] = {
    ("", "pods"): _pod,
    ("", "services"): _service,
    ("", "resourcequotas"): check_quota,
    ("", "limitranges"): check_limit_range,
    ("apps", "deployments"): _deployment,
    ("apps", "replicasets"): _workload,
    ("apps", "statefulsets"): _stateful_set,
    ("apps", "daemonsets"): _workload,
    ("batch", "jobs"): _job,
    ("batch", "cronjobs"): check_cron_job,
    ("", "configmaps"): check_config,
    ("", "secrets"): check_secret,
    ("policy", "poddisruptionbudgets"): check_budget,
    ("apiregistration.k8s.io", "apiservices"): check_api_service,
    ("autoscaling", "horizontalpodautoscalers"): check_hpa,
}
