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


AT_MOST = condition("ScalingLimited", "True", "TooManyReplicas")
AT_LEAST = condition("ScalingLimited", "True", "TooFewReplicas")
DOWN_HELD = condition("AbleToScale", "True", "ScaleDownStabilized")
UP_HELD = condition("AbleToScale", "True", "ScaleUpStabilized")
RESCALED = condition("AbleToScale", "True", "SucceededRescale")
BLIND = condition("ScalingActive", "False", "FailedGetExternalMetric", "no answer")


@pytest.mark.parametrize(
    ("conditions", "size", "limits", "percent", "state"),
    [
        # TooManyReplicas is left behind by a recommendation that the window still holds: what holds it is the window.
        ((DOWN_HELD, AT_MOST), 10, (1, 10), 1, HpaState.HELD),
        ((DOWN_HELD, AT_MOST), 10, (1, 10), 52, HpaState.HELD),  # within the tolerance: 10 are wanted, which is allowed
        ((DOWN_HELD, AT_MOST), 10, (1, 10), None, HpaState.HELD),
        ((DOWN_HELD, AT_MOST), 10, (1, 10), 75, HpaState.CAPPED),  # fewer than before, still more than the maximum
        ((AT_MOST,), 10, (1, 10), 75, HpaState.CAPPED),
        ((RESCALED, AT_MOST), 10, (1, 10), 75, HpaState.CAPPED),
        ((UP_HELD, AT_MOST), 10, (1, 10), 75, HpaState.CAPPED),
        # The limits were changed after the controller looked: its word about them is old.
        ((AT_MOST,), 10, (1, 20), 75, HpaState.STEADY),
        ((DOWN_HELD, AT_MOST), 10, (1, 20), 1, HpaState.HELD),
        ((AT_LEAST,), 3, (1, 10), 1, HpaState.STEADY),
        # At the minimum the window has nothing left to hold.
        ((DOWN_HELD, AT_LEAST), 2, (2, 10), 1, HpaState.FLOOR),
        ((AT_LEAST,), 2, (2, 10), 1, HpaState.FLOOR),
        ((DOWN_HELD, AT_LEAST), 3, (2, 10), 1, HpaState.HELD),
        # A window for scaling up holds as well.
        ((UP_HELD,), 3, (1, 10), 90, HpaState.HELD),
        # Rate policies, with and without a window beside them.
        ((condition("ScalingLimited", "True", "ScaleDownLimit"),), 5, (1, 10), 1, HpaState.LIMITED),
        ((DOWN_HELD, condition("ScalingLimited", "True", "ScaleDownLimit")), 5, (1, 10), 1, HpaState.HELD),
        # A metric that failed, or a scale that may not be written, comes before whatever was left behind.
        ((BLIND, AT_MOST), 10, (1, 10), 1, HpaState.BLIND),
        ((BLIND, DOWN_HELD), 10, (1, 10), 1, HpaState.BLIND),
        ((condition("AbleToScale", "False", "FailedUpdateScale"), AT_MOST), 10, (1, 10), 75, HpaState.FAILING),
        ((condition("ScalingActive", "False", "InvalidSelector"), AT_LEAST), 1, (1, 10), 1, HpaState.FAILING),
        ((condition("ScalingActive", "False", "InvalidMetricSourceType"),), 1, (1, 10), 1, HpaState.BLIND),
        ((condition("ScalingActive", "False", "ScalingDisabled"), DOWN_HELD), 0, (1, 10), None, HpaState.OFF),
    ],
)
def test_each_word_for_the_conditions_that_controllers_leave_behind(
    conditions: tuple[Condition, ...], size: int, limits: tuple[int, int], percent: float | None, state: HpaState
) -> None:
    """The target is 50 %; `percent` is what the status tells."""
    low, high = limits
    facts = hpa(
        current=size, desired=size, low=low, high=high, metrics=[metric(percent, 50)], conditions=_with(*conditions)
    )
    found, text = headline(facts, NOW)
    assert found is state, text
    if state is HpaState.HELD:
        assert f"held at {size}" in text and "capped" not in text
