"""A TLS server that records what comes, and a kubeconfig for it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

from tests.contract.cluster.conftest import hpa_object


@dataclass(slots=True)
class Recorder:
    """A TLS server that answers everything and keeps (method, path, headers, common name of the client)."""

    folder: Path
    ca: trustme.CA = field(default_factory=trustme.CA)
    port: int = 0
    seen: list[tuple[str, str, list[tuple[str, str]], str]] = field(default_factory=list)
    throttle: int = 0
    gone: int = 0  # that many requests for a list in one piece, after a page, are answered 410 too
    hold: bool = False

    def config(self, user: dict[str, Any], **cluster: Any) -> str:
        """A kubeconfig for it."""
        path = self.folder / "config"
        self.ca.cert_pem.write_to_path(self.folder / "ca.pem")
        entry = {"server": f"https://127.0.0.1:{self.port}", "certificate-authority": "ca.pem", **cluster}
        config = {
            "clusters": [{"name": "c", "cluster": entry}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}],
            "current-context": "x",
        }
        path.write_text(json.dumps(config))
        return str(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request."""
        peer = request.transport.get_extra_info("peercert") if request.transport else None
        name = dict(item[0] for item in peer["subject"]).get("commonName", "") if peer else ""
        self.seen.append((request.method, request.path, list(request.headers.items()), name))
        if self.hold:
            await asyncio.sleep(3600)
        if "portforward" in request.path:
            socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
            await socket.prepare(request)
            await socket.close()
            return socket
        if self.throttle and "horizontalpodautoscalers" in request.path:
            self.throttle -= 1
            return web.json_response({"message": "busy"}, status=429, headers={"Retry-After": "0.05"})
        if self.gone and "continue" in request.query:
            return web.json_response({"message": "expired"}, status=410)
        if self.gone > 1 and "limit" not in request.query and "watch" not in request.query and "scal" in request.path:
            self.gone -= 1
            return web.json_response({"message": "expired"}, status=410)
        if self.gone and "limit" in request.query:
            return web.json_response({"metadata": {"continue": "next"}, "items": [hpa_object("old", uid="o")]})
        if "watch" in request.query:
            return web.Response(text='{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"2"}}}\n')
        if request.path.endswith("horizontalpodautoscalers"):
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": [hpa_object("a", uid="u")]})
        if request.path.endswith("/services/s"):
            return web.json_response(
                {"metadata": {"name": "s", "namespace": "shop"}, "spec": {"ports": [{"port": 80}]}}
            )
        if request.path.endswith("endpointslices"):
            return web.json_response({"items": [{"endpoints": [{"addresses": ["10.0.0.1"]}]}]})
        return web.json_response({"gitVersion": "v1.32.0", "metadata": {"uid": "u"}, "status": {"allowed": True}})


@asynccontextmanager
async def recording(folder: Path) -> AsyncIterator[Recorder]:
    """A running one."""
    found = Recorder(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.ca.issue_cert("127.0.0.1").configure_cert(context)
    found.ca.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()
