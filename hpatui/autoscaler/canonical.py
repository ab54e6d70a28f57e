"""When two JSON values mean the same to Kubernetes: empty, null and missing are one, quantities compare as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hpatui.quantity import QuantityError, parse_quantity

_EMPTY: tuple[Any, ...] = (None, "", 0, [], {})
_QUANTITIES = ("averageValue", "value")


def canonical_json(value: Any, field: str = "") -> Any:
    """A form in which equal values are equal."""
    if isinstance(value, Mapping):
        items = ((key, canonical_json(item, key)) for key, item in value.items())
        return {key: item for key, item in items if not _is_empty(item)}
    if isinstance(value, list | tuple):
        return [canonical_json(item) for item in value]
    if field in _QUANTITIES and isinstance(value, str):
        try:
            quantity = parse_quantity(value)
        except QuantityError:
            return value
        if abs(quantity.scale) > 400:
            return value
        number = Fraction(quantity.unscaled) * Fraction(10) ** quantity.scale
        return str(number) if number else 0
    return value


def same_json(a: Any, b: Any, field: str = "") -> bool:
    """Whether their canonical forms are equal, told without making them where they are the same to the letter."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return all(_same_item(a.get(key), b.get(key), key) for key in a.keys() | b.keys())
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same_json(x, y) for x, y in zip(a, b, strict=True))
    if (a is False) != (b is False):
        return False  # to Python it is 0
    return (type(a) is type(b) and a == b) or bool(canonical_json(a, field) == canonical_json(b, field))


def _same_item(a: Any, b: Any, field: str) -> bool:
    return (
        a is b
        or same_json(a, b, field)
        or (_is_empty(canonical_json(a, field)) and _is_empty(canonical_json(b, field)))
    )


def _is_empty(value: Any) -> bool:
    return value in _EMPTY and value is not False
