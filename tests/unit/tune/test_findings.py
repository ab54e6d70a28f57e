"""Each rule with its own case and its neighbour that is well; numbers by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpatui.model import Kind, Listed, Seen, SourceState, SourceStatus, StatusChanged
from hpatui.tune.advice import advise
from hpatui.tune.findings import find
from hpatui.tune.periods import period_of
from hpatui.tune.rank import Judged, Prices, judge, ranked
from hpatui.tune.timeline import PodSize
from tests import factories
from tests.factories import NOW
from tests.unit.tune.runs import status, timeline

HOUR = 3600.0


def _rules(facts: list[Seen], seconds: float = HOUR) -> dict[str, float]:
    return {finding.rule: finding.share for finding in find(timeline(facts, seconds)).found}


def test_a_healthy_hpa_is_left_alone() -> None:
    facts = [status(0, 2, 0.95), status(900, 2, 1.05), status(1800, 3, 0.9, scaled=1800)]
    item = judge(timeline(facts, HOUR), Prices())
    assert item.findings.found == ()
    assert item.advice is None
    assert item.healthy
    assert item.pod_hours == pytest.approx((1800 * 2 + 1800 * 3) / 3600)


def test_pinned_at_max_and_how_many_were_asked_for() -> None:
    line = timeline([status(0, 5, 0.9), status(600, 5, 1.9), status(1800, 5, 0.9)], HOUR)
    (found,) = find(line).found
    assert found.rule == "pinned-at-max"
    assert found.share == pytest.approx(1200 / 3600)
    assert (found.evidence[0].time, found.evidence[0].until) == (NOW + 600, NOW + 1800)
    advice = advise(line, (found,))
    assert advice is not None
    assert advice.spec["maxReplicas"] == 13  # 5 x 1.9 -> 10 pods, and a quarter more, rounded up


def test_at_max_within_the_tolerance_is_well() -> None:
    assert _rules([status(0, 5, 1.09)]) == {}


@pytest.mark.parametrize(("goal", "least"), [("cost", 1), ("balanced", 2), ("latency", None)])
def test_a_floor_that_nobody_needs(goal: str, least: int | None) -> None:
    line = timeline([status(0, 4, 0.1, low=4, high=8)], HOUR)
    (found, *_) = [f for f in find(line).found if f.rule == "never-left-min"]
    assert found.pod_hours == pytest.approx(3.0)  # 4 pods where ceil(0.4) = 1 would do, for an hour
    advice = advise(line, find(line).found, goal)
    assert (None if advice is None else advice.spec["minReplicas"]) == least


def test_a_floor_of_one_or_one_that_is_left_is_no_waste() -> None:
    assert "never-left-min" not in _rules([status(0, 1, 0.1)])
    rules = _rules([status(0, 2, 0.9, low=2), status(600, 4, 1.0, low=2, scaled=600)])
    assert not {"never-left-min", "high-floor"} & set(rules)


def _flaps(times: int, every: float) -> list[Seen]:
    facts = [status(0, 1, 1.0, scaled=-1)]
    for turn in range(times):
        size = 3 if turn % 2 == 0 else 1
        at = (turn + 1) * every
        facts.append(status(at, size, 1.0, scaled=at, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}}))
    return facts


def test_flapping_and_the_window_that_outlasts_it() -> None:
    line = timeline(_flaps(12, 60), HOUR)
    found = {f.rule: f for f in find(line).found}
    assert set(found) == {"flapping"}
    advice = advise(line, find(line).found)
    assert advice is not None
    assert advice.spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 150  # 1.2 x 120 s, in steps of 30
    assert advice.spec["behavior"]["scaleDown"].get("policies") is None


def test_growing_in_steps_is_no_flapping() -> None:
    facts = [status(at, size, 1.0, scaled=at) for at, size in ((0, 1), (60, 2), (120, 3), (180, 4), (240, 5))]
    assert _rules(facts) == {}


def test_blind_hours_with_their_reason_and_gaps_do_not_count() -> None:
    lost = SourceStatus(SourceState.RECONNECTING, NOW + 1800, "")
    facts = [
        status(0, 2, 1.0), status(600, 2, None, active="FailedGetResourceMetric"), status(1200, 2, 1.0),
        Seen(NOW + 1800, StatusChanged(Kind.HPA, lost)), status(3000, 2, 1.0),
    ]  # fmt: skip
    line = timeline(facts, HOUR)
    assert line.seconds == pytest.approx(2400)
    (found,) = find(line).found
    assert (found.rule, found.evidence[0].text) == ("blind", "FailedGetResourceMetric")
    assert found.share == pytest.approx(600 / 2400)


def test_two_hpas_on_the_same_pods() -> None:
    assert set(_rules([status(0, 2, None, active="AmbiguousSelector")])) == {"ambiguous"}


def test_a_metric_that_does_not_fall() -> None:
    facts = [
        status(0, 1, 1.6, name="memory"),
        status(300, 2, 1.6, name="memory", scaled=300),
        status(400, 2, 1.58, name="memory"),
    ]
    assert "target-unreachable" in _rules(facts)
    falls = [*facts[:2], status(350, 2, 0.9, name="memory")]
    assert "target-unreachable" not in _rules(falls)
    full = [status(0, 1, 2.0), status(300, 2, 2.0, scaled=300)]  # cpu at its limit cannot show that it helps
    assert "target-unreachable" not in _rules(full)


def _bursts(window: float, held: bool) -> list[Seen]:
    able = "ScaleDownStabilized" if held else "ReadyForNewScale"
    behavior = {"scaleDown": {"stabilizationWindowSeconds": window}}
    facts = []
    for turn in range(10):
        facts.append(status(turn * 240, 5, 1.0, behavior=behavior))
        facts.append(status(turn * 240 + 30, 5, 0.1, able=able, behavior=behavior))
    return facts


def test_a_window_longer_than_the_loads_period() -> None:
    line = timeline(_bursts(300, held=True), 2400)
    period = period_of(line)
    assert period is not None
    assert period.seconds == pytest.approx(240)
    found = {f.rule: f for f in find(line).found}
    assert found["window-longer-than-period"].pod_hours == pytest.approx(10 * 210 * 4 / 3600)
    advice = advise(line, find(line).found)
    assert advice is not None
    assert advice.spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 60


def test_a_window_shorter_than_the_period_only_keeps_pods() -> None:
    rules = _rules(_bursts(120, held=True), 2400)
    assert "held-by-window" in rules
    assert "window-longer-than-period" not in rules


def test_a_policy_that_is_too_slow() -> None:
    facts = [status(0, 2, 3.0, high=20, limited="ScaleUpLimit"), status(600, 10, 1.0, high=20)]
    line = timeline(facts, HOUR)
    assert "rate-limited" in {f.rule for f in find(line).found}
    advice = advise(line, find(line).found)
    assert advice is not None
    assert {p["type"] for p in advice.spec["behavior"]["scaleUp"]["policies"]} == {"Pods", "Percent"}


def test_a_second_writer() -> None:
    facts = [status(0, 3, 1.0, scaled=0)] + [status(at, 3, 1.0, scaled=at) for at in (60, 120, 180)]
    assert "second-writer" in _rules(facts)


def test_requests_far_from_use() -> None:
    assert "request-far-from-use" in _rules([status(0, 1, 0.2)])  # 10 % of the request at minReplicas
    assert "request-far-from-use" in _rules([status(0, 5, 2.6)])  # 130 %
    assert "request-far-from-use" not in _rules([status(0, 1, 0.9)])


def _on(nodes: list[str]) -> Seen:
    pods = tuple(replace(factories.pod(f"web-{i}"), node=node) for i, node in enumerate(nodes))
    return Seen(NOW, Listed(Kind.POD, pods, "*"))


def test_no_room_for_a_nodes_loss() -> None:
    busy = [status(0, 4, 1.0)]  # 50 % of the request
    assert "node-loss" in _rules([*busy, _on(["a", "a", "a", "b"])])  # 200 % on the one that is left
    assert "node-loss" in _rules([*busy, _on(["a", "a", "a", "a"])])
    assert "node-loss" not in _rules([*busy, _on(["a", "b", "c", "d"])])
    assert any("node's loss" in text for text in find(timeline(busy, HOUR)).unknown)


def test_money_only_where_requests_are_known() -> None:
    prices = Prices(cpu=0.04, memory=0.005)
    assert prices.of(10, PodSize(500.0, 2.0**30, None)) == pytest.approx(10 * (0.5 * 0.04 + 0.005))
    assert prices.of(10, PodSize(500.0, None, None)) is None
    assert prices.of(10, None) is None
    assert Prices().of(10, PodSize(500.0, 1.0, None)) is None
    assert Prices(cpu=0.04).of(10, PodSize(500.0, None, None)) == pytest.approx(0.2)


def test_the_worst_comes_first() -> None:
    runs = ([status(0, 2, 1.0)], [status(0, 5, 1.9)], [status(0, 4, 0.1, low=4, high=8)])
    items = [judge(timeline(facts, HOUR), Prices()) for facts in runs]
    order: list[Judged] = ranked(items)
    assert order[-1] is items[0]
    assert {id(order[0]), id(order[1])} == {id(items[1]), id(items[2])}
