"""kubectl's describe where a status entry holds another field than the target asks for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from hpatui.autoscaler.describe import describe_hpa

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def _line(kind: str, target: dict[str, Any], current: dict[str, Any] | None) -> str:
    field = kind[0].lower() + kind[1:]
    source: dict[str, Any] = {"metric": {"name": "queue"}, "target": target}
    if kind == "Object":
        source["describedObject"] = {"kind": "Service", "name": "web"}
    statuses = [] if current is None else [{"type": kind, field: {"metric": {"name": "queue"}, "current": current}}]
    hpa = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "metrics": [{"type": kind, field: source}]},
        "status": {"currentMetrics": statuses},
    }
    return next(line.split(":", 1)[1].strip() for line in describe_hpa(hpa, [], NOW).split("\n") if '"queue"' in line)


AVERAGE = {"type": "AverageValue", "averageValue": "10"}
VALUE = {"type": "Value", "value": "10"}


@pytest.mark.parametrize(
    ("kind", "target", "current", "text"),
    [
        ("Object", AVERAGE, {"value": "5"}, "<nil> / 10"),
        ("Object", AVERAGE, None, "<unknown> / 10"),
        ("Object", VALUE, {"averageValue": "5"}, "<nil> / 10"),
        ("External", AVERAGE, {"value": "5"}, "<unknown> / 10"),
        ("External", VALUE, {"averageValue": "5"}, "<nil> / 10"),
        ("Pods", AVERAGE, {"value": "5"}, "<nil> / 10"),
    ],
)
def test_another_field_in_the_status(
    kind: str, target: dict[str, Any], current: dict[str, Any] | None, text: str
) -> None:
    assert _line(kind, target, current) == text
