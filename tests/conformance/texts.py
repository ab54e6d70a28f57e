"""Recorded quantities, table rows and descriptions against our own."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from hpatui.autoscaler.describe import describe_hpa
from hpatui.autoscaler.targets_column import targets_column
from hpatui.clock import parse_rfc3339
from hpatui.quantity import QuantityError, parse_quantity

Row = Mapping[str, Any]


def check_quantity(row: Row) -> str:
    """Empty if all is equal, else what differs. Values that overflow are accidents and not compared."""
    try:
        quantity = parse_quantity(row["input"])
    except QuantityError as error:
        return "" if row["error"] == str(error) else f"want error {row['error']!r}, have {error}"
    if row["error"] is not None:
        return f"want error {row['error']!r}, have {quantity}"
    have: dict[str, Any] = {
        "string": str(quantity),
        "format": quantity.format.value,
        "overflow": quantity.overflow,
        "approxFloat64": quantity.approximate_float(),
    }
    if not row["overflow"]:
        have |= {"milliValue": quantity.milli_value(), "value": quantity.value()}
    want = {name: row[name] for name in have}
    want["approxFloat64"] = float(str(row["approxFloat64"]).replace("+Inf", "inf"))
    return "\n".join(f"{name}: want {want[name]!r}, have {have[name]!r}" for name in have if want[name] != have[name])


_CELLS = ("name", "reference", "targets", "minpods", "maxpods", "replicas")


def table_cells(hpa: Mapping[str, Any]) -> tuple[str, str, str, str, str, str]:
    """(name, reference, targets, minpods, maxpods, replicas) as text."""
    spec, status = hpa.get("spec") or {}, hpa.get("status") or {}
    ref = spec.get("scaleTargetRef") or {}
    minimum = spec.get("minReplicas")
    return (
        str((hpa.get("metadata") or {}).get("name", "")),
        f"{ref.get('kind', '')}/{ref.get('name', '')}",
        targets_column(hpa),
        "<unset>" if minimum is None else str(minimum),
        str(spec.get("maxReplicas") or 0),
        str(status.get("currentReplicas") or 0),
    )


def check_row(row: Row) -> str:
    """Empty if the cells are equal, else what differs."""
    pairs = zip(_CELLS, table_cells(row["hpa"]), strict=True)
    return "\n".join(f"{name}: want {row[name]!r}, have {cell!r}" for name, cell in pairs if row[name] != cell)


def check_description(row: Row) -> str:
    """Empty if the text is equal, else a diff."""
    have = describe_hpa(row["hpa"], row["events"] or [], parse_rfc3339(row["now"]))
    return "\n".join(difflib.unified_diff(row["text"].split("\n"), have.split("\n"), "want", "have", lineterm=""))
