"""Scenarios of the sandbox with a known fault of tuning: what is recommended is applied, and the same load comes again.

Three by default; HPATUI_TUNE_ALL=1 runs all and prints the figures.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.options import KUBERNETES, QUICK, Timings, list_scenarios
from hpatui.tune.goal import Goal, gain
from hpatui.tune.outcome import Outcome
from hpatui.tune.search import search
from tests.tuning_box import Box, Run, run

MI = 2.0**20
SETTLE = 60.0  # seconds after its opening from which a scenario is looked at


class Case(NamedTuple):
    """A scenario: the goal, for how long (s), and above which use of a pod it is above its target (millicores, bytes)."""

    goal: Goal
    seconds: float
    over: dict[str, float]


CASES = {
    "flapping": Case(Goal.BALANCED, 600, {"cpu": 55}),
    "held-down": Case(Goal.BALANCED, 1200, {"cpu": 55}),
    "rate-limited": Case(Goal.LATENCY, 1050, {"cpu": 55}),
    "high-floor": Case(Goal.COST, 300, {"cpu": 55}),
    "at-max": Case(Goal.LATENCY, 300, {"cpu": 55}),
    "slow-start": Case(Goal.LATENCY, 600, {"cpu": 165}),
    "leaky": Case(Goal.LATENCY, 1800, {"memory": 0.8 * 128 * MI}),
    "memory": Case(Goal.COST, 600, {"cpu": 110, "memory": 0.8 * 512 * MI}),
}
FEW = ("high-floor", "at-max", "memory")
ALL = bool(os.environ.get("HPATUI_TUNE_ALL"))
CHOSEN = tuple(CASES) if ALL else FEW
CLOSE = 0.15  # of the pod-hours: how near a simulated run of the present spec is to the real one


def _told(outcome: Outcome) -> str:
    return (
        f"{outcome.pod_hours:.3f} pod-hours, {outcome.seconds_above_target:.0f} s above target, "
        f"{100 * outcome.unserved_share:.1f} % unserved, {outcome.rescales} rescales, {outcome.kills} killed"
    )


def _as_it_is(name: str) -> Run:
    case = CASES[name]
    return run(Box(name), case.seconds, case.over, SETTLE)


@pytest.mark.parametrize("name", CHOSEN)
def test_what_is_recommended_improves_its_goal_when_the_same_load_comes_again(name: str) -> None:
    case = CASES[name]
    before = _as_it_is(name)
    assert before.learned.fit.near >= 0.95
    assert before.learned.fit.uncertainty <= CLOSE
    found = search(before.hpa, before.learned, goal=case.goal)
    assert found.best is not None, found.verdict
    after = run(Box(name, spec=found.best.spec["spec"]), case.seconds, case.over, SETTLE)
    real = gain(after.outcome, before.outcome, case.goal)
    changes = "; ".join(f"{c.path} {c.before} -> {c.after}" for c in found.best.changes)
    print(
        f"\n{name} ({case.goal.value}): {changes}\n  before: {_told(before.outcome)}\n  after:  {_told(after.outcome)}"
    )
    print(f"  gain {100 * real:.0f} %, foretold {100 * found.gain:.0f} %; near {100 * before.learned.fit.near:.1f} %")
    assert real >= 0.1


def _seen_again() -> list[str]:
    """Scenarios in which samples come at all."""
    without = {"target-missing", "stale-metrics", "fleet"}
    return [name for name, _ in list_scenarios() if name not in without]


@pytest.mark.parametrize("timings", [QUICK, KUBERNETES] if ALL else [QUICK], ids=lambda t: f"{t.sync_period:g}s")
@pytest.mark.parametrize("name", _seen_again() if ALL else ["queue", "memory"])
def test_the_simulation_of_what_was_learned_is_what_really_happened(name: str, timings: Timings) -> None:
    found = run(Box(name, timings), 240 * timings.sync_period, {}, 30.0)
    fit = found.learned.fit
    print(
        f"\n{name} {timings.sync_period:g} s: within one pod {100 * fit.near:.1f} % of the time, mean absolute error "
        f"{fit.error:.2f} pods, rescales within one sync {fit.in_time} of {fit.rescales}"
    )
    assert fit.near >= 0.95


def test_a_healthy_one_is_left_alone() -> None:
    healthy = run(Box("walkthrough"), 300.0, {"cpu": 33}, SETTLE)
    for goal in Goal:
        found = search(healthy.hpa, healthy.learned, goal=goal)
        assert found.best is None
        assert found.verdict.startswith("leave it")


def test_the_box_gives_the_spec_that_is_asked_for() -> None:
    box = Box("high-floor")
    changed = {**box.hpa["spec"], "minReplicas": 2}
    found = Box("high-floor", spec=changed).cluster.store.get(
        RESOURCES["autoscaling", "horizontalpodautoscalers"], *box.key
    )
    assert found["spec"]["minReplicas"] == 2
