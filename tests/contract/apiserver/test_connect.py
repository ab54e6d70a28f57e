"""The proxy of Services and pods, and port-forward: where they lead, and where they cannot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from tests.contract.apiserver.objects import PODS, pod
from tests.contract.conftest import TOKEN, ApiServer

SERVICES = "/api/v1/namespaces/shop/services"


@pytest.fixture
async def backend(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[str, int]]:
    """A pod `web-1` behind Service `web` that says what it got."""

    async def echo(request: web.Request) -> web.Response:
        body = await request.text()
        said = {"path": request.raw_path, "method": request.method, "body": body, "headers": dict(request.headers)}
        return web.json_response(said, status=int(request.query.get("status", "200")), headers={"X-Pod": "web-1"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", echo)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = (str(runner.addresses[0][0]), int(runner.addresses[0][1]))
    ports: list[dict[str, Any]] = [{"name": "http", "port": 80}]
    api.seed(pod(), {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
                     "spec": {"selector": {"app": "web"}, "ports": ports}})  # fmt: skip
    monkeypatch.setattr(api.runtime, "service_endpoints", lambda namespace, name, port: [address])
    monkeypatch.setattr(api.runtime, "pod_address", lambda namespace, name, port: address if port == 80 else None)
    yield address
    await runner.cleanup()


async def test_what_comes_through(api: ApiServer, backend: tuple[str, int]) -> None:
    for name in ("web", "web:80", "web:http", "http:web:80", "http:web:"):
        answer = await api.request("GET", f"{SERVICES}/{name}/proxy/a%20b/?x=1%2F2")
        assert (answer.code, answer.body["path"]) == (200, "/a%20b/?x=1%2F2"), name
    assert answer.headers["X-Pod"] == "web-1"
    assert "Authorization" not in answer.body["headers"], "the token is for the API server"
    answer = await api.request("POST", f"{PODS}/web-1:80/proxy/p?status=418", {"a": 1})
    assert (answer.code, answer.body["method"], answer.body["body"]) == (418, "POST", '{"a":1}')
    assert (await api.request("GET", f"{PODS}/web-1:80/proxy")).body["path"] == "/"


async def test_where_nothing_answers(api: ApiServer, backend: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    answer = await api.request("GET", f"{SERVICES}/none/proxy/")
    assert (answer.code, answer.body["message"]) == (404, 'services "none" not found')
    answer = await api.request("GET", f"{SERVICES}/web:81/proxy/")
    assert (answer.code, answer.body["message"]) == (503, 'no service port "81" found for service "web"')
    answer = await api.request("GET", f"{PODS}/web-1:81/proxy/")
    assert answer.code == 503
    assert "connect: connection refused" in answer.body["message"]
    monkeypatch.setattr(api.runtime, "service_endpoints", lambda namespace, name, port: [])
    answer = await api.request("GET", f"{SERVICES}/web/proxy/")
    assert (answer.code, answer.body["reason"]) == (503, "ServiceUnavailable")
    assert answer.body["message"] == 'no endpoints available for service "web"'
    monkeypatch.setattr(api.runtime, "service_endpoints", lambda namespace, name, port: [("127.0.0.1", 1)])
    answer = await api.request("GET", f"{SERVICES}/web/proxy/")
    assert answer.body["message"].startswith("error trying to reach service:")


async def test_port_forward_by_channels(api: ApiServer, backend: tuple[str, int]) -> None:
    url = f"{api.url}{PODS}/web-1/portforward?ports=80&ports=81"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    data: dict[int, bytes] = {}
    async with api.session.ws_connect(url, protocols=("v4.channel.k8s.io",), headers=headers) as socket:
        await socket.send_bytes(b"\x00GET /x HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(20):
            async for message in socket:
                assert message.type is WSMsgType.BINARY
                data[message.data[0]] = data.get(message.data[0], b"") + message.data[1:]
    assert data[0].startswith(b"\x50\x00HTTP/1.1 200"), "a channel begins with its port, little-endian"
    assert data[1] == b"\x50\x00"
    assert data[3] == b"\x51\x00an error occurred forwarding 81: connection refused"


async def test_port_forward_needs_an_upgrade(api: ApiServer, backend: tuple[str, int]) -> None:
    for headers in ({}, {"Upgrade": "websocket", "Connection": "upgrade", "Sec-WebSocket-Protocol": "chat"},
                    {"Upgrade": "SPDY/3.1", "Connection": "upgrade"}):  # fmt: skip
        async with api.session.get(f"{api.url}{PODS}/web-1/portforward", headers={**headers, **api.who}) as answer:
            assert answer.status == 400
            assert (await answer.json())["reason"] == "BadRequest"
    async with api.session.get(f"{api.url}{PODS}/none/portforward", headers=api.who) as answer:
        assert answer.status == 404
