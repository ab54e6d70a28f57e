"""An HPA's spec as a short form for trial edits, and back: text fields <-> Edit. Pure; every error names its field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.errors import UsageError
from hpatui.model import ControllerFlags
from hpatui.quantity import parse_quantity
from hpatui.state.whatif import Edit

# Defaults of the API server for autoscaling/v2: k8s.io/kubernetes/pkg/apis/autoscaling/v2/defaults.go
_UP_POLICIES = "100%/15s, 4/15s"
_DOWN_POLICIES = "100%/15s"
_POLICY = re.compile(r"(\d+)\s*(%|pods?)?\s*(?:/|per)\s*(\d+)\s*s?")
_OFF = "off"


@dataclass(frozen=True, slots=True)
class TrialField:
    """One line of the form: its id, its label, the value as it is, and how it is written."""

    id: str
    label: str
    value: str
    hint: str


def fields_of(hpa: Mapping[str, Any], flags: ControllerFlags) -> tuple[TrialField, ...]:
    """The form of an HPA (autoscaling/v2 JSON)."""
    spec = hpa.get("spec") or {}
    fields = [
        TrialField("min", "minReplicas", str(spec.get("minReplicas", 1)), "a number"),
        TrialField("max", "maxReplicas", str(spec.get("maxReplicas", 1)), "a number"),
    ]
    for index, metric in enumerate(spec.get("metrics") or []):
        name, target = _metric(metric)
        percent = target.get("type") == "Utilization"
        value = target.get("averageUtilization" if percent else "averageValue", target.get("value", ""))
        hint = "percent of the request" if percent else "a quantity, e.g. 80Mi or 500m"
        fields.append(TrialField(f"target.{index}", f"{name} target", str(value), hint))
    fields.append(TrialField("tolerance", "tolerance %", f"{flags.tolerance * 100:g}", "percent of the target"))
    behavior = spec.get("behavior") or {}
    up, down = behavior.get("scaleUp") or {}, behavior.get("scaleDown") or {}
    policy_hint = "N%/SECONDSs or PODS/SECONDSs, with commas; or off"
    fields += [
        TrialField("up.window", "scale-up window s", _window(up, 0.0), "seconds, 0 to 3600"),
        TrialField("up.policies", "scale-up policies", _policies_text(up, _UP_POLICIES), policy_hint),
        TrialField("down.window", "scale-down window s", _window(down, flags.downscale_stabilization), "0 to 3600"),
        TrialField("down.policies", "scale-down policies", _policies_text(down, _DOWN_POLICIES), policy_hint),
    ]
    return tuple(fields)


def _metric(metric: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    for source in metric.values():
        if isinstance(source, Mapping) and isinstance(source.get("target"), Mapping):
            named = source.get("metric")
            name = source.get("name") or (named.get("name") if isinstance(named, Mapping) else None)
            return str(name or metric.get("type", "metric")), source["target"]
    return str(metric.get("type", "metric")), {}


def _window(rules: Mapping[str, Any], default: float) -> str:
    value = rules.get("stabilizationWindowSeconds")
    return f"{default if value is None else value:g}"


def _policies_text(rules: Mapping[str, Any], default: str) -> str:
    if rules.get("selectPolicy") == "Disabled":
        return _OFF
    policies = rules.get("policies")
    if not policies:
        return default
    return ", ".join(
        f"{p.get('value')}{'%' if p.get('type') == 'Percent' else ''}/{p.get('periodSeconds')}s" for p in policies
    )


def edit_of(hpa: Mapping[str, Any], flags: ControllerFlags, values: Mapping[str, str]) -> Edit:
    """The changes that `values` (field id -> text) make to the HPA. UsageError names the field that is wrong."""
    changed: dict[str, tuple[TrialField, str]] = {}
    for item in fields_of(hpa, flags):
        text = values.get(item.id, item.value).strip()
        if text and text != item.value:
            changed[item.id] = (item, text)
    targets = {
        int(name.partition(".")[2]): _target(item, text)
        for name, (item, text) in changed.items()
        if name.startswith("target.")
    }
    return Edit(
        min_replicas=_whole(*changed["min"], 0, 1_000_000) if "min" in changed else None,
        max_replicas=_whole(*changed["max"], 1, 1_000_000) if "max" in changed else None,
        targets=targets,
        behavior=_behavior(hpa, changed),
        tolerance=_percent(*changed["tolerance"]) / 100 if "tolerance" in changed else None,
    )


def _whole(item: TrialField, text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"\d+", text) or not low <= int(text) <= high:
        raise UsageError(f"{item.label} is {text!r}", hint=f"write a whole number from {low} to {high}")
    return int(text)


def _percent(item: TrialField, text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise UsageError(f"{item.label} is {text!r}", hint="write a percentage from 0 to 100")
    return value


def _target(item: TrialField, text: str) -> int | str:
    if item.hint.startswith("percent"):
        return _whole(item, text.removesuffix("%").strip(), 1, 1_000_000)
    try:
        parse_quantity(text)
    except ValueError as error:
        raise UsageError(f"{item.label} is {text!r}", hint="write a quantity, e.g. 80Mi or 500m") from error
    return text


def _behavior(hpa: Mapping[str, Any], changed: Mapping[str, tuple[TrialField, str]]) -> dict[str, Any] | None:
    if not any(name.startswith(("up.", "down.")) for name in changed):
        return None
    old = (hpa.get("spec") or {}).get("behavior") or {}
    new: dict[str, Any] = {name: dict(rules) for name, rules in old.items() if isinstance(rules, Mapping)}
    for prefix, name in (("up", "scaleUp"), ("down", "scaleDown")):
        rules = new.get(name, {})
        if f"{prefix}.window" in changed:
            rules["stabilizationWindowSeconds"] = _whole(*changed[f"{prefix}.window"], 0, 3600)
        if f"{prefix}.policies" in changed:
            item, text = changed[f"{prefix}.policies"]
            if text.lower() == _OFF:
                rules["selectPolicy"] = "Disabled"
            else:
                rules["policies"] = _policies(item, text)
                if rules.get("selectPolicy") == "Disabled":
                    rules["selectPolicy"] = "Max"
        if rules:
            new[name] = rules
    return new


def _policies(item: TrialField, text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for part in text.split(","):
        match = _POLICY.fullmatch(part.strip())
        if match is None or not int(match[1]) or not 0 < int(match[3]) <= 1800:
            raise UsageError(f"{item.label}: {part.strip()!r}", hint=f"write {item.hint}; at most 1800 s")
        kind = "Percent" if match[2] == "%" else "Pods"
        found.append({"type": kind, "value": int(match[1]), "periodSeconds": int(match[3])})
    return found
