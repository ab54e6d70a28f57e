"""The HTTP/1.1 hot path: a connection of our own that sends prebuilt bytes and looks only at what is counted.

Written on asyncio.Protocol and httptools, because a general client costs ten times the CPU a request.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import httptools

if TYPE_CHECKING:
    from hpatui.load.pool import Route

_HAS_LENGTH = re.compile(rb"\r?\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)


class LoadConnection(asyncio.Protocol):
    """One connection; one request at a time. `done(connection, error)` is called exactly once a request.

    Until then `planned` and `sent` say when the request was due and when it went out; afterwards `status`, `size` (bytes)
    and `pod` (the X-Pod-Name header, where asked for) tell of the answer.
    """

    __slots__ = (
        "_closing",
        "_done",
        "_head",
        "_headed",
        "_keep",
        "_limit",
        "_parser",
        "_transport",
        "bodiless",
        "busy",
        "choice",
        "expires",
        "planned",
        "pod",
        "route",
        "sent",
        "size",
        "status",
    )

    def __init__(self, done: Callable[[LoadConnection, str], None], expires: float, limit: int) -> None:
        self._done = done
        self._limit = limit  # bytes of an answer that are read at most
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._keep = True
        self._closing = False
        self._head = b""  # the answer up to the end of its header
        self._headed = False
        self.route: Route | None = None
        self.busy = False
        self.bodiless = False  # the request under way is a HEAD: its answer ends with the header
        self.choice = 0  # which of the plan's requests is under way
        self.expires = expires
        self.planned = self.sent = 0.0
        self.status = self.size = 0
        self.pod = ""

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._keep and not self._closing and self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, data: bytes, planned: float, now: float) -> None:
        """Send a prebuilt request."""
        assert self._transport is not None
        self.planned, self.sent = planned, now
        self.busy = True
        self.size = 0
        self._headed = False
        self._head = b""
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if not self.busy:
            self.close()  # an answer that nobody asked for
            return
        self.size += len(data)
        if self.size > self._limit:
            self.fail("too large")
            return
        if not self._headed:
            self._head += data
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.fail("garbage")
            return
        if self.bodiless and self._headed and self.busy:
            self.on_message_complete()
            self._parser = httptools.HttpResponseParser(self)  # the old one waits for a body

    def on_headers_complete(self) -> None:
        """Parser: the header is complete."""
        self._headed = True

    def on_message_complete(self) -> None:
        """Parser: the answer is complete."""
        if not self.busy:
            return
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer
            self._headed = False
            self._head = b""
            return
        self.status = status
        self.busy = False
        if not self._parser.should_keep_alive():
            self._keep = False
            self.close()
        self._done(self, "")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._transport = None
        if not self.busy:
            return
        if exc is None and self._headed and _HAS_LENGTH.search(self._head) is None:
            self.on_message_complete()  # an answer without a length ends with its connection
        else:
            self.busy = False
            self._done(self, "reset")

    def fail(self, error: str) -> None:
        """Give up on the request under way."""
        was_busy, self.busy = self.busy, False
        self.close()
        if was_busy:
            self._done(self, error)

    def close(self) -> None:
        """Close at once."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


class PodConnection(LoadConnection):
    """One that also reads which pod answered: the sandbox says so in a header. It costs a call for each header."""

    __slots__ = ()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: a header; only the pod's name is of interest."""
        if len(name) == 10 and name.lower() == b"x-pod-name":
            self.pod = value.decode("latin-1")[:100]
