"""Which pods go first when a ReplicaSet shrinks."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.controllers.objects import stamp
from hpatui.sandbox.controllers.replicaset import choose_victims
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld

_NOW = 1_700_000_000.0


def _pod(
    name: str, *, node: str = "n1", ready: float | None = 500.0, phase: str = "Running", **more: Any
) -> dict[str, Any]:
    """A pod that has been ready for `ready` seconds."""
    conditions = [{"type": "Ready", "status": "False"}]
    if ready is not None:
        conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": stamp(_NOW - ready)}]
    age = more.get("age", 1000.0)
    return {
        "metadata": {
            "name": name, "uid": name, "creationTimestamp": stamp(_NOW - age),
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": more.get("cost", "0")},
        },
        "spec": {"nodeName": node},
        "status": {
            "phase": phase, "conditions": conditions,
            "containerStatuses": [{"restartCount": more.get("restarts", 0)}],
        },
    }  # fmt: skip


def _first(*pods: dict[str, Any]) -> str:
    assert choose_victims(list(pods), 1, _NOW) == choose_victims(list(reversed(pods)), 1, _NOW)
    return str(choose_victims(list(pods), 1, _NOW)[0]["metadata"]["name"])


def test_pods_without_a_node_go_first() -> None:
    assert _first(_pod("a"), _pod("z", node="", phase="Pending", ready=None)) == "z"


def test_pending_before_running() -> None:
    assert _first(_pod("a", ready=None), _pod("z", phase="Pending", ready=None)) == "z"


def test_unready_before_ready() -> None:
    assert _first(_pod("a"), _pod("z", ready=None)) == "z"


def test_the_cheaper_one() -> None:
    assert _first(_pod("a", cost="5"), _pod("z", cost="-1")) == "z"
    assert _first(_pod("a", cost="-1"), _pod("z", cost="no number")) == "a"


def test_from_the_fuller_node() -> None:
    assert _first(_pod("a", node="n1"), _pod("y", node="n2"), _pod("z", node="n2")) in ("y", "z")


def test_ready_for_a_shorter_time() -> None:
    assert _first(_pod("a", ready=5000.0), _pod("z", ready=5.0)) == "z"


def test_more_restarts() -> None:
    assert _first(_pod("a", restarts=1), _pod("z", restarts=9)) == "z"


def test_the_younger_one() -> None:
    assert _first(_pod("a", age=50_000.0), _pod("z", age=800.0)) == "z"


@pytest.mark.parametrize(("api", "kind"), [("apps/v1", "StatefulSet"), ("argoproj.io/v1alpha1", "Rollout")])
def test_other_owners_scale_too(api: str, kind: str) -> None:
    world = TestWorld()
    template = b.deployment(SPACE, "db", needs=b.resources("100m", "64Mi"))["spec"]
    meta = {"name": "db", "namespace": SPACE}
    world.apply({"apiVersion": api, "kind": kind, "metadata": meta, "spec": {**template, "replicas": 2}})
    world.advance(10.0)
    assert world.ready() == 2
    world.apply(b.autoscaler(SPACE, "db", [b.cpu(30)], most=4, kind=kind, api=api))
    world.load(0.3, 30.0)
    assert world.ready() == 4
    names = {pod["metadata"]["name"] for pod in world.pods()}
    if kind == "StatefulSet":
        assert names == {f"db-{number}" for number in range(4)}
    world.load(0.0, 60.0)
    assert world.ready() == 1
    if kind == "StatefulSet":
        assert world.exists("", "pods", "db-0")
