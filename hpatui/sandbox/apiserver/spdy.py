"""SPDY/3.1 framing, as far as kubectl's port-forward uses it: streams that open, carry data and close.

Frames: control (1 bit, version 15, type 16, flags 8, length 24) or data (0 bit, stream id 31, flags 8, length 24).
Headers are zlib streams with a dictionary that the protocol gives; one stream a direction for the whole connection.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length "
    "content-location content-md5 content-range content-type date etag expect expires from host if-match "
    "if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma "
    "proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200~OK version HTTP/1.1 url public set-cookie "
    "keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug "
    "Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdch"
    "charset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
_DICTIONARY = (
    b"".join(struct.pack(">I", len(word)) + word.encode() for word in (w.replace("~", " ") for w in _WORDS.split()))
    + _TAIL.encode()
)

_SYN_STREAM, _SYN_REPLY, _RST, _PING, _GOAWAY = 1, 2, 3, 6, 7
_FIN = 1
_HEADER = struct.Struct(">II")
_MOST_FRAME = 1 << 20  # bytes; spdystream writes at most 32 KiB at once
_MOST_DATA = 16 * 1024


class SpdyError(ValueError):
    """The peer does not speak the protocol."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The peer opened a stream."""

    stream: int
    headers: dict[str, str]
    fin: bool


@dataclass(frozen=True, slots=True)
class Data:
    """The peer sent data on a stream; `fin`: nothing more will come on it."""

    stream: int
    data: bytes
    fin: bool


@dataclass(frozen=True, slots=True)
class Reset:
    """The peer gave up a stream."""

    stream: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The peer closes the connection."""


Event = Opened | Data | Reset | Ended


class Framer:
    """The server's side of one connection, without input or output: `feed` bytes in, `write` gets bytes out."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=_DICTIONARY)
        self._deflate = zlib.compressobj(zdict=_DICTIONARY)

    def feed(self, data: bytes) -> list[Event]:
        """What the peer says with these bytes; SpdyError if it makes no sense."""
        self._buffer += data
        events: list[Event] = []
        while len(self._buffer) >= 8:
            first, second = _HEADER.unpack_from(self._buffer)
            size, flags = second & 0xFFFFFF, second >> 24
            if size > _MOST_FRAME:
                raise SpdyError(f"a frame of {size} bytes")
            if len(self._buffer) < 8 + size:
                break
            body = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            if first & 0x80000000:
                events += self._control(first & 0xFFFF, flags, body)
            else:
                events.append(Data(first, body, bool(flags & _FIN)))
        return events

    def _control(self, kind: int, flags: int, body: bytes) -> list[Event]:
        if kind == _SYN_STREAM:
            if len(body) < 10:
                raise SpdyError("a short SYN_STREAM")
            stream = struct.unpack_from(">I", body)[0] & 0x7FFFFFFF
            return [Opened(stream, self._headers(body[10:]), bool(flags & _FIN))]
        if kind == _RST and len(body) >= 4:
            return [Reset(struct.unpack_from(">I", body)[0] & 0x7FFFFFFF)]
        if kind == _PING:
            self._write(_HEADER.pack(0x80030000 | _PING, len(body)) + body)
        return [Ended()] if kind == _GOAWAY else []

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            text = self._inflate.decompress(block)
            count, at = struct.unpack_from(">I", text)[0], 4
            headers = {}
            for _ in range(count):
                pair = []
                for _ in range(2):
                    size = struct.unpack_from(">I", text, at)[0]
                    pair.append(text[at + 4 : at + 4 + size].decode())
                    at += 4 + size
                headers[pair[0].lower()] = pair[1]
            return headers
        except (zlib.error, struct.error, UnicodeDecodeError) as error:
            raise SpdyError(f"headers: {error}") from error

    def reply(self, stream: int) -> None:
        """Accept a stream."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack(">I", stream) + block
        self._write(_HEADER.pack(0x80030000 | _SYN_REPLY, len(body)) + body)

    def send(self, stream: int, data: bytes, *, fin: bool = False) -> None:
        """Send data on a stream, in frames; with `fin` the last of it."""
        chunks = [data[start : start + _MOST_DATA] for start in range(0, len(data), _MOST_DATA)] or [b""]
        for index, chunk in enumerate(chunks):
            flags = _FIN if fin and index == len(chunks) - 1 else 0
            self._write(_HEADER.pack(stream, flags << 24 | len(chunk)) + chunk)

    def reset(self, stream: int) -> None:
        """Refuse a stream."""
        self._write(_HEADER.pack(0x80030000 | _RST, 8) + struct.pack(">II", stream, 5))
