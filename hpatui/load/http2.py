"""HTTP/2, by h2: a connection that carries several requests. Deadlines, counts and renewal are those of HTTP/1.1."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from hpatui.load.connection import STALE, TOO_LARGE, Call
from hpatui.load.faults import tls_kind
from hpatui.load.requests import Template, numbered_text

if TYPE_CHECKING:
    from hpatui.load.pool import Route

STREAMS = 100  # requests that share a connection at most, where the server allows so many
NO_HTTP2 = "the target speaks no HTTP/2"
_WINDOW = 1 << 24  # bytes of answers that may be under way: large, so that it never slows a server down
_REFUSED = "refused stream"
Done = Callable[["Http2Connection", Call, str], None]


class Http2Connection(asyncio.Protocol):
    """One connection; `done(connection, call, error)` is called exactly once a request."""

    def __init__(self, done: Done, templates: list[Template], expires: float, limit: float, *, tls: bool) -> None:
        """`limit`: bytes of a body from which it is an error."""
        self._done, self._templates, self._limit, self._tls = done, templates, limit, tls
        self._session = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._session.local_settings.update({SettingCodes.ENABLE_PUSH: 0, SettingCodes.INITIAL_WINDOW_SIZE: _WINDOW})
        self._transport: asyncio.Transport | None = None
        self._streams: dict[int, Call] = {}
        self._unsent: dict[int, bytes] = {}  # bodies that wait for the server's window
        self._keep = True
        self._most = STREAMS
        self._heard = False  # the server has said anything in HTTP/2
        self.route: Route | None = None
        self.expires = expires
        self.served = 0
        self.pod = ""

    @property
    def usable(self) -> bool:
        """Whether it takes new requests at all."""
        return self._keep and self._transport is not None

    @property
    def free(self) -> int:
        """How many more requests it may carry now."""
        return max(0, self._most - len(self._streams)) if self.usable else 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests under way."""
        return tuple(self._streams.values())

    def ready(self) -> str:
        """What is wrong with a connection that was just opened; empty: nothing."""
        if self._transport is None:
            return "reset"
        if self._tls:
            session: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
            if session is not None and session.selected_alpn_protocol() != "h2":
                return NO_HTTP2
        return ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._session.initiate_connection()
        self._session.increment_flow_control_window(_WINDOW)
        self._flush()

    def send(self, call: Call, now: float) -> None:
        """Send a request."""
        call.sent = now
        template = self._templates[call.choice]
        headers, body = template.headers, template.body
        if template.numbered:
            headers = [(name, numbered_text(value, call.number)) for name, value in headers]
            body = numbered_text(body, call.number)
        stream = self._session.get_next_available_stream_id()
        self._streams[stream] = call
        try:
            self._session.send_headers(stream, headers, end_stream=not body)
        except ProtocolError:
            self._finish(stream, "reset")
            return
        if body:
            self._unsent[stream] = body
            self._push(stream)
        self._flush()

    def _push(self, stream: int) -> None:
        """As much of a body as the server's window takes."""
        session, body = self._session, self._unsent.pop(stream, b"")
        while body:
            room = min(session.local_flow_control_window(stream), session.max_outbound_frame_size, len(body))
            if room <= 0:
                self._unsent[stream] = body
                return
            session.send_data(stream, body[:room], end_stream=room == len(body))
            body = body[room:]

    def _flush(self) -> None:
        if self._transport is not None:
            data = self._session.data_to_send()
            if data:
                self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        try:
            events = self._session.receive_data(data)
        except (ProtocolError, ValueError, IndexError, KeyError):
            self._flush()
            self._lost("reset" if self._heard else "garbage")
            return
        self._heard = True
        for event in events:
            self._take(event)
        self._flush()

    def _take(self, event: Event) -> None:
        if isinstance(event, (ResponseReceived, DataReceived, StreamEnded, StreamReset)):
            stream = event.stream_id or 0
            call = self._streams.get(stream)
            if isinstance(event, DataReceived) and event.flow_controlled_length:
                self._session.acknowledge_received_data(event.flow_controlled_length, stream)
            if call is not None:
                self._answer(event, stream, call)
        elif isinstance(event, RemoteSettingsChanged):
            self._most = min(STREAMS, self._session.remote_settings.max_concurrent_streams)
        elif isinstance(event, WindowUpdated):
            for stream in [event.stream_id] if event.stream_id else list(self._unsent):
                self._push(stream)
        elif isinstance(event, ConnectionTerminated):
            self._keep = False
            last = event.last_stream_id or 0
            for stream in [stream for stream in self._streams if stream > last]:
                self._finish(stream, STALE)  # not processed (RFC 9113, 6.8)

    def _answer(self, event: Event, stream: int, call: Call) -> None:
        """An event of a request that is under way."""
        if isinstance(event, ResponseReceived):
            for name, value in event.headers or ():
                if name == b":status":
                    call.status = int(value)
                elif name == b"x-pod-name":
                    call.pod = bytes(value).decode("latin-1")[:100]
        elif isinstance(event, DataReceived):
            call.size += len(event.data or b"")
            call.body = call.size
            if call.size > self._limit:
                self.fail(call, TOO_LARGE)
        elif isinstance(event, StreamEnded):
            self._finish(stream, "")
        elif isinstance(event, StreamReset):
            unprocessed = event.error_code == ErrorCodes.REFUSED_STREAM
            self._finish(stream, STALE if unprocessed else "reset")

    def _finish(self, stream: int, error: str) -> None:
        call = self._streams.pop(stream)
        self._unsent.pop(stream, None)
        self.served += not error
        self._done(self, call, error)

    def fail(self, call: Call, error: str) -> None:
        """Give up on a request under way; the others go on."""
        for stream in [stream for stream, other in self._streams.items() if other is call]:
            try:
                self._session.reset_stream(stream, ErrorCodes.CANCEL)
            except ProtocolError:
                self._keep = False
            self._flush()
            self._finish(stream, error)

    def _lost(self, error: str) -> None:
        """The connection is of no use any more."""
        self.close()
        for stream in list(self._streams):
            call = self._streams[stream]
            idle = error == "reset" and self.served and not call.status and not call.size
            self._finish(stream, STALE if idle else error)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost(tls_kind(exc) if isinstance(exc, ssl.SSLError) else "reset")

    def close(self) -> None:
        """Close at once."""
        self._keep = False
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def forget(self) -> None:
        """Close without telling anybody."""
        self._streams.clear()
        self.close()
