"""Port-forward: a pod's ports over one connection, as `kubectl port-forward` and the Python client speak it."""

from __future__ import annotations

from aiohttp import web

from hpatui.sandbox.apiserver.context import Server
from hpatui.sandbox.apiserver.paths import Target
from hpatui.sandbox.apiserver.status import StatusError


async def port_forward(server: Server, request: web.Request, target: Target) -> web.StreamResponse:
    """Forward ports until the client goes."""
    raise StatusError(501, "NotImplemented", "port-forward is not served")
