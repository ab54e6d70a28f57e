"""The HTTP/1.1 hot path: a connection of our own that sends prebuilt bytes and looks only at what is counted.

Written on asyncio.BufferedProtocol and httptools, because a general client costs ten times the CPU a request. A server
repeats its headers, but for the date: a header that was read once, with a plain length, is known by its bytes (`Heads`),
and its body only has to be counted. All else goes through the parser.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import httptools

from hpatui.load.faults import tls_kind

if TYPE_CHECKING:
    from hpatui.load.pool import Route

STALE = "closed before the request"  # an idle connection that the server had closed when the request went out
TOO_LARGE = "too large"
_HEAD_LIMIT = 1 << 20  # bytes of a header that are read at most
_BUFFER = 1 << 18


class Call:
    """One request on its way. Times are seconds of the engine's clock; `deadline` covers connecting too.

    Afterwards `status`, `size` (bytes over the wire), `body` (bytes without the header) and `pod` tell of the answer.
    """

    __slots__ = (
        "begun",
        "bodiless",
        "body",
        "choice",
        "data",
        "deadline",
        "number",
        "planned",
        "pod",
        "retried",
        "sent",
        "size",
        "status",
    )

    def __init__(self, planned: float) -> None:
        self.planned = planned
        self.begun = self.sent = self.deadline = 0.0
        self.data = b""
        self.choice = self.number = 0
        self.bodiless = self.retried = False
        self.status = self.size = self.body = 0
        self.pod = ""


Done = Callable[["LoadConnection", Call, str], None]


class Reading:
    """What the parser says of one answer; `complete` is set at its end, interim answers (1xx) left out."""

    __slots__ = (
        "_parser",
        "bad",
        "bodiless",
        "complete",
        "extra",
        "has_length",
        "headed",
        "keep",
        "length",
        "plain",
        "pod",
        "status",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.bad = self.bodiless = self.complete = self.extra = self.has_length = self.headed = False
        self.plain = True  # one Content-Length at most, and nothing else that says how the body ends
        self.keep = True
        self.length = 0
        self.status = 0
        self.pod = ""

    def feed(self, data: bytes | memoryview) -> bool:
        """Read on; False where that is no HTTP."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        return not self.bad

    def on_message_begin(self) -> None:
        """Parser: an answer begins."""
        self.extra = self.extra or self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: a header; those that say where the body ends, and the sandbox's pod."""
        lower = name.lower()
        if lower == b"content-length":
            self.plain = self.plain and not self.has_length and value.isdigit()
            self.has_length = True
            self.length = int(value) if value.isdigit() and len(value) < 20 else 0
        elif lower in (b"transfer-encoding", b"upgrade"):
            self.plain, self.has_length = False, True
        elif lower == b"x-pod-name":
            self.pod = value.decode("latin-1")[:100]

    def on_headers_complete(self) -> None:
        """Parser: the header is complete."""
        if self.complete:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.bad = self.status < 100
            return
        self.headed = True
        self.keep = self._parser.should_keep_alive()
        if self.bodiless:
            self.complete = True

    def on_message_complete(self) -> None:
        """Parser: the answer is complete."""
        if self.complete:
            return
        if self.status < 200:  # an interim one: its headers say nothing about the answer
            self.has_length, self.plain = False, True
        else:
            self.keep = self._parser.should_keep_alive()
            self.complete = True


class Head:
    """A header that is known: what it says of its answer."""

    __slots__ = ("keep", "length", "pod", "status")

    def __init__(self, status: int, length: int, keep: bool, pod: str) -> None:
        self.status, self.length, self.keep, self.pod = status, length, keep, pod


class Heads:
    """The headers that were seen lately, by their bytes; shared by the connections of a run, as is the buffer."""

    _MOST = 1000

    def __init__(self) -> None:
        self.known: dict[bytes, Head | None] = {}
        self.buffer = bytearray(_BUFFER)
        self.view = memoryview(self.buffer)

    def learn(self, head: bytes) -> Head | None:
        """Read a header; None where the parser has to read its answer."""
        if len(self.known) >= self._MOST:
            self.known.clear()
        reading = Reading()
        found = None
        if reading.feed(head) and reading.headed and reading.plain:
            bodiless = reading.status in (204, 304)
            if bodiless or reading.has_length:
                found = Head(reading.status, 0 if bodiless else reading.length, reading.keep, reading.pod)
        self.known[head] = found
        return found


class LoadConnection(asyncio.BufferedProtocol):
    """One connection; one request at a time. `done(connection, call, error)` is called exactly once a request."""

    __slots__ = (
        "_done",
        "_heads",
        "_keep",
        "_left",
        "_limit",
        "_reading",
        "_transport",
        "call",
        "expires",
        "head",
        "pod",
        "route",
        "served",
    )

    def __init__(self, done: Done, heads: Heads, expires: float, limit: float) -> None:
        """`limit`: bytes of a body from which it is an error."""
        self._done = done
        self._heads = heads
        self._limit = limit
        self._transport: asyncio.Transport | None = None
        self._reading: Reading | None = None
        self._keep = True
        self._left = 0  # bytes of the body that are missing yet, where its header was known
        self.head = 0  # bytes of the header
        self.call: Call | None = None
        self.route: Route | None = None
        self.expires = expires
        self.served = 0
        self.pod = ""

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._keep and self._transport is not None

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests under way."""
        return () if self.call is None else (self.call,)

    def ready(self) -> str:
        """What is wrong with a connection that was just opened; empty: nothing."""
        return "" if self._transport is not None else "reset"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, call: Call, now: float) -> None:
        """Send a prebuilt request."""
        call.sent = now
        self.call = call
        self._left = self.head = 0
        if self._transport is not None:
            self._transport.write(call.data)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Every connection reads into the same memory: what was read is dealt with before the next read."""
        return self._heads.view

    def buffer_updated(self, nbytes: int) -> None:
        call = self.call
        if call is None:
            self.close()  # an answer that nobody asked for
            return
        call.size += nbytes
        if self._left:
            self._left -= nbytes
            self._body_read(call)
        elif self._reading is not None or call.bodiless or call.size != nbytes:
            self._parse(call, nbytes)
        else:
            heads = self._heads
            end = heads.buffer.find(b"\r\n\r\n", 0, nbytes) + 4
            head = bytes(heads.view[:end]) if end > 3 else b""
            known = heads.known.get(head) if head else None
            if known is None and head and head not in heads.known:
                known = heads.learn(head)
            if known is None:
                self._parse(call, nbytes)
                return
            call.status, self.head = known.status, end
            self._keep = self._keep and known.keep
            call.pod = known.pod
            self._left = known.length - nbytes + end
            self._body_read(call)

    def _body_read(self, call: Call) -> None:
        """A part of a body whose length is known has come."""
        if self._left > 0:
            if call.size - self.head > self._limit:
                self.fail(call, TOO_LARGE)
            return
        if self._left < 0:
            self._keep = False  # more than was promised
            call.size += self._left
            self._left = 0
        self._complete(call)

    def _parse(self, call: Call, nbytes: int) -> None:
        reading = self._reading
        if reading is None:
            reading = self._reading = Reading()
            reading.bodiless = call.bodiless
        headed = reading.headed
        good = reading.feed(self._heads.view[:nbytes])
        if reading.headed and not headed:
            self.head = call.size - nbytes + max(0, self._heads.buffer.find(b"\r\n\r\n", 0, nbytes)) + 4
        if not good and not reading.complete:
            self.fail(call, "garbage")
        elif call.size - self.head > (self._limit if reading.headed else _HEAD_LIMIT):
            self.fail(call, TOO_LARGE)
        elif reading.complete:
            self._keep = self._keep and reading.keep and not reading.extra and good
            self._read(call, reading)

    def _read(self, call: Call, reading: Reading) -> None:
        """The parser has read an answer."""
        call.status, call.pod = reading.status, reading.pod
        self._reading = None
        self._complete(call)

    def _complete(self, call: Call) -> None:
        call.body = max(0, call.size - self.head)
        self.call = None
        self.served += 1
        if not self._keep:
            self.close()
        if self._limit < call.body:
            self._done(self, call, TOO_LARGE)
        else:
            self._done(self, call, "")

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        call, reading = self.call, self._reading
        if call is None:
            return
        if exc is None and reading is not None and reading.headed and not reading.has_length:
            self._read(call, reading)  # an answer without a length ends with its connection
            return
        self.call = None
        if isinstance(exc, ssl.SSLError):
            self._done(self, call, tls_kind(exc))
        else:
            self._done(self, call, STALE if self.served and not call.size else "reset")

    def fail(self, call: Call, error: str) -> None:
        """Give up on the request under way."""
        self.call = None
        self.close()
        self._done(self, call, error)

    def close(self) -> None:
        """Close at once."""
        self._keep = False
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def forget(self) -> None:
        """Close without telling anybody."""
        self.call = None
        self.close()
