"""The row of `kubectl get hpa`, to the letter: REFERENCE, TARGETS, MINPODS, MAXPODS, REPLICAS.

Source: printers of the API server (internalversion formatHPAMetrics). `<unknown>` stands where the status has no entry
for the metric, `<nil>` where its entry holds another kind of value, `<auto>` for a resource target without a number.
Servers before 1.30 print a resource without its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.quantity import QuantityError, parse_quantity

_SHOWN = 2  # metrics that are shown before "+ N more..."
_FIELDS = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}


def quantity_text(value: object) -> str:
    """A quantity as Kubernetes writes it back; `<nil>` for None. What is no quantity is shown as it is."""
    if value is None:
        return "<nil>"
    try:
        return str(parse_quantity(str(value)))
    except QuantityError:
        return str(value)


def targets_column(hpa: Mapping[str, Any], rules: Rules = RECORDED) -> str:
    """The TARGETS text of an autoscaling/v2 object (JSON), as a server of the rules' version prints it."""
    specs = (hpa.get("spec") or {}).get("metrics") or ()
    if not specs:
        return "<none>"
    statuses = (hpa.get("status") or {}).get("currentMetrics") or ()
    shown = [_one(spec, statuses, index, named=rules.targets_named) for index, spec in enumerate(specs[:_SHOWN])]
    more = len(specs) - _SHOWN
    return ", ".join(shown) + (f" + {more} more..." if more > 0 else "")


def _one(spec: Mapping[str, Any], statuses: Sequence[Mapping[str, Any]], index: int, *, named: bool) -> str:
    kind = spec.get("type", "")
    field = _FIELDS.get(kind)
    if field is None:
        return "<unknown type>"
    current, target = metric_texts(spec, statuses, index)
    source = spec.get(field) or {}
    prefix = f"{source.get('name', '')}: " if named and kind in ("Resource", "ContainerResource") else ""
    average = kind in ("External", "Object") and (source.get("target") or {}).get("averageValue") is not None
    return f"{prefix}{current}/{target}" + (" (avg)" if average else "")


def metric_texts(spec: Mapping[str, Any], statuses: Sequence[Mapping[str, Any]], index: int) -> tuple[str, str]:
    """(current, target) of the metric at `index`, as the TARGETS column has them."""
    kind = spec.get("type", "")
    field = _FIELDS[kind]
    target = (spec.get(field) or {}).get("target") or {}
    entry = statuses[index].get(field) if index < len(statuses) else None
    current = (entry.get("current") or {}) if entry is not None else None
    if kind in ("Resource", "ContainerResource") and target.get("averageValue") is None:
        percent = current.get("averageUtilization") if current is not None else None
        wanted = target.get("averageUtilization")
        return (
            "<unknown>" if percent is None else f"{percent}%",
            "<auto>" if wanted is None else f"{wanted}%",
        )
    average = kind in ("External", "Object")
    name = "averageValue" if not average or target.get("averageValue") is not None else "value"
    if current is None or (average and name == "averageValue" and current.get(name) is None):
        return "<unknown>", quantity_text(target.get(name))
    return quantity_text(current.get(name)), quantity_text(target.get(name))
