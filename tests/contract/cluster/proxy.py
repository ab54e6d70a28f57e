"""A proxy in front of a real API server that does to its answers what networks, servers and middle boxes do."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web

from tests.contract.conftest import TOKEN

HOP = {"transfer-encoding", "connection", "content-length", "keep-alive"}
WATCH, LIST, METRICS = "watch=1", "limit=", "metrics.k8s.io"


@dataclass(slots=True)
class Fault:
    """What happens to requests whose path and query contain `part`, `times` times (None: until taken away).

    `status` answers itself; `cut` sends only that share of the body; `drip` seconds pass between pieces of a body;
    `inject` is a line put into a watch at its start; `end` ends a watch at once.
    """

    part: str = ""
    times: int | None = None
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    cut: float = 1.0
    drip: float = 0.0
    inject: bytes = b""
    end: bool = False


class FaultProxy:
    """Counts requests in `requests`; `fault` is in force until it is None or used up."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.requests: list[str] = []
        self.fault: Fault | None = None
        self.silent = False
        self.port = 0
        self._site: web.TCPSite | None = None
        self._runner: web.AppRunner | None = None
        self._tls: ssl.SSLContext | None = None
        self._open: set[asyncio.BaseTransport] = set()
        self._streams: set[web.StreamResponse] = set()
        self._session: aiohttp.ClientSession | None = None

    @contextlib.asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[FaultProxy]:
        """Serve until the end of the block."""
        self._tls = tls
        self._session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))
        app = web.Application(client_max_size=2**28)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.up()
        try:
            yield self
        finally:
            self.silent = False
            self.reset()
            await self._runner.cleanup()
            await self._session.close()

    async def up(self) -> None:
        """Listen, on the same port as before."""
        assert self._runner is not None
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._tls, reuse_address=True)
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    async def down(self) -> None:
        """Refuse connections, and end those that are open."""
        assert self._site is not None
        await self._site.stop()
        self.reset()

    def reset(self) -> None:
        """Reset every open connection."""
        for transport in list(self._open):
            if isinstance(transport, asyncio.Transport):
                transport.abort()
        self._open.clear()

    async def break_lines(self) -> None:
        """Send half a line on every open watch, then reset."""
        for stream in list(self._streams):
            with contextlib.suppress(ConnectionError):
                await stream.write(b'{"type":"MODIFIED","object":{"metadata":{"na')
        await asyncio.sleep(0.05)
        self.reset()

    def count(self, part: str) -> int:
        """How many requests had `part` in path and query."""
        return sum(part in request for request in self.requests)

    def _take_fault(self, target: str) -> Fault | None:
        fault = self.fault
        if fault is None or fault.part not in target:
            return None
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self.fault = None
        return fault

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        target = request.path_qs
        self.requests.append(target)
        if request.transport is not None:
            self._open.add(request.transport)
        fault = self._take_fault(target)
        while self.silent:
            await asyncio.sleep(0.02)
        if fault is not None and fault.status:
            return web.Response(status=fault.status, text=fault.body or "{}", headers=fault.headers)
        assert self._session is not None
        headers = {key: value for key, value in request.headers.items() if key.lower() not in (*HOP, "host")}
        headers.setdefault("Authorization", f"Bearer {TOKEN}")  # over plain http clients send none
        async with self._session.request(
            request.method, self.upstream + target, headers=headers, data=await request.read()
        ) as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in HOP}
            response = web.StreamResponse(status=answer.status, headers=kept)
            await response.prepare(request)
            if WATCH in target:
                self._streams.add(response)
            try:
                await self._body(answer, response, fault or Fault())
            finally:
                self._streams.discard(response)
            return response

    async def _body(self, answer: aiohttp.ClientResponse, response: web.StreamResponse, fault: Fault) -> None:
        if fault.inject:
            await response.write(fault.inject)
        if fault.end:
            return
        if fault.cut < 1.0 or fault.drip:
            data = await answer.read()
            data = data[: int(len(data) * fault.cut)]
            size = max(1, len(data) // 8) if fault.drip else max(1, len(data))
            for start in range(0, len(data), size):
                await response.write(data[start : start + size])
                await asyncio.sleep(fault.drip)
            return
        async for chunk in answer.content.iter_any():
            while self.silent:
                await asyncio.sleep(0.02)
            await response.write(chunk)
