"""Whatever people do to a Deployment, in the end there are as many ready pods of its newest template as it asks for."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld

_STEPS = st.one_of(
    st.tuples(st.just("scale"), st.integers(0, 8)),
    st.tuples(st.just("image"), st.integers(0, 3)),
    st.tuples(st.just("delete pod"), st.integers(0, 20)),
    st.tuples(st.just("crash"), st.integers(0, 20)),
    st.tuples(st.just("pause"), st.integers(0, 1)),
    st.tuples(st.just("lose node"), st.integers(1, 2)),
    st.tuples(st.just("delete set"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.integers(0, 6)),
)


def _do(world: TestWorld, what: str, number: int) -> None:
    pods, sets = world.all("", "pods"), world.all("apps", "replicasets")
    deployment = world.get("apps", "deployments", "web")
    if what == "scale":
        world.change("apps", "deployments", "web", replicas=number)
    elif what == "image":
        template: dict[str, Any] = deployment["spec"]["template"]
        container = {**template["spec"]["containers"][0], "image": f"example/web:{number}"}
        new = {**template, "spec": {**template["spec"], "containers": [container]}}
        world.change("apps", "deployments", "web", template=new)
    elif what == "pause":
        world.change("apps", "deployments", "web", paused=bool(number))
    elif what == "lose node":
        world.cluster.nodes.lose(f"node-{number}")
        world.advance(1.0)
        world.cluster.nodes.restore(f"node-{number}")
    elif what == "crash" and pods:
        world.cluster.kubelet.crash((SPACE, pods[number % len(pods)]["metadata"]["name"]))
    elif what in ("delete pod", "delete set") and (found := pods if what == "delete pod" else sets):
        plural = ("", "pods") if what == "delete pod" else ("apps", "replicasets")
        name = found[number % len(found)]["metadata"]["name"]
        try:
            world.cluster.store.delete(world.resource(*plural), SPACE, name)
        except StatusError as refused:
            assert refused.code == 404  # gone in the meantime
    world.advance(float(number) if what == "wait" else 0.2)


@settings(max_examples=40, deadline=None)
@given(st.lists(_STEPS, min_size=1, max_size=14))
def test_a_deployment_converges(steps: list[tuple[str, int]]) -> None:
    world = TestWorld()
    world.apply(b.deployment(SPACE, "web", replicas=3, needs=b.resources("50m", "32Mi")), b.service(SPACE, "web"))
    for what, number in steps:
        _do(world, what, number)
    world.change("apps", "deployments", "web", paused=False)
    world.advance(240.0)
    deployment = world.get("apps", "deployments", "web")
    wanted = deployment["spec"]["replicas"]
    pods = world.all("", "pods")
    assert len(pods) == world.ready() == wanted
    image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} <= {image}
    status = deployment["status"]
    assert status.get("readyReplicas", 0) == status.get("updatedReplicas", 0) == status.get("replicas", 0) == wanted
    assert sorted(world.endpoints(f"{SPACE}/web:80")) == sorted(pod["metadata"]["uid"] for pod in pods)
    done = world.cluster.engine.done
    world.advance(30.0)
    assert world.cluster.engine.done == done
