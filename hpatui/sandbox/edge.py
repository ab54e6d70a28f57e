"""What a sandbox does to every request before and to every answer after its API server."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from aiohttp import web

from hpatui.clock import Clock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HERE = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?", re.IGNORECASE)


@web.middleware
async def local_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a web page sends, with its own name for this address (DNS rebinding) or across origins.

    WebSocket clients name the server itself as their origin; no page can.
    """
    hosts = request.headers.getall("Host", [])
    origins = request.headers.getall("Origin", [])
    here = len(hosts) == 1 and _HERE.fullmatch(hosts[0]) is not None
    if not here or any(origin not in (f"http://{hosts[0]}", f"https://{hosts[0]}") for origin in origins):
        return web.Response(status=403, text="the sandbox answers local clients only\n")
    try:
        return await handler(request)
    except ConnectionResetError:
        return web.Response(status=499)  # the client has gone: nobody reads this


def date_of(clock: Clock) -> Callable[[web.BaseRequest, web.StreamResponse], Awaitable[None]]:
    """Sets the Date of an answer by the cluster's clock, so that a client can see how far it is from its own."""

    async def set_date(request: web.BaseRequest, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(clock.time(), usegmt=True)

    return set_date
