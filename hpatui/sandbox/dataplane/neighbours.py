"""Who may talk to the data plane: programs of this user (and root), and no web pages.

Its ports take plain HTTP without a token, as a pod's do. On Linux the kernel says whose socket the other end is
(sock_diag(7)); elsewhere nothing does, and only web pages are kept out.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import struct
from typing import cast

_SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBBBI")  # inet_diag_req_v2 before its id: family, protocol, extensions, padding, states
_UID_AT = 16 + 4 + 48 + 12  # of idiag_uid in the answer: after both headers, the id, and expires, rqueue, wqueue
_HOST_LINES = re.compile(rb"(?i)\r?\nhost[ \t]*:[ \t]*([^\r\n]*)")
_ORIGIN_LINES = re.compile(rb"(?i)\r?\norigin[ \t]*:[ \t]*([^\r\n]*)")
_LOOPBACK = re.compile(rb"(?i)(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d{1,5})?")
# No web page has such a name: one label, or a name that only a cluster's DNS knows.
_INSIDE = re.compile(rb"(?i)[a-z0-9-]+(\.[a-z0-9.-]+\.svc|\.[a-z0-9-]+\.svc\.cluster\.local|\.svc)?(:\d{1,5})?")
Address = tuple[str, int]


class Neighbours:
    """Tells whose connections are. Without a kernel that says so, everybody on this machine is let in."""

    def __init__(self) -> None:
        self._allowed = {os.getuid(), 0}
        self._sequence = 0
        self._netlink: socket.socket | None = None
        with contextlib.suppress(OSError, AttributeError):
            self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _SOCK_DIAG)
            self._netlink.settimeout(0.2)
            if not self._works():
                self.close()

    def close(self) -> None:
        """Ask no more."""
        if self._netlink is not None:
            self._netlink.close()
            self._netlink = None

    def may(self, transport: asyncio.Transport) -> bool:
        """Whether the other end of a connection is a program of ours."""
        if self._netlink is None:
            return True
        other = cast(Address, transport.get_extra_info("peername") or ("", 0))
        here = cast(Address, transport.get_extra_info("sockname") or ("", 0))
        return self.owner(other[:2], here[:2]) in self._allowed

    def owner(self, other: Address, here: Address) -> int | None:
        """The uid whose socket is bound to `other` and connected to `here`; None where there is no such socket."""
        assert self._netlink is not None
        self._sequence += 1
        try:
            ends = struct.pack("!HH", other[1], here[1])
            ends += socket.inet_aton(other[0]) + bytes(12) + socket.inet_aton(here[0]) + bytes(12)
            ends += struct.pack("=I", 0) + b"\xff" * 8  # any interface, no cookie
            request = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + ends
            head = _HEADER.pack(_HEADER.size + len(request), _BY_FAMILY, 1, self._sequence, 0)
            self._netlink.send(head + request)
            while True:
                answer = self._netlink.recv(4096)
                _, kind, _, sequence, _ = _HEADER.unpack_from(answer)
                if sequence == self._sequence:
                    break
        except (OSError, struct.error):
            return None
        if kind != _BY_FAMILY or len(answer) < _UID_AT + 4:
            return None
        return int(struct.unpack_from("=I", answer, _UID_AT)[0])

    def _works(self) -> bool:
        """Whether the kernel tells us of a connection of our own."""
        with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
            client.connect(server.getsockname())
            return self.owner(client.getsockname(), server.getsockname()) == os.getuid()


def is_local(head: bytes) -> bool:
    """Whether a request's head (from its first line on) is from a program here, not from a web page."""
    hosts = _HOST_LINES.findall(head)
    if any(not (_LOOPBACK.fullmatch(host.strip()) or _INSIDE.fullmatch(host.strip())) for host in hosts):
        return False
    origins = _ORIGIN_LINES.findall(head)
    return all(hosts and origin.strip() == b"http://" + hosts[0].strip() for origin in origins)
