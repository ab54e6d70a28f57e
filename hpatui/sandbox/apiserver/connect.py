"""Ways through the API server to a pod: the proxy of pods and Services, and port-forward."""

from __future__ import annotations

import random
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from hpatui.sandbox.apiserver.context import Server
from hpatui.sandbox.apiserver.paths import Target
from hpatui.sandbox.apiserver.portforward import port_forward
from hpatui.sandbox.apiserver.status import StatusError, bad_request, unavailable

JsonObject = dict[str, Any]
_HOP = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding",
    "upgrade", "host", "authorization", "content-length",
})  # fmt: skip
_SESSION = web.AppKey("proxy_session", aiohttp.ClientSession)
_SMALL = 64 * 1024


async def connect(server: Server, request: web.Request, target: Target) -> web.StreamResponse:
    """Answer a request for .../proxy/... or .../portforward."""
    if target.subresource == "portforward":
        return await port_forward(server, request, target)
    return await _proxy(server, request, target)


def _split(name: str) -> tuple[str, str]:
    """`[scheme:]name[:port]` as name and port."""
    parts = name.split(":")
    if len(parts) == 3:
        scheme, name, port = parts
        if scheme not in ("", "http"):
            raise bad_request(f"invalid {name!r}: the sandbox's pods speak http only")
        return name, port
    if len(parts) == 2:
        return parts[0], parts[1]
    if len(parts) == 1:
        return parts[0], ""
    raise bad_request(f'invalid service request "{name}"')


def _service_address(server: Server, target: Target) -> tuple[str, int]:
    name, port = _split(target.name)
    service = server.store.get(target.resource, target.namespace, name)
    ports = service["spec"].get("ports") or []
    if not port:
        if len(ports) != 1:
            raise unavailable(f"no port given for service {name!r} with {len(ports)} ports".replace("'", '"'))
        port = str(ports[0]["port"])
    elif not any(port in (entry.get("name"), str(entry.get("port"))) for entry in ports):
        raise unavailable(f'no service port "{port}" found for service "{name}"')
    found = server.runtime.service_endpoints(target.namespace or "", name, port)
    if not found:
        raise unavailable(f'no endpoints available for service "{name}"')
    return random.choice(found)


def _pod_address(server: Server, target: Target) -> tuple[str, int]:
    name, port = _split(target.name)
    pod = server.store.get(target.resource, target.namespace, name)
    if not port:
        first: JsonObject = next(iter(pod["spec"].get("containers") or ()), {})
        ports: list[JsonObject] = first.get("ports") or [{}]
        port = str(ports[0].get("containerPort", 80))
    if not port.isdigit():
        raise bad_request(f'invalid port "{port}"')
    found = server.runtime.pod_address(target.namespace or "", name, int(port))
    if found is None or isinstance(found, str):  # what listens on a Unix socket speaks no HTTP
        ip = (pod.get("status") or {}).get("podIP") or "unknown"
        raise unavailable(f"error trying to reach service: dial tcp {ip}:{port}: connect: connection refused")
    return found


async def _proxy(server: Server, request: web.Request, target: Target) -> web.StreamResponse:
    host, port = (
        _service_address(server, target) if target.resource.plural == "services" else _pod_address(server, target)
    )
    raw = request.raw_path
    path = raw.partition(f"/{target.resource.plural}/")[2].partition("/proxy")[2]
    if not path.startswith("/"):
        path = f"/{path}"
    headers = [(key, value) for key, value in request.headers.items() if key.lower() not in _HOP]
    headers.append(("Host", f"{host}:{port}"))
    body = await request.read() if request.can_read_body else None
    url = URL(f"http://{host}:{port}{path}", encoded=True)
    try:
        async with _session(request).request(
            request.method, url, headers=headers, data=body, allow_redirects=False
        ) as answer:
            return await _pass_on(request, answer)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise unavailable(f"error trying to reach service: {error}") from error


async def _pass_on(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    kept = [(key, value) for key, value in answer.headers.items() if key.lower() not in _HOP]
    length = answer.content_length
    if length is not None and length <= _SMALL:
        response = web.Response(status=answer.status, reason=answer.reason, body=await answer.read())
        for key, value in kept:
            if key.lower() == "content-type":
                response.headers[key] = value
            else:
                response.headers.add(key, value)
        return response
    stream = web.StreamResponse(status=answer.status, reason=answer.reason)
    for key, value in kept:
        stream.headers.add(key, value)
    await stream.prepare(request)
    async for chunk in answer.content.iter_any():
        await stream.write(chunk)
    return stream


def _session(request: web.Request) -> aiohttp.ClientSession:
    """The application's one client, kept for its connections."""
    return request.app[_SESSION]


async def client_context(app: web.Application) -> Any:
    """Opens the client with the application and closes it with it."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=15)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
    app[_SESSION] = aiohttp.ClientSession(
        connector=connector, auto_decompress=False, timeout=timeout, skip_auto_headers=("User-Agent", "Accept"),
        cookie_jar=aiohttp.DummyCookieJar(), trust_env=False,
    )  # fmt: skip
    yield
    await app[_SESSION].close()


__all__ = ["StatusError", "client_context", "connect"]
