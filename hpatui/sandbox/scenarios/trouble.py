"""Scenarios in which somebody or something around the HPA is at fault: the controller, the adapter, other writers."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import base
from hpatui.sandbox.scenarios.build import (
    Manifest,
    World,
    application,
    cpu,
    external,
    per_pod,
    resources,
)

SPACE = "shop"
_NEEDS = resources("100m", "64Mi")


def stale_metrics(world: World) -> None:
    """The samples stop a while before the sandbox opens."""
    base(world)
    application(world, SPACE, "checkout", [cpu(50)], needs=_NEEDS)
    world.advance(3 * world.timings.sync_period)
    world.metrics_stale()
    world.advance(180.0)


def unknown_metric(world: World) -> None:
    """A Pods metric that no pod has."""
    base(world)
    application(world, SPACE, "checkout", [per_pod("orders_per_second", "10")], needs=_NEEDS)
    world.advance(3 * world.timings.sync_period)


def no_adapter(world: World) -> None:
    """An External metric without a queue, so nothing serves the group."""
    base(world)
    application(
        world, SPACE, "checkout", [external("queue_messages_ready", {"queue": "orders"}, average="30")], needs=_NEEDS
    )
    world.advance(3 * world.timings.sync_period)


def no_controller(world: World) -> None:
    """The HPA is there for minutes and has no status."""
    base(world)
    world.controller_down()
    application(world, SPACE, "checkout", [cpu(50)], needs=_NEEDS)
    world.advance(150.0)


def second_writer(world: World) -> None:
    """minReplicas 3; somebody writes 1 again and again."""
    base(world)
    application(world, SPACE, "checkout", [cpu(50)], needs=_NEEDS, hpa={"least": 3, "most": 6})
    world.advance(4 * world.timings.sync_period)
    for _ in range(4):
        world.patch("apps", "deployments", SPACE, "checkout", _apply_one, "argocd-controller")
        world.advance(3 * world.timings.sync_period)


def _apply_one(obj: Manifest) -> Manifest:
    """The Deployment as the tool's repository has it: one replica."""
    return {**obj, "spec": {**obj["spec"], "replicas": 1}}


def high_floor(world: World) -> None:
    """Four replicas and next to no load, for most of an hour."""
    base(world)
    application(world, SPACE, "checkout", [cpu(50)], needs=_NEEDS, hpa={"least": 4, "most": 8}, replicas=4)
    world.advance(2700.0)


def rollout(world: World) -> None:
    """Six pods; those of the new version take 45 s to become ready, so the rollout takes minutes."""
    base(world)
    application(world, SPACE, "checkout", [cpu(50)], needs=_NEEDS, hpa={"least": 6, "most": 8}, replicas=6)
    world.advance(3 * world.timings.sync_period)
    world.patch("apps", "deployments", SPACE, "checkout", _new_version)
    world.advance(5.0)


def _new_version(obj: Manifest) -> Manifest:
    """Another template, whose pods start slowly."""
    template = obj["spec"]["template"]
    meta = {**template["metadata"], "annotations": {"sandbox.hpatui.dev/ready-after": "45"}}
    return {**obj, "spec": {**obj["spec"], "template": {**template, "metadata": meta}}}
