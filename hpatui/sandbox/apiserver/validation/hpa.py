"""Validation of HorizontalPodAutoscalers (pkg/apis/autoscaling/validation)."""

from __future__ import annotations

from typing import Any

from hpatui.quantity import parse_quantity
from hpatui.sandbox.apiserver.defaults import SOURCES, canonical
from hpatui.sandbox.apiserver.status import FieldError
from hpatui.sandbox.apiserver.validation.errors import (
    forbidden_field,
    required,
    unsupported,
    wrong,
)
from hpatui.sandbox.release import DEFAULT, Release


def check_hpa(obj: dict[str, Any], old: dict[str, Any] | None, release: Release = DEFAULT) -> list[FieldError]:
    """What is wrong with the spec (stored form: v2)."""
    spec = obj.get("spec") or {}
    errors: list[FieldError] = []
    least, most = spec.get("minReplicas"), spec.get("maxReplicas")
    scales_to_zero = any(
        isinstance(entry, dict) and entry.get("type") in ("Object", "External") for entry in spec.get("metrics") or ()
    )
    # A zero that is there already may stay, whatever the gate says now.
    zero = release.zero_is_taken or (old is not None and (old.get("spec") or {}).get("minReplicas") == 0)
    lowest = 0 if zero and (scales_to_zero or not release.lenient) else 1
    if least is not None and least < lowest:
        errors.append(wrong("spec.minReplicas", least, f"must be greater than or equal to {lowest}"))
    if release.minor < 36 and (most or 0) < 1:
        errors.append(wrong("spec.maxReplicas", most or 0, "must be greater than 0"))
    elif not most:
        errors.append(required("spec.maxReplicas", "must be set and greater than 0"))
    elif most < 1:
        errors.append(wrong("spec.maxReplicas", most, "must be greater than or equal to 1"))
    if least is not None and (most or 0) < least:
        errors.append(wrong("spec.maxReplicas", most or 0, "must be greater than or equal to `minReplicas`"))
    ref = spec.get("scaleTargetRef") or {}
    errors += _reference("spec.scaleTargetRef", ref)
    if release.minor >= 34 and (old is None or ((old.get("spec") or {}).get("scaleTargetRef") or {}) != ref):
        errors += _group("spec.scaleTargetRef.apiVersion", ref)
    if least == 0 and lowest == 0 and not scales_to_zero:
        text = "must specify at least one Object or External metric to support scaling to zero replicas"
        errors.append(forbidden_field("spec.metrics", text))
    for index, entry in enumerate(spec.get("metrics") or ()):
        errors += _metric(f"spec.metrics[{index}]", entry if isinstance(entry, dict) else {})
    behavior = spec.get("behavior")
    if isinstance(behavior, dict):
        for side in ("scaleUp", "scaleDown"):
            errors += _rules(f"spec.behavior.{side}", behavior.get(side))
    return errors


def _reference(field: str, ref: dict[str, Any]) -> list[FieldError]:
    errors = []
    for key in ("kind", "name"):
        value = ref.get(key)
        if not value:
            errors.append(required(f"{field}.{key}"))
        else:
            errors += _segment(f"{field}.{key}", value)
    return errors


def _segment(field: str, value: str) -> list[FieldError]:
    """What may not stand in a part of a URL's path (apimachinery's IsValidPathSegmentName)."""
    if value in (".", ".."):
        return [wrong(field, value, f"may not be '{value}'")]
    return [wrong(field, value, f"may not contain '{char}'") for char in "/%" if char in value]


def _group(field: str, ref: dict[str, Any]) -> list[FieldError]:
    """The target's group, which 1.34 and later demand; the core group has one kind that scales."""
    version = ref.get("apiVersion") or ""
    if "/" in version or (version and ref.get("kind") == "ReplicationController"):
        return []
    return [wrong(field, version, "apiVersion must specify API group")]


def _metric(field: str, entry: dict[str, Any]) -> list[FieldError]:
    kind = entry.get("type")
    if not kind:
        return [required(f"{field}.type", "must specify a metric source type")]
    if kind not in SOURCES:
        return [unsupported(f"{field}.type", kind, tuple(SOURCES))]
    given = [name for name in SOURCES.values() if entry.get(name) is not None]
    errors = [
        forbidden_field(f"{field}.{name}", "must populate the given metric source only")
        for name in given
        if name != SOURCES[kind]
    ]
    body = entry.get(SOURCES[kind])
    if not isinstance(body, dict):
        text = "must populate information for the given metric source"
        return [*errors, required(f"{field}.{SOURCES[kind]}", text)]
    return errors + _source(f"{field}.{SOURCES[kind]}", kind, body)


def _source(field: str, kind: str, body: dict[str, Any]) -> list[FieldError]:
    errors: list[FieldError] = []
    target = body.get("target") or {}
    errors += _target(f"{field}.target", target)
    if kind in ("Resource", "ContainerResource"):
        if not body.get("name"):
            errors.append(required(f"{field}.name", "must specify a resource name"))
        if kind == "ContainerResource" and not body.get("container"):
            errors.append(required(f"{field}.container", "must specify a container"))
        use, average = target.get("averageUtilization"), target.get("averageValue")
        if use is None and average is None:
            text = "must set either a target raw value or a target utilization"
            errors.append(required(f"{field}.target.averageUtilization", text))
        if use is not None and average is not None:
            text = "may not set both a target raw value and a target utilization"
            errors.append(forbidden_field(f"{field}.target.averageValue", text))
        return errors
    metric = body.get("metric") or {}
    if not metric.get("name"):
        errors.append(required(f"{field}.metric.name", "must specify a metric name"))
    else:
        errors += _segment(f"{field}.metric.name", metric["name"])
    if kind == "Object":
        errors += _reference(f"{field}.describedObject", body.get("describedObject") or {})
    value, average = target.get("value"), target.get("averageValue")
    if kind == "Pods":
        if average is None or _amount(average) <= 0:
            errors.append(required(f"{field}.target.averageValue", "must specify a positive target averageValue"))
    elif value is None and average is None:
        errors.append(required(f"{field}.target.averageValue", "must set either a target value or averageValue"))
    elif kind == "External" and value is not None and average is not None:
        text = "may not set both a target value for metric and a per-pod target"
        errors.append(forbidden_field(f"{field}.target.value", text))
    return errors


def _amount(value: Any) -> int:
    return parse_quantity(str(value)).milli_value()


def _target(field: str, target: dict[str, Any]) -> list[FieldError]:
    errors = []
    kind = target.get("type")
    if not kind:
        errors.append(required(f"{field}.type", "must specify a metric target type"))
    if kind not in ("Utilization", "Value", "AverageValue"):
        text = "must be either Utilization, Value, or AverageValue"
        errors.append(wrong(f"{field}.type", kind or "", text))
    errors += [
        wrong(f"{field}.{key}", str(target[key]), "must be positive")
        for key in ("value", "averageValue")
        if target.get(key) is not None and _amount(target[key]) <= 0
    ]
    use = target.get("averageUtilization")
    if use is not None and use < 1:
        errors.append(wrong(f"{field}.averageUtilization", use, "must be greater than 0"))
    return errors


def _rules(field: str, rules: Any) -> list[FieldError]:
    if not isinstance(rules, dict):
        return []
    errors: list[FieldError] = []
    window = rules.get("stabilizationWindowSeconds")
    if isinstance(window, int) and window < 0:
        errors.append(wrong(f"{field}.stabilizationWindowSeconds", window, "must be greater than or equal to zero"))
    if isinstance(window, int) and window > 3600:
        text = "must be less than or equal to 3600"
        errors.append(wrong(f"{field}.stabilizationWindowSeconds", window, text))
    if rules.get("selectPolicy") is not None and rules["selectPolicy"] not in ("Max", "Min", "Disabled"):
        errors.append(unsupported(f"{field}.selectPolicy", rules["selectPolicy"], ("Max", "Min", "Disabled")))
    if rules.get("tolerance") is not None and _amount(rules["tolerance"]) < 0:
        errors.append(wrong(f"{field}.tolerance", canonical(rules["tolerance"]), "must be greater than or equal to 0"))
    policies = rules.get("policies") or []
    if not policies:
        errors.append(required(f"{field}.policies", "must specify at least one Policy"))
    for index, policy in enumerate(policies):
        errors += _policy(f"{field}.policies[{index}]", policy)
    return errors


def _policy(field: str, policy: dict[str, Any]) -> list[FieldError]:
    errors = []
    if policy.get("type") not in ("Pods", "Percent"):
        errors.append(unsupported(f"{field}.type", policy.get("type") or "", ("Pods", "Percent")))
    value, period = policy.get("value") or 0, policy.get("periodSeconds") or 0
    if value <= 0:
        errors.append(wrong(f"{field}.value", value, "must be greater than zero"))
    if period <= 0:
        errors.append(wrong(f"{field}.periodSeconds", period, "must be greater than zero"))
    if period > 1800:
        errors.append(wrong(f"{field}.periodSeconds", period, "must be less than or equal to 1800"))
    return errors
