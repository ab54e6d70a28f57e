"""The controller's syncs, counted out from its writes."""

from __future__ import annotations

import pytest

from hpatui.state.syncs import SyncClock


def test_a_silent_sync_is_counted_once_it_is_overdue() -> None:
    clock = SyncClock(15.0)
    clock.wrote(100.0)
    assert clock.passed(118.0) == []  # it may still come
    assert clock.passed(119.0) == [115.0]
    assert clock.passed(119.0) == []
    assert clock.next(119.0) == 130.0


def test_a_write_sets_the_phase_again() -> None:
    clock = SyncClock(15.0)
    clock.wrote(100.0)
    clock.wrote(116.0)
    assert clock.next(117.0) == pytest.approx(131.2, abs=0.1)
    assert clock.after(200.0) == pytest.approx(206.9, abs=1.5)


def test_the_drift_between_syncs_is_learned() -> None:
    clock = SyncClock(5.0)
    now = 0.0
    for _ in range(40):
        now += 5.02
        clock.wrote(now)
    assert clock.step == pytest.approx(5.02, abs=0.002)
    assert clock.period == 5.0 and not clock.inferred


def test_writes_faster_than_the_period_tell_the_true_one() -> None:
    clock = SyncClock(15.0)
    for number in range(5):
        clock.wrote(5.01 * number)
    assert clock.inferred
    assert clock.period == 5.0


def test_a_long_silence_costs_a_bounded_amount() -> None:
    clock = SyncClock(15.0)
    clock.start(0.0)
    assert len(clock.passed(10_000_000.0)) <= 241
    assert clock.next(10_000_000.0) == 10_000_000.0 or (clock.next(10_000_000.0) or 0) < 10_000_015.0


def test_nothing_is_known_before_the_first_write() -> None:
    clock = SyncClock(15.0)
    assert clock.passed(1e9) == [] and clock.next(1.0) is None and clock.after(1.0) is None
