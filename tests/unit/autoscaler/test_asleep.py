"""A target at 0: asleep by the HPA, or set to 0 by someone else, is told apart."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.autoscaler import asleep
from hpatui.autoscaler.decision import decide
from hpatui.autoscaler.inputs import ControllerConfig, Memory, MetricAnswer, MetricItem, MetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa
from hpatui.autoscaler.rules import rules_of
from hpatui.autoscaler.times import SECOND
from tests.unit.state.small_frames import CPU, QUEUE, hpa_object

NOW = 1_795_000_000 * SECOND
SLEEPS = [{"type": "ScaledToZero", "status": "True"}]
PERCENT = {"scaleUp": {"policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}}


def _told(version: str, hpa: dict[str, Any], queue: int = 0) -> tuple[str, tuple[str, ...]]:
    rules, spec = rules_of(version), parse_hpa(hpa)
    metrics = MetricsInput(by_index={0: MetricAnswer((MetricItem(queue * 1000),))})
    config = ControllerConfig(rules=rules, downscale_stabilization=0.0)
    decision = decide(spec, ScaleInput(0, 0, "app=web"), [], metrics, Memory(), config, NOW)
    return asleep.headline(spec, decision, ("queue",), rules), asleep.would_change(spec, ("queue",))


@pytest.mark.parametrize(
    ("version", "hpa", "words"),
    [
        ("1.37", hpa_object(QUEUE, minimum=0, conditions=SLEEPS), "asleep at 0 by the HPA; wakes when queue > 0"),
        ("1.35", hpa_object(QUEUE, minimum=0), "asleep at 0; wakes when queue > 0"),
        ("1.37", hpa_object(QUEUE, minimum=0), "not the HPA set 0"),
        (
            "1.37",
            hpa_object(CPU, minimum=0, conditions=SLEEPS),
            "without an Object or External metric nothing wakes it",
        ),
        ("1.36", hpa_object(QUEUE, minimum=0, conditions=SLEEPS), "HPAScaleToZero is off"),
        ("1.36", hpa_object(QUEUE), "the target has 0 replicas, so scaling is off"),
        ("1.38", hpa_object(QUEUE, minimum=0, conditions=SLEEPS, behavior=PERCENT), "a percentage of 0 is 0"),
    ],
)
def test_the_headline(version: str, hpa: dict[str, Any], words: str) -> None:
    assert words in _told(version, hpa)[0]


def test_what_wakes_it() -> None:
    assert _told("1.37", hpa_object(QUEUE, minimum=0, conditions=SLEEPS))[1] == ("up: queue > 0",)
    off = {"scaleUp": {"selectPolicy": "Disabled"}}
    changes = _told("1.37", hpa_object(QUEUE, minimum=0, conditions=SLEEPS, behavior=off))[1]
    assert changes == ("up: never: scaleUp.selectPolicy is Disabled",)


def test_one_that_wakes_now_is_told_otherwise() -> None:
    assert _told("1.37", hpa_object(QUEUE, minimum=0, conditions=SLEEPS), queue=30)[0] == ""
