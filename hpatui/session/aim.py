"""Where load goes: what somebody wishes for, what they are asked about it, and the way there. All front ends use this.

Wish -> question (depends on where the requests go) -> Aim (target, policy, port-forwards or generators) -> LoadRun
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hpatui.errors import ClusterError, HpatuiError, LoadError
from hpatui.load.plan_file import TlsOptions, with_tls
from hpatui.load.policy import ForbiddenAddress, Policy, address_of, addresses_of, is_own, resolved
from hpatui.load.target import FORWARD_MAX_RATE, PROXY_MAX_RATE, Target, url_target
from hpatui.model import Hpa, Key

if TYPE_CHECKING:
    from hpatui.cluster.connect import Connection
    from hpatui.cluster.forward import PodForwards
    from hpatui.cluster.target import ServiceRoute
    from hpatui.load.jobs import Place
    from hpatui.load.run import LoadRun
    from hpatui.settings import Settings

_RESOLVING = 5.0  # seconds that the names of control planes may take
_WAYS = {
    "proxy": ", through the API server's service proxy",
    "port-forward": ", by port-forwards to its pods",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """A URL, or the Service of an HPA's target, or a Service by its name (and port), by a way (`via`: proxy, port-forward
    or cluster). `outside`: somebody said yes to a URL that leads away from this machine.
    """

    url: str = ""
    hpa: Hpa | None = None
    service: Key | None = None
    port: int | None = None
    via: str = "proxy"
    workers: int = 1  # generators in the cluster
    outside: bool = False
    tls: TlsOptions = field(default_factory=TlsOptions)

    def text(self) -> str:
        """For people, without a password that the URL may hold."""
        if self.url:
            return url_target(self.url).text
        if self.hpa is not None:
            return f"{self.hpa.reference} of {self.hpa.key}"
        return f"Service {self.service}" if self.service is not None else "nothing"


@dataclass(slots=True)
class Aim:
    """The target, and what stands behind it where that is known: the HPA, the connection, the port-forwards, the
    generators' place.
    """

    target: Target
    hpa: Key | None = None
    connection: Connection | None = None
    forwards: PodForwards | None = None
    route: ServiceRoute | None = None
    place: Place | None = None

    async def look(self) -> Hpa | None:
        """The HPA as it is now; None where there is none to look at, or no answer."""
        if self.hpa is None or self.connection is None:
            return None
        with contextlib.suppress(ClusterError):
            return await fetch_hpa(self.connection, self.hpa)
        return None

    async def follow(self, changed: Callable[[list[tuple[str, int, str]]], None]) -> None:
        """Tell of pods that come and go, for ever."""
        if self.forwards is not None:
            await self.forwards.follow(changed)
        await asyncio.Event().wait()

    def run(self, say: Callable[[str], None]) -> LoadRun:
        """A run that is not started yet; `say` is told what generators in the cluster wait for."""
        from hpatui.load.run import LoadRun

        place, connection = self.place, self.connection
        if place is None or connection is None:
            return LoadRun()
        from hpatui.session.generators import LocustWorker

        return LoadRun(lambda: LocustWorker(connection, place, say))

    async def close(self) -> None:
        """Close the port-forwards; idempotent."""
        forwards, self.forwards = self.forwards, None
        if forwards is not None:
            await forwards.close()


def is_sandbox(connection: Connection) -> bool:
    """Whether it is a sandbox on this machine: a cluster elsewhere that calls itself one is asked about like any other."""
    address = address_of(urlsplit(connection.server).hostname or "")
    return connection.sandbox and address is not None and is_own(address)


def cap_of(wish: Wish, connection: Connection | None) -> float | None:
    """The most requests/s that the wish's way carries, whoever orders more; None where it sets no bound."""
    if wish.url or connection is None or is_sandbox(connection):
        return None
    return {"proxy": PROXY_MAX_RATE, "port-forward": FORWARD_MAX_RATE}.get(wish.via)


def question(wish: Wish, connection: Connection | None, what: str) -> str | None:
    """What to ask before `what` ("50 requests/s") is sent; None where the requests stay in the sandbox."""
    if wish.url:  # asked about, wherever we look from
        return f"Send {what} to {wish.text()}?"
    if connection is None or is_sandbox(connection):
        return None
    workers = f", by {wish.workers} Locust workers that are created beside it"
    how = workers if wish.via == "cluster" else _WAYS.get(wish.via, "")
    return f"Send {what} to {wish.text()}{how}, on context {connection.context} ({connection.host})?"


def answered(wish: Wish, connection: Connection | None) -> tuple[str, ...]:
    """What a yes to the question is good for: this destination, by this way, on this cluster."""
    if wish.url:
        return (wish.url,)
    cluster = (connection.context, connection.server) if connection is not None else ()
    return (wish.text(), wish.via, *cluster)


async def take_aim(wish: Wish, connection: Connection | None, settings: Settings) -> Aim:
    """The way to what is wished for. UsageError, LoadError or ClusterError where load cannot or must not go."""
    if wish.url:
        return await _at_url(wish, connection, settings)
    if connection is None:
        raise LoadError("not connected to a cluster yet")
    if wish.hpa is None and wish.service is None:
        raise LoadError("no HPA is selected", hint="select one, or name a URL with --load-url")
    from hpatui.cluster.control_plane import refuse_control_plane

    route = await _route(wish, connection)
    await refuse_control_plane(connection, route.namespace, route.service)
    hpa = wish.hpa.key if wish.hpa is not None else None
    aim = Aim(Target("", ""), hpa, connection, route=route)
    if wish.via == "cluster":
        from hpatui.load.jobs import Place

        target = in_cluster(route)
        name = f"hpatui-load-{secrets.token_hex(3)}"
        insecure = not target.verify or wish.tls.insecure
        aim.place = Place(name, route.namespace, target.url, wish.workers, route.selector, insecure)
    else:
        await _check_permission(connection, route, wish.via)
        if wish.via == "port-forward":
            aim.forwards, target = await _forwarded(connection, route)
        else:
            target = _proxied(connection, route)
    aim.target = with_tls(target, wish.tls)
    return aim


async def _at_url(wish: Wish, connection: Connection | None, settings: Settings) -> Aim:
    target = url_target(wish.url)
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    servers = await _api_servers(connection, settings, host, port)
    policy = Policy(loopback_only=not wish.outside, api_servers=servers)
    try:
        async with asyncio.timeout(_RESOLVING):
            await resolved(policy, host, port)
    except ForbiddenAddress as error:
        outside = str(error).endswith("outside this machine")
        raise LoadError(str(error), hint=f"if you mean it: --allow-host {host}" if outside else "") from error
    except OSError:
        pass  # the run says that the name cannot be resolved
    return Aim(with_tls(replace(target, policy=policy), wish.tls))


async def _api_servers(
    connection: Connection | None, settings: Settings, host: str, port: int
) -> tuple[tuple[str, int], ...]:
    """The addresses of the control planes that the kubeconfig names, as far as they have that port. LoadError where the
    host is one of them by its name.
    """
    servers = {connection.server} if connection is not None else set()
    with contextlib.suppress(HpatuiError):
        from hpatui.cluster.connect import list_contexts

        servers |= {context.server for context in list_contexts(settings)}
    found: list[tuple[str, int]] = []
    for server in servers:
        parts = urlsplit(server)
        with contextlib.suppress(ValueError, TimeoutError):
            if (parts.port or (443 if parts.scheme == "https" else 80)) != port:
                continue
            if (parts.hostname or "").lower() == host.lower():
                raise LoadError("that is the API server itself: load never goes there")
            async with asyncio.timeout(_RESOLVING):
                found += await addresses_of(parts.hostname or "", port)
    return tuple(found)


async def _route(wish: Wish, connection: Connection) -> ServiceRoute:
    from hpatui.cluster.target import find_route, route_of_service

    if wish.hpa is None:
        assert wish.service is not None
        return await route_of_service(connection, wish.service.namespace, wish.service.name, wish.port)
    try:
        return await find_route(connection, wish.hpa)
    except ClusterError as error:
        raise LoadError(f"the target of {wish.hpa.key} cannot be found: {error}") from error


async def fetch_hpa(connection: Connection, key: Key) -> Hpa | None:
    """An HPA as it is now."""
    from hpatui.clock import SystemClock
    from hpatui.cluster.decode import decode_hpa
    from hpatui.cluster.source import ClusterSource

    source = ClusterSource(connection, SystemClock(), key.namespace)
    return decode_hpa(await source.get_object("HorizontalPodAutoscaler", key))


async def _check_permission(connection: Connection, route: ServiceRoute, via: str) -> None:
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


def _proxied(connection: Connection, route: ServiceRoute) -> Target:
    """Through the API server's service proxy, which is capped outside the sandbox."""
    if route.no_proxy_load:
        raise LoadError(f"load cannot take the service proxy: {route.no_proxy_load}", hint="use --via port-forward")
    sandbox = is_sandbox(connection)
    return Target(
        url=route.proxy_url,
        text=route.text,
        kind="proxy",
        headers=route.headers,
        authorities=route.authorities,
        verify=route.verify,
        server_name=route.server_name,
        client_pem=route.client_pem,
        cap=None if sandbox else PROXY_MAX_RATE,
        sandbox=sandbox,
        policy=Policy(loopback_only=sandbox),
    )


async def _forwarded(connection: Connection, route: ServiceRoute) -> tuple[PodForwards, Target]:
    """By a port-forward to each ready pod. LoadError where no ready pod has the port."""
    from hpatui.cluster.forward import PodForwards

    forwards = PodForwards(connection, route)
    try:
        routes = await forwards.start()
        if not routes:
            raise LoadError(
                f"no ready pod of Service {route.service} has its port", hint="look at the Service's targetPort"
            )
    except BaseException:
        await forwards.close()
        raise
    target = Target(
        url=f"{'https' if route.tls else 'http'}://{route.service}.{route.namespace}.svc:{route.port}/",
        text=f"{route.service}:{route.port} by port-forward to each pod",
        kind="forward",
        routes=tuple(routes),
        cap=None if is_sandbox(connection) else FORWARD_MAX_RATE,
        policy=Policy(loopback_only=True),
    )
    return forwards, target
