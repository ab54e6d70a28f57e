"""The HTTP/1.1 hot path: a connection of our own that sends prebuilt bytes and looks only at what is counted.

Written on asyncio.Protocol and httptools, because a general client costs ten times the CPU a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools


class Exchange:
    """One request on its way: when it was planned and sent, and what came back."""

    __slots__ = ("planned", "pod", "sent", "size", "status")

    def __init__(self, planned: float, sent: float) -> None:
        self.planned = planned
        self.sent = sent
        self.status = 0
        self.size = 0
        self.pod = ""


class LoadConnection(asyncio.Protocol):
    """One connection; one request at a time. `done(connection, exchange, error)` is called exactly once a request."""

    __slots__ = (
        "_closing",
        "_done",
        "_keep",
        "_limit",
        "_loop",
        "_parser",
        "_transport",
        "exchange",
        "expires",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        done: Callable[[LoadConnection, Exchange, str], None],
        expires: float,
        limit: int,
    ) -> None:
        self._loop = loop
        self._done = done
        self._limit = limit  # bytes of a body that are read at most
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._keep = True
        self._closing = False
        self.exchange: Exchange | None = None
        self.expires = expires

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return self._transport is not None and not self._closing and self._keep

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, data: bytes, exchange: Exchange) -> None:
        """Send a prebuilt request."""
        assert self._transport is not None
        self.exchange = exchange
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:
            self.close()  # an answer that nobody asked for
            return
        exchange.size += len(data)
        if exchange.size > self._limit:
            self._finish("too large")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._finish("garbage")
        except httptools.HttpParserUpgrade:
            self._finish("garbage")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser: a header; only the pod's name is of interest."""
        if len(name) == 10 and name.lower() == b"x-pod-name" and self.exchange is not None:
            self.exchange.pod = value.decode("latin-1")[:100]

    def on_message_complete(self) -> None:
        """Parser: the answer is complete."""
        exchange, parser = self.exchange, self._parser
        if exchange is None:
            return
        exchange.status = parser.get_status_code()
        if exchange.status < 200:
            return  # an interim answer
        self._keep = parser.should_keep_alive()
        self.exchange = None
        if self._keep:
            self._done(self, exchange, "")
        else:
            self.close()
            self._done(self, exchange, "")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._transport = None
        exchange, self.exchange = self.exchange, None
        if exchange is not None:
            self._done(self, exchange, "reset")

    def _finish(self, error: str) -> None:
        exchange, self.exchange = self.exchange, None
        self.close()
        if exchange is not None:
            self._done(self, exchange, error)

    def fail(self, error: str) -> None:
        """Give up on the request under way (a timeout)."""
        self._finish(error)

    def close(self) -> None:
        """Close at once."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
