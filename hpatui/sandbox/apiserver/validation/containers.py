"""Validation of what a container has: resources, ports, environment, mounts, probes (pkg/apis/core/validation)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from hpatui.quantity import parse_quantity
from hpatui.sandbox.apiserver.status import FieldError
from hpatui.sandbox.apiserver.validation.errors import duplicate, forbidden_field, missing, required, unsupported, wrong

JsonObject = dict[str, Any]

_STANDARD = ("cpu", "memory", "ephemeral-storage")
_ENV_NAME = re.compile(r"[ -<>-~]+")
_FIELD_PATHS = re.compile(
    r"metadata\.(name|namespace|uid)|metadata\.(labels|annotations)\['[^']*'\]|spec\.(nodeName|serviceAccountName)|"
    r"status\.(hostIPs?|podIPs?)"
)
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_POLICIES = ("Always", "IfNotPresent", "Never")


def check_container(field: str, container: JsonObject, volumes: Collection[str]) -> list[FieldError]:
    """Everything of one container but its name and image."""
    errors = _ports(f"{field}.ports", container.get("ports") or ())
    errors += _environment(f"{field}.env", container.get("env") or ())
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        where = f"{field}.volumeMounts[{index}]"
        name = mount.get("name") or ""
        if not name:
            errors.append(required(f"{where}.name"))
        elif name not in volumes:
            errors.append(missing(f"{where}.name", name))
        if not mount.get("mountPath"):
            errors.append(required(f"{where}.mountPath"))
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        body = container.get(probe)
        if isinstance(body, dict):
            errors += _probe(f"{field}.{probe}", body, once=probe != "readinessProbe")
    policy = container.get("imagePullPolicy")
    if policy is not None and policy not in _POLICIES:
        errors.append(unsupported(f"{field}.imagePullPolicy", policy, _POLICIES))
    return errors + check_needs(f"{field}.resources", container.get("resources") or {})


def check_needs(field: str, needs: JsonObject) -> list[FieldError]:
    """Requests and limits: known names, no negative amounts, no request above its limit."""
    errors = []
    limits = needs.get("limits") or {}
    for kind in ("limits", "requests"):
        for name, value in (needs.get(kind) or {}).items():
            amount = parse_quantity(str(value)).milli_value()
            if amount < 0:
                errors.append(wrong(f"{field}.{kind}[{name}]", str(value), "must be greater than or equal to 0"))
            if name not in _STANDARD and "/" not in name and not name.startswith("hugepages-"):
                where = f"{field}.{kind}[{name}]"
                errors.append(wrong(where, name, "must be a standard resource type or fully qualified"))
                errors.append(wrong(where, name, "must be a standard resource for containers"))
            limit = limits.get(name)
            if kind == "requests" and limit is not None and amount > parse_quantity(str(limit)).milli_value():
                text = f"must be less than or equal to {name} limit of {limit}"
                errors.append(wrong(f"{field}.requests", str(value), text))
    return errors


def _ports(field: str, ports: Any) -> list[FieldError]:
    errors = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        name = port.get("name") or ""
        if name and name in seen:
            errors.append(duplicate(f"{field}[{index}].name", name))
        seen.add(name)
        number = port.get("containerPort")
        if not number:
            errors.append(required(f"{field}[{index}].containerPort"))
        elif not 0 < number < 65536:
            errors.append(wrong(f"{field}[{index}].containerPort", number, "must be between 1 and 65535, inclusive"))
        protocol = port.get("protocol", "TCP")
        if protocol not in ("TCP", "UDP", "SCTP"):
            errors.append(unsupported(f"{field}[{index}].protocol", protocol, ("SCTP", "TCP", "UDP")))
    return errors


def _environment(field: str, entries: Any) -> list[FieldError]:
    errors = []
    for index, entry in enumerate(entries):
        where = f"{field}[{index}]"
        name = entry.get("name") or ""
        if not name:
            errors.append(required(f"{where}.name"))
        elif not _ENV_NAME.fullmatch(name):
            text = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            errors.append(wrong(f"{where}.name", name, text))
        source = entry.get("valueFrom") or {}
        if source and entry.get("value"):
            errors.append(wrong(f"{where}.valueFrom", "", "may not be specified when `value` is not empty"))
        path = (source.get("fieldRef") or {}).get("fieldPath")
        if path is not None and not _FIELD_PATHS.fullmatch(path):
            text = f"error converting fieldPath: field label not supported: {path}"
            errors.append(wrong(f"{where}.valueFrom.fieldRef.fieldPath", path, text))
    return errors


def _probe(field: str, probe: JsonObject, *, once: bool) -> list[FieldError]:
    errors = []
    given = [name for name in _HANDLERS if probe.get(name) is not None]
    if not given:
        errors.append(required(field, "must specify a handler type"))
    errors += [forbidden_field(f"{field}.{name}", "may not specify more than 1 handler type") for name in given[1:]]
    for key in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        value = probe.get(key)
        if isinstance(value, int) and value < 0:
            errors.append(wrong(f"{field}.{key}", value, "must be greater than or equal to 0"))
    threshold = probe.get("successThreshold", 1)
    if once and threshold != 1:
        errors.append(wrong(f"{field}.successThreshold", threshold, "must be 1"))
    return errors


def check_tolerations(field: str, entries: Any) -> list[FieldError]:
    """Operators with the values that they take."""
    errors = []
    for index, entry in enumerate(entries or ()):
        where = f"{field}[{index}]"
        operator = entry.get("operator") or "Equal"
        if operator not in ("Equal", "Exists"):
            errors.append(unsupported(f"{where}.operator", operator, ("Equal", "Exists")))
        elif operator == "Exists" and entry.get("value"):
            text = "value must be empty when `operator` is 'Exists'"
            errors.append(wrong(f"{where}.operator", entry["value"], text))
        elif not entry.get("key") and operator != "Exists":
            text = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            errors.append(wrong(f"{where}.operator", operator, text))
    return errors
