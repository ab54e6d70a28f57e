"""A pod's quality-of-service class. Source: ComputePodQOS of pkg/apis/core/v1/helper/qos."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from hpatui.quantity import QuantityError, parse_quantity

_COUNTED = ("cpu", "memory")


def qos_class(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort, from a pod's spec after defaulting.

    Only cpu and memory above zero count; init containers count as well; pod-level resources come before the containers'.
    Quantities compare as numbers: a request of 500m and a limit of 0.5 are the same.
    """
    level = spec.get("resources") or {}
    parts = [spec] if level.get("requests") or level.get("limits") else [
        container for name in ("containers", "initContainers") for container in spec.get(name) or ()
    ]  # fmt: skip
    requests: dict[str, Fraction] = {}
    limits: dict[str, Fraction] = {}
    guaranteed = True
    for part in parts:
        resources = part.get("resources") or {}
        _add(requests, resources.get("requests") or {})
        guaranteed = len(_add(limits, resources.get("limits") or {})) == len(_COUNTED) and guaranteed
    if not requests and not limits:
        return "BestEffort"
    return "Guaranteed" if guaranteed and requests == limits else "Burstable"


def _add(total: dict[str, Fraction], values: Mapping[str, Any]) -> list[str]:
    """Add what counts; the names that did."""
    found = []
    for name in _COUNTED:
        try:
            quantity = parse_quantity(str(values.get(name, "0")))
        except QuantityError:
            continue
        number = Fraction(quantity.unscaled) * Fraction(10) ** quantity.scale
        if number > 0:
            total[name] = total.get(name, Fraction(0)) + number
            found.append(name)
    return found
