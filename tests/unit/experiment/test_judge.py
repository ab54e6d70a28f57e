"""Verdicts from made-up facts: the value, the moment, the reason; and what cannot be told is never a success."""

from __future__ import annotations

import pytest

from hpatui.experiment.facts import Facts, Look, Rescaled, Second, Stage, Steps, Struck
from hpatui.experiment.judge import FAILED, OK, UNKNOWN, WAITING, Verdict, judge, turns
from hpatui.experiment.words import parse
from hpatui.load.histogram import counts_of


def second(time: float, ms: int = 100, *, ok: int = 10, failed: int = 0, stage: str = "spike") -> Second:
    return Second(time, 10.0, ok + failed, ok, failed, 0, ms, ms, ms, stage, counts_of([ms * 1000] * (ok + failed)))


def facts(until: float = 200.0) -> Facts:
    """calm 0..20, spike 20..80; 1 → 3 wanted at 30, there at 40; back to 1 at 130. It was blind from 90 to 95."""
    return Facts(
        settle=10.0, began=0.0, ended=80.0, until=until,
        current=Steps([(-5.0, 1.0), (40.0, 3.0), (130.0, 1.0)]), desired=Steps([(-5.0, 1.0), (30.0, 3.0), (125.0, 1.0)]),
        ready=Steps([(-5.0, 1.0), (42.0, 3.0), (131.0, 1.0)]), least=Steps([(-5.0, 1.0)]), most=Steps([(-5.0, 3.0)]),
        stages=[Stage("calm", 0.0, 2.0), Stage("spike", 20.0, 30.0)], faults=[Struck("metrics-down", 90.0, 95.0)],
        looks=[Look(-5.0, "steady", ""), Look(30.0, "up", ""), Look(90.0, "blind", "no metrics"), Look(95.0, "steady", "")],
        rescales=[Rescaled(30.0, 1, 3), Rescaled(125.0, 3, 1)],
        seconds=[second(float(t), 900 if t == 33 else 100, failed=1 if t == 33 else 0) for t in range(80)],
        metrics={"cpu": [(0.0, 10.0), (25.0, 310.0)]}, targets={"cpu": Steps([(0.0, 30.0)])}, units={"cpu": "%"},
        agreed=99, compared=100,
    )  # fmt: skip


def told(text: str, seen: Facts | None = None, *, final: bool = True) -> Verdict:
    return judge(parse(text), seen or facts(), final=final)


HOLDS = """
replicas >= 3 within 60s of stage spike
replicas == min within 60s of end
replicas <= max
replicas == 3 during fault metrics-down
ready >= 1
p95 < 250ms after stable
p50 < 150ms
errors < 0.5%
rescales <= 2
rescales == 1 during the load
no flapping
never failing
never blind before end
pod-minutes < 8
time to scale < 23s
time to scale of stage spike < 23s
agrees with the controller >= 99%
replicas == 1 during stage calm
desired == 1 before stage spike
"""


@pytest.mark.parametrize("text", HOLDS.strip().splitlines())
def test_what_holds(text: str) -> None:
    assert told(text).state == OK, told(text)


@pytest.mark.parametrize(
    ("text", "moment", "words"),
    [
        ("replicas >= 3 within 10s of stage spike", 30.0, "reached 20 s after stage spike"),
        ("replicas == min within 40s of end", 120.0, "replicas was 3 at 2m"),
        ("replicas >= 2 during stage calm", 0.0, "was 1 at 0s"),
        ("never blind", 90.0, "blind at 1m30s"),
        ("never blind after end", 90.0, "blind"),
        ("errors < 0.1%", 33.0, "first at 33s"),
        ("max latency < 500ms", 33.0, "the worst second began at 33s"),
        ("rescales <= 1", 125.0, "2 rescales"),
        ("pod-minutes < 3", 200.0, "pod-minutes"),
        ("time to scale < 20s", 42.0, "22.0 s"),
        ("agrees with the controller >= 99.5%", 200.0, "99 of 100"),
    ],
)
def test_what_fails_names_the_moment_and_what_was_so_then(text: str, moment: float, words: str) -> None:
    found = told(text)
    assert (found.state, found.moment) == (FAILED, moment)
    assert words in found.seen and "replicas" in found.reason


def test_the_reason_has_sizes_metrics_load_and_faults() -> None:
    assert told("never blind").reason == (
        "3 replicas, 3 wanted, 3 ready; cpu 310% of 30%; fault metrics-down; blind: no metrics"
    )
    assert "load 10/s" in told("replicas >= 3 within 10s of stage spike").reason


def test_while_it_runs_only_what_is_decided_is_told() -> None:
    early = facts(until=35.0)
    early.ended = None
    early.current, early.looks = Steps([(-5.0, 1.0)]), early.looks[:1]
    for text in (
        "replicas >= 3 within 60s of stage spike",
        "replicas == min within 60s of end",
        "errors < 0.5%",
        "never blind",
    ):
        assert told(text, early, final=False).state == WAITING
    assert told("replicas == 1 during stage calm", early, final=False).state == OK
    assert told("rescales < 1", early, final=False).state == FAILED


@pytest.mark.parametrize(
    "text", ["replicas >= 3 within 60s of stage spike", "p95 < 250ms", "errors < 0.5%", "never blind"]
)
def test_a_run_without_load_tells_nothing(text: str) -> None:
    assert told(text, Facts()).state == UNKNOWN


def test_a_deadline_that_was_not_observed_is_unknown() -> None:
    assert told("replicas == min within 60s of end", facts(until=100.0)).state == UNKNOWN


def test_never_stable_is_no_success() -> None:
    restless = facts()
    restless.desired = Steps([(float(t), float(1 + t // 5 % 2)) for t in range(0, 200, 5)])
    found = told("p95 < 250ms after stable", restless)
    assert found.state == UNKNOWN and "never stable" in found.seen


def test_agreement_is_not_judged_where_it_cannot_be_computed() -> None:
    fast = facts()
    fast.speed = 10.0
    assert told("agrees with the controller >= 1%", fast).state == UNKNOWN
    none = facts()
    none.agreed = none.compared = 0
    assert told("agrees with the controller >= 1%", none).state == UNKNOWN


def test_an_hpa_that_never_scales_fails_its_time_to_scale() -> None:
    still = facts()
    still.desired = Steps([(-5.0, 1.0)])
    found = told("time to scale < 45s", still)
    assert found.state == FAILED and "did not scale up" in found.seen


def test_turns_that_the_load_ordered_are_no_flapping() -> None:
    ordered = facts()
    ordered.stages = [Stage(str(n), 20.0 * n, 10.0) for n in range(5)]
    ordered.rescales = [Rescaled(20.0 * n + 5.0, 1 + n % 2, 2 - n % 2) for n in range(5)]
    assert turns(ordered) == []
    ordered.stages = ordered.stages[:1]
    ordered.ended = 200.0
    found = told("no flapping", ordered)
    assert found.state == FAILED and found.moment == 65.0


def test_stable_begins_with_the_peak_stage() -> None:
    assert facts().stable_at() == 50.0
    late = facts()
    late.current = Steps([(-5.0, 1.0), (75.0, 3.0)])
    assert late.stable_at() is None
    lasts = facts(until=70.0)
    lasts.ended = None
    assert lasts.stable_at() is None  # it may still change
