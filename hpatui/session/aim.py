"""From a route through the cluster to a target for the load engine."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from hpatui.errors import LoadError
from hpatui.load.target import FORWARD_MAX_RATE, PROXY_MAX_RATE, Target

if TYPE_CHECKING:
    from hpatui.cluster.connect import Connection
    from hpatui.cluster.forward import PodForwards
    from hpatui.cluster.target import ServiceRoute
    from hpatui.load.jobs import Place


async def check_permission(connection: Connection, route: ServiceRoute, via: str) -> None:
    """Raise LoadError where we may not go this way."""
    from hpatui.cluster.permissions import Action, Permissions

    resource, verb = ("pods/portforward", "create") if via == "port-forward" else ("services/proxy", "get")
    action = Action(verb, resource, "", route.namespace)
    if not await Permissions(connection).may(action):
        raise LoadError(f"you may not {action}", hint="the ClusterRole hpatui-load of deploy/rbac.yaml allows it")


def in_cluster(route: ServiceRoute) -> Target:
    """To the Service's name, for generators inside the cluster."""
    port = "" if route.port == (443 if route.tls else 80) else f":{route.port}"
    url = f"{'https' if route.tls else 'http'}://{route.service}.{route.namespace}.svc{port}/"
    return Target(url=url, text=f"{route.service}:{route.port} from inside the cluster", kind="cluster")


def generators_place(route: ServiceRoute, target: Target, workers: int) -> Place:
    """Where a new run's generators are."""
    from hpatui.load.jobs import Place

    name = f"hpatui-load-{secrets.token_hex(3)}"
    return Place(name, route.namespace, target.url, workers, route.selector, not target.verify)


def proxied(connection: Connection, route: ServiceRoute) -> Target:
    """Through the API server's service proxy, which is capped outside the sandbox."""
    return Target(
        url=route.proxy_url,
        text=route.text,
        kind="proxy",
        headers=route.headers,
        ca_file=route.ca_file,
        ca_data=route.ca_data,
        verify=route.verify,
        cap=None if connection.sandbox else PROXY_MAX_RATE,
        sandbox=connection.sandbox,
    )


async def forwarded(connection: Connection, route: ServiceRoute) -> tuple[PodForwards, Target]:
    """By a port-forward to each ready pod. LoadError where no ready pod has the port."""
    from hpatui.cluster.forward import PodForwards

    forwards = PodForwards(connection, route)
    routes = await forwards.start()
    if not routes:
        await forwards.close()
        raise LoadError(
            f"no ready pod of Service {route.service} has its port", hint="look at the Service's targetPort"
        )
    target = Target(
        url=f"{'https' if route.tls else 'http'}://{route.service}.{route.namespace}.svc:{route.port}/",
        text=f"{route.service}:{route.port} by port-forward to each pod",
        kind="forward",
        routes=tuple(routes),
        cap=None if connection.sandbox else FORWARD_MAX_RATE,
    )
    return forwards, target
