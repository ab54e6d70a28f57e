"""Scenarios about behavior: windows, policies and the maximum."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import base
from hpatui.sandbox.scenarios.build import Manifest, World, application, cpu, resources

SPACE = "shop"
_PORT = "shop/checkout:80"


def _checkout(world: World, *, most: int, behavior: Manifest | None = None, percent: int = 50) -> None:
    """Deployment checkout with 100m of CPU a pod; one request costs 4 ms, so a pod saturates at 25 requests/s."""
    base(world)
    needs = resources("100m", "64Mi")
    hpa: Manifest = {"most": most, "behavior": behavior}
    application(world, SPACE, "checkout", [cpu(percent)], hpa=hpa, needs=needs)


def _beat(world: World) -> float:
    """How much longer things take than with the quick timings."""
    return world.timings.sync_period / 3.0


def flapping(world: World) -> None:
    """Load between 8/s (1 pod) and 30/s (3 pods), half a minute each, without a scale-down window."""
    _checkout(world, most=5, behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
    beat = _beat(world)
    world.traffic("swing", _PORT, [(20 * beat, 30, 30), (20 * beat, 8, 8)])


def held_down(world: World) -> None:
    """Bursts of 30 s that need 5 pods, every 4 minutes; a window of 300 s never lets the first one be forgotten."""
    _checkout(world, most=8, behavior={"scaleDown": {"stabilizationWindowSeconds": 300}})
    world.traffic("bursts", _PORT, [(30 * _beat(world), 60, 60), (210, 1, 1)])


def rate_limited(world: World) -> None:
    """From 8/s to 140/s at once; one pod more every 15 s."""
    policy: Manifest = {"type": "Pods", "value": 1, "periodSeconds": 15}
    _checkout(world, most=15, behavior={"scaleUp": {"policies": [policy], "selectPolicy": "Max"}})
    beat = _beat(world)
    world.traffic("campaign", _PORT, [(10 * beat, 8, 8), (240 * beat, 140, 140), (90 * beat, 8, 8)])


def at_max(world: World) -> None:
    """A load that needs 8 pods, and a maximum of 3."""
    _checkout(world, most=3)
    world.traffic("rush", _PORT, [(3600, 100, 100)])
