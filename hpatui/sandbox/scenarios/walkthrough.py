"""The walkthrough's application: Deployment, Service and HPA, manifest by manifest as the guide has them."""

from __future__ import annotations

from hpatui.sandbox.scenarios.base import base
from hpatui.sandbox.scenarios.build import (
    Manifest,
    World,
    autoscaler,
    cpu,
    deployment,
    memory,
    namespace,
    resources,
    service,
)

SPACE = "heyongjia"
LABELS = {"dcos-app": "php-apache"}  # the guide's own: its manifests apply unchanged, and a selector never changes


def manifests(space: str = SPACE) -> list[Manifest]:
    """Namespace, Deployment with requests = limits (100m, 100Mi), Service, HPA on CPU 30 % and memory 80Mi, 1 to 3."""
    metrics = [cpu(30), memory("80Mi")]
    return [
        namespace(space),
        deployment(space, "php-apache", needs=resources("100m", "100Mi"), labels=LABELS),
        service(space, "php-apache", selector=LABELS),
        autoscaler(space, "php-apache", metrics, least=1, most=3, name="php-apache-hpa"),
    ]


def build(world: World) -> None:
    """php-apache, and once its pods have metrics its HPA."""
    base(world)
    *application, hpa = manifests()
    world.apply(*application)
    world.advance(30.0)
    world.apply(hpa)
    world.advance(3 * world.timings.sync_period)
