"""The HPA controller on the sandbox's own store, metrics and clock: the walkthrough in simulated time."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.options import KUBERNETES, QUICK, Timings
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld


def _world(timings: Timings = QUICK, **hpa: Any) -> TestWorld:
    world = TestWorld(timings)
    world.apply(b.deployment(SPACE, "web", needs=b.resources("100m", "100Mi")), b.service(SPACE, "web"))
    world.advance(8 * timings.sync_period)
    metrics = hpa.pop("metrics", [b.cpu(30), b.memory("80Mi")])
    world.apply(b.autoscaler(SPACE, "web", metrics, **{"most": 3, **hpa}))
    world.advance(2 * timings.sync_period)
    return world


def _hpa(world: TestWorld) -> dict[str, Any]:
    return world.get("autoscaling", "horizontalpodautoscalers", "web")


def _replicas(world: TestWorld) -> int:
    replicas: int = world.get("apps", "deployments", "web")["spec"]["replicas"]
    return replicas


def test_a_quiet_application_stays_at_one() -> None:
    world = _world()
    status = _hpa(world)["status"]
    assert (status["currentReplicas"], status["desiredReplicas"]) == (1, 1)
    assert [world.condition(_hpa(world), kind)["status"] for kind in ("AbleToScale", "ScalingActive")] == ["True"] * 2
    by_name = {metric["resource"]["name"]: metric["resource"]["current"] for metric in status["currentMetrics"]}
    assert by_name["cpu"]["averageUtilization"] == 1
    # 1.34 and later keep the binary suffix of an average of bytes.
    assert by_name["memory"]["averageValue"] == "21576Ki"


def test_load_brings_three_and_its_end_brings_one_back() -> None:
    world = _world()
    world.load(0.3, 45.0)
    assert (_replicas(world), world.ready()) == (3, 3)
    assert world.condition(_hpa(world), "ScalingLimited")["reason"] == "TooManyReplicas"
    reason = "reason: cpu resource utilization (percentage of request) above target"
    assert world.events("SuccessfulRescale") == [f"New size: 3; {reason}"]
    world.load(0.0, 20.0)
    assert _replicas(world) == 3
    assert world.condition(_hpa(world), "AbleToScale")["reason"] == "ScaleDownStabilized"
    world.load(0.0, 70.0)
    assert (_replicas(world), world.ready()) == (1, 1)
    assert world.events("SuccessfulRescale")[1:] == ["New size: 1; reason: All metrics below target"]


def test_kubernetes_own_timings_take_their_time() -> None:
    world = _world(KUBERNETES)
    world.load(0.3, 120.0)
    assert _replicas(world) == 3
    world.load(0.0, 240.0)
    assert _replicas(world) == 3
    world.load(0.0, 180.0)
    assert _replicas(world) == 1


def test_without_metrics_nothing_scales_and_events_are_counted() -> None:
    world = _world()
    world.cluster.metrics.down = True
    world.load(0.3, 30.0)
    assert _replicas(world) == 1
    active = world.condition(_hpa(world), "ScalingActive")
    assert (active["status"], active["reason"]) == ("False", "FailedGetResourceMetric")
    assert "the server is currently unable to handle the request (get pods.metrics.k8s.io)" in active["message"]
    counts = [event["count"] for event in world.all("", "events") if event["reason"] == "FailedGetResourceMetric"]
    assert max(counts) >= 5


def test_the_status_is_written_only_when_it_changes() -> None:
    world = _world()
    world.advance(30.0)
    version = _hpa(world)["metadata"]["resourceVersion"]
    world.advance(60.0)
    assert _hpa(world)["metadata"]["resourceVersion"] == version


def test_the_memory_of_an_hpa_goes_with_it() -> None:
    world = _world()
    world.load(0.3, 30.0)
    world.cluster.store.delete(world.resource("autoscaling", "horizontalpodautoscalers"), SPACE, "web")
    world.apply(b.autoscaler(SPACE, "web", [b.cpu(30)], most=3))
    world.load(0.0, 12.0)
    # The old one would have held 3 for its window; a new one knows only its own recommendations.
    assert _replicas(world) == 3
    world.load(0.0, 60.0)
    assert _replicas(world) == 1


@pytest.mark.parametrize("kind", ["Deployment", "ReplicaSet"])
def test_a_target_that_is_not_there(kind: str) -> None:
    world = TestWorld()
    world.apply(b.autoscaler(SPACE, "ghost", [b.cpu(50)], kind=kind))
    world.advance(10.0)
    able = world.condition(world.get("autoscaling", "horizontalpodautoscalers", "ghost"), "AbleToScale")
    assert (able["status"], able["reason"]) == ("False", "FailedGetScale")
    assert f'{kind.lower()}s.apps "ghost" not found' in able["message"]


def test_a_kind_that_is_not_there() -> None:
    world = TestWorld()
    world.apply(b.autoscaler(SPACE, "ghost", [b.cpu(50)], kind="Widget", api="example.com/v1"))
    world.advance(10.0)
    able = world.condition(world.get("autoscaling", "horizontalpodautoscalers", "ghost"), "AbleToScale")
    assert 'no matches for kind "Widget" in group "example.com"' in able["message"]


def test_a_queue_scales_its_workers() -> None:
    world = TestWorld()
    notes = {"profile": "queue-consumer", "queue": "orders"}
    world.apply(b.deployment(SPACE, "web", needs=b.resources("200m", "64Mi"), notes=notes, image="example/worker"))
    world.advance(10.0)
    world.cluster.queue(SPACE, "orders", [(600.0, 22.0, 22.0)])
    world.apply(b.autoscaler(SPACE, "web", [b.external("queue_messages_ready", {"queue": "orders"}, average="30")]))
    world.advance(120.0)
    # 22 messages a second need five workers that take 5/s each; four would let the queue grow for ever.
    assert _replicas(world) == 5


def test_requests_per_second_scale_too() -> None:
    world = _world(metrics=[b.per_pod("http_requests_per_second", "500m")])
    world.load(0.01, 30.0)
    assert _replicas(world) == 3


@pytest.mark.parametrize(("kubernetes", "at_once"), [("1.36", False), ("1.37", True), ("", True)])
def test_a_new_hpa_is_synced_at_once_from_1_37_on(kubernetes: str, at_once: bool) -> None:
    world = TestWorld(KUBERNETES, kubernetes=kubernetes)
    world.apply(b.deployment(SPACE, "web", needs=b.resources("100m")))
    world.advance(60.0)
    world.cluster.open()
    names = [f"web-{number}" for number in range(8)]
    for name in names:
        world.apply(b.autoscaler(SPACE, "web", [b.cpu(30)], name=name))
    world.advance(0.5)
    told = [
        bool(world.get("autoscaling", "horizontalpodautoscalers", name).get("status", {}).get("conditions"))
        for name in names
    ]
    assert all(told) is at_once
    world.advance(15.0)
    assert all(world.get("autoscaling", "horizontalpodautoscalers", name)["status"]["conditions"] for name in names)


def test_nodes_are_of_the_clusters_version() -> None:
    for text, told in (("1.30", "v1.30."), ("1.38", "v1.38."), ("", "v1.37.")):
        world = TestWorld(kubernetes=text)
        for node in world.cluster.store.list(world.resource("", "nodes"), None)[0]:
            assert node["status"]["nodeInfo"]["kubeletVersion"].startswith(told)
