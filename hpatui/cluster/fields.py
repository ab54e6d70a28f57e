"""Fields of JSON objects, read tolerantly: what is missing or of the wrong type is empty, never an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from hpatui.clock import parse_rfc3339
from hpatui.model import Condition, Key, Owner
from hpatui.quantity import QuantityError, parse_quantity

Json = Mapping[str, Any]
EMPTY: Json = {}
_FEW = 10  # digits with which nothing overflows
_MILLI = {"m": 1, "n": -1_000_000, "u": -1_000, "k": 1_000_000, "M": 1_000_000_000}  # negative: divide, rounding up


def decode(raw: bytes) -> dict[str, Any]:
    """JSON object -> dict; empty where it is cut off or none: one broken object must not end a stream."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def part(obj: Json, name: str) -> Json:
    """The object in a field, or an empty one."""
    value = obj.get(name)
    return value if isinstance(value, dict) else EMPTY


def items(obj: Json, name: str) -> Iterable[Json]:
    """The objects in a list field; what is none is left out."""
    value = obj.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else ()


def text(obj: Json, name: str) -> str:
    """A text field, or an empty text."""
    value = obj.get(name)
    return value if isinstance(value, str) else ""


def integer(obj: Json, name: str, default: int = 0) -> int:
    """A whole number, or the default."""
    value = obj.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    try:
        return int(value)
    except (OverflowError, ValueError):  # infinite, or no number
        return default


def time_of(obj: Json, name: str) -> float | None:
    """A time in epoch seconds; None where it is none."""
    value = obj.get(name)
    return _epoch(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)  # whole lists share a few times
def _epoch(value: str) -> float | None:
    try:
        return parse_rfc3339(value).timestamp() if value else None
    except (ValueError, OverflowError):
        return None


def labels_of(metadata: Json) -> dict[str, str]:
    """metadata.labels."""
    return {key: value for key, value in part(metadata, "labels").items() if isinstance(value, str)}


def key_of(obj: Json) -> Key:
    """Namespace and name of an object."""
    metadata = part(obj, "metadata")
    return Key(text(metadata, "namespace"), text(metadata, "name"))


def uid_of(obj: Json) -> str:
    """The object's uid."""
    return text(part(obj, "metadata"), "uid")


_PARTS = {"m": 1e3, "n": 1e9, "u": 1e6}
_TIMES = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


def quantity_number(value: object) -> float | None:
    """A quantity as a plain number; None where it is none. Whole numbers with a common suffix take a short way."""
    if isinstance(value, str):
        digits = value.rstrip("numkKMGi")
        suffix = value[len(digits) :]
        if digits.isascii() and digits.isdigit() and len(digits) < _FEW:
            if suffix in _PARTS:
                return int(digits) / _PARTS[suffix]
            if suffix in _TIMES:
                return float(int(digits) * _TIMES[suffix])
        try:
            return parse_quantity(value).approximate_float()
        except (QuantityError, OverflowError):
            return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def conditions_of(status: Json) -> tuple[Condition, ...]:
    """status.conditions."""
    return tuple(
        Condition(
            text(item, "type"),
            text(item, "status"),
            text(item, "reason"),
            text(item, "message"),
            time_of(item, "lastTransitionTime"),
        )
        for item in items(status, "conditions")
    )


def owners_of(metadata: Json) -> tuple[Owner, ...]:
    """metadata.ownerReferences."""
    return tuple(
        Owner(
            text(item, "kind"),
            text(item, "name"),
            text(item, "uid"),
            text(item, "apiVersion"),
            item.get("controller") is True,
        )
        for item in items(metadata, "ownerReferences")
    )


def milli_of(value: object) -> int | None:
    """A quantity in thousandths, rounded up as Kubernetes does; None where it is none. Whole numbers with a common
    suffix, which is what metrics and requests are, take a short way.
    """
    if isinstance(value, str):
        if value.isascii() and value.isdigit() and len(value) < _FEW:
            return int(value) * 1000
        number, factor = value[:-1], _MILLI.get(value[-1:], 0)
        if value[-2:] == "Ki":
            number, factor = value[:-2], 1024_000
        elif value[-2:] == "Mi":
            number, factor = value[:-2], 1024_000 * 1024
        if factor and number.isascii() and number.isdigit() and len(number) < _FEW:
            return int(number) * factor if factor > 0 else -(int(number) // factor)
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return parse_quantity(str(value)).milli_value()
    except QuantityError:
        return None
