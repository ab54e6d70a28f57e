"""The gate, on a clock that is stepped."""

from __future__ import annotations

import random

import pytest

from hpatui.load.gate import CLOSED, PACED, Gate, gate_of, limit_of
from hpatui.load.plan import LoadPlan
from hpatui.load.target import Target


@pytest.mark.parametrize("rate", [0.5, 3.0, 50.0, 20_000.0])
@pytest.mark.parametrize("burst", [0.0, CLOSED, PACED, 1.0])
def test_in_no_window_more_pass_than_the_limit_and_what_standing_still_left(rate: float, burst: float) -> None:
    """Hammered at random times for 40 gaps."""
    gate, draw = Gate(rate, burst), random.Random(4)
    now, passed = 100.0, []
    while now < 100.0 + 40 / rate:
        now += draw.choice((0.0, 0.01, 0.1, 0.9)) / rate
        if gate.take(now):
            passed.append(now)
    for first, begin in enumerate(passed):
        for count, end in enumerate(passed[first:], 1):
            assert count <= rate * (end - begin + burst) + 1 + 1e-6
    assert gate.held > 0 or rate * burst > 20
    assert len(passed) >= 30


def test_it_says_when_it_opens() -> None:
    gate = Gate(10.0, 0.0)
    assert gate.opens(5.0) == 0.0
    assert gate.take(5.0)
    assert gate.opens(5.0) == pytest.approx(0.1)
    assert not gate.take(5.05)
    assert gate.take(5.1000001)


def test_the_lower_of_the_plan_s_and_the_way_s_limits_is_in_force() -> None:
    plan, target = LoadPlan(max_rate=100.0), Target("http://127.0.0.1/", "t")
    assert limit_of(plan, target) == 100.0
    for model in ("open", "closed"):
        assert gate_of(LoadPlan(model=model, max_rate=100.0), Target("http://127.0.0.1/", "t", cap=20.0)).rate == 20.0


@pytest.mark.parametrize("parts", [2, 3, 7])
@pytest.mark.parametrize("model", ["open", "closed"])
@pytest.mark.parametrize(
    "limits", [{}, {"connections": 9}, {"max_in_flight": 7}, {"max_in_flight": 900, "concurrency": 800}]
)
def test_the_workers_shares_are_the_whole(parts: int, model: str, limits: dict[str, int]) -> None:
    plan = LoadPlan(model=model, max_rate=90.0, **limits)  # type: ignore[arg-type]
    shares = [plan.share(part, parts) for part in range(parts)]
    assert sum(share.most_in_flight for share in shares) == plan.most_in_flight
    assert sum(share.max_rate for share in shares) == pytest.approx(90.0)
    numbers = {number * share.parts + share.part + 1 for share in shares for number in range(5)}
    assert numbers == set(range(1, 5 * parts + 1))
