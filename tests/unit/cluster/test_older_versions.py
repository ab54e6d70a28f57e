"""HPAs of v1 and v2beta1 as v2 objects: one order of metrics and statuses, and the behavior that stands in an annotation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hpatui.cluster.versions import to_v2

NOTE = "autoscaling.alpha.kubernetes.io/"
CPU = {"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 20, "currentAverageValue": "1m"}}
MEMORY = {"type": "Resource", "resource": {"name": "memory", "currentAverageValue": "1Mi"}}
BLIND = {"type": ""}
QUEUE = {"type": "External", "external": {"metricName": "q", "currentValue": "3"}}


def _v1(others: list[Any], current: list[Any]) -> dict[str, Any]:
    notes = {f"{NOTE}metrics": json.dumps(others), f"{NOTE}current-metrics": json.dumps(current)}
    spec = {"maxReplicas": 5, "targetCPUUtilizationPercentage": 50}
    return to_v2("v1", {"metadata": {"name": "x", "annotations": notes}, "spec": spec, "status": {}})


EXTERNAL = {"type": "External", "external": {"metricName": "q", "targetValue": "5"}}
PODS = {"type": "Pods", "pods": {"metricName": "rps", "targetAverageValue": "5"}}
OF_MEMORY = {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "2Mi"}}


@pytest.mark.parametrize(
    ("others", "current", "place"),
    [
        ([EXTERNAL, PODS], [BLIND, CPU, BLIND], 1),
        ([EXTERNAL, PODS], [QUEUE, BLIND, CPU], 2),
        ([EXTERNAL], [CPU, QUEUE], 0),
        ([EXTERNAL], [QUEUE, BLIND], 1),
        ([OF_MEMORY], [MEMORY, CPU], 1),
        ([EXTERNAL, PODS], [BLIND, BLIND, BLIND], 0),
        ([EXTERNAL], [], 0),
        ([], [CPU], 0),
    ],
)
def test_cpu_stands_where_its_status_stands(others: list[Any], current: list[Any], place: int) -> None:
    metrics = _v1(others, current)["spec"]["metrics"]
    assert len(metrics) == len(others) + 1
    assert metrics[place].get("resource", {}).get("name") == "cpu"


BEHAVIORS = [
    {"scaleDown": {"selectPolicy": "Disabled"}},
    {"ScaleDown": {"SelectPolicy": "Disabled", "StabilizationWindowSeconds": None}, "ScaleUp": None},
]


@pytest.mark.parametrize("version", ["v1", "v2beta1"])
@pytest.mark.parametrize("behavior", BEHAVIORS, ids=["small", "capitals"])
def test_the_behavior_is_read_from_its_annotation(version: str, behavior: dict[str, Any]) -> None:
    notes = {f"{NOTE}behavior": json.dumps(behavior), "mine": "stays"}
    made = to_v2(version, {"metadata": {"name": "x", "annotations": notes}, "spec": {"maxReplicas": 5}})
    assert made["spec"]["behavior"] == {"scaleDown": {"selectPolicy": "Disabled"}}
    assert made["metadata"]["annotations"] == {"mine": "stays"}


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"'])
def test_a_broken_annotation_is_none(text: str) -> None:
    notes = {f"{NOTE}behavior": text, f"{NOTE}metrics": text, f"{NOTE}current-metrics": text}
    made = to_v2("v1", {"metadata": {"name": "x", "annotations": notes}, "spec": {"maxReplicas": 5}})
    assert "behavior" not in made["spec"] and made["spec"]["metrics"] == []
