"""aiohttp, imported without its first act: it loads the system's certificates twice, half of its import time.

Those contexts would serve https without one of our own, which does not happen here (`tls.tls_context`); if it did, they
would trust nobody. Everything in this room imports aiohttp from here, and opens sessions here: ~/.netrc, cookies and the
environment's proxies as aiohttp reads them are never used.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from hpatui.cluster.address import split_login

ssl.SSLContext.set_default_verify_paths = lambda self: None  # type: ignore[method-assign]
try:
    import aiohttp
finally:
    del ssl.SSLContext.set_default_verify_paths  # the one of its base class is back

__all__ = ["aiohttp", "basic", "open_session"]

LIMIT = 64  # connections to one server


def basic(user: str, password: str) -> str:
    """The value of an Authorization header (RFC 7617, UTF-8)."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def open_session(
    context: ssl.SSLContext | None, proxy: str | None, connect_timeout: float, headers: Mapping[str, str] | None = None
) -> aiohttp.ClientSession:
    """A session whose every connection uses this context and this proxy (http, https, socks5, socks5h).

    A proxy's user and password become a header for it: in no URL that an error could show.
    """
    trust = True if context is None else context
    url: str | None = None
    login: tuple[str, str] | None = None
    if proxy is not None:
        parts = urlsplit(proxy)
        host, login = split_login(parts.netloc)
        url = urlunsplit((parts.scheme.lower(), host, "", "", ""))
    connector: aiohttp.BaseConnector
    if url is not None and url.startswith("socks5"):
        from aiohttp_socks import ProxyConnector, ProxyType

        target = urlsplit(url)
        user, password = login or (None, None)
        # Go's socks5 leaves names to the proxy, as socks5h does.
        connector = ProxyConnector(
            target.hostname or "",
            target.port or 1080,
            ProxyType.SOCKS5,
            user,
            password,
            rdns=True,
            limit=LIMIT,
            ssl=trust,
        )
        url = None
    else:
        connector = aiohttp.TCPConnector(limit=LIMIT, ssl=trust)
    return aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        proxy=url,
        proxy_auth=aiohttp.BasicAuth(*login, encoding="utf-8") if login is not None and url is not None else None,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=2**20,
        auto_decompress=True,
        max_field_size=65536,
        max_line_size=65536,
    )
