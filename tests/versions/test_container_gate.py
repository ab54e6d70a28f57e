"""HPAContainerMetrics off on 1.28 and 1.29: the metric fails without an event of its own, with an empty condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from hpatui.autoscaler.decision import Decision
from hpatui.autoscaler.rules import rules_of
from tests.unit.state.small_frames import CPU, hpa_object, pod, usage
from tests.versions.examples import World

_TARGET = {"type": "Utilization", "averageUtilization": 50}
_WEB = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "web", "target": _TARGET}}
_OFF = "ContainerResource metric type is not supported: disabled by the feature gate"
_EMPTY = {"type": "", "status": "", "lastTransitionTime": None}


def _decide(rules: str, milli: int, *more: Mapping[str, Any]) -> Decision:
    hpa = hpa_object(_WEB)
    hpa["spec"]["metrics"] += more
    world = World(hpa, tuple(pod(n) for n in range(3)), tuple(usage(n, milli) for n in range(3)))
    return world.decide(rules_of(rules))


@pytest.mark.parametrize("minor", [28, 29])
def test_the_only_metric(minor: int) -> None:
    decision = _decide(f"1.{minor}-container_metrics", 90)
    error = f"invalid metrics (1 invalid out of 1), first error is: {_OFF}"
    assert [(event.reason, event.message) for event in decision.events] == [("FailedComputeMetricsReplicas", error)]
    assert (decision.replicas, decision.wanted) == (3, None)
    assert _EMPTY in decision.status["conditions"]
    assert "ScalingActive" not in [item["type"] for item in decision.status["conditions"]]


def test_the_empty_condition_is_set_once() -> None:
    hpa = hpa_object(_WEB, conditions=[_EMPTY])
    world = World(hpa, (pod(0),), (usage(0, 90),))
    conditions = world.decide(rules_of("1.29-container_metrics")).status["conditions"]
    assert [item["type"] for item in conditions].count("") == 1


def test_beside_another_metric() -> None:
    """Up goes by the other metric; down does not go."""
    up = _decide("1.29-container_metrics", 160, CPU)
    assert (up.wanted, [event.reason for event in up.events]) == (6, ["SuccessfulRescale"])
    assert up.status["currentMetrics"][0] == {"type": ""}
    down = _decide("1.29-container_metrics", 20, CPU)
    assert (down.wanted, down.replicas) == (None, 3)


@pytest.mark.parametrize("rules", ["1.28", "1.29", "1.30", "1.36"])
def test_on_by_default(rules: str) -> None:
    assert _decide(rules, 90).wanted == 6
