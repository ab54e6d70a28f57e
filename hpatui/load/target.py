"""Where load goes, and whether it may: the target as the engine gets it, and the guard."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hpatui import __version__
from hpatui.errors import LoadError, UsageError
from hpatui.load.policy import Policy

FORWARD_MAX_RATE = 100.0  # port-forwards cost the API server less, but not nothing
USER_AGENT = f"hpatui/{__version__}"
PROXY_MAX_RATE = 20.0  # through the API server of a real cluster nothing protects the control plane


@dataclass(frozen=True, slots=True)
class Target:
    """A URL to send to. `headers` may hold a token: they go to the engine over a pipe, into no argument, log or text.

    `kind`: url, proxy (the API server's service proxy) or forward (port-forwards to pods). `cap`: the most requests/s that
    this way may take (None: no cap). `client_cert` and `client_key` are files. `routes` (host, port, name of the pod):
    connections go there in turn instead of to the URL's host. `policy`: what each connection is judged by.
    """

    url: str
    text: str
    kind: str = "url"
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    ca_file: str | None = None
    ca_data: str | None = None
    verify: bool = True
    server_name: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    routes: tuple[tuple[str, int, str], ...] = ()
    cap: float | None = None
    sandbox: bool = False
    policy: Policy = field(default_factory=Policy)


def url_target(url: str, *, text: str = "", verify: bool = True) -> Target:
    """A target from a URL that the user gave. UsageError where it is none."""
    parts = urlsplit(url if "//" in url else f"http://{url}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"{url!r} is no http or https URL", hint="write http://host:port/path")
    try:
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} has no valid port") from error
    return Target(parts.geturl(), text or parts.geturl(), verify=verify)


def check_host(target: Target, *, api_server: str = "", allowed: tuple[str, ...] = ()) -> None:
    """Raise LoadError where load must not go: cloud metadata addresses, the API server itself, hosts not allowed."""
    parts = urlsplit(target.url)
    host = (parts.hostname or "").lower()
    if host in allowed:
        return
    address = _address(host)
    if address is not None and address.is_link_local:
        raise LoadError(f"{host} is a link-local address (cloud metadata): load never goes there")
    if api_server and target.kind != "proxy":
        server = urlsplit(api_server)
        if (server.hostname, server.port) == (parts.hostname, parts.port):
            raise LoadError("that is the API server itself", hint="name the application's address, or use its Service")
    if target.kind == "url" and not is_loopback(host):
        raise LoadError(f"{host} is outside this machine", hint=f"if you mean it: --allow-host {host}")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
