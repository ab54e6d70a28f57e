"""Which proxy leads to a URL, by the rules of Go's golang.org/x/net/http/httpproxy, which kubectl follows.

`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, capitals first. Loopback is never reached through a proxy of the environment.
NO_PROXY: `*`, addresses, CIDR, names with everything below them, `.suffix` and `*.suffix`, each with or without a port.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from hpatui.cluster.address import without_login
from hpatui.errors import NoClusterError

SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The proxy's URL, or None for a straight way. NoClusterError where the variable holds no proxy."""
    env = os.environ if environ is None else environ
    parts = urlsplit(url)
    name = "HTTPS_PROXY" if parts.scheme == "https" else "HTTP_PROXY"
    value = env.get(name) or env.get(name.lower()) or ""
    if not value or (name == "HTTP_PROXY" and env.get("REQUEST_METHOD")):
        return None
    skip = env.get("NO_PROXY") or env.get("no_proxy") or ""
    if goes_straight(parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80), skip):
        return None
    return _proxy(value, name)


def _proxy(value: str, name: str) -> str:
    """As Go: without a scheme it is an http proxy."""
    url = value if "://" in value else f"http://{value}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme.lower() in SCHEMES and parts.hostname and url.isprintable() and (parts.port or True)
    except ValueError:
        usable = False
    if not usable:
        raise NoClusterError(f"{name} is no proxy's URL: {without_login(value)}", hint="correct or unset it")
    return url


def goes_straight(host: str, port: int, no_proxy: str) -> bool:
    """Whether a host is reached without a proxy."""
    host = host.lower().strip().rstrip(".") if host != "." else host
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_matches(entry.strip().lower(), host, port, address) for entry in no_proxy.split(","))


def _matches(entry: str, host: str, port: int, address: IPv4Address | IPv6Address | None) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    if "/" in entry:
        try:
            return address is not None and address in ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = _split(entry)
    if wanted and wanted != str(port):
        return False
    known = _address(name)
    if known is not None:
        return address == known
    if not name or address is not None:
        return False
    name = name.removeprefix("*")
    exact = not name.startswith(".")
    suffix = name if not exact else f".{name}"
    return host.endswith(suffix) or (exact and host == name)


def _split(entry: str) -> tuple[str, str]:
    """name and port; IPv6 with a port stands in brackets."""
    if entry.startswith("["):
        name, _, after = entry[1:].partition("]")
        return name, after.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped if mapped is not None else found
