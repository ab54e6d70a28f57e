"""A row's last hour, and a fleet in numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpatui.state.heat import LENGTH, STEP, Heat, heat_of, level_of
from hpatui.state.snapshot import HpaRow, HpaState
from hpatui.state.totals import Counting
from tests.factories import NOW, hpa, metric

START = STEP * 1000


def _hpa(current: float | None) -> object:
    return hpa(metrics=[metric(current, target=100.0)])


@pytest.mark.parametrize(
    ("current", "level"),
    [(None, 0), (0, 1), (24, 1), (25, 2), (89, 4), (90, 5), (109, 5), (110, 6), (150, 7), (500, 8)],
)
def test_levels_are_shares_of_the_target(current: float | None, level: int) -> None:
    found = hpa(metrics=[replace(metric(50), ratio=None if current is None else current / 100)])
    assert level_of(found) == level


def _at(level: int) -> object:
    ratio = (None, 0.1, 0.3, 0.6, 0.8, 1.0, 1.2, 1.7, 3.0)[level]
    return hpa(metrics=[replace(metric(50), ratio=ratio)])


@given(st.lists(st.tuples(st.integers(0, 8), st.floats(0, 600)), min_size=1, max_size=60))
def test_the_strip_is_the_largest_level_of_each_place(steps: list[tuple[int, float]]) -> None:
    """Against a plain computation: each place holds the largest level seen in it, else the last one before."""
    heat, now, seen = None, START, []
    for level, pause in steps:
        now += pause
        heat = heat_of(heat, _at(level), now)  # type: ignore[arg-type]
        seen.append((int(now // STEP), level))
    first, last = seen[0][0], seen[-1][0]
    expected: list[int] = []
    for slot in range(first, last + 1):
        here = [level for at, level in seen if at == slot]
        before = [level for at, level in seen if at < slot]
        expected.append(max(here) if here else expected[-1] if before else 0)
    assert heat is not None
    # a place without news goes on as high as the one before it
    assert list(heat.levels) == expected[-LENGTH:]


def test_time_alone_moves_it_and_a_clock_that_goes_back_begins_anew() -> None:
    heat = Heat(10, bytes([1, 8]))
    assert list(heat.until(12)) == [1, 8, 8, 8]
    assert len(heat.until(10_000)) == LENGTH
    assert heat_of(heat, _at(3), 5 * STEP) == Heat(5, bytes([3]))  # type: ignore[arg-type]


def _row(name: str, state: HpaState, current: int, desired: int, least: int = 1, most: int = 5) -> HpaRow:
    made = hpa(name, current=current, desired=desired)
    return HpaRow(replace(made, min_replicas=least, max_replicas=most), state, "")


def test_a_fleet_is_counted_and_what_it_costs_beyond_min_adds_up() -> None:
    rows = (
        _row("a", HpaState.STEADY, 3, 3),
        _row("b", HpaState.UP, 1, 4),
        _row("off", HpaState.OFF, 0, 0, least=2),
    )
    counting = Counting()
    totals = counting.take(rows, NOW)
    assert totals.states == {HpaState.STEADY: 1, HpaState.UP: 1, HpaState.OFF: 1}
    assert (totals.pods, totals.wanted, totals.least, totals.most) == (4, 7, 2, 10)
    totals = counting.take(rows, NOW + 30)
    assert (totals.above, totals.unused, totals.seconds) == (1.0, 3.0, 30.0)
    assert counting.take(rows, NOW + 3600).above == 1.0, "a pause is not counted"
    assert counting.take(rows, NOW).above == 1.0, "nor is time that runs backwards"
    fewer = (_row("a", HpaState.STEADY, 1, 1),)
    counting.take(fewer, NOW + 60)  # three pods more than one for a minute
    assert counting.take(fewer, NOW + 120).above == pytest.approx(3.0)
