"""At 0 replicas: who is woken and who is not, and what is remembered, by version."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import ControllerConfig, Memory, MetricAnswer, MetricItem, MetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics
from hpatui.autoscaler.rules import rules_of
from hpatui.autoscaler.times import SECOND
from tests.unit.state.small_frames import CPU, QUEUE, hpa_object, pod, usage

NOW = 1_795_000_000 * SECOND


def _decide(
    rules: str, hpa: dict[str, Any], size: int, queue: int, *, config: ControllerConfig | None = None
) -> Decision:
    pods = [parse_pod(pod(n)) for n in range(size)]
    samples = tuple(parse_pod_metrics(usage(n, 0)) for n in range(size))
    answers = {0: MetricAnswer((MetricItem(queue * 1000),))}
    used = ControllerConfig(rules=rules_of(rules), downscale_stabilization=0.0) if config is None else config
    metrics = MetricsInput(samples, by_index=answers)
    return decide(parse_hpa(hpa), ScaleInput(size, size, "app=web"), pods, metrics, Memory(), used, NOW)


def _conditions(decision: Decision) -> dict[str, str]:
    return {item["type"]: item["status"] for item in decision.status["conditions"]}


def _known(status: str) -> list[dict[str, str]]:
    return [] if not status else [{"type": "ScaledToZero", "status": status}]


@pytest.mark.parametrize(
    ("rules", "status", "size"),
    [
        ("1.35", "", 3), ("1.35", "True", 3), ("1.35", "False", 3),
        ("1.36", "", 0), ("1.36", "True", 0), ("1.36-scale_to_zero", "True", 0), ("1.36+scale_to_zero", "True", 3),
        ("1.37", "", 0), ("1.37", "False", 0), ("1.37", "Unknown", 0), ("1.37", "True", 3), ("1.38", "True", 3),
    ],
)  # fmt: skip
def test_who_is_woken(rules: str, status: str, size: int) -> None:
    decision = _decide(rules, hpa_object(QUEUE, minimum=0, conditions=_known(status)), 0, 30)
    assert decision.replicas == size
    assert decision.disabled is (size == 0)


def test_going_to_0_is_remembered() -> None:
    decision = _decide("1.37", hpa_object(QUEUE, minimum=0), 2, 0)
    assert decision.rescaled_to == 0
    assert _conditions(decision)["ScaledToZero"] == "True"
    assert "ScaledToZero" not in _conditions(_decide("1.36", hpa_object(QUEUE, minimum=0), 2, 0))
    # A cpu metric cannot wake it again: it goes to 0, and that is not remembered as sleep.
    assert _conditions(_decide("1.37", hpa_object(CPU, minimum=0), 2, 0))["ScaledToZero"] == "False"


def test_1_36_drops_the_condition_and_older_ones_leave_it() -> None:
    hpa = hpa_object(QUEUE, minimum=1, conditions=_known("True"))
    assert "ScaledToZero" not in _conditions(_decide("1.36", hpa, 2, 80))
    assert _conditions(_decide("1.35", hpa, 2, 80))["ScaledToZero"] == "True"
    assert _conditions(_decide("1.37", hpa, 2, 80))["ScaledToZero"] == "False"


@pytest.mark.parametrize("select", ["Max", "Disabled"])
def test_a_raised_minimum_wakes_whatever_the_policies_say(select: str) -> None:
    policies = [{"type": "Percent", "value": 100, "periodSeconds": 15}]
    behavior = {"scaleUp": {"policies": policies, "selectPolicy": select}}
    hpa = hpa_object(QUEUE, minimum=2, behavior=behavior, conditions=_known("True"))
    assert _decide("1.37", hpa, 0, 0).rescaled_to == 2
    assert _decide("1.37", hpa_object(QUEUE, minimum=2, behavior=behavior), 0, 0).rescaled_to is None
