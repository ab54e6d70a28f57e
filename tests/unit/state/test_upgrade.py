"""What an upgrade changes for an HPA: the three of 1.38, the edge of 1.33, what is the same and what cannot be known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hpatui.autoscaler.inputs import ControllerConfig
from hpatui.autoscaler.rules import RECORDED, rules_of
from hpatui.model import ControllerFlags
from hpatui.state.frames import Frame
from hpatui.state.upgrade import Outcome, Verdict, verdict
from hpatui.state.whatif import Edit, what_if
from tests.unit.state.small_frames import CPU, QUEUE, START, frame, hpa_object

ASLEEP = {"type": "ScaledToZero", "status": "True", "reason": "ScaledToZero", "message": ""}
POD_LARGE = {"resources": {"requests": {"cpu": "1"}}}
POD_LEVEL = {"resources": {"requests": {"cpu": "100m"}}, "overhead": {"cpu": "300m"}}


def _compare(frames: list[Frame], now: str, then: str) -> Verdict:
    return verdict(frames, ControllerConfig(rules=rules_of(now)), rules_of(then))


def _facts(found: Verdict) -> set[str]:
    return {item.name for difference in found.differences for item in difference.facts}


@pytest.mark.parametrize(
    ("moment", "now", "then", "facts", "words"),
    [
        # A Succeeded pod is a brake on the way up until 1.37.
        (frame(3, 90, succeeded=1), "1.37", "1.38", {"succeeded_ignored"}, "wants 3 now, wants 4 then"),
        # 90m of 400m is little, of 100m too much.
        (frame(3, 90, spec=POD_LEVEL), "1.37", "1.38", {"overhead_left_out"}, "wants 1 now, wants 4 then"),
        (
            frame(0, 0, hpa=hpa_object(QUEUE, minimum=0, conditions=[ASLEEP])),
            "1.36",
            "1.38",
            {"scale_to_zero"},
            "it sleeps at 0 and a metric that asks for more wakes it; until now it stays at 0",
        ),
        (frame(10, 88), "1.32", "1.33", {"edge_within_tolerance"}, "wants 11 now, wants 10 then"),
        (frame(10, 88), "1.35", "1.30", {"edge_within_tolerance"}, "wants 10 now, wants 11 then"),
        (
            frame(0, 0, hpa=hpa_object(QUEUE, minimum=0), queue=30),
            "1.35",
            "1.36",
            {"zero_is_guarded"},
            "it stays at 0 replicas until someone scales it; until now its metrics wake it",
        ),
        (frame(3, 0, hpa=hpa_object(QUEUE), queue=-25), "1.33", "1.34", {"negative_sum_overflows"}, "wants -2 now"),
        (frame(3, 90, spec=POD_LARGE), "1.33", "1.34", {"pod_level_requests"}, "wants 4 now, wants 1 then"),
        (
            frame(20, 84, hpa=hpa_object(behavior={"scaleUp": {"tolerance": "20m"}})),
            "1.34",
            "1.35",
            {"tolerance_by_direction"},
            "wants 20 now, wants 21 then",
        ),
    ],
    ids=["succeeded", "overhead", "asleep", "edge", "back", "zero", "negative", "pod-level", "tolerance"],
)  # fmt: skip
def test_each_difference_has_its_fact(moment: Frame, now: str, then: str, facts: set[str], words: str) -> None:
    found = _compare([moment], now, then)
    assert found.outcome is Outcome.DIFFERS
    assert _facts(found) == facts
    assert words in found.differences[0].what


def test_what_limits_hide_at_the_moment_is_a_difference_too() -> None:
    """The size stays at its minimum, but the pods are counted otherwise."""
    found = _compare([frame(3, 10, hpa=hpa_object(minimum=3), succeeded=1)], "1.37", "1.38")
    assert found.outcome is Outcome.DIFFERS
    assert _facts(found) == {"succeeded_ignored"}


def test_another_reading_with_the_same_size_is_a_difference_too() -> None:
    """80m of 102m and of 100m: both within the tolerance of 80 %, not for long perhaps."""
    spec = {"resources": {"requests": {"cpu": "100m"}}, "overhead": {"cpu": "2m"}}
    found = _compare([frame(3, 80, spec=spec)], "1.37", "1.38")
    assert found.outcome is Outcome.DIFFERS
    assert "78 %, 3 pods counted now, 80 %, 3 pods counted then" in found.differences[0].what


def test_the_same_and_what_it_can_meet() -> None:
    found = _compare([frame(3, 80)], "1.32", "1.38")
    assert found.outcome is Outcome.SAME
    assert any("1.1 is within 10 %" in text for text in found.watch_for)
    assert _compare([frame(3, 80)], "1.36", "1.37").watch_for == ()
    assert _compare([frame(3, 80, succeeded=1)], "1.36", "1.37").outcome is Outcome.SAME


def test_what_cannot_be_known_says_what_it_needs() -> None:
    assert _compare([], "1.32", "1.33").outcome is Outcome.UNKNOWN
    blind = _compare([frame(3, 0, hpa=hpa_object(QUEUE))], "1.32", "1.34")
    assert blind.outcome is Outcome.UNKNOWN
    assert "queue has no value" in blind.unknown[0]


def test_every_sync_counts_not_only_the_present() -> None:
    frames = [frame(10, 80, index=0), frame(10, 88, index=1), frame(10, 80, index=2)]
    found = _compare(frames, "1.32", "1.33")
    assert [item.time for item in found.differences] == [START + 15]
    assert found.compared == 3


@pytest.mark.parametrize(("version", "size"), [("1.28", 11), ("1.32", 11), ("1.33", 10), ("1.38", 10)])
def test_at_exactly_110_percent_what_if_follows_the_rules(version: str, size: int) -> None:
    hpa: dict[str, Any] = hpa_object(CPU)
    frames = [replace(frame(10, 88, size, hpa=hpa), time=START)]
    compared = what_if(frames, hpa, Edit(), ControllerFlags(rules=version), START + 15)
    assert compared.then.replicas == ((START, size),)
    assert ControllerConfig().rules is RECORDED
