"""TARGETS as servers of different versions print it."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.autoscaler.rules import rules_of
from hpatui.autoscaler.targets_column import targets_column


def _resource(name: str, target: dict[str, Any], current: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {"type": "Resource", "resource": {"name": name, "target": target}},
        {"type": "Resource", "resource": {"name": name, "current": current}},
    )


CPU = _resource("cpu", {"type": "Utilization", "averageUtilization": 80}, {"averageUtilization": 50})
MEMORY = _resource("memory", {"type": "AverageValue", "averageValue": "80Mi"}, {"averageValue": "41943040"})


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("1.28", "50%/80%, 41943040/80Mi"),
        ("1.29", "50%/80%, 41943040/80Mi"),
        ("1.30", "cpu: 50%/80%, memory: 41943040/80Mi"),
        ("1.38", "cpu: 50%/80%, memory: 41943040/80Mi"),
    ],
)
def test_the_name_of_a_resource(version: str, text: str) -> None:
    hpa = {"spec": {"metrics": [CPU[0], MEMORY[0]]}, "status": {"currentMetrics": [CPU[1], MEMORY[1]]}}
    assert targets_column(hpa, rules_of(version)) == text


def test_a_container_and_what_has_no_name() -> None:
    container = {"name": "cpu", "container": "app", "target": {"type": "Utilization", "averageUtilization": 60}}
    external = {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"}}
    hpa = {
        "spec": {
            "metrics": [
                {"type": "ContainerResource", "containerResource": container},
                {"type": "External", "external": external},
            ]
        }
    }
    assert targets_column(hpa, rules_of("1.29")) == "<unknown>/60%, <unknown>/30 (avg)"
    assert targets_column(hpa, rules_of("1.30")) == "cpu: <unknown>/60%, <unknown>/30 (avg)"
