"""When two JSON values mean the same to Kubernetes: empty, null and missing are one, quantities compare as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hpatui.quantity import QuantityError, parse_quantity

_QUANTITIES = ("averageValue", "value")


def canonical_json(value: Any, field: str = "") -> Any:
    """A form in which equal values are equal."""
    if isinstance(value, Mapping):
        items = ((key, canonical_json(item, key)) for key, item in value.items())
        return {key: item for key, item in items if item not in (None, "", 0, [], {}) or item is False}
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
