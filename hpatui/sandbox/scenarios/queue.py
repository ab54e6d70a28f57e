"""Workers on a queue, scaled by its length."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import api_service, base
from hpatui.sandbox.scenarios.build import World, autoscaler, deployment, external, namespace, resources

SPACE = "shop"


def build(world: World) -> None:
    """Each worker takes 5 messages/s; 30 messages per worker are the target."""
    base(world)
    notes = {"profile": "queue-consumer", "queue": "orders"}
    world.apply(
        api_service("external.metrics.k8s.io", "v1beta1", "queue-adapter"),
        namespace(SPACE),
        deployment(SPACE, "order-worker", image="example/order-worker:1", needs=resources("200m", "64Mi"), notes=notes),
    )
    world.advance(20.0)
    beat = world.timings.sync_period / 3.0
    world.queue(SPACE, "orders", [(30 * beat, 3, 3), (40 * beat, 22, 22), (60 * beat, 3, 3)])
    metric = external("queue_messages_ready", {"queue": "orders"}, average="30")
    world.apply(autoscaler(SPACE, "order-worker", [metric], most=8))
    world.advance(3 * world.timings.sync_period)
