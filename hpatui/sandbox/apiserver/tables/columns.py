"""Columns and the small texts that many tables share (pkg/printers, k8s.io/apimachinery/pkg/util/duration)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hpatui.clock import parse_rfc3339

JsonObject = Mapping[str, Any]
Cells = list[Any]
Printer = Callable[[JsonObject, float], Cells]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; those of priority 1 are shown by `-o wide` only."""

    name: str
    priority: int = 0
    type: str = "string"
    format: str = ""


def columns(text: str, wide: str = "", integers: Sequence[str] = ()) -> list[Column]:
    """Columns from names separated by `|`; the first is the object's name."""
    result: list[Column] = []
    for priority, names in enumerate((text, wide)):
        for name in filter(None, names.split("|")):
            kind = "integer" if name in integers else "string"
            result.append(Column(name, priority, kind, "name" if not result else ""))
    return result


def human_duration(seconds: float) -> str:
    """A duration with at most two units, as kubectl prints ages."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < 0:
        return "0s"
    if total < 120:
        return f"{total}s"
    minutes = total // 60
    if minutes < 10:
        rest = total % 60
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours = total // 3600
    if hours < 8:
        rest = minutes % 60
        return f"{hours}h{rest}m" if rest else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        rest = hours % 24
        return f"{hours // 24}d{rest}h" if rest else f"{hours // 24}d"
    days = hours // 24
    if days < 365 * 2:
        return f"{days}d"
    if days < 365 * 8:
        rest = days % 365
        return f"{days // 365}y{rest}d" if rest else f"{days // 365}y"
    return f"{days // 365}y"


def since(text: Any, now: float) -> str:
    """How long ago a time was; <unknown> without one."""
    try:
        return human_duration(now - parse_rfc3339(text).timestamp()) if isinstance(text, str) and text else "<unknown>"
    except ValueError:
        return "<unknown>"


def age(obj: JsonObject, now: float) -> str:
    """The AGE column."""
    return since(obj["metadata"].get("creationTimestamp"), now)


def dig(obj: Any, *path: str) -> Any:
    """A nested field; None where a step is missing."""
    for step in path:
        obj = obj.get(step) if isinstance(obj, Mapping) else None
    return obj


def count(obj: Any, *path: str) -> int:
    """A nested number; 0 where it is missing."""
    value = dig(obj, *path)
    return value if isinstance(value, int) else 0


def entries(value: Any) -> list[Any]:
    """The mappings in a list that may be missing."""
    return [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []


def labels_text(labels: Any) -> str:
    """Labels as key=value, sorted."""
    if not isinstance(labels, Mapping) or not labels:
        return "<none>"
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels))


def selector_text(selector: Any) -> str:
    """A LabelSelector as text (metav1.FormatLabelSelector)."""
    if not isinstance(selector, Mapping):
        return "<none>"
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for term in entries(selector.get("matchExpressions")):
        operator, key, values = term.get("operator"), term.get("key"), ",".join(sorted(term.get("values") or ()))
        if operator in ("In", "NotIn"):
            parts.append(f"{key} {operator.lower()} ({values})")
        else:
            parts.append(f"{'' if operator == 'Exists' else '!'}{key}")
    return ",".join(parts) or "<none>"


def containers_of(spec: Any) -> tuple[str, str]:
    """Names and images of a pod spec's containers."""
    found = entries(dig(spec, "containers"))
    names = ",".join(str(entry.get("name", "")) for entry in found)
    return names, ",".join(str(entry.get("image", "")) for entry in found)
