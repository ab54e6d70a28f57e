"""What every handler of the API server gets: the store, the cluster behind it, who may do what, and one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from hpatui.sandbox.apiserver.access import Access, User
from hpatui.sandbox.apiserver.negotiate import LIMIT, Form, encode
from hpatui.sandbox.apiserver.paths import Target
from hpatui.sandbox.apiserver.runtime import Runtime
from hpatui.sandbox.apiserver.snapshots import Snapshots
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.release import DEFAULT, Release

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Server:
    """The parts of a running API server. `bookmark_interval`: seconds between a watch's bookmarks."""

    store: Store
    runtime: Runtime
    access: Access
    bookmark_interval: float = 60.0
    release: Release = DEFAULT
    snapshots: Snapshots = field(default_factory=Snapshots)


@dataclass(frozen=True, slots=True)
class Call:
    """One request for a resource: who, what, in which form."""

    server: Server
    request: web.Request
    target: Target
    verb: str
    user: User
    form: Form

    @property
    def store(self) -> Store:
        """The server's store."""
        return self.server.store

    @property
    def query(self) -> Mapping[str, str]:
        """The query parameters."""
        return self.request.query

    async def body(self) -> bytes:
        """The request's body; StatusError 413 beyond the limit."""
        try:
            return await self.request.read()
        except web.HTTPRequestEntityTooLarge as error:
            text = f"Request entity too large: limit is {LIMIT}"
            raise StatusError(413, "RequestEntityTooLarge", text) from error


def json_response(value: Any, form: Form | None = None, status: int = 200) -> web.Response:
    """An answer in the negotiated media type."""
    chosen = form or Form()
    return web.Response(body=encode(value, chosen), status=status, content_type=chosen.media)


def bytes_response(body: bytes, status: int = 200) -> web.Response:
    """An answer that is JSON already."""
    return web.Response(body=body, status=status, content_type="application/json")
