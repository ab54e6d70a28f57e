"""A connection to one API server: requests with raw paths, JSON in and out, and streams of lines for watches.

Every request, watch and port-forward goes through here, so all of them carry who we are and as whom we act, take the same
proxy and trust the same authorities. What goes wrong comes out as the errors of hpatui.errors (`faults.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import quote

from multidict import CIMultiDict
from yarl import URL

from hpatui import __version__
from hpatui.clock import Clock
from hpatui.cluster.access import Access, Headers
from hpatui.cluster.address import host_of
from hpatui.cluster.auth import Ask, ClientCertificate, Credentials
from hpatui.cluster.faults import location, refused, translated
from hpatui.cluster.kubeconfig import ContextFacts, cluster_access, list_contexts
from hpatui.cluster.proxies import proxy_for
from hpatui.cluster.tls import tls_context
from hpatui.cluster.wire import aiohttp, open_session
from hpatui.errors import (
    ForbiddenError,
    HpatuiError,
    LoginNeededError,
    NotServedError,
    ServerBusyError,
    UnreachableError,
)
from hpatui.masking import masked
from hpatui.settings import Settings
from hpatui.text import printable

__all__ = ["Connection", "ContextFacts", "connect", "list_contexts"]

CONNECT_TIMEOUT = 10.0
FIRST_TIMEOUT = 15.0  # seconds until the first answer
READ_TIMEOUT = 60.0
SANDBOX_MARK = "hpatui-sandbox"  # in gitVersion of /version
_USER_AGENT = f"hpatui/{__version__}"
_BIGGEST = 512 * 2**20  # bytes of an answer
_REDIRECTS = 10
_THROTTLED = 10  # how often a request is repeated whose answer says when to come again (as client-go)
_LONGEST_WAIT = 30.0
_OLD_SESSIONS = 2  # whose watches may go on after our certificate was renewed
Say = Callable[[str], None]


def _silent(_text: str) -> None:
    pass


async def connect(
    settings: Settings, clock: Clock, *, context: str | None = None, login: bytes = b"", say: Say = _silent,
    ask: Ask | None = None, known: Callable[[str, str], None] | None = None,
) -> Connection:  # fmt: skip
    """Connect and ask for the server's version; `login` is what an interactive login plugin printed. `say` is told what
    is waited for: what a login plugin writes while it runs, a server that asks for patience. `ask` gives a plugin that
    has to ask something the terminal; without it that is LoginNeededError. `known` is told the context, and whom we act
    as, before anything is sent.

    Raises ClusterError in one of its kinds.
    """
    access = cluster_access(settings, context)
    if known is not None:
        known(access.context, access.acting_as.text())
    connection = Connection(access, clock, login, say, ask)
    try:
        await connection.open()
    except BaseException as error:
        await connection.close()
        if isinstance(error, HpatuiError):
            error.message, error.hint = masked(error.message), masked(error.hint)
        raise
    return connection


class Connection:
    """See the module. `host` is for people: the server's host and port."""

    def __init__(
        self, access: Access, clock: Clock, login: bytes = b"", say: Say = _silent, ask: Ask | None = None
    ) -> None:
        self.context = access.context
        self.namespace = access.namespace
        self.server = access.server
        self.host = host_of(access.server)
        self.acting_as = access.acting_as.text()
        self.server_version = ""
        self.version: Mapping[str, object] = {}  # all that /version says
        self.sandbox = False
        self._access = access
        self._say = say
        self._credentials = Credentials(access, clock, login, say, ask)
        self._session: aiohttp.ClientSession | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._certificate: ClientCertificate | None = None
        self._proxy: str | None = None
        self._closed = False

    @property
    def access(self) -> Access:
        """What the kubeconfig says about this cluster."""
        return self._access

    @property
    def proxy(self) -> str | None:
        """The proxy that leads to the server; may hold a password."""
        return self._proxy

    @property
    def certificate(self) -> ClientCertificate | None:
        """Our client certificate, if we have one."""
        return self._certificate

    def __repr__(self) -> str:
        return f"Connection({self.context!r}, {self.host!r})"

    async def open(self) -> None:
        """Set up TLS and learn the server's version. Who may not ask for the version is let in without it."""
        async with self._translating():
            self._proxy = self._access.proxy or proxy_for(self.server)
            await self._refresh(None)
        try:
            data = await self.request("GET", "/version", timeout=FIRST_TIMEOUT)
            version = _object(data)
        except (ForbiddenError, NotServedError) as error:
            if "a page" in error.message or "points to" in error.message:
                raise
            version = {}
        if version is None:
            raise UnreachableError(f"{self.host} answered with something that is no JSON", hint="is it an API server?")
        self.version = version
        self.server_version = printable(str(version.get("gitVersion", "")), 100)
        self.sandbox = SANDBOX_MARK in self.server_version

    async def close(self) -> None:
        """Close all connections; idempotent."""
        self._closed = True
        sessions = [*self._retired, *([self._session] if self._session is not None else [])]
        self._session, self._retired = None, []
        for session in sessions:
            await session.close()

    async def _refresh(self, rejected: Headers | None) -> Headers:
        """The headers of the next request; when our certificate was renewed, a session with the new one."""
        headers = await self._credentials.headers(rejected=rejected)
        certificate = self._credentials.certificate
        if self._closed:
            raise UnreachableError(f"the connection to {self.host} is closed")
        if self._session is None or certificate is not self._certificate:
            context = tls_context(self._access, certificate)
            # A watch answers in one long line per event and may be silent for long: no limit on the whole answer's time.
            standing = {"User-Agent": _USER_AGENT}
            if not self._access.compress:
                standing["Accept-Encoding"] = "identity"
            session = open_session(context, self._proxy, CONNECT_TIMEOUT, standing)
            if self._session is not None:
                self._retired.append(self._session)
            self._session, self._certificate = session, certificate
            while len(self._retired) > _OLD_SESSIONS:
                await self._retired.pop(0).close()
        return headers

    @property
    def login_needed(self) -> LoginNeededError | None:
        """The login that requests wait for; only the user can do it."""
        return self._credentials.needed

    # Requests -------------------------------------------------------------------------------------------------

    async def auth_headers(self) -> Headers:
        """The headers that say who we are and as whom we act; never to be logged or shown. A name may come twice."""
        return await self._refresh(None)

    async def get_json(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """GET -> a JSON object."""
        value = _object(await self.request("GET", path, params))
        if value is None:
            raise ServerBusyError(f"{self.host} answered {path} with something that is no JSON")
        return value

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
        silence: float | None = None,
    ) -> bytes:
        """One request; the answer's bytes. A 401 is tried once more with renewed credentials. Raises ClusterError, also
        where nothing came within `timeout` seconds, or for `silence` seconds.
        """
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=CONNECT_TIMEOUT, sock_read=silence)
        headers = {"Accept": accept, **({"Content-Type": content_type} if body is not None else {})}
        async with self._answer(method, path, params, data, headers, limits) as response, self._translating():
            return await response.read()

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """GET -> (status, body) whatever the status is; raises only where there was no answer."""
        limits = aiohttp.ClientTimeout(total=READ_TIMEOUT, sock_connect=CONNECT_TIMEOUT)
        response = await self._ask("GET", self._url(path, params), None, {"Accept": "application/json"}, limits)
        async with self._translating(), response:
            return response.status, await response.read()

    @contextlib.asynccontextmanager
    async def websocket(
        self, path: str, params: Mapping[str, str], protocol: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Upgrade to a WebSocket of one subprotocol. Raises ClusterError where the server does not."""
        headers = await self._headers({}, None)
        try:
            async with self._translating():
                assert self._session is not None
                url = self._url(path, params)
                try:
                    socket = await self._session.ws_connect(url, protocols=(protocol,), headers=headers)
                except aiohttp.WSServerHandshakeError as error:
                    raise ServerBusyError(f"{self.host} did not open {path}: {error.status}") from None
            yield socket
        finally:
            with contextlib.suppress(UnboundLocalError):
                await socket.close()

    @contextlib.asynccontextmanager
    async def lines(
        self, path: str, params: Mapping[str, str], *, inactivity: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """GET a stream of lines, for a watch. No byte within `inactivity` seconds: UnreachableError."""
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT, sock_read=inactivity)
        async with self._answer("GET", path, params, None, {"Accept": "application/json"}, limits) as response:
            try:
                yield self._split(response)
            finally:
                response.close()

    async def _split(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        """Lines of any length; the last one only if it is complete."""
        rest = bytearray()
        async with self._translating():
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

    # Under them -----------------------------------------------------------------------------------------------

    def _url(self, path: str, params: Mapping[str, str] | None) -> URL:
        """The server's own path is kept as it was written; ours is escaped, so that no name can lead elsewhere."""
        url = URL(self.server + quote(path, safe="/:@!$&'()*+,;=~-._%"), encoded=True)
        return url.with_query(dict(params)) if params else url

    async def _headers(self, more: Mapping[str, str], rejected: Headers | None) -> CIMultiDict[str]:
        async with self._translating():
            return CIMultiDict([*more.items(), *await self._refresh(rejected)])

    @contextlib.asynccontextmanager
    async def _answer(
        self, method: str, path: str, params: Mapping[str, str] | None, data: bytes | None,
        headers: Mapping[str, str], limits: aiohttp.ClientTimeout,
    ) -> AsyncIterator[aiohttp.ClientResponse]:  # fmt: skip
        """An answer below 300. One that says when to come again is waited for; ClusterError for any other."""
        url = self._url(path, params)
        for attempt in range(_THROTTLED + 1):
            response = await self._ask(method, url, data, headers, limits)
            if response.status < 300:
                break
            async with self._translating(), response:
                body = await response.content.read(65536)
            error = refused(response.status, response.headers, body, self._access, path, self._certificate)
            pause = error.retry_after if isinstance(error, ServerBusyError) else None
            if pause is None or attempt == _THROTTLED or pause > _LONGEST_WAIT:
                raise error
            self._say(f"{error.message}; asked to wait {pause:g} s")
            await asyncio.sleep(pause)
        try:
            yield response
        finally:
            response.release()

    async def _ask(
        self, method: str, url: URL, data: bytes | None, more: Mapping[str, str], limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """One answer, whatever its status. A 401 is tried once more with renewed credentials, and redirects to the same
        server are followed.
        """
        headers = await self._headers(more, None)
        renewed, hops = False, 0
        while True:
            async with self._translating():
                assert self._session is not None
                response = await self._session.request(
                    method, url, data=data, headers=headers, timeout=limits, allow_redirects=False
                )
            if response.status == 401 and not renewed and self._credentials.renewable:
                renewed = True
                again = await self._headers(more, tuple(headers.items()))
                if again != headers:
                    headers = again
                    response.release()
                    continue
            if 300 <= response.status < 400 and method == "GET" and hops < _REDIRECTS:
                place = location(response.headers, str(url))
                if place is not None:
                    url, hops = URL(place, encoded=True), hops + 1
                    response.release()
                    continue
            return response

    @contextlib.asynccontextmanager
    async def _translating(self) -> AsyncIterator[None]:
        """Whatever a library raises is one of hpatui's errors from here on."""
        try:
            yield
        except Exception as error:
            raise translated(error, self._access, self._proxy, self._certificate) from error


def _object(data: bytes) -> dict[str, Any] | None:
    """A JSON object; empty for other JSON, None for what is no JSON."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else {}
