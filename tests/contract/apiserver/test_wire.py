"""SPDY frames and protobuf bodies: what clients send, and what nobody should."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpatui.sandbox.apiserver import spdy
from hpatui.sandbox.apiserver.protobuf import decode_protobuf
from hpatui.sandbox.apiserver.spdy import Data, Ended, Framer, Opened, Reset, SpdyError
from hpatui.sandbox.apiserver.status import StatusError


class Client:
    """The other side of a connection."""

    def __init__(self) -> None:
        self.deflate = zlib.compressobj(zdict=spdy._DICTIONARY)

    def open(self, stream: int, **headers: str) -> bytes:
        text = struct.pack(">I", len(headers))
        for key, value in headers.items():
            text += struct.pack(">I", len(key)) + key.encode() + struct.pack(">I", len(value)) + value.encode()
        block = self.deflate.compress(text) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        body = struct.pack(">IIH", stream, 0, 0) + block
        return struct.pack(">II", 0x80030001, len(body)) + body


def test_the_dictionary_is_the_protocols() -> None:
    assert (len(spdy._DICTIONARY), zlib.adler32(spdy._DICTIONARY)) == (1423, 0xE3C6A7C2)


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_frames_may_come_in_any_pieces(size: int) -> None:
    client = Client()
    stream = client.open(1, streamType="error", port="80", requestID="0") + client.open(3, streamtype="data", port="80")
    stream += struct.pack(">II", 3, 0x01000005) + b"hello" + struct.pack(">III", 0x80030003, 4, 1)
    stream += struct.pack(">II", 0x80030007, 0)
    framer = Framer(lambda data: None)
    events = [event for at in range(0, len(stream), size) for event in framer.feed(stream[at : at + size])]
    assert events == [
        Opened(1, {"streamtype": "error", "port": "80", "requestid": "0"}, False),
        Opened(3, {"streamtype": "data", "port": "80"}, False), Data(3, b"hello", True), Reset(1), Ended(),
    ]  # fmt: skip


def test_what_the_server_sends() -> None:
    sent: list[bytes] = []
    framer = Framer(sent.append)
    framer.send(3, b"x" * 20_000, fin=True)
    lengths = [struct.unpack(">II", frame[:8])[1] for frame in sent]
    assert lengths == [16_384, 0x01000000 | 3_616]
    framer.feed(struct.pack(">III", 0x80030006, 4, 77))
    assert sent[-1] == struct.pack(">III", 0x80030006, 4, 77), "a ping comes back"


@given(st.binary(max_size=200))
def test_noise_is_no_crash(noise: bytes) -> None:
    try:
        Framer(lambda data: None).feed(noise)
    except SpdyError:
        pass
    try:
        decode_protobuf(b"k8s\0" + noise)
    except StatusError as refused:
        assert refused.code in (400, 415)


def test_a_protobuf_body() -> None:
    """A ConfigMap as kubectl encodes it: empty strings and zero times are not set."""
    meta = b"\x0a\x01m" + b"\x12\x00\x1a\x00\x42\x00"
    pair = b"\x0a\x01a\x12\x01b"
    raw = b"\x0a" + bytes([len(meta)]) + meta + b"\x12" + bytes([len(pair)]) + pair
    kind = b"\x0a\x02v1\x12\x09ConfigMap"
    body = b"k8s\0\x0a" + bytes([len(kind)]) + kind + b"\x12" + bytes([len(raw)]) + raw
    assert decode_protobuf(body) == {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "b"}
    }  # fmt: skip
