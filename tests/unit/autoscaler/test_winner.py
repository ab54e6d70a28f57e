"""A metric is its place in spec.metrics: names may repeat, and each place has its own answer."""

from __future__ import annotations

from typing import Any

from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import ControllerConfig, Memory, MetricAnswer, MetricItem, MetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics
from hpatui.autoscaler.times import SECOND
from tests.unit.state.small_frames import hpa_object, pod, usage

NOW = 1_795_000_000 * SECOND


def _external(shard: str) -> dict[str, Any]:
    metric = {"name": "queue", "selector": {"matchLabels": {"shard": shard}}}
    return {
        "type": "External",
        "external": {"metric": metric, "target": {"type": "AverageValue", "averageValue": "10"}},
    }


def _object(name: str) -> dict[str, Any]:
    described = {"kind": "Service", "name": name}
    target = {"type": "Value", "value": "10"}
    return {"type": "Object", "object": {"metric": {"name": "rate"}, "describedObject": described, "target": target}}


def _container(name: str) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": 60}
    return {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": name, "target": target}}


def _decide(metrics: list[dict[str, Any]], values: dict[int, int], size: int = 2) -> Decision:
    hpa = hpa_object()
    hpa["spec"]["metrics"] = metrics
    containers = [{"name": name, "resources": {"requests": {"cpu": "100m"}}} for name in ("web", "proxy")]
    pods = [pod(n, spec={"containers": containers}) for n in range(size)]
    samples = []
    for number in range(size):
        sample = usage(number, 10)
        sample["containers"].append({"name": "proxy", "usage": {"cpu": "120m"}})
        samples.append(parse_pod_metrics(sample))
    answers = {index: MetricAnswer((MetricItem(value * 1000),)) for index, value in values.items()}
    wrong = {"queue": MetricAnswer((MetricItem(9_000),)), "rate": MetricAnswer((MetricItem(9_000),))}
    given = MetricsInput(tuple(samples), custom=wrong, external=wrong, by_index=answers)
    scale = ScaleInput(size, size, "app=web")
    return decide(parse_hpa(hpa), scale, [parse_pod(item) for item in pods], given, Memory(), ControllerConfig(), NOW)


def test_two_external_metrics_of_one_name() -> None:
    decision = _decide([_external("a"), _external("b")], {0: 5, 1: 60})
    assert [item.index for item in decision.metrics] == [0, 1]
    assert [item.proposal.replicas if item.proposal else None for item in decision.metrics] == [1, 6]
    assert (decision.wanted, decision.winner_index) == (6, 1)
    assert _decide([_external("a"), _external("b")], {0: 60, 1: 5}).winner_index == 0


def test_two_objects_of_one_metric() -> None:
    decision = _decide([_object("a"), _object("b")], {0: 40, 1: 10})
    assert (decision.wanted, decision.winner_index) == (8, 0)


def test_two_containers() -> None:
    decision = _decide([_container("web"), _container("proxy")], {})
    assert (decision.wanted, decision.winner_index) == (4, 1)


def test_equal_proposals_name_the_first_unless_it_is_0() -> None:
    assert _decide([_external("a"), _external("b")], {0: 60, 1: 60}).winner_index == 0
    assert _decide([_external("a"), _external("b")], {0: 0, 1: 0}).winner_index == 1


def test_without_a_proposal_there_is_no_winner() -> None:
    hpa_metrics = [_external("a")]
    decision = _decide(hpa_metrics, {})
    assert decision.winner_index == 0  # answered by name, where there is no answer for the place
    failed = _decide([{"type": "Nonsense"}], {})
    assert (failed.winner_index, failed.wanted) == (None, None)
