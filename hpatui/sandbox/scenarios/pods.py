"""Scenarios in which pods do not come, come late, or are not what they seem."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import base
from hpatui.sandbox.scenarios.build import PREFIX, Manifest, World, application, cpu, namespace, resources
from hpatui.sandbox.scenarios.build import memory as memory_metric

SPACE = "shop"
_PORT = "shop/checkout:80"


def unschedulable(world: World) -> None:
    """One node with one core; each pod asks for 400m."""
    base(world, nodes=1, cpu="1")
    needs = resources("400m", "64Mi")
    application(world, SPACE, "checkout", [cpu(50)], needs=needs, hpa={"most": 5})
    world.traffic("rush", _PORT, [(3600, 250, 250)])


def quota(world: World) -> None:
    """The namespace may have two pods."""
    base(world)
    meta = {"name": "team-budget", "namespace": SPACE}
    world.apply(
        namespace(SPACE),
        {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": {"pods": "2"}}},
    )
    application(world, SPACE, "checkout", [cpu(50)], needs=resources("100m", "64Mi"), hpa={"most": 5})
    world.traffic("rush", _PORT, [(3600, 80, 80)])


def slow_start(world: World) -> None:
    """Pods that burn 3 CPU seconds at their start and are ready after 12 s; the load doubles every 2 minutes."""
    base(world)
    notes = {"profile": "slow-start"}
    needs = resources("250m", "128Mi", cpu_limit="500m")
    application(world, SPACE, "checkout", [cpu(60)], needs=needs, notes=notes, hpa={"most": 6}, settle=40.0)
    beat = world.timings.sync_period / 3.0
    world.traffic(
        "steps", _PORT, [(20 * beat, 25, 25), (60 * beat, 90, 90), (60 * beat, 150, 150), (60 * beat, 25, 25)]
    )


def broken_image(world: World) -> None:
    """A running Deployment gets a template whose image does not exist; then the load comes."""
    base(world)
    application(
        world, SPACE, "checkout", [cpu(50)], needs=resources("100m", "64Mi"), hpa={"least": 2, "most": 5}, replicas=2
    )
    world.patch("apps", "deployments", SPACE, "checkout", _break_image)
    world.advance(20.0)
    world.traffic("rush", _PORT, [(3600, 60, 60)])


def _break_image(deployment: Manifest) -> Manifest:
    """The Deployment with another image, one that cannot be pulled."""
    spec = deployment["spec"]
    template = spec["template"]
    containers = [{**template["spec"]["containers"][0], "image": "example/checkout:does-not-exist"}]
    meta = {**template["metadata"], "annotations": {f"{PREFIX}profile": "broken-image"}}
    template = {**template, "metadata": meta, "spec": {**template["spec"], "containers": containers}}
    return {**deployment, "spec": {**spec, "template": template}}


def leaky(world: World) -> None:
    """Each request leaves some memory behind for ever; the limit is reached after a few minutes."""
    base(world)
    notes = {"profile": "leaky", "leak": str(256 * 1024)}
    needs = resources("100m", "128Mi")
    application(world, SPACE, "checkout", [memory_metric("64Mi")], needs=needs, notes=notes, hpa={"most": 4})
    world.traffic("users", _PORT, [(3600, 15, 15)])


def memory(world: World) -> None:
    """Requests keep 512Ki each for half a minute."""
    base(world)
    metrics = [cpu(50), memory_metric("96Mi")]
    needs = resources("200m", "512Mi")
    application(world, SPACE, "checkout", metrics, needs=needs, notes={"profile": "memory"}, hpa={"most": 6})
    beat = world.timings.sync_period / 3.0
    world.traffic("waves", _PORT, [(60 * beat, 15, 15), (90 * beat, 1, 1)])
