"""One word and one line for an HPA, from its status alone."""

from __future__ import annotations

import pytest

from hpatui.model import Condition
from hpatui.state.headline import headline
from hpatui.state.snapshot import HpaState
from tests.factories import NOW, STEADY, condition, hpa, metric

ABLE, ACTIVE, LIMITED = STEADY


def _with(*changed: Condition) -> tuple[Condition, ...]:
    kinds = {item.type: item for item in changed}
    return tuple(kinds.get(item.type, item) for item in STEADY)


@pytest.mark.parametrize(
    ("conditions", "current", "desired", "state", "words"),
    [
        (STEADY, 2, 2, HpaState.STEADY, "2 replicas; cpu is 45% of 30%"),
        ((), 0, 0, HpaState.NEW, "no status yet"),
        (STEADY, 1, 3, HpaState.UP, "from 1 to 3"),
        (STEADY, 3, 1, HpaState.DOWN, "from 3 to 1"),
        (_with(condition("AbleToScale", "True", "ScaleDownStabilized")), 3, 3, HpaState.HELD, "held at 3"),
        (_with(condition("ScalingLimited", "True", "TooManyReplicas")), 3, 3, HpaState.CAPPED, "maxReplicas 3"),
        (
            _with(
                condition("AbleToScale", "True", "ScaleDownStabilized"),
                condition("ScalingLimited", "True", "TooManyReplicas"),
            ),
            3,
            3,
            HpaState.CAPPED,
            "maxReplicas 3",
        ),
        (_with(condition("ScalingLimited", "True", "TooFewReplicas")), 1, 1, HpaState.FLOOR, "minReplicas 1"),
        (_with(condition("ScalingLimited", "True", "ScaleUpLimit")), 2, 2, HpaState.LIMITED, "ScaleUpLimit"),
        (
            _with(condition("ScalingActive", "False", "FailedGetResourceMetric", "no metrics returned")),
            1,
            1,
            HpaState.BLIND,
            "no metrics returned",
        ),
        (_with(condition("ScalingActive", "False", "ScalingDisabled")), 0, 0, HpaState.OFF, "0 replicas"),
        (_with(condition("ScalingActive", "False", "AmbiguousSelector")), 1, 1, HpaState.AMBIGUOUS, "several HPAs"),
        (
            _with(condition("AbleToScale", "False", "FailedGetScale", "not found")),
            1,
            1,
            HpaState.FAILING,
            "not found",
        ),
    ],
)
def test_headline(conditions: tuple[Condition, ...], current: int, desired: int, state: HpaState, words: str) -> None:
    found, text = headline(hpa(current=current, desired=desired, conditions=conditions), NOW)
    assert found is state
    assert words in text


def test_a_metric_without_a_value_is_said() -> None:
    assert "no metric has a value" in headline(hpa(metrics=[metric(None)]), NOW)[1]
