"""A connection to one API server: requests with raw paths, JSON in and out, and streams of lines for watches.

This module is the only one that names the exceptions of the wire, and turns them into the errors of hpatui.errors.
"""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from hpatui import __version__
from hpatui.clock import Clock
from hpatui.cluster.auth import Credentials
from hpatui.cluster.kubeconfig import ClusterAccess, ContextFacts, cluster_access, list_contexts
from hpatui.cluster.tls import tls_context
from hpatui.cluster.wire import aiohttp
from hpatui.errors import (
    AuthError,
    ClusterError,
    ForbiddenError,
    GoneError,
    NotServedError,
    ServerBusyError,
    UnreachableError,
)
from hpatui.settings import Settings
from hpatui.text import printable

__all__ = ["Connection", "ContextFacts", "connect", "list_contexts"]

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 60.0
SANDBOX_MARK = "hpatui-sandbox"  # in gitVersion of /version
_USER_AGENT = f"hpatui/{__version__}"
_BIGGEST = 512 * 2**20  # bytes of an answer


async def connect(settings: Settings, clock: Clock, *, context: str | None = None, login: bytes = b"") -> Connection:
    """Connect and ask for the server's version; `login` is what an interactive login plugin printed.

    Raises ClusterError in one of its kinds.
    """
    connection = Connection(cluster_access(settings, context), clock, login)
    try:
        await connection.open()
    except BaseException:
        await connection.close()
        raise
    return connection


class Connection:
    """See the module. `host` is for people: the server's host and port."""

    def __init__(self, access: ClusterAccess, clock: Clock, login: bytes = b"") -> None:
        self.context = access.context
        self.namespace = access.namespace
        self.server = access.server
        self.host = urlsplit(access.server).netloc
        self.server_version = ""
        self.sandbox = False
        self._access = access
        self._credentials = Credentials(access, clock, login)
        self._session: aiohttp.ClientSession | None = None

    @property
    def access(self) -> ClusterAccess:
        """What the kubeconfig says about this cluster."""
        return self._access

    def __repr__(self) -> str:
        return f"Connection({self.context!r}, {self.host!r})"

    async def open(self) -> None:
        """Set up TLS and learn the server's version."""
        await self._credentials.headers()
        self._make_session()
        version = await self.get_json("/version")
        self.server_version = printable(str(version.get("gitVersion", "")), 100)
        self.sandbox = SANDBOX_MARK in self.server_version

    async def close(self) -> None:
        """Close all connections; idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _make_session(self) -> None:
        access = self._access
        context = tls_context(access, self._credentials.certificate)
        # A watch answers in one long line per event and may be silent for long: no limit on the whole answer's time.
        connector = aiohttp.TCPConnector(limit=64, ssl=True if context is None else context)
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"User-Agent": _USER_AGENT},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            trust_env=not access.server.startswith("http://127.0.0.1"),
            read_bufsize=2**20,
            auto_decompress=True,
        )

    # Requests -------------------------------------------------------------------------------------------------

    async def auth_headers(self) -> dict[str, str]:
        """The headers that say who we are; never to be logged or shown."""
        return await self._credentials.headers()

    async def get_json(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """GET -> a JSON object."""
        data = await self.request("GET", path, params)
        try:
            value = json.loads(data)
        except ValueError as error:
            raise ServerBusyError(f"{self.host} answered {path} with something that is no JSON") from error
        return value if isinstance(value, dict) else {}

    async def request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: object = None,
        accept: str = "application/json",
        content_type: str = "application/json",
        timeout: float = READ_TIMEOUT,
    ) -> bytes:
        """One request; the answer's bytes. A 401 is tried once more with renewed credentials. Raises ClusterError."""
        async with (
            self._answer(method, path, params, body, accept, content_type, timeout) as response,
            self._wire(path),
        ):
            return await response.read()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """GET -> (status, body) whatever the status is; raises only where there was no answer."""
        session, headers = await self._ready("application/json", None)
        timeout = aiohttp.ClientTimeout(total=READ_TIMEOUT, sock_connect=CONNECT_TIMEOUT)
        async with (
            self._wire(path),
            session.get(
                self.server + path, params=params, headers=headers, timeout=timeout, proxy=self._access.proxy
            ) as response,
        ):
            return response.status, await response.read()

    @contextlib.asynccontextmanager
    async def websocket(
        self, path: str, params: Mapping[str, str], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Upgrade to a WebSocket of one subprotocol. Raises ClusterError where the server does not."""
        session, headers = await self._ready("application/json", None)
        try:
            async with (
                self._wire(path),
                session.ws_connect(
                    self.server + path, params=params, protocols=(protocol,), headers=headers, proxy=self._access.proxy
                ) as socket,
            ):
                yield socket
        except aiohttp.WSServerHandshakeError as error:
            raise ServerBusyError(f"{self.host} did not open {path}: {error.status}") from error

    @contextlib.asynccontextmanager
    async def lines(
        self, path: str, params: Mapping[str, str], *, inactivity: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET a stream of lines, for a watch. No byte within `inactivity` seconds: UnreachableError."""
        async with self._answer("GET", path, params, None, "application/json", "", None, inactivity) as response:
            yield self._split(response, path)

    async def _split(self, response: aiohttp.ClientResponse, path: str) -> AsyncIterator[bytes]:
        """Lines of any length; the last one only if it is complete."""
        rest = bytearray()
        async with self._wire(path):
            async for chunk in response.content.iter_any():
                rest += chunk
                if b"\n" not in chunk:
                    if len(rest) > _BIGGEST:
                        raise ServerBusyError(f"{self.host} sent a line without an end")
                    continue
                *lines, tail = bytes(rest).split(b"\n")
                rest = bytearray(tail)
                for line in lines:
                    if line:
                        yield line

    async def _ready(self, accept: str, content_type: str | None) -> tuple[aiohttp.ClientSession, dict[str, str]]:
        if self._session is None:
            raise UnreachableError(f"the connection to {self.host} is closed")
        headers = {"Accept": accept, **await self._credentials.headers()}
        if content_type:
            headers["Content-Type"] = content_type
        return self._session, headers

    @contextlib.asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: object,
        accept: str,
        content_type: str,
        total: float | None,
        inactivity: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        session, headers = await self._ready(accept, content_type if body is not None else None)
        timeout = aiohttp.ClientTimeout(total=total, sock_connect=CONNECT_TIMEOUT, sock_read=inactivity)
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        for attempt in (0, 1):
            async with self._wire(path):
                response = await session.request(
                    method, self.server + path, params=params, data=data, headers=headers, timeout=timeout,
                    proxy=self._access.proxy, allow_redirects=False,
                )  # fmt: skip
            if response.status == 401 and attempt == 0 and self._credentials.renewable:
                response.release()
                headers |= await self._credentials.headers(force=True)
                continue
            break
        try:
            if response.status >= 300:
                async with self._wire(path):
                    raise _refused(response, await response.content.read(65536), self.host, path)
            yield response
        finally:
            response.close() if total is None else response.release()

    @contextlib.asynccontextmanager
    async def _wire(self, path: str) -> AsyncIterator[None]:
        """Translate what goes wrong below HTTP."""
        try:
            yield
        except TimeoutError as error:
            raise UnreachableError(f"{self.host} does not answer", hint="check the network or VPN") from error
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError, ssl.SSLError) as error:
            reason = getattr(error, "certificate_error", None) or error
            text = printable(str(getattr(reason, "verify_message", "") or reason), 200)
            raise UnreachableError(
                f"TLS to {self.host} failed: {text}", hint="check certificate-authority in the kubeconfig and the clock"
            ) from error
        except aiohttp.ClientConnectorDNSError as error:
            raise UnreachableError(
                f"the name {self.host} cannot be resolved", hint="check the network or VPN"
            ) from error
        except aiohttp.ClientConnectorError as error:
            reason = printable(str(error.strerror or error), 200)
            raise UnreachableError(
                f"cannot connect to {self.host}: {reason}", hint="is the cluster running, and is the VPN up?"
            ) from error
        except aiohttp.ClientPayloadError as error:
            raise UnreachableError(f"the connection to {self.host} broke in the middle of an answer") from error
        except (aiohttp.ClientError, OSError) as error:
            text = printable(str(error) or type(error).__name__, 200)
            raise UnreachableError(f"the connection to {self.host} broke: {text}") from error


def _refused(response: aiohttp.ClientResponse, body: bytes, host: str, path: str) -> ClusterError:
    """The error for an HTTP status; the server's own message says why."""
    message = ""
    with contextlib.suppress(ValueError, AttributeError):
        message = printable(str(json.loads(body).get("message") or ""), 500)
    message = message or printable(body[:200].decode(errors="replace").strip(), 200) or response.reason or ""
    status = response.status
    pause: float | None = None
    with contextlib.suppress(ValueError):
        pause = float(response.headers.get("Retry-After", ""))
    if status == 401:
        return AuthError(f"{host} does not accept the credentials", hint="log in again, or choose another context")
    if status == 403:
        return ForbiddenError(message or f"{path} is forbidden")
    if status in (404, 405, 406):
        return NotServedError(message or f"{path} is not served")
    if status == 410:
        return GoneError(message or "the resourceVersion is too old")
    if status in (408, 429) or status >= 500:
        return ServerBusyError(f"{host} answered {status}: {message}", retry_after=pause)
    return ClusterError(f"{host} answered {status}: {message}")
