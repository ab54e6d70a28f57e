"""Rolling updates as arithmetic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hpatui.sandbox.controllers.rollout import ReplicaCount, proportions, rolling_step


def _ready(size: int) -> ReplicaCount:
    return ReplicaCount(size, size, size)


def test_the_new_set_grows_by_the_surge_first() -> None:
    step = rolling_step(ReplicaCount(0, 0, 0), [_ready(4)], desired=4, surge=1, unavailable=0)
    assert step == (1, (4,))


def test_the_old_set_shrinks_only_as_far_as_pods_stay_available() -> None:
    assert rolling_step(ReplicaCount(1, 1, 0), [_ready(4)], 4, 1, 0) == (1, (4,))
    assert rolling_step(ReplicaCount(1, 1, 1), [_ready(4)], 4, 1, 0) == (1, (3,))


def test_unhealthy_old_pods_go_first() -> None:
    sick, well = ReplicaCount(3, 3, 0), _ready(2)
    # At least 4 pods are to stay: of 6, one is new and not available, so one may go, and it is a sick one.
    assert rolling_step(ReplicaCount(1, 1, 0), [sick, well], 5, 1, 1) == (1, (2, 2))


def test_too_large_a_new_set_is_cut() -> None:
    assert rolling_step(_ready(5), [], 3, 1, 0) == (3, ())


@given(desired=st.integers(1, 30), surge=st.integers(0, 10), unavailable=st.integers(0, 10), slow=st.integers(0, 3))
def test_a_roll_out_ends_and_keeps_its_bounds(desired: int, surge: int, unavailable: int, slow: int) -> None:
    if surge == 0 and unavailable == 0:
        unavailable = 1
    unavailable = min(unavailable, desired)
    new, old, available_new, waited = 0, desired, 0, 0
    for _ in range(400):
        step = rolling_step(ReplicaCount(new, new, available_new), [_ready(old)], desired, surge, unavailable)
        new, (old,) = step.new, step.old
        assert new + old <= desired + surge
        assert available_new + old >= desired - unavailable
        waited += 1
        if waited > slow:
            available_new, waited = new, 0
        if new == desired and old == 0:
            return
    raise AssertionError(f"not finished: new {new}, old {old}")


def test_a_resize_is_spread_over_the_sets() -> None:
    sizes = proportions([(8, 10), (2, 10)], allowed=22, most=22)
    assert sum(sizes) == 22
    assert sizes[0] > sizes[1] > 2


def test_one_set_takes_all_of_a_resize() -> None:
    assert proportions([(3, 4)], allowed=1, most=2) == [1]
