"""External metrics of HPAs that bring a source: selectors, several series of one name, and what a real controller says."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.scenarios import build as b
from hpatui.sandbox.sources import ANNOTATION, read_series

from .world import SPACE, TestWorld


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('depth{queue="a"} 10k', [("depth", {"queue": "a"}, "10k")]),
        ('a.b-c%d{x="1",y=""} 5m; e 3\nf{} 0', [("a.b-c%d", {"x": "1", "y": ""}, "5m"), ("e", {}, "3"), ("f", {}, "0")]),
        ("", []), ("depth", []), ("depth ten", []), ("depth{queue=a} 1", []), ("; ;", []),
    ],
)  # fmt: skip
def test_the_annotation_is_read(text: str, found: list[tuple[str, dict[str, str], str]]) -> None:
    assert [(each.metric, each.labels, each.value) for each in read_series(text)] == found


def _external(name: str, target: str, selector: dict[str, Any] | None) -> dict[str, Any]:
    metric = {"name": name, **({"selector": selector} if selector is not None else {})}
    return {
        "type": "External",
        "external": {"metric": metric, "target": {"type": "AverageValue", "averageValue": target}},
    }


def _world(metrics: list[dict[str, Any]], series: str, *, most: int = 20, **autoscaler: Any) -> TestWorld:
    world = TestWorld(cpu="16")
    world.apply(b.deployment(SPACE, "web", image="example/web", needs=b.resources("100m", "64Mi")))
    world.advance(5.0)
    hpa = b.autoscaler(SPACE, "web", metrics, most=most, **autoscaler)
    hpa["metadata"].setdefault("annotations", {})[ANNOTATION] = series
    world.apply(hpa)
    world.advance(20.0)
    return world


def _hpa(world: TestWorld) -> dict[str, Any]:
    return world.get("autoscaling", "horizontalpodautoscalers", "web")


def test_two_metrics_of_one_name_have_values_of_their_own() -> None:
    one, two = ({"matchLabels": {"queue": name}} for name in "ab")
    series = 'depth{queue="a"} 10k; depth{queue="b"} 190k; depth{queue="c"} 1M'
    world = _world([_external("depth", "50k", one), _external("depth", "50k", two)], series)
    assert _hpa(world)["status"]["desiredReplicas"] == 4
    found = [entry["external"]["current"]["averageValue"] for entry in _hpa(world)["status"]["currentMetrics"]]
    assert found == ["2500", "47500"]


@pytest.mark.parametrize(
    ("selector", "wanted"),
    [
        (None, 6), ({"matchExpressions": [{"key": "queue", "operator": "In", "values": ["a", "b"]}]}, 3),
        ({"matchExpressions": [{"key": "queue", "operator": "NotIn", "values": ["c"]}]}, 3),
        ({"matchExpressions": [{"key": "dead", "operator": "Exists"}]}, 3), ({"matchLabels": {"queue": "c", "dead": "1"}}, 3),
    ],
)  # fmt: skip
def test_selectors_choose_series(selector: dict[str, Any] | None, wanted: int) -> None:
    series = 'depth{queue="a"} 10; depth{queue="b"} 20; depth{queue="c",dead="1"} 30'
    world = _world([_external("depth", "10", selector)], series)
    assert _hpa(world)["status"]["desiredReplicas"] == wanted


def test_a_metric_without_series_is_told_as_a_real_controller_does() -> None:
    world = _world([_external("none", "10", None)], "depth 1")
    assert "unable to get external metric shop/none/nil: no metrics returned from external metrics API" in (
        " ".join(world.events("FailedGetExternalMetric"))
    )


def test_a_value_may_change() -> None:
    world = _world([_external("depth", "10", None)], "depth 20")
    assert _hpa(world)["status"]["desiredReplicas"] == 2

    def change(hpa: dict[str, Any]) -> dict[str, Any]:
        return {**hpa, "metadata": {**hpa["metadata"], "annotations": {ANNOTATION: "depth 70"}}}

    world.cluster.patch("autoscaling", "horizontalpodautoscalers", SPACE, "web", change)
    world.advance(20.0)
    assert _hpa(world)["status"]["desiredReplicas"] == 7
    assert world.cluster.metrics.sources.names() == {"depth"}
    world.cluster.store.delete(world.resource("autoscaling", "horizontalpodautoscalers"), SPACE, "web")
    assert not world.cluster.metrics.sources


def test_under_a_quota_the_average_is_over_the_pods_that_there_are() -> None:
    """status.replicas divides: 590 of 100 is for the pods that there are, whatever the spec asks for."""
    world = TestWorld(cpu="16")
    quota = {
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": SPACE},
        "spec": {"hard": {"pods": "6"}},
    }  # fmt: skip
    world.apply(quota, b.deployment(SPACE, "web", image="example/web", needs=b.resources("100m", "64Mi"), replicas=9))
    world.advance(10.0)
    assert len(world.pods()) == 6
    hpa = b.autoscaler(SPACE, "web", [_external("depth", "100", None)], most=20)
    hpa["metadata"].setdefault("annotations", {})[ANNOTATION] = "depth 590"
    world.apply(hpa)
    world.advance(10.0)
    found = _hpa(world)["status"]["currentMetrics"][0]["external"]["current"]
    assert found == {"averageValue": "98334m"}, "590 over 6 pods"
    assert world.events("SuccessfulRescale") == []
    world.advance(60.0)  # the window over which the 9 of the start are remembered
    assert _hpa(world)["status"]["desiredReplicas"] == 6
