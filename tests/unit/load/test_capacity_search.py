"""The search for capacity against servers of known capacity, and which metrics count."""

from __future__ import annotations

import random

import pytest

from hpatui.load.capacity import Capacity, Limits, Search, Step, fit
from hpatui.model import ControllerFlags
from hpatui.session.settled import Rest, Sized
from tests.factories import hpa


def _search(capacity: float, first: float = 10.0, most: float = 10_000.0, limits: Limits | None = None) -> Capacity:
    """A server that answers so many a second and no more; arrivals and answers vary by chance."""
    chance, search = random.Random(1), Search(first, most, limits)
    for _ in range(60):
        rate = search.rate
        if rate is None:
            return search.result()
        # Poisson, for 10 s; below some requests/s the end of it would be chance.
        offered = chance.gauss(rate, (rate / 10.0) ** 0.5) if rate > 30 else rate
        served = min(offered, capacity)
        search.take(Step(rate, served, 10.0 / max(1 - served / capacity, 0.05) ** 0.5, 0.0, offered=offered))
    raise AssertionError("no end")


@pytest.mark.parametrize("capacity", [3.0, 11.0, 47.0, 100.0, 333.0, 2500.0])
def test_the_knee_is_within_a_tenth_of_the_truth(capacity: float) -> None:
    found = _search(capacity)
    assert found.knee == pytest.approx(capacity, rel=0.1)
    assert found.beyond is not None and found.knee < found.beyond <= found.knee * 1.1 + 1e-9
    assert found.served <= capacity


def test_a_perfect_server_never_fails_by_chance() -> None:
    found = _search(1e9, most=500.0)
    assert (found.knee, found.beyond, found.why) == (500.0, None, "the limit of the rate (--max-rate) was reached")


def test_one_bad_step_may_be_chance_and_is_tried_again() -> None:
    search = Search(10.0, 15.0)
    assert search.take(Step(10.0, 10.0, 10.0, 0.0)) == ""
    assert search.take(Step(15.0, 15.0, 900.0, 0.0)).startswith("p95 rose")
    assert search.rate == 15.0
    search.take(Step(15.0, 15.0, 12.0, 0.0))
    assert search.result().knee == 15.0


def test_what_the_user_calls_well_decides() -> None:
    search = Search(10.0, 15.0, Limits(p95=50.0, failed=0.1))
    assert search.take(Step(10.0, 10.0, 10.0, 0.05)) == ""
    assert search.take(Step(15.0, 15.0, 51.0, 0.0)) == "p95 is 51 ms, more than 50"


def test_this_machine_as_the_bottleneck_ends_the_search() -> None:
    search = Search(10.0, 100.0)
    search.take(Step(10.0, 10.0, 10.0, 0.0, limited=True))
    assert search.result().why == "this machine cannot send more"
    assert search.rate is None


@pytest.mark.parametrize(
    ("base", "each", "pods"),
    [(0.0, 0.1, [1, 1, 2, 3, 3]), (0.2, 0.1, [1, 1, 2, 3, 3]), (0.3, 0.02, [2, 2, 2, 2]), (0.0, 0.1, [1, 2, 3, 4])],
)
def test_a_metric_that_follows_the_load_is_fitted(base: float, each: float, pods: list[int]) -> None:
    rates = [10.0 * 1.5**i for i in range(len(pods))]
    found = fit([(p, r, base * p + each * r) for p, r in zip(pods, rates, strict=True)])
    assert found is not None
    assert found.per_pod == pytest.approx((1 - base) / each, rel=0.01)


def test_memory_that_each_pod_holds_is_no_load() -> None:
    """It grows with the rate only because pods do."""
    assert fit([(p, r, 0.8 * p) for p, r in ((1, 10.0), (1, 15.0), (2, 22.0), (3, 33.0), (3, 50.0))]) is None


def test_a_metric_of_something_else_is_no_load() -> None:
    assert fit([(2, 10.0, 1.6), (2, 15.0, 0.2), (2, 22.0, 1.9), (2, 33.0, 0.4)]) is None


def test_the_replicas_follow_from_the_metric_that_counts() -> None:
    search = Search(10.0, 40.0)
    for rate, pods in ((10.0, 1), (15.0, 1), (22.5, 2), (33.75, 3), (40.0, 3)):
        ratios = {"cpu": 0.1 + rate * 0.06 / pods, "memory": 0.9}
        search.take(Step(rate, rate, 10.0, 0.0, pods=pods, ratios=ratios, most=3))
    found = search.result()
    assert found.metric == "cpu" and found.most == 3
    assert found.per_pod == pytest.approx(15.0)
    assert found.error == pytest.approx(0.0, abs=0.01)
    assert found.replicas_for(100.0) == 7


def _flags() -> ControllerFlags:
    return ControllerFlags(sync_period=15.0, metrics_resolution=15.0)


def test_a_step_at_an_hpa_waits_for_its_own_metrics() -> None:
    seen = hpa(current=2, desired=2)
    rest = Rest(_flags(), 100.0, 5000.0)  # the cluster's clock is another
    assert rest.look(110.0, seen, [4985.0], 5000.0) is None
    assert rest.look(120.0, seen, [5000.0], 5015.0) is None  # its window began before the step, perhaps
    assert rest.look(140.0, seen, [5015.0, 5000.0], 5030.0) is None  # one pod is behind
    assert rest.look(150.0, seen, [5015.0, 5015.0], 5030.0) is None  # in, and the controller has to see it
    assert rest.look(160.0, seen, [5015.0, 5015.0], 5030.0) is None
    found = rest.look(166.0, seen, [5015.0, 5015.0], 5030.0)
    assert found == Sized(2, found.ratios if found else {}, seen.max_replicas)


def test_a_change_of_size_begins_the_wait_anew() -> None:
    rest = Rest(_flags(), 0.0, 1000.0)
    assert rest.look(20.0, hpa(current=1, desired=1), [1015.0], 1030.0) is None
    assert rest.look(30.0, hpa(current=1, desired=2), [1015.0], 1030.0) is None
    assert rest.look(40.0, hpa(current=2, desired=2), [1015.0], 1045.0) is None
    assert rest.look(60.0, hpa(current=2, desired=2), [1045.0], 1060.0) is None
    assert rest.look(75.0, hpa(current=2, desired=2), [1060.0], 1075.0) is None
    assert rest.look(95.0, hpa(current=2, desired=2), [1060.0], 1075.0) is not None


def test_an_hpa_that_never_rests_does_not_hold_the_search_for_ever() -> None:
    rest = Rest(_flags(), 0.0, None)
    assert rest.look(100.0, hpa(current=1, desired=2), [], None) is None
    assert rest.look(300.0, hpa(current=2, desired=1), [], None) is not None
