"""HTTP/2, by httpx: many requests share a connection, so the policy of the HTTP/1.1 path does not apply."""

from __future__ import annotations

import socket
import ssl
import time

import httpx

from hpatui.errors import LoadError
from hpatui.load.plan import LoadPlan
from hpatui.load.policy import ForbiddenAddress, resolved
from hpatui.load.requests import http_request
from hpatui.load.target import Target


class Http2Client:
    """Sends the plan's requests; it follows no redirects and ignores proxy variables."""

    def __init__(self, plan: LoadPlan, target: Target, context: ssl.SSLContext | None) -> None:
        self._requests = [http_request(target, spec) for spec in plan.requests]
        self._limit = plan.max_body
        self._policy, self._age = target.policy, max(1.0, min(plan.connection_age, 60.0))
        self._server_name = target.server_name
        self._address, self._looked = "", -1e9
        limits = httpx.Limits(max_connections=plan.connections, keepalive_expiry=plan.connection_age or 0.0)
        try:
            self._client = httpx.AsyncClient(
                http1=context is not None, http2=True, verify=context if context is not None else True,
                timeout=plan.timeout, limits=limits, trust_env=False, follow_redirects=False,
            )  # fmt: skip
        except ImportError as error:
            raise LoadError("HTTP/2 needs the package h2", hint="pip install httpx[http2]") from error

    async def send(self, choice: int) -> tuple[int, int, str]:
        """One request: (status, bytes of the body, error); the error is empty if there was an answer."""
        template = self._requests[choice]
        try:
            request = await self._judged(template)
            answer = await self._client.send(request, stream=True)
            try:
                size = 0
                async for chunk in answer.aiter_raw():
                    size += len(chunk)
                    if size > self._limit:
                        return 0, size, "too large"
            finally:
                await answer.aclose()
        except ForbiddenAddress:
            return 0, 0, "forbidden address"
        except socket.gaierror:
            return 0, 0, "dns"
        except httpx.ConnectTimeout:
            return 0, 0, "connect timeout"
        except httpx.TimeoutException:
            return 0, 0, "timeout"
        except httpx.ConnectError as error:
            return 0, 0, "refused" if "refused" in str(error).lower() else "connect"
        except httpx.RemoteProtocolError:
            return 0, 0, "garbage"
        except httpx.HTTPError:
            return 0, 0, "reset"
        return answer.status_code, size, ""

    async def _judged(self, template: httpx.Request) -> httpx.Request:
        """The request, to an address that was judged; the name stays in its header and for TLS."""
        url, now = template.url, time.monotonic()
        if now - self._looked > self._age:
            port = url.port or (443 if url.scheme == "https" else 80)
            self._address, self._looked = (await resolved(self._policy, url.host, port))[0], now
        name = {"sni_hostname": self._server_name or url.host}
        there = url.copy_with(host=self._address)
        return httpx.Request(
            template.method, there, headers=template.headers, content=template.content, extensions=name
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()
