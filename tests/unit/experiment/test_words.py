"""Expectations: the words that people use, and what is said of others."""

from __future__ import annotations

import pytest

from hpatui.errors import UsageError
from hpatui.experiment.possible import Bounds, Known, impossible
from hpatui.experiment.words import Anchor, Several, Span, parse
from hpatui.load.plan import LoadPlan, Stage


def test_the_ten_of_the_manual() -> None:
    found = parse("replicas >= 3 within 60s of stage spike")
    assert (found.subject, found.operator, found.limit) == ("replicas", ">=", 3.0)
    assert found.span == Span("within", Anchor("stage", "spike"), 60.0)
    assert parse("replicas == min within 10m of end").span == Span("within", Anchor("end"), 600.0)
    assert parse("p95 < 250ms after stable").limit == 250.0
    assert parse("errors < 0.5%").limit == 0.5
    assert parse("rescales <= 4").span == Span()
    assert parse("no flapping").subject == "flapping"
    assert parse("never blind").subject == "never blind"
    assert parse("pod-minutes < 40").limit == 40.0
    assert parse("time to scale < 45s (p90 of 5)").several == Several(90.0, 5)
    assert parse("agrees with the controller >= 99%").subject == "agreement"


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("ready >= 2 during stage big wave", Anchor("stage", "big wave")),
        ('desired <= max after end of stage "a b"', Anchor("stage", "a b", ends=True)),
        ("p99.9 < 1.5s before end", Anchor("end")),
        ("replicas = 2 during fault metrics-down", Anchor("fault", "metrics-down")),
        ("replicas ≥ 2 during the load", Anchor("load")),
    ],
)
def test_spans(text: str, anchor: Anchor) -> None:
    assert parse(text).span.anchor == anchor


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("replicas > lots", "no number"),
        ("p95 < 250", "says no unit"),
        ("errors < 0.5", "no unit"),
        ("errors < 3s", "another unit"),
        ("never blnd", "did you mean blind"),
        ("replica >= 3", "cannot be read"),
        ("p95 < 250ms within 5s of end", "write `after`"),
        ("replicas >= 3 within 0s of end", "leaves no time"),
        ("no flapping after stable", "whole run"),
        ("never blind (p90 of 5)", "only a number"),
        ("time to scale < 45s (mean of 5)", "hides the bad run"),
        ("p95 < min", "numbers of replicas"),
        ("replicas >= 3 during end", "for a stage or a fault"),
        ("", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert said in str(caught.value) and "\n" not in str(caught.value)


KNOWN = Known(("calm", "spike"), ("metrics-down",), 3)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("replicas >= 3 within 60s of stage spkie", "did you mean 'spike'"),
        ("replicas >= 3 within 60s of fault node-gone", "no such"),
        ("errors < 0%", "can never hold"),
        ("errors > 100%", "can never hold"),
        ("agrees with the controller >= 101%", "can never hold"),
        ("p95 < 0ms", "can never hold"),
        ("rescales < 0", "can never hold"),
        ("rescales == 2.5", "whole numbers"),
        ("time to scale <= 0s", "can never hold"),
        ("time to scale < 45s (p90 of 5)", "needs 5 repetitions"),
        ("p95 < 250ms after end", "never be judged"),
        ("replicas >= 1 before start", "before the load"),
    ],
)
def test_what_can_never_hold_is_told_before(text: str, said: str) -> None:
    wrong = impossible(parse(text), KNOWN)
    assert wrong is not None and (said in " ".join(wrong) or said == "no such")


@pytest.mark.parametrize(
    "text", ["errors <= 0%", "p95 < 1ms", "rescales == 0", "time to scale < 45s (p90 of 3)", "replicas != 2"]
)
def test_what_may_hold_is_let_through(text: str) -> None:
    assert impossible(parse(text), KNOWN) is None


def test_two_that_exclude_each_other() -> None:
    first = parse("replicas >= 5 after stable")
    assert impossible(parse("replicas < 5 after stable"), KNOWN, (first,)) is not None
    assert impossible(parse("replicas <= 5 after stable"), KNOWN, (first,)) is None
    assert impossible(parse("replicas < 5 after end"), KNOWN, (first,)) is None
    assert impossible(parse("replicas < 5 within 9s of end"), KNOWN, (first,)) is None


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("replicas >= 12 within 60s of end", True),
        ("replicas == 1 within 60s of end", True),
        ("ready == 0 within 60s of end", False),
        ("replicas == min within 60s of end", False),
        ("replicas > max", True),
        ("replicas < min", True),
        ("pod-minutes < 3", True),
        ("pod-minutes < 5", False),
        ("time to scale < 45s", False),
    ],
)
def test_what_the_bounds_exclude(text: str, never: bool) -> None:
    plan = LoadPlan(stages=(Stage(5, 5, 60.0), Stage(9, 9, 60.0)))
    assert bool(Bounds(2, 10).impossible(parse(text), plan, 0.0)) is never


def test_an_hpa_that_cannot_move_never_scales() -> None:
    assert Bounds(2, 2).impossible(parse("time to scale < 45s"), LoadPlan(), 0.0)
