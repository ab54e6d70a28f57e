"""What a sandbox does to every request before and to every answer after its API server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import formatdate

from aiohttp import web

from hpatui.clock import Clock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HOSTS = ("127.0.0.1", "localhost")


@web.middleware
async def no_browsers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what a web page sends: anybody on this machine may use a sandbox, pages from elsewhere may not.

    WebSocket clients name the server itself as their origin; no page can.
    """
    host = request.headers.get("Host", _HOSTS[0])
    origin = request.headers.get("Origin", f"http://{host}")
    if origin != f"http://{host}" or host.partition(":")[0] not in _HOSTS:
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
