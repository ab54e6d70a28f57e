"""Where load must not go, judged by the address that a connection is made to, not by the name that somebody wrote.

A name is resolved once, each of its addresses is judged, and the connection goes to that address: an answer that changes
between the look and the connection (DNS rebinding) changes nothing. No redirect is ever followed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds answer with credentials, besides the link-local range: AWS over IPv6, Alibaba, Oracle, Azure, Google over IPv6.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16")
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052


class ForbiddenAddress(OSError):
    """An address that load must not be sent to; the text says why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be connected to. `loopback_only`: nobody was asked, so only this machine. `api_servers` (address, port):
    the clusters' control planes, which load never hits directly.
    """

    loopback_only: bool = False
    api_servers: tuple[tuple[str, int], ...] = ()


def address_of(text: str) -> Address | None:
    """The address in a text, an IPv4 address mapped into IPv6 as the IPv4 one (it is connected to as such); None for
    names.
    """
    try:
        found = ipaddress.ip_address(text.partition("%")[0].strip("[]"))
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _leads_to(address: Address) -> tuple[Address, ...]:
    """The address, and the IPv4 address to which a translator would carry it on (6to4, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else address.sixtofour
    return (address,) if inner is None else (address, inner)


def is_own(address: Address) -> bool:
    """Whether it is loopback, or the unspecified address, which connects to this machine too."""
    return address.is_loopback or address.is_unspecified


def refusal(policy: Policy, text: str, port: int) -> str:
    """Why a connection to this address must not be made; empty where it may."""
    address = address_of(text)
    if address is None:
        return f"{text} is no address"
    if any(form.is_link_local or form in _METADATA for form in _leads_to(address)):
        return f"{address} is a link-local address (cloud metadata): load never goes there"
    if address.is_multicast:
        return f"{address} is a multicast address: load never goes there"
    for server, server_port in policy.api_servers:
        other = address_of(server)
        if port == server_port and other is not None and (other == address or (_local(other) and _local(address))):
            return "that is the API server itself: load never goes there"
    if policy.loopback_only and not is_own(address):
        return f"{address} is outside this machine"
    return ""


def _local(address: Address) -> bool:
    """Whether this machine has the address: what listens on all of them is reached by each."""
    if is_own(address):
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


async def resolved(policy: Policy, host: str, port: int) -> list[str]:
    """The addresses of a host that may be connected to, in the resolver's order. `socket.gaierror` where there are none,
    ForbiddenAddress where one of them must not be connected to: a name that leads there is not to be trusted.
    """
    literal = address_of(host)
    if literal is not None:
        found = [host.strip("[]")]
    else:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        found = list(dict.fromkeys(str(info[4][0]) for info in infos))
    for text in found:
        if why := refusal(policy, text, port):
            raise ForbiddenAddress(why if literal is not None else f"{host} leads to {text}: {why}")
    return found


async def addresses_of(host: str, port: int) -> tuple[tuple[str, int], ...]:
    """A host's addresses with a port, as `Policy.api_servers` wants them; empty where it cannot be resolved."""
    if address_of(host) is not None:
        return ((host.strip("[]"), port),)
    try:
        infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys((str(info[4][0]), port) for info in infos))
