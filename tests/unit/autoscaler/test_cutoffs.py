"""Exactly at the cutoff: which recommendations and scale events still count, to the nanosecond, with and without behavior."""

from __future__ import annotations

import pytest

from hpatui.autoscaler.behavior import changed_within, remember_first, remember_rescale, stabilize
from hpatui.autoscaler.inputs import (
    Behavior,
    ControllerConfig,
    HpaObject,
    Memory,
    Recommendation,
    ScaleEvent,
    ScalingPolicy,
    ScalingRules,
)
from hpatui.autoscaler.parse import parse_hpa
from hpatui.autoscaler.times import SECOND
from tests.unit.state.small_frames import hpa_object

NOW = 1_795_000_000 * SECOND
WINDOW = 300 * SECOND
PLAIN = parse_hpa(hpa_object())


def _behavior(up: int, down: int) -> HpaObject:
    rules = {
        "scaleUp": {"stabilizationWindowSeconds": up},
        "scaleDown": {"stabilizationWindowSeconds": down},
    }
    return parse_hpa(hpa_object(behavior=rules))


def _size(hpa: HpaObject, time: int, replicas: int, *, current: int, wanted: int) -> tuple[int, int]:
    """(the stabilized size, how many recommendations are remembered then)."""
    memory = Memory((Recommendation(time, replicas),))
    step, after = stabilize(hpa, memory, ControllerConfig(), current, wanted, NOW)
    return step.replicas, len(after.recommendations)


@pytest.mark.parametrize(
    ("age", "size", "slots"), [(WINDOW - 1, 9, 2), (WINDOW, 9, 2), (WINDOW + 1, 5, 1)], ids=["inside", "at", "outside"]
)
def test_without_behavior_the_edge_counts(age: int, size: int, slots: int) -> None:
    assert _size(PLAIN, NOW - age, 9, current=9, wanted=5) == (size, slots)


@pytest.mark.parametrize(
    ("age", "size", "slots"),
    [(60 * SECOND - 1, 9, 2), (60 * SECOND, 5, 2), (60 * SECOND + 1, 5, 1)],
    ids=["inside", "at", "outside"],
)
def test_with_behavior_the_edge_of_the_down_window_does_not(age: int, size: int, slots: int) -> None:
    """Exactly at the cutoff it neither counts nor is its slot free."""
    assert _size(_behavior(60, 60), NOW - age, 9, current=9, wanted=5) == (size, slots)


@pytest.mark.parametrize(
    ("age", "size", "slots"),
    [(60 * SECOND - 1, 4, 2), (60 * SECOND, 7, 2), (60 * SECOND + 1, 7, 1)],
    ids=["inside", "at", "outside"],
)
def test_with_behavior_the_edge_of_the_up_window_does_not(age: int, size: int, slots: int) -> None:
    assert _size(_behavior(60, 60), NOW - age, 4, current=4, wanted=7) == (size, slots)


def test_a_slot_is_free_only_when_both_windows_are_over() -> None:
    assert _size(_behavior(0, 60), NOW - 30 * SECOND, 5, current=5, wanted=5)[1] == 2
    assert _size(_behavior(0, 60), NOW - 60 * SECOND - 1, 5, current=5, wanted=5)[1] == 1


def test_the_first_recommendation_is_a_moment_older_than_its_clock() -> None:
    """With a window of 0 it has expired at once; without behavior and a window of 0 too."""
    memory = remember_first(Memory(), 9, NOW)
    for hpa, config in ((_behavior(0, 0), ControllerConfig()), (PLAIN, ControllerConfig(downscale_stabilization=0.0))):
        step, after = stabilize(hpa, memory, config, 9, 5, NOW)
        assert (step.replicas, len(after.recommendations)) == (5, 1)


@pytest.mark.parametrize(("age", "changed"), [(60 * SECOND - 1, 3), (60 * SECOND, 0), (60 * SECOND + 1, 0)])
def test_a_scale_event_exactly_a_period_ago_no_longer_counts(age: int, changed: int) -> None:
    assert changed_within((ScaleEvent(NOW - age, 3),), 60, NOW) == changed


@pytest.mark.parametrize(("age", "slots"), [(60 * SECOND - 1, 2), (60 * SECOND, 2), (60 * SECOND + 1, 1)])
@pytest.mark.parametrize("up", [True, False])
def test_a_scale_event_exactly_a_period_ago_keeps_its_slot(age: int, slots: int, up: bool) -> None:
    rules = ScalingRules(0, "Max", (ScalingPolicy("Pods", 4, 60), ScalingPolicy("Pods", 4, 15)))
    event = (ScaleEvent(NOW - age, 3),)
    memory = Memory((), event, ()) if up else Memory((), (), event)
    after = remember_rescale(Behavior(rules, rules), memory, 5, 6 if up else 4, NOW)
    assert len(after.scale_up if up else after.scale_down) == slots
