"""The search for a better spec, on a workload that is told instead of learned."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from hpatui.autoscaler.parse import parse_hpa
from hpatui.model import ControllerFlags
from hpatui.tune.candidate import Candidate, Edit, applied
from hpatui.tune.compare import Fit
from hpatui.tune.goal import Goal, dominates, trouble
from hpatui.tune.learn import Learned
from hpatui.tune.search import BATCH, Found, problem_of, search
from hpatui.tune.simulate import Cancelled, Setup, simulate
from hpatui.tune.workload import Demand, Kind, MetricModel, WorkloadModel

STEP, SECONDS = 15.0, 3600.0


def spec(low: int = 1, high: int = 10, target: int = 60, **more: Any) -> dict[str, Any]:
    """An HPA on cpu."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}}
    return {
        "apiVersion": "autoscaling/v2",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
            "minReplicas": low,
            "maxReplicas": high,
            "metrics": [{"type": "Resource", "resource": cpu}],
            **more,
        },
    }


def learned(load: list[float], size: int, *, fit: float = 0.0, seconds: float = SECONDS) -> Learned:
    """Pods with a request of 100m and a limit of 200m, and a load in millicores, window by window, in a circle."""
    count = int(seconds / STEP)
    curve = tuple(load[index % len(load)] for index in range(count))
    times = tuple(index * STEP for index in range(count))
    model = WorkloadModel((MetricModel(0, Kind.SHARED, 1.0, 1.0, 100, 200.0),), 3.0, 5.0)
    known = Fit(0.0, 1.0, 0, 0, 0, 100.0, 100.0, fit * 100.0)
    return Learned(model, Demand(times, (curve,), seconds), Setup(ControllerFlags()), size, None, known)


STEADY = [160.0] * 8  # 3 pods at a target of 60 %
SWING = [300.0] * 8 + [40.0] * 12


def _changed(found: Found) -> set[str]:
    assert found.best is not None
    return {change.path for change in found.best.changes}


def test_a_healthy_one_is_left_alone() -> None:
    for goal in Goal:
        found = search(spec(2, 10), learned(STEADY, 3), goal=goal)
        assert found.best is None
        assert found.verdict.startswith("leave it")


def test_a_floor_that_nobody_needs_goes() -> None:
    found = search(spec(8, 10), learned(STEADY, 8), goal=Goal.COST)
    assert found.best is not None
    assert found.best.spec["spec"]["minReplicas"] < 8
    assert _changed(found) == {"minReplicas"}
    assert found.best.outcome.pod_seconds < 0.6 * found.baseline.pod_seconds
    assert trouble(found.best.outcome) <= trouble(found.baseline) + 0.002 * SECONDS


def test_a_maximum_that_holds_back_is_raised() -> None:
    found = search(spec(1, 2), learned([500.0] * 4, 2), goal=Goal.LATENCY)
    assert found.best is not None
    assert found.best.spec["spec"]["maxReplicas"] >= 9
    assert found.best.outcome.seconds_above_target < 0.1 * found.baseline.seconds_above_target


def test_each_change_has_a_reason_with_its_effect() -> None:
    found = search(spec(6, 8, 50), learned([280.0] * 8 + [40.0] * 60, 6), goal=Goal.BALANCED)
    assert found.best is not None
    for change in found.best.changes:
        why, _, effect = change.reason.partition(": ")
        assert why
        assert effect
        assert change.before != change.after
    assert "pod-" in found.verdict


def test_it_is_the_same_each_time_and_with_any_evaluation_in_order() -> None:
    hpa, known = spec(1, 10, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}}), learned(SWING, 3)
    one = search(hpa, known, budget=120, seed=7)
    again = search(hpa, known, budget=120, seed=7)
    problem = problem_of(hpa, known)
    elsewhere = search(hpa, known, budget=120, seed=7, evaluate=lambda batch: [problem.run(item) for item in batch])
    assert one == again == elsewhere


def test_the_front_falls_monotonously_and_nothing_on_it_is_beaten() -> None:
    found = search(spec(1, 10, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}}), learned(SWING, 3))
    costs = [(tried.outcome.pod_seconds, trouble(tried.outcome)) for tried in found.front]
    assert len(costs) >= 2
    assert all(a[0] < b[0] and a[1] > b[1] for a, b in pairwise(costs))
    assert not any(dominates(a.outcome, b.outcome) for a in found.front for b in found.front)


def test_progress_and_an_end_before_time() -> None:
    told: list[tuple[int, int]] = []
    found = search(spec(1, 10), learned(SWING, 3), budget=50, progress=lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == list(range(1, found.tried + 1))
    assert {of for _, of in told} == {50}
    assert found.tried <= 50
    with pytest.raises(Cancelled):
        search(spec(1, 10), learned(SWING, 3), cancelled=lambda: len(told) > 0)


def test_an_end_before_time_between_short_runs_and_within_a_long_one() -> None:
    asked: list[int] = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 5

    told: list[int] = []
    with pytest.raises(Cancelled):  # 60 syncs each: nobody is asked within them
        search(
            spec(1, 10),
            learned(SWING, 3, seconds=450.0),
            cancelled=cancelled,
            progress=lambda done, _: told.append(done),
        )
    assert 0 < len(told) <= 5 * BATCH
    known = learned(SWING, 3, seconds=10 * SECONDS)
    with pytest.raises(Cancelled):
        simulate(parse_hpa(spec()), known.model, known.demand, known.setup, size=3, cancelled=lambda: True)


def test_nothing_that_the_api_refuses_is_tried() -> None:
    tried: list[Candidate] = []
    hpa, known = spec(4, 6, 90, behavior={"scaleDown": {"stabilizationWindowSeconds": 3600}}), learned(SWING, 5)
    problem = problem_of(hpa, known)

    def evaluate(batch: Any) -> list[Any]:
        tried.extend(batch)
        return [problem.run(item) for item in batch]

    found = search(hpa, known, evaluate=evaluate)
    runs = {candidate: problem.run(candidate) for candidate in tried}
    assert len(runs) > 50
    for candidate, outcome in runs.items():
        if outcome is None:  # thrown away unrun
            continue
        body = applied(hpa, candidate)["spec"]
        assert 1 <= body["minReplicas"] <= body["maxReplicas"]
        assert 1 <= body["metrics"][0]["resource"]["target"]["averageUtilization"] <= 100
        for rules in (body.get("behavior") or {}).values():
            assert 0 <= rules.get("stabilizationWindowSeconds", 0) <= 3600
            for policy in rules.get("policies", ()):
                assert policy["value"] >= 1
                assert 1 <= policy["periodSeconds"] <= 1800
    for item in found.front:
        parse_hpa(dict(item.spec))


def test_a_minimum_above_the_maximum_is_no_candidate() -> None:
    problem = problem_of(spec(2, 4), learned(STEADY, 3))
    assert problem.run(Candidate((Edit("min", 5),))) is None


def test_what_the_model_does_not_know_is_no_reason_for_a_change() -> None:
    found = search(spec(8, 10), learned(STEADY, 8, fit=0.9), goal=Goal.COST)
    assert found.best is None
    assert "90 % off" in found.verdict


def test_a_metric_is_replaced_or_retargeted_never_both() -> None:
    one = Candidate((Edit("target.0", 70),)).with_edits(Edit("instead.0", 60))
    assert [edit.field for edit in one.edits] == ["instead.0"]
    assert [edit.field for edit in one.with_edits(Edit("target.0", 70)).edits] == ["target.0"]


def test_a_spec_is_not_judged_by_the_size_that_another_one_left() -> None:
    known = learned(STEADY, 8)
    problem = problem_of(spec(8, 10), known)
    settled = problem.run(Candidate((Edit("min", 2),)))
    assert settled is not None
    assert settled.replicas == ((0.0, 3),)
    assert settled.rescales == 0
    assert settled.end - settled.begin == SECONDS
    at_once = simulate(parse_hpa(spec(2, 10)), known.model, known.demand, known.setup, size=8)
    assert at_once.pod_seconds > settled.pod_seconds


def test_short_seeing_and_saturation_are_said() -> None:
    known = learned(STEADY, 8)
    doubtful = replace(known, demand=replace(known.demand, doubtful=1200.0))
    told = " ".join(search(spec(8, 10), doubtful, budget=40).missing)
    assert "only 60 min were seen" in told
    assert "20 min" in told
