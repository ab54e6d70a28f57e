"""Defaults of pod templates and pod specs (pkg/apis/core/v1/defaults.go)."""

from __future__ import annotations

from typing import Any

from hpatui.quantity import QuantityError, parse_quantity

JsonObject = dict[str, Any]

_SPEC: JsonObject = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def _fill(have: JsonObject, defaults: JsonObject) -> JsonObject:
    missing = {key: value for key, value in defaults.items() if have.get(key) is None}
    return {**have, **missing} if missing else have


def pod_template(template: JsonObject) -> JsonObject:
    """A pod template with its defaults."""
    spec = template.get("spec")
    if not isinstance(spec, dict):
        return template
    return {**template, "metadata": template.get("metadata") or {}, "spec": pod_spec(spec)}


def pod_spec(spec: JsonObject) -> JsonObject:
    """A pod spec with its defaults."""
    new = _fill(spec, _SPEC)
    for field in ("containers", "initContainers"):
        entries = spec.get(field)
        if isinstance(entries, list):
            new = {**new, field: [_container(entry) if isinstance(entry, dict) else entry for entry in entries]}
    return new


def _container(container: JsonObject) -> JsonObject:
    image = str(container.get("image") or "")
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    latest = "@" not in image and tag in ("", "latest")
    new = _fill(
        container,
        {
            "resources": {},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "imagePullPolicy": "Always" if latest else "IfNotPresent",
        },
    )
    if isinstance(new.get("ports"), list):
        ports = [_fill(port, {"protocol": "TCP"}) if isinstance(port, dict) else port for port in new["ports"]]
        new = {**new, "ports": ports}
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(new.get(probe), dict):
            new = {**new, probe: _probe(new[probe])}
    if isinstance(new["resources"], dict):
        new = {**new, "resources": {key: _amounts(value) for key, value in new["resources"].items()}}
    return new


def _probe(probe: JsonObject) -> JsonObject:
    new = _fill(probe, _PROBE)
    if isinstance(new.get("httpGet"), dict):
        new = {**new, "httpGet": _fill(new["httpGet"], {"path": "/", "scheme": "HTTP"})}
    return new


def _amounts(amounts: Any) -> Any:
    """Requests or limits with canonical quantities."""
    if not isinstance(amounts, dict):
        return amounts
    result = {}
    for name, value in amounts.items():
        try:
            result[name] = str(parse_quantity(str(value)))
        except QuantityError:
            result[name] = value
    return result


def requests_from_limits(container: JsonObject) -> JsonObject:
    """A container of a new pod: what has a limit and no request requests its limit."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    requests = resources.get("requests") or {}
    missing = {name: value for name, value in limits.items() if name not in requests}
    if not missing:
        return container
    return {**container, "resources": {**resources, "requests": {**requests, **missing}}}
