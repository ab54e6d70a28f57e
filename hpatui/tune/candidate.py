"""A candidate: an HPA's spec with a few edits, as data that can be sorted, sent to another process and undone one by one.

Edit("down.window", 120) on the recorded JSON -> the JSON that would be applied
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

Policy = tuple[str, int, int]  # type, value, period (s)
Value = int | float | str | tuple[Policy, ...]

_PATHS = {
    "min": "minReplicas",
    "max": "maxReplicas",
    "up.window": "behavior.scaleUp.stabilizationWindowSeconds",
    "up.policies": "behavior.scaleUp.policies",
    "up.tolerance": "behavior.scaleUp.tolerance",
    "down.window": "behavior.scaleDown.stabilizationWindowSeconds",
    "down.policies": "behavior.scaleDown.policies",
    "down.tolerance": "behavior.scaleDown.tolerance",
}
_DIRECTIONS = {"up": "scaleUp", "down": "scaleDown"}
# What the API server fills in where behavior says nothing: pkg/apis/autoscaling/v2/defaults.go
UP_POLICIES: tuple[Policy, ...] = (("Percent", 100, 15), ("Pods", 4, 15))
DOWN_POLICIES: tuple[Policy, ...] = (("Percent", 100, 15),)


class Edit(NamedTuple):
    """A field (`min`, `max`, `target.N`, `up.window`, `down.policies`, ..., `instead.N`) and its new value.

    `instead.N`: the metric at place N of spec.metrics is replaced by cpu utilization at that percentage.
    """

    field: str
    value: Value


@dataclass(frozen=True, slots=True)
class Candidate:
    """Edits, at most one a field, in order of field. None at all is the spec as it is."""

    edits: tuple[Edit, ...] = ()

    def value(self, field: str) -> Value | None:
        """The new value of a field, None where it is not edited."""
        return next((edit.value for edit in self.edits if edit.field == field), None)

    def with_edits(self, *edits: Edit) -> Candidate:
        """These edits on top. A metric that is replaced has no target to edit any more."""
        fields = {edit.field for edit in edits}
        for edit in edits:
            kind, _, index = edit.field.partition(".")
            if kind in ("target", "instead"):
                fields |= {f"target.{index}", f"instead.{index}"}
        kept = [edit for edit in self.edits if edit.field not in fields]
        return Candidate(tuple(sorted([*kept, *edits], key=lambda edit: edit.field)))

    def without(self, field: str) -> Candidate:
        """Without the edit of a field."""
        return Candidate(tuple(edit for edit in self.edits if edit.field != field))


def applied(hpa: Mapping[str, Any], candidate: Candidate) -> dict[str, Any]:
    """The HPA's JSON (autoscaling/v2) with the edits: metadata of the name, and the spec."""
    metadata = hpa.get("metadata") or {}
    spec = copied(hpa.get("spec") or {})
    for edit in candidate.edits:
        _apply(spec, edit)
    return {
        "apiVersion": hpa.get("apiVersion", "autoscaling/v2"),
        "kind": "HorizontalPodAutoscaler",
        "metadata": {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)},
        "spec": spec,
    }


def path_of(hpa: Mapping[str, Any], field: str) -> str:
    """A field's path within the spec, as people write it."""
    if field in _PATHS:
        return _PATHS[field]
    kind, _, index = field.partition(".")
    metric = (hpa.get("spec") or {}).get("metrics", [])[int(index)]
    if kind == "instead":
        return f"metrics[{index}]"
    name, target = target_of(metric)
    return f"metrics[{index}].{name}.target.{target_key(target)}"


def value_of(hpa: Mapping[str, Any], field: str) -> Any:
    """The field's value in the HPA's JSON; None where the spec does not say."""
    spec: Any = hpa.get("spec") or {}
    if field.startswith("target."):
        _, target = target_of(spec["metrics"][int(field.partition(".")[2])])
        return target.get(target_key(target))
    if field.startswith("instead."):
        name, target = target_of(spec["metrics"][int(field.partition(".")[2])])
        return f"{_named(spec['metrics'][int(field.partition('.')[2])], name)} {target.get(target_key(target))}"
    found = spec
    for part in _PATHS[field].split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def text_of(value: Any) -> str:
    """A value for people."""
    if value is None:
        return "not set"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_policy_text(item) for item in value)
    return str(value)


def _policy_text(policy: Any) -> str:
    if isinstance(policy, Mapping):
        policy = (policy.get("type"), policy.get("value"), policy.get("periodSeconds"))
    type_, value, period = policy
    return f"{value}{' %' if type_ == 'Percent' else ' pods' if value != 1 else ' pod'} in {period} s"


def target_of(metric: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """The key of a metric's source within its entry, and its target."""
    for name, source in metric.items():
        if isinstance(source, Mapping) and isinstance(source.get("target"), Mapping):
            return name, source["target"]
    return "", {}


def _named(metric: Mapping[str, Any], key: str) -> str:
    source = metric.get(key) or {}
    named = source.get("metric")
    return str(source.get("name") or (named.get("name") if isinstance(named, Mapping) else "") or key)


def target_key(target: Mapping[str, Any]) -> str:
    """The key of a target's number."""
    return {"Utilization": "averageUtilization", "Value": "value"}.get(str(target.get("type")), "averageValue")


def _apply(spec: dict[str, Any], edit: Edit) -> None:
    kind, _, part = edit.field.partition(".")
    if kind in ("min", "max"):
        spec[_PATHS[kind]] = edit.value
    elif kind == "target":
        _, target = target_of(spec["metrics"][int(part)])
        assert isinstance(target, dict)
        target[target_key(target)] = edit.value
    elif kind == "instead":
        target = {"type": "Utilization", "averageUtilization": edit.value}
        spec["metrics"][int(part)] = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    else:
        behavior = spec["behavior"] = dict(spec.get("behavior") or {})
        rules = behavior[_DIRECTIONS[kind]] = dict(behavior.get(_DIRECTIONS[kind]) or {})
        _apply_rule(rules, part, edit.value)


def _apply_rule(rules: dict[str, Any], part: str, value: Value) -> None:
    if part == "window":
        rules["stabilizationWindowSeconds"] = value
    elif part == "tolerance":
        rules["tolerance"] = str(value)
    else:
        assert isinstance(value, tuple)
        rules["policies"] = [{"type": t, "value": v, "periodSeconds": p} for t, v, p in value]
        rules["selectPolicy"] = "Max"


def copied(value: Any) -> Any:
    """JSON of one's own."""
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value
