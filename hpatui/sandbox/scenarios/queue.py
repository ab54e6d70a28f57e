"""Workers on a queue, scaled by its length."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import api_service, base
from hpatui.sandbox.scenarios.build import World, autoscaler, deployment, external, namespace, resources

SPACE = "shop"


def build(world: World) -> None:
    """Each worker takes 5 messages/s; 30 messages per worker are the target."""
    _workers(world, [(30, 3), (40, 22), (60, 3)], least=1)


def scale_to_zero(world: World) -> None:
    """A wave of messages, and then nothing for longer than the stabilization window: the worker sleeps and wakes."""
    _workers(world, [(25, 12), (95, 0)], least=0)


def _workers(world: World, waves: list[tuple[int, int]], *, least: int) -> None:
    """`waves`: (how long, in thirds of a quick sync period; messages/s)."""
    base(world)
    notes = {"profile": "queue-consumer", "queue": "orders"}
    world.apply(
        api_service("external.metrics.k8s.io", "v1beta1", "queue-adapter"),
        namespace(SPACE),
        deployment(SPACE, "order-worker", image="example/order-worker:1", needs=resources("200m", "64Mi"), notes=notes),
    )
    world.advance(20.0)
    beat = world.timings.sync_period / 3.0
    world.queue(SPACE, "orders", [(lasts * beat, rate, rate) for lasts, rate in waves])
    metric = external("queue_messages_ready", {"queue": "orders"}, average="30")
    world.apply(autoscaler(SPACE, "order-worker", [metric], least=least, most=8))
    world.advance(3 * world.timings.sync_period)
