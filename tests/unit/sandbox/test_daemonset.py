"""DaemonSets: a pod on each node that takes it, renewed node by node."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.scenarios import build as b
from tests.unit.sandbox.world import SPACE, TestWorld

Object = dict[str, Any]


def _set(world: TestWorld, *, template: Object | None = None, **spec: Any) -> None:
    base = b.deployment(SPACE, "agent", needs=b.resources("100m", "64Mi"))["spec"]["template"]
    inner = {**base, "spec": {**base["spec"], **(template or {})}}
    meta = {"name": "agent", "namespace": SPACE}
    selector = {"matchLabels": {"app": "agent"}}
    world.apply(
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta,
         "spec": {"selector": selector, "template": inner, **spec}}
    )  # fmt: skip


def _nodes(world: TestWorld) -> list[str]:
    return sorted(pod["spec"].get("nodeName", "") for pod in world.pods())


def _node(world: TestWorld, name: str, **spec: Any) -> None:
    resource = world.resource("", "nodes")
    world.cluster.store.modify(resource, None, name, lambda obj: {**obj, "spec": {**obj["spec"], **spec}})
    world.cluster.engine.settle()


def test_each_node_has_one_also_one_that_comes_later() -> None:
    world = TestWorld()
    _set(world)
    world.advance(5.0)
    assert (_nodes(world), world.ready()) == (["node-1", "node-2"], 2)
    world.apply(b.node("node-3"))
    world.advance(5.0)
    assert _nodes(world) == ["node-1", "node-2", "node-3"]
    status = world.get("apps", "daemonsets", "agent")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["updatedNumberScheduled"]) == (3, 3, 3)
    assert "numberUnavailable" not in status


def test_a_pod_that_is_deleted_comes_back() -> None:
    world = TestWorld()
    _set(world)
    world.advance(5.0)
    world.cluster.store.delete(world.resource("", "pods"), SPACE, world.pods()[0]["metadata"]["name"])
    world.advance(5.0)
    assert (_nodes(world), world.ready()) == (["node-1", "node-2"], 2)


def test_taints_and_labels_choose_the_nodes_and_a_cordon_does_not() -> None:
    world = TestWorld()
    _set(world)
    world.advance(5.0)
    _node(world, "node-1", unschedulable=True)
    world.advance(5.0)
    assert _nodes(world) == ["node-1", "node-2"]
    _node(world, "node-1", taints=[{"key": "gpu", "value": "yes", "effect": "NoSchedule"}])
    world.advance(5.0)
    assert _nodes(world) == ["node-2"]


def test_no_more_than_max_unavailable_are_renewed_at_a_time() -> None:
    world = TestWorld(nodes=4)
    _set(world)
    world.advance(10.0)
    spec = world.get("apps", "daemonsets", "agent")["spec"]["template"]
    container = {**spec["spec"]["containers"][0], "image": "agent:2"}
    world.change("apps", "daemonsets", "agent", template={**spec, "spec": {**spec["spec"], "containers": [container]}})
    least = 4
    for _ in range(120):
        world.advance(0.25)
        least = min(least, world.ready())
    assert least == 3
    assert {pod["spec"]["containers"][0]["image"] for pod in world.pods()} == {"agent:2"}
    assert world.get("apps", "daemonsets", "agent")["status"]["updatedNumberScheduled"] == 4


def test_a_node_without_room_has_a_pod_that_waits_and_says_why() -> None:
    world = TestWorld(cpu="1")
    _set(world, template={"containers": [{"name": "agent", "image": "x", "resources": {"requests": {"cpu": "2"}}}]})
    world.advance(5.0)
    assert world.ready() == 0
    (message,) = {self["message"] for pod in world.pods() if (self := world.condition(pod, "PodScheduled"))}
    assert "1 Insufficient cpu" in message


def test_pods_without_a_toleration_avoid_a_tainted_node() -> None:
    world = TestWorld()
    _node(world, "node-1", taints=[{"key": "gpu", "effect": "NoSchedule"}])
    world.apply(b.deployment(SPACE, "web", replicas=3))
    world.advance(5.0)
    assert set(_nodes(world)) == {"node-2"}
    _node(world, "node-2", taints=[{"key": "gpu", "effect": "NoSchedule"}])
    world.apply(b.deployment(SPACE, "late"))
    world.advance(5.0)
    (late,) = [pod for pod in world.pods() if pod["metadata"]["name"].startswith("late")]
    assert "2 node(s) had untolerated taint {gpu: }" in world.condition(late, "PodScheduled")["message"]
