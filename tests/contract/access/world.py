"""Servers for the matrix of ways into a cluster: real TLS over real sockets, with an authority made on the fly.

All listen on 127.0.0.1, in one thread with its own event loop, so that kubectl and hpatui meet the same ones. Each request
is kept with its headers.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

TOKEN = "secret-token-of-the-matrix"
_Serve = Callable[["World", asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = _has_ipv6()
_STATUS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as a server got it. `peer`: whether it came with a client certificate."""

    server: str
    path: str
    headers: tuple[tuple[str, str], ...]
    peer: bool = False

    def sent(self, *names: str) -> tuple[tuple[str, str], ...]:
        """Its headers whose name begins with one of these, sorted."""
        return tuple(sorted((k.title(), v) for k, v in self.headers if k.lower().startswith(names)))


@dataclass(slots=True)
class World:
    """The servers (name -> port), the files of the authorities, and what came."""

    folder: Path
    ca: trustme.CA
    ports: dict[str, int] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    proxied: list[str] = field(
        default_factory=list
    )  # "socks5 HOST:PORT", "connect HOST:PORT", with the user if there is one
    throttles: int = 0
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _stops: list[Callable[[], Coroutine[Any, Any, None]]] = field(default_factory=list)

    def url(self, name: str, host: str = "127.0.0.1") -> str:
        """The base URL of a server."""
        return f"{'http' if name in ('plain', 'closed') else 'https'}://{host}:{self.ports[name]}"

    def file(self, name: str) -> str:
        """The path of a file."""
        return str(self.folder / name)

    def start(self) -> None:
        """Start all servers."""
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(20)

    def stop(self) -> None:
        """Stop all servers."""

        async def all_of_them() -> None:
            for stop in self._stops:
                await stop()

        asyncio.run_coroutine_threadsafe(all_of_them(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)

    # Files ----------------------------------------------------------------------------------------------------

    def _write_files(self) -> dict[str, ssl.SSLContext]:
        ca, names = self.ca, ("127.0.0.1", "::1", "localhost", "api.test", "192.0.2.7")
        folder = self.folder
        ca.cert_pem.write_to_path(folder / "ca.pem")
        middle = ca.create_child_ca()
        middle.cert_pem.write_to_path(folder / "middle.pem")
        other = trustme.CA()
        other.cert_pem.write_to_path(folder / "other.pem")
        old = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
        old_server = ca.issue_cert(*names, not_before=old, not_after=old + datetime.timedelta(days=9))
        leaf = ca.issue_cert(*names)
        leaf.cert_chain_pems[0].write_to_path(folder / "leaf.pem")
        client = ca.issue_cert("jane@example.org", common_name="jane")
        client.cert_chain_pems[0].write_to_path(folder / "client.pem")
        client.private_key_pem.write_to_path(folder / "client.key")
        old_client = ca.issue_cert("old@example.org", not_before=old, not_after=old + datetime.timedelta(days=9))
        old_client.cert_chain_pems[0].write_to_path(folder / "old-client.pem")
        old_client.private_key_pem.write_to_path(folder / "old-client.key")
        other.issue_cert("x@example.org").private_key_pem.write_to_path(folder / "other.key")
        self._write_forms(client.private_key_pem.bytes())
        contexts = {
            "tls": _context(leaf),
            "middle": _context(middle.issue_cert(*names)),
            "expired": _context(old_server),
            "named": _context(ca.issue_cert("inner.name.test")),
            "mutual": _context(leaf),
        }
        contexts["mutual"].verify_mode = ssl.CERT_REQUIRED
        ca.configure_trust(contexts["mutual"])
        return contexts

    def _write_forms(self, key: bytes) -> None:
        from cryptography.hazmat.primitives import serialization as forms
        from cryptography.x509 import load_pem_x509_certificate

        folder = self.folder
        pem = (folder / "ca.pem").read_bytes()
        (folder / "ca.der").write_bytes(load_pem_x509_certificate(pem).public_bytes(forms.Encoding.DER))
        (folder / "commented.pem").write_bytes("# Müllers Autorität — 権威\n".encode() + pem)
        (folder / "latin.pem").write_bytes(b"# M\xfcller\n" + pem)
        (folder / "garbage.pem").write_text("this is no certificate\n")
        broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        (folder / "one-broken.pem").write_bytes(broken + pem)
        (folder / "all-broken.pem").write_bytes(broken)
        loaded = forms.load_pem_private_key(key, None)
        secret = forms.BestAvailableEncryption(b"pass")
        for name, form in (
            ("pkcs8", forms.PrivateFormat.PKCS8),
            ("traditional", forms.PrivateFormat.TraditionalOpenSSL),
        ):
            (folder / f"{name}.key").write_bytes(loaded.private_bytes(forms.Encoding.PEM, form, secret))
        for name, text in (
            ("token", TOKEN + "\n"), ("empty", ""), ("blank", " \n"), ("two-lines", "a\nb\n"),
        ):  # fmt: skip
            (folder / name).write_text(text)
        (folder / "binary").write_bytes(b"\xff\xfe\x00\x01\x80")

    # Servers --------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        contexts = self._write_files()
        for name, context in contexts.items():
            await self._site(name, context)
        await self._site("plain", None)
        for name in ("silent", "http-proxy", "auth-proxy", "socks", "socks-auth", "https-proxy"):
            trust = contexts["tls"] if name in ("silent", "https-proxy") else None
            server = await asyncio.start_server(self._accept(_PROXIES[name]), "127.0.0.1", 0, ssl=trust)
            self.ports[name] = server.sockets[0].getsockname()[1]

            async def end(server: asyncio.Server = server) -> None:
                server.close()

            self._stops.append(end)
        closed = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
        self.ports["closed"] = closed.sockets[0].getsockname()[1]
        closed.close()

    def _accept(
        self, serve: _Serve
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await serve(self, reader, writer)
            except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
                pass
            finally:
                writer.close()

        return accept

    async def _site(self, name: str, context: ssl.SSLContext | None) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            peer = bool(request.transport and request.transport.get_extra_info("peercert"))
            self.seen.append(Seen(name, request.raw_path, tuple(request.headers.items()), peer))
            return self._answer(request)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        assert site._server is not None
        self.ports[name] = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        if IPV6:
            await web.TCPSite(runner, "::1", self.ports[name], ssl_context=context).start()
        self._stops.append(runner.cleanup)

    def _answer(self, request: web.Request) -> web.Response:
        path = request.path
        if path.startswith("/moved/"):
            return web.Response(status=307, headers={"Location": str(request.rel_url).replace("/moved", "", 1)})
        if path.startswith("/away/"):
            return web.Response(
                status=302, headers={"Location": "https://user:hidden@elsewhere.test/login?token=hidden"}
            )
        if path.startswith("/round/"):
            return web.Response(status=302, headers={"Location": path + "x/"})
        if path.startswith("/html/"):
            return web.Response(status=503, text="<html><body>gateway</body></html>", content_type="text/html")
        if path.startswith("/page/"):
            return web.Response(status=404, text="<html>not here</html>", content_type="text/html")
        if path.startswith("/busy/") and self.throttles > 0:
            self.throttles -= 1
            text = json.dumps({**_STATUS, "message": "too many requests", "reason": "TooManyRequests", "code": 429})
            return web.Response(status=429, text=text, content_type="application/json", headers={"Retry-After": "1"})
        if path.startswith("/refuse/"):
            body = {**_STATUS, "message": "Unauthorized", "reason": "Unauthorized", "code": 401}
            return web.json_response(body, status=401)
        return web.json_response({"major": "1", "minor": "32", "gitVersion": "v1.32.0"})


def _context(cert: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    cert.configure_cert(context)
    return context


async def _silent(_world: World, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """TLS is done, and then nothing."""
    while await reader.read(4096):
        pass


async def _connect(world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: str = "") -> None:
    """An HTTP proxy: CONNECT, and absolute-form GET."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, place, *_ = head.split()
    if login and f"basic {login}".lower() not in head.lower():
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        return
    world.proxied.append(f"{method.lower()} {place}")
    if method != "CONNECT":
        host, _, port = place.removeprefix("http://").partition("/")[0].partition(":")
        there, back = await asyncio.open_connection(host, int(port or 80))
        back.write(head.replace(place, "/" + place.removeprefix("http://").partition("/")[2], 1).encode())
        await _pump(reader, writer, there, back)
        return
    host, _, port = place.rpartition(":")
    try:
        there, back = await asyncio.open_connection(_resolve(host), int(port))
    except OSError:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()
        return
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await _pump(reader, writer, there, back)


async def _auth_connect(world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _connect(world, reader, writer, "dXNlcjpoaWRkZW4tcHc=")  # user:hidden-pw


async def _socks(world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: str = "") -> None:
    """SOCKS5 (RFC 1928), with a user and password (RFC 1929) where `login` names them."""
    _, count = await reader.readexactly(2)
    await reader.readexactly(count)
    writer.write(b"\x05\x02" if login else b"\x05\x00")
    if login:
        _, length = await reader.readexactly(2)
        user = (await reader.readexactly(length)).decode()
        password = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        good = f"{user}:{password}" == login
        writer.write(b"\x01\x00" if good else b"\x01\x01")
        if not good:
            writer.close()
            return
    _, _, _, kind = await reader.readexactly(4)
    if kind == 3:
        host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
    else:
        host = ".".join(str(byte) for byte in await reader.readexactly(4))
    port = int.from_bytes(await reader.readexactly(2), "big")
    world.proxied.append(f"socks {host}:{port}")
    there, back = await asyncio.open_connection(_resolve(host), port)
    writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    await _pump(reader, writer, there, back)


async def _auth_socks(world: World, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await _socks(world, reader, writer, "user:hidden-pw")


def _resolve(host: str) -> str:
    """The names and addresses (RFC 5737) that only the proxies know."""
    return "127.0.0.1" if host.endswith(".test") or host.startswith("192.0.2.") else host.strip("[]")


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, there: asyncio.StreamReader, back: asyncio.StreamWriter
) -> None:
    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        sink.close()

    await asyncio.gather(copy(reader, back), copy(there, writer), return_exceptions=True)


_PROXIES: dict[str, _Serve] = {
    "silent": _silent,
    "http-proxy": _connect,
    "https-proxy": _connect,
    "auth-proxy": _auth_connect,
    "socks": _socks,
    "socks-auth": _auth_socks,
}
