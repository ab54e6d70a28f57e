"""Where `hpatui load` aims: a URL, a Service, or an HPA's target; by URL, service proxy or port-forwards."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hpatui.clock import SystemClock
from hpatui.errors import ClusterError, LoadError, UsageError
from hpatui.load.plan_file import TlsOptions, with_tls
from hpatui.load.target import Target, check_host, url_target
from hpatui.model import Hpa, Key
from hpatui.session.aim import check_permission, forwarded, in_cluster, proxied
from hpatui.session.port import parse_hpa_name
from hpatui.settings import Settings

if TYPE_CHECKING:
    from hpatui.cluster.connect import Connection
    from hpatui.cluster.forward import PodForwards
    from hpatui.cluster.target import ServiceRoute


@dataclass(slots=True)
class Aim:
    """The target, and what stands behind it where that is known: the HPA, the connection, the port-forwards."""

    target: Target
    hpa: Key | None = None
    connection: Connection | None = None
    forwards: PodForwards | None = None
    route: ServiceRoute | None = None

    async def look(self) -> Hpa | None:
        """The HPA as it is now; None where there is none to look at, or no answer."""
        if self.hpa is None or self.connection is None:
            return None
        with contextlib.suppress(ClusterError):
            return await _hpa(self.connection, self.hpa)
        return None

    async def follow(self, changed: Callable[[list[tuple[str, int, str]]], None]) -> None:
        """Tell of pods that come and go, for ever."""
        if self.forwards is not None:
            await self.forwards.follow(changed)
        await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def aimed(args: argparse.Namespace, settings: Settings, tls: TlsOptions) -> AsyncIterator[Aim]:
    """The aim of the flags. Raises LoadError, UsageError or ClusterError where load cannot or must not go."""
    text: str = args.target
    if "://" in text:
        if args.via not in ("auto", "url"):
            raise UsageError(f"--via {args.via} needs an HPA or svc/NAME", hint="drop --via for a URL")
        target = url_target(text, verify=not tls.insecure)
        check_host(target, allowed=tuple(args.allow_host))
        yield Aim(with_tls(target, tls))
        return
    if args.via == "url":
        raise UsageError(f"--via url needs a URL, and {text!r} is none", hint="write http://host:port/path")
    from hpatui.cluster.connect import connect

    connection = await connect(settings, SystemClock())
    forwards = None
    try:
        if not connection.sandbox and not args.yes and not args.print_manifest:
            where = f"context {connection.context} ({connection.host})"
            raise LoadError(f"that is load on {where}", hint="say --yes if you mean it")
        route, key = await _route(connection, text, settings)
        if args.via == "cluster":
            target = in_cluster(route)
        elif args.via == "port-forward":
            await check_permission(connection, route, args.via)
            forwards, target = await forwarded(connection, route)
        else:
            await check_permission(connection, route, args.via)
            target = proxied(connection, route)
        tls = replace(tls, insecure=tls.insecure or not target.verify)
        yield Aim(with_tls(target, tls), key, connection, forwards, route)
    finally:
        if forwards is not None:
            await forwards.close()
        await connection.close()


async def _route(connection: Connection, text: str, settings: Settings) -> tuple[ServiceRoute, Key | None]:
    from hpatui.cluster.target import find_route, route_of_service

    default = settings.namespace or connection.namespace
    if text.startswith("svc/"):
        name, colon, port = text.removeprefix("svc/").partition(":")
        if colon and not port.isdecimal():
            raise UsageError(f"{port!r} is no port", hint="write svc/NAME:80")
        key = parse_hpa_name(name)
        number = int(port) if port else None
        return await route_of_service(connection, key.namespace or default, key.name, number), None
    key = parse_hpa_name(text)
    key = Key(key.namespace or default, key.name)
    hpa = await _hpa(connection, key)
    if hpa is None:
        raise LoadError(f"there is no HPA {key}", hint="hpatui watch --once lists them")
    return await find_route(connection, hpa), key


async def _hpa(connection: Connection, key: Key) -> Hpa | None:
    from hpatui.cluster.decode import decode_hpa
    from hpatui.cluster.source import ClusterSource

    source = ClusterSource(connection, SystemClock(), key.namespace)
    return decode_hpa(await source.get_object("HorizontalPodAutoscaler", key))
