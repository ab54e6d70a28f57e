"""Where `hpatui load` aims: a URL, a Service, or an HPA's target; by URL, service proxy, port-forwards or from inside."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hpatui.clock import SystemClock
from hpatui.errors import LoadError, NotServedError, UsageError
from hpatui.load.plan import LoadPlan
from hpatui.load.plan_file import TlsOptions
from hpatui.load.target import looks_like_url, url_target
from hpatui.model import Key
from hpatui.plain.login import ask, say
from hpatui.session.aim import Aim, Wish, cap_of, fetch_hpa, question, take_aim
from hpatui.session.port import parse_hpa_name
from hpatui.settings import Settings

if TYPE_CHECKING:
    from hpatui.cluster.connect import Connection


@contextlib.asynccontextmanager
async def aimed(args: argparse.Namespace, settings: Settings, tls: TlsOptions, plan: LoadPlan) -> AsyncIterator[Aim]:
    """The aim of the flags. Raises LoadError, UsageError or ClusterError where load cannot or must not go."""
    if settings.read_only and not args.print_manifest:
        raise LoadError("this hpatui is read-only", hint="unset read_only (HPATUI_READ_ONLY, config file)")
    text: str = args.target
    if looks_like_url(text):
        if args.via not in ("auto", "url"):
            raise UsageError(f"--via {args.via} needs an HPA or svc/NAME", hint="drop --via for a URL")
        host = (urlsplit(url_target(text).url).hostname or "").lower()
        allowed = host in (name.lower().strip("[]") for name in args.allow_host)
        yield await take_aim(Wish(text, outside=allowed, tls=tls), None, settings)
        return
    if args.via == "url":
        raise UsageError(f"--via url needs a URL, and {text!r} is none", hint="write http://host:port/path")
    from hpatui.cluster.connect import connect

    connection = await connect(settings, SystemClock(), say=say, ask=ask)
    aim = None
    try:
        wish = await _wish(args, connection, settings, tls)
        most = min(plan.max_rate, cap_of(wish, connection) or plan.max_rate)
        asked = question(wish, connection, f"{plan.text()} (at most {most:g}/s)")
        if asked is not None and not args.yes and not args.print_manifest:
            raise LoadError(asked, hint="say --yes if you mean it")
        aim = await take_aim(wish, connection, settings)
        yield aim
    finally:
        if aim is not None:
            await aim.close()
        await connection.close()


async def _wish(args: argparse.Namespace, connection: Connection, settings: Settings, tls: TlsOptions) -> Wish:
    text: str = args.target
    via = "proxy" if args.via == "auto" else args.via
    default = settings.namespace or connection.namespace
    if text.startswith("svc/"):
        name, colon, port = text.removeprefix("svc/").partition(":")
        if colon and not port.isdecimal():
            raise UsageError(f"{port!r} is no port", hint="write svc/NAME:80")
        key = parse_hpa_name(name)
        service = Key(key.namespace or default, key.name)
        return Wish(service=service, port=int(port) if port else None, via=via, workers=args.workers, tls=tls)
    key = parse_hpa_name(text)
    key = Key(key.namespace or default, key.name)
    hpa = None
    with contextlib.suppress(NotServedError):
        hpa = await fetch_hpa(connection, key)
    if hpa is None:
        raise LoadError(f"there is no HPA {key}", hint="hpatui watch --once lists them")
    return Wish(hpa=hpa, via=via, workers=args.workers, tls=tls)
