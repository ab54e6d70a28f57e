"""Reading JSON objects whose fields may be missing or of the wrong type: every getter answers with an empty value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpatui.clock import parse_rfc3339
from hpatui.quantity import parse_quantity

Json = Mapping[str, Any]

_NOTHING: Json = {}


def child(obj: Any, *path: str) -> Json:
    """The object at `path`, or an empty one."""
    value = _walk(obj, path)
    return value if isinstance(value, Mapping) else _NOTHING


def items(obj: Any, *path: str) -> list[Json]:
    """The list of objects at `path`; what is no object is left out."""
    value = _walk(obj, path)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(obj: Any, *path: str) -> str:
    """The string at `path`, or an empty one."""
    value = _walk(obj, path)
    return value if isinstance(value, str) else ""


def number(obj: Any, *path: str) -> int | None:
    """The whole number at `path`, or None."""
    value = _walk(obj, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def time_of(obj: Any, *path: str) -> float | None:
    """The RFC 3339 time at `path` in epoch seconds, or None."""
    value = text(obj, *path)
    try:
        return parse_rfc3339(value).timestamp() if value else None
    except ValueError:
        return None


def amount(value: Any) -> float | None:
    """A quantity such as "250m" or "80Mi" as a number in its base unit (cores, bytes), or None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    try:
        return parse_quantity(value).milli_value() / 1000 if isinstance(value, str) else None
    except ValueError:
        return None


def condition(obj: Json, type_: str) -> Json:
    """The status condition of that type, or an empty object."""
    return next((c for c in items(obj, "status", "conditions") if c.get("type") == type_), _NOTHING)


def name(obj: Json) -> str:
    """metadata.name."""
    return text(obj, "metadata", "name")


def namespace(obj: Json) -> str:
    """metadata.namespace."""
    return text(obj, "metadata", "namespace")


def _walk(obj: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(obj, Mapping):
            return None
        obj = obj.get(step)
    return obj
