"""Plans as people write them, and when their requests are due."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpatui.errors import UsageError
from hpatui.load.pacing import Pacer
from hpatui.load.plan import LoadPlan, Stage, nudge, parse_duration, parse_stages, shaped
from hpatui.load.target import Target, looks_like_url, url_target


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30), ("30s", 30), ("1m30s", 90), ("500ms", 0.5), ("2h", 7200), ("1.5m", 90)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "fast", "10x", "-5s", "1m 30s", "s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(UsageError, match="no duration"):
        parse_duration(text)


def test_stages_as_people_write_them() -> None:
    assert parse_stages("50/s for 1m; 50->400/s over 2m, 400/s until stable max 10m") == (
        Stage(50, 50, 60),
        Stage(50, 400, 120),
        Stage(400, 400, 600, until="stable"),
    )
    assert parse_stages("sine 10->50/s for 5m every 30s")[0].shape == "sine"
    with pytest.raises(UsageError, match="'fast for 1m' cannot be read"):
        parse_stages("50/s for 1m; fast for 1m")


def _due(stages: tuple[Stage, ...], seconds: float, step: float = 0.01, **how: object) -> list[float]:
    pacer = Pacer(stages, 0.0, **how)  # type: ignore[arg-type]  # keywords of several types
    times: list[float] = []
    for look in range(1, math.ceil(seconds / step) + 1):
        times += pacer.due(look * step)
    return times


def test_a_steady_rate_is_even_and_exact() -> None:
    times = _due((Stage(50, 50, None),), 10)
    assert len(times) in (500, 501)  # the last one is due at the very end
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert max(gaps) - min(gaps) < 1e-9
    assert times[0] == 0.0


def test_a_ramp_has_the_area_under_it() -> None:
    times = _due((Stage(0, 100, 10),), 10)
    assert len(times) == pytest.approx(500, abs=2)
    for second in range(1, 10):
        count = sum(1 for t in times if second <= t < second + 1)
        assert count == pytest.approx(10 * second + 5, abs=1.5)


def test_stages_follow_each_other_and_end() -> None:
    times = _due((Stage(10, 10, 2), Stage(100, 100, 1)), 5)
    assert len([t for t in times if t < 2]) == 20
    assert len([t for t in times if 2 <= t < 3]) == pytest.approx(100, abs=1)
    assert [t for t in times if t >= 3.01] == []


def test_another_rate_neither_jumps_nor_bursts() -> None:
    pacer = Pacer((Stage(1, 1, None),), 0.0)
    list(pacer.due(0.9))
    pacer.rebase((Stage(1000, 1000, None),), 0.9)
    assert len(list(pacer.due(1.0))) == pytest.approx(100, abs=1)


def test_a_pause_owes_nothing() -> None:
    pacer = Pacer((Stage(10, 10, None),), 0.0)
    list(pacer.due(1.0))
    pacer.resume(100.0)
    assert len(list(pacer.due(101.0))) == pytest.approx(10, abs=1)


def test_a_late_look_gives_every_planned_time_once() -> None:
    pacer = Pacer((Stage(100, 100, None),), 0.0)
    times = list(pacer.due(1.0))
    assert len(times) == len(set(times))
    assert len(times) in (100, 101)  # the last one is due at the very end
    assert list(pacer.due(1.0)) == []


def test_poisson_arrivals_have_the_mean_and_the_spread() -> None:
    times = _due((Stage(100, 100, None),), 100, arrivals="poisson", seed=7)
    gaps = [b - a for a, b in itertools.pairwise(times)]
    mean = sum(gaps) / len(gaps)
    assert mean == pytest.approx(0.01, rel=0.03)
    # Kolmogorov-Smirnov against the exponential distribution; 1.63/sqrt(n) is the 1 % bound.
    gaps.sort()
    distance = max(abs((i + 1) / len(gaps) - (1 - math.exp(-gap / 0.01))) for i, gap in enumerate(gaps))
    assert distance < 1.63 / math.sqrt(len(gaps))


@given(st.floats(0.5, 500), st.floats(0.001, 0.3))
@settings(deadline=None, max_examples=40)
def test_the_count_does_not_depend_on_when_one_looks(rate: float, step: float) -> None:
    times = _due((Stage(rate, rate, None),), 3, step)
    end = math.ceil(3 / step) * step
    assert abs(len(times) - rate * end) <= 1.01
    assert times == sorted(times)


def test_the_cap_is_never_exceeded() -> None:
    assert len(_due((Stage(1000, 1000, None),), 2, cap=20.0)) == pytest.approx(40, abs=1)


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (LoadPlan(stages=(Stage(0, 0, None),)), "no load"),
        (LoadPlan(stages=(Stage(-1, -1, None),)), "no load"),
        (LoadPlan(stages=(Stage(math.inf, math.inf, None),)), "no load"),
        (LoadPlan(stages=(Stage(500, 500, None),)), "--max-rate"),
        (LoadPlan(model="weird"), "no load model"),
        (LoadPlan(model="closed", concurrency=0), "concurrency"),
        (LoadPlan(timeout=0), "timeout"),
    ],
)
def test_absurd_plans_are_refused(plan: LoadPlan, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan.check()


@pytest.mark.parametrize("shape", ["steady", "ramp", "steps", "spike", "sine", "sawtooth"])
def test_named_shapes_stay_between_zero_and_the_rate(shape: str) -> None:
    for stage in shaped(shape, 100, 60):
        for t in range(0, 61, 3):
            assert 0 <= stage.rate_at(t) <= 100.0001
    with pytest.raises(UsageError):
        shaped("square", 1, 1)


@pytest.mark.parametrize(
    ("stages", "count"),
    [
        ("5/s for 1s", 5),
        ("5/s for 1s; 10/s for 1s", 15),
        ("50/s for 2s; 0/s for 1s; 50/s for 2s", 200),
        ("3/s for 1s; 7/s for 3s; 11/s for 1s", 35),
    ],
)
@pytest.mark.parametrize("tick", [0.001, 0.01, 0.333, 10.0])
def test_a_plan_sends_what_its_stages_say_and_not_one_more(stages: str, count: int, tick: float) -> None:
    pacer, found, at = Pacer(parse_stages(stages), 100.0), 0, 100.0
    while pacer.stage is not None and at < 200:
        at += tick
        found += len(list(pacer.due(at)))
    assert found == count


def test_a_pause_shifts_the_stages_that_follow() -> None:
    pacer = Pacer((Stage(10.0, 10.0, 4.0), Stage(100.0, 100.0, 1.0)), 0.0)
    assert len(list(pacer.due(3.0))) == 30
    pacer.resume(103.0)  # paused for 100 s: the first stage has one second left
    assert 9 <= len(list(pacer.due(104.0))) <= 11
    assert 99 <= len(list(pacer.due(200.0))) <= 101


def test_nudging_uses_round_numbers() -> None:
    assert nudge(50, 1, 200) == 75
    assert nudge(50, -1, 200) == 30
    assert nudge(75, 1, 80) == 80
    assert nudge(1, -1, 200) == 1


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "http://x:99999/"])
def test_what_is_no_target(url: str) -> None:
    with pytest.raises(UsageError):
        url_target(url)


def test_a_password_in_the_url_becomes_a_header_and_is_shown_nowhere() -> None:
    target = url_target("http://me:p%40ss@127.0.0.1:80/x")
    assert (target.url, target.text) == ("http://127.0.0.1:80/x",) * 2
    assert target.headers == {"Authorization": "Basic bWU6cEBzcw=="}
    assert "Basic" not in repr(target)


@pytest.mark.parametrize(
    ("text", "is_url"),
    [
        ("127.0.0.1:8080", True), ("localhost:8080/x", True), ("[::1]:80", True), ("127.0.0.1", True),
        ("http://x/", True), ("app.example/x", True), ("web", False), ("shop/web", False), ("web.v2", False),
        ("svc/web:80", False), ("svc/shop/web:80", False),
    ],
)  # fmt: skip
def test_what_is_a_url_and_what_an_hpa(text: str, is_url: bool) -> None:
    assert looks_like_url(text) is is_url


def test_a_target_never_shows_its_token() -> None:
    assert "secret" not in repr(Target("http://127.0.0.1/", "x", headers={"Authorization": "Bearer secret"}))
