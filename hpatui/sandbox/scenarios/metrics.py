"""Scenarios in which the controller is blind, or has nothing to act on."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import base
from hpatui.sandbox.scenarios.build import (
    Manifest,
    World,
    application,
    autoscaler,
    cpu,
    deployment,
    namespace,
    resources,
)

SPACE = "shop"
_LOG = (
    "panic: unable to load configmap based request-header-client-ca-file: "
    'Get "https://10.233.0.1:443/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication": '
    "dial tcp 10.233.0.1:443: i/o timeout"
)


def no_metrics(world: World) -> None:
    """The metrics API is down from the beginning."""
    base(world)
    world.metrics_down()
    application(world, SPACE, "checkout", [cpu(50)], needs=resources("100m", "64Mi"))
    world.advance(60.0)


def crash_loop(world: World) -> None:
    """metrics-server panics a few seconds after each start, and has done so for a while."""
    notes = {"crash-after": "4", "ready-after": "3600", "log": _LOG}
    base(world, metrics_notes=notes)
    application(world, SPACE, "checkout", [cpu(50)], needs=resources("100m", "64Mi"))
    world.advance(120.0)


def missing_requests(world: World) -> None:
    """checkout works; catalog has a sidecar without requests."""
    base(world)
    sidecar: Manifest = {"name": "sidecar", "image": "example/envoy:1"}
    application(world, SPACE, "checkout", [cpu(50)], needs=resources("100m", "64Mi"))
    application(world, SPACE, "catalog", [cpu(50)], needs=resources("100m", "64Mi"), containers=[sidecar])
    world.advance(30.0)


def ambiguous(world: World) -> None:
    """Two HPAs on Deployment checkout."""
    base(world)
    application(world, SPACE, "checkout", [cpu(50)], needs=resources("100m", "64Mi"))
    world.apply(autoscaler(SPACE, "checkout", [cpu(70)], most=10, name="checkout-by-platform-team"))
    world.advance(30.0)


def target_missing(world: World) -> None:
    """An HPA whose Deployment does not exist, and one whose Deployment has 0 replicas."""
    base(world)
    world.apply(
        namespace(SPACE),
        deployment(SPACE, "archive", replicas=0, needs=resources("100m", "64Mi")),
        autoscaler(SPACE, "archive", [cpu(50)]),
        autoscaler(SPACE, "chekout", [cpu(50)], name="checkout"),
    )
    world.advance(30.0)
