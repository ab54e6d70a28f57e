"""Bounded series: gaps stay gaps, steps hold, memory is bounded, old spikes survive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpatui.state.series import Series


def test_points_come_back_in_order() -> None:
    series = Series()
    series.append(1, 10)
    series.append(2, None)
    series.append(3, 30)
    assert list(series) == [(1, 10), (2, None), (3, 30)]
    assert series.last == (3.0, 30.0)
    assert series.first_time == 1


def test_a_time_that_does_not_advance_replaces_the_value() -> None:
    series = Series()
    series.append(5, 1)
    series.append(5, 2)
    series.append(4, 3)
    assert list(series) == [(5, 3)]


def test_step_series_keeps_only_the_ends_of_a_constant_run() -> None:
    series = Series(step=True)
    for time in range(100):
        series.append(time, 3)
    series.append(100, 4)
    assert list(series) == [(0, 3), (99, 3), (100, 4)]
    assert series.at(50) == 3
    assert series.at(100.5) == 4
    assert series.at(-1) is None


def test_step_window_begins_with_the_value_in_force() -> None:
    series = Series(step=True)
    series.append(10, 1)
    series.append(20, 2)
    series.append(30, 3)
    assert series.window(15, 30) == [(15, 1), (20, 2), (30, 3)]
    assert series.window(20, 25) == [(20, 2)]
    assert series.window(40, 50) == [(40, 3)]


def test_a_step_gap_is_a_gap_at_the_window_start() -> None:
    series = Series(step=True)
    series.append(10, 1)
    series.append(20, None)
    assert series.window(25, 30) == [(25, None)]


def test_full_series_merges_the_old_half_and_keeps_the_spike() -> None:
    series = Series(64)
    for time in range(64):
        series.append(time, 1000 if time == 7 else 1)
    series.append(64, 1)
    assert len(series) <= 64
    assert 1000 in [value for _, value in series]
    assert series.last == (64, 1)


def test_backfill_puts_older_points_first_and_ignores_the_rest() -> None:
    series = Series(16, step=True)
    series.append(100, 3)
    series.backfill([(50, 1), (60, 2), (100, 9), (120, 9)])
    assert list(series) == [(50, 1), (60, 2), (100, 3)]


def test_backfill_keeps_the_newest_that_fit() -> None:
    series = Series(16)
    series.append(1000, 0)
    series.backfill([(float(i), float(i)) for i in range(100)])
    assert len(series) == 16
    assert next(iter(series)) == (85, 85)


def test_capacity_must_make_sense() -> None:
    with pytest.raises(ValueError, match="at least 16"):
        Series(2)


@given(
    st.lists(st.tuples(st.floats(0.001, 100), st.one_of(st.none(), st.floats(-1e9, 1e9))), max_size=400), st.booleans()
)
def test_bounded_sorted_and_the_newest_value_is_true(points: list[tuple[float, float | None]], step: bool) -> None:
    series = Series(32, step=step)
    now = 0.0
    for delta, value in points:
        now += delta
        series.append(now, value)
    held = list(series)
    assert len(held) <= 32
    assert [t for t, _ in held] == sorted(t for t, _ in held)
    if points:
        assert series.last is not None
        assert series.last[0] == pytest.approx(now)
        assert series.last[1] == points[-1][1]
