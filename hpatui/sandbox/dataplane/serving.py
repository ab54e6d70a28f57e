"""HTTP/1.1 as a pod serves it: every request costs CPU time of the pod, and its answer waits for that.

The protocol is written on asyncio.Protocol and httptools because it must never be the bottleneck of a load test.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools

from hpatui.sandbox.cpu import VirtualCpu
from hpatui.sandbox.dataplane.neighbours import Neighbours, is_local

_FREE = (b"/healthz", b"/readyz", b"/livez")  # probes cost nothing
_TOO_MANY_PIPELINED = 64
_OVERLOADED = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n"
    b"Retry-After: 1\r\n\r\noverloaded\n"
)
_MOST_HEAD = 64 * 1024
_FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Pod:
    """One pod's server: its CPU, its connections, and its listener's port."""

    def __init__(
        self, uid: str, name: str, cpu: VirtualCpu, cost: float, body: str, touched: Callable[[Pod], None]
    ) -> None:
        self.uid = uid
        self.cpu = cpu
        self.cost = cost
        self.draining = False
        self.connections: set[HttpConnection] = set()
        self.listener: asyncio.Server | None = None
        self.touched = touched
        payload = body.encode()
        head = f"HTTP/1.1 200 OK\r\nServer: hpatui-sandbox\r\nX-Pod-Name: {name}\r\nContent-Type: text/html\r\n"
        self.answer_head = f"{head}Content-Length: {len(payload)}\r\n\r\n".encode()
        self.answer = self.answer_head + payload
        self.last_answer = f"{head}Connection: close\r\nContent-Length: {len(payload)}\r\n\r\n".encode() + payload

    def admit(self, now: float) -> float | None:
        """Take one request: when it is answered, or None when there are too many."""
        self.touched(self)
        return self.cpu.admit(now, self.cost)

    def drain(self) -> None:
        """Take no more connections; close the idle ones now and the others after their answer."""
        self.draining = True
        self._close_listener()
        for connection in list(self.connections):
            connection.drain()

    def stop(self) -> None:
        """Close everything at once, as a killed process does."""
        self.draining = True
        self._close_listener()
        for connection in list(self.connections):
            connection.abort()

    def _close_listener(self) -> None:
        if self.listener is not None:
            self.listener.close()
            self.listener = None


class HttpConnection(asyncio.Protocol):
    """One client connection to one pod. Answers keep the order of requests.

    Who the client is is asked once, and the first request's head is looked at: a web page's are all alike.
    """

    __slots__ = ("_due", "_head", "_loop", "_neighbours", "_parser", "_path", "_timer", "_transport", "pod")

    def __init__(self, pod: Pod, loop: asyncio.AbstractEventLoop, neighbours: Neighbours) -> None:
        self.pod = pod
        self._loop = loop
        self._neighbours = neighbours
        self._head: bytes | None = b""  # what came of the first request; None once it was looked at
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._path = b""
        self._due: deque[tuple[float, bytes, bool]] = deque()  # when, answer, close after it
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        self._transport = cast(asyncio.Transport, transport)
        if not self._neighbours.may(self._transport):
            self._transport.abort()
            return
        self.pod.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; work already taken goes on, as in a server that does not look."""
        self.pod.connections.discard(self)
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Bytes of one or more requests."""
        if self._head is not None:
            self._head = (self._head + data)[:_MOST_HEAD]
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse()
        except httptools.HttpParserError:
            self._refuse()
        if len(self._due) > _TOO_MANY_PIPELINED and self._transport is not None:
            self._transport.pause_reading()

    def on_url(self, url: bytes) -> None:
        """Parser: the request's target."""
        self._path = url

    def on_message_complete(self) -> None:
        """Parser: a request is complete."""
        if self._head is not None:
            local, self._head = is_local(self._head.partition(b"\r\n\r\n")[0]), None
            if not local:
                self._write(_FORBIDDEN, True)
        if self._transport is None or self._transport.is_closing():
            return
        now = self._loop.time()
        pod, parser = self.pod, self._parser
        close = pod.draining or not parser.should_keep_alive()
        head_only = parser.get_method() == b"HEAD"
        finish = now if self._path in _FREE else pod.admit(now)
        if finish is None:
            finish, answer = now, _OVERLOADED
        elif head_only:
            answer = pod.answer_head
        else:
            answer = pod.last_answer if close else pod.answer
        due = self._due
        if due:
            finish = max(finish, due[-1][0])
        elif finish <= now:
            self._write(answer, close)
            return
        due.append((finish, answer, close))
        if self._timer is None:
            self._timer = self._loop.call_at(finish, self._answer_due)

    def _answer_due(self) -> None:
        self._timer = None
        due, now = self._due, self._loop.time() + 0.001
        while due and due[0][0] <= now:
            _, answer, close = due.popleft()
            self._write(answer, close)
        if due:
            self._timer = self._loop.call_at(due[0][0], self._answer_due)
        elif self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            if self.pod.draining:
                self._transport.close()

    def _write(self, answer: bytes, close: bool) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(answer)
        if close:
            transport.close()

    def _refuse(self) -> None:
        self._write(_BAD_REQUEST, True)

    def drain(self) -> None:
        """Close now if nothing is in flight, else after the last answer."""
        if not self._due and self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Reset the connection."""
        if self._transport is not None:
            self._transport.abort()
