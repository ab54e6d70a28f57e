"""The walkthrough's application: Deployment, Service and HPA, manifest by manifest as the guide has them."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import base
from hpatui.sandbox.scenarios.build import World, autoscaler, cpu, deployment, memory, namespace, resources, service

SPACE = "heyongjia"


def build(world: World) -> None:
    """php-apache with requests = limits (100m, 100Mi), and its HPA on CPU 30 % and memory 80Mi, 1 to 3 replicas."""
    base(world)
    world.apply(
        namespace(SPACE),
        deployment(SPACE, "php-apache", needs=resources("100m", "100Mi")),
        service(SPACE, "php-apache"),
    )
    world.advance(30.0)
    name = "php-apache-hpa"
    world.apply(autoscaler(SPACE, "php-apache", [cpu(30), memory("80Mi")], least=1, most=3, name=name))
    world.advance(3 * world.timings.sync_period)
