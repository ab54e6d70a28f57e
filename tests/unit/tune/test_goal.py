"""What better means."""

from __future__ import annotations

from dataclasses import replace

from hpatui.tune.goal import Goal, dominates, gain, loss, no_dearer, worthwhile
from hpatui.tune.outcome import Outcome, Resize

BASE = Outcome(0.0, 3600.0, ((0.0, 4),), ((0.0, 4),), (), 4 * 3600.0, 100.0, 0.0, 1000.0)


def test_cost_is_not_bought_with_time_above_the_target() -> None:
    cheaper = replace(BASE, pod_seconds=2 * 3600.0)
    assert loss(cheaper, BASE, Goal.COST) < loss(BASE, BASE, Goal.COST)
    hotter = replace(cheaper, seconds_above_target=200.0)
    assert loss(hotter, BASE, Goal.COST) > loss(BASE, BASE, Goal.COST)
    unserved = replace(cheaper, unserved=100.0)
    assert loss(unserved, BASE, Goal.COST) > loss(BASE, BASE, Goal.COST)


def test_latency_takes_pods_for_less_time_above_the_target() -> None:
    cooler = replace(BASE, seconds_above_target=0.0, pod_seconds=4.4 * 3600.0)
    assert loss(cooler, BASE, Goal.LATENCY) < loss(BASE, BASE, Goal.LATENCY)
    assert not no_dearer(cooler, BASE)


def test_pods_that_come_and_go_cost_something() -> None:
    busy = replace(BASE, resizes=tuple(Resize(float(i), 4, 5) for i in range(20)))
    for goal in Goal:
        assert loss(busy, BASE, goal) > loss(BASE, BASE, goal)


def test_a_gain_that_nobody_would_notice_is_none() -> None:
    little = replace(BASE, pod_seconds=0.94 * BASE.pod_seconds)
    assert 0 < gain(little, BASE, Goal.COST) < 0.1
    assert not worthwhile(little, BASE, Goal.COST)
    assert worthwhile(replace(BASE, pod_seconds=0.7 * BASE.pod_seconds), BASE, Goal.COST)
    seconds = replace(BASE, seconds_above_target=60.0)  # of an hour
    assert not worthwhile(seconds, BASE, Goal.LATENCY)
    assert worthwhile(replace(BASE, seconds_above_target=10.0), BASE, Goal.LATENCY)


def test_a_run_beats_another_in_one_and_is_no_worse_in_the_other() -> None:
    cheaper = replace(BASE, pod_seconds=1.0)
    assert dominates(cheaper, BASE)
    assert not dominates(BASE, BASE)
    assert not dominates(replace(cheaper, seconds_above_target=101.0), BASE)
