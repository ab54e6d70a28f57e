"""When a stage is done, and where capacity ends."""

from __future__ import annotations

import pytest

from hpatui.load.breaker import SECONDS, Breaker
from hpatui.load.capacity import Step, judge, verdict
from hpatui.load.conditions import ScaleView, ScaleWatch, reached


@pytest.mark.parametrize(
    ("until", "view", "in_stage", "done"),
    [
        ("scaled", ScaleView(3, 3, 1, 5.0), 20.0, True),
        ("scaled", ScaleView(3, 3, 1, 25.0), 20.0, False),
        ("scaled", ScaleView(2, 3, 1, 5.0), 20.0, False),
        ("stable", ScaleView(3, 3, 1, 31.0), 40.0, True),
        ("stable", ScaleView(3, 3, 1, 31.0), 20.0, False),
        ("stable", ScaleView(3, 3, 1, 10.0), 40.0, False),
        ("min", ScaleView(1, 1, 1, 0.0), 0.0, True),
        ("min", ScaleView(2, 1, 1, 0.0), 0.0, False),
        ("replicas>=3", ScaleView(3, 5, 1, 0.0), 0.0, True),
        ("replicas>=3", ScaleView(2, 5, 1, 0.0), 0.0, False),
        ("", ScaleView(2, 2, 1, 900.0), 900.0, False),
    ],
)
def test_conditions(until: str, view: ScaleView, in_stage: float, done: bool) -> None:
    assert reached(until, view, in_stage) is done


def test_a_change_before_the_stage_does_not_count_as_scaled() -> None:
    watch = ScaleWatch(0.0)
    assert not watch.look(1, 1, 1, "warm", "", 1.0)
    assert not watch.look(2, 2, 1, "warm", "", 2.0)
    assert not watch.look(2, 2, 1, "hold", "scaled", 10.0)
    assert not watch.look(2, 3, 1, "hold", "scaled", 15.0)
    assert watch.look(3, 3, 1, "hold", "scaled", 16.0)


def _step(rate: float, **changes: float | bool | None) -> Step:
    values: dict[str, float | bool | None] = {"served": rate, "p95": 10.0, "failed": 0.0, "pods": 2, "used": rate / 80}
    return Step(rate=rate, **{**values, **changes})  # type: ignore[arg-type]  # fields of several types


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"failed": 0.05}, "5.0 % failed"),
        ({"served": 80.0}, "only 80 of 100/s"),
        ({"p95": 200.0}, "p95 rose from 10 to 200 ms"),
        ({"limited": True}, "this machine"),
        ({"p95": 40.0}, ""),
    ],
)
def test_a_step_too_many_says_why(changes: dict[str, float], words: str) -> None:
    assert verdict(_step(100, **changes), _step(10)).startswith(words)
    assert bool(verdict(_step(100, **changes), _step(10))) is bool(words)


def test_capacity_is_the_last_good_step_and_predicts_replicas() -> None:
    capacity = judge([_step(10), _step(20), _step(40), _step(80, p95=900.0)])
    assert capacity.knee == 40
    assert capacity.why == "p95 rose from 10 to 900 ms"
    assert capacity.per_pod == pytest.approx(40.0)
    assert capacity.replicas_for(401) == 11
    assert capacity.replicas_for(400) == 10


def test_without_an_hpa_nothing_is_predicted() -> None:
    capacity = judge([_step(10, pods=None, used=None)])
    assert capacity.per_pod is None
    assert capacity.replicas_for(100) is None


def test_the_breaker_opens_after_seconds_of_failures_and_closes_on_one_success() -> None:
    breaker = Breaker()
    for _ in range(SECONDS):
        assert not breaker.open
        breaker.second(0, 10)
    assert breaker.open
    assert sum(breaker.lets_pass() for _ in range(500)) == 10
    breaker.second(1, 9)
    assert not breaker.open
