"""What is sent, to the byte, and how answers that end strangely are counted."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import h2.config
import h2.connection
import h2.events
import pytest

from hpatui.errors import LoadError
from hpatui.load.plan import RequestSpec
from hpatui.load.requests import joined, template_of
from hpatui.load.target import Target
from tests.contract.load.servers import OK, Handler, answer_all, plan_of, run_of, serving


async def _heads(spec: RequestSpec, **more: object) -> list[bytes]:
    heads: list[bytes] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(OK)

    async with serving(read) as target:
        _, ended = await run_of(plan_of(10, 0.5, requests=(spec,)), replace(target, **more))  # type: ignore[arg-type]
    assert ended.totals.ok == 5
    return heads


async def test_a_header_that_is_given_twice_is_sent_twice() -> None:
    head = (await _heads(RequestSpec(headers=(("X-A", "1"), ("X-A", "2"), ("Cookie", "a=b")))))[0]
    assert (head.count(b"X-A: 1\r\n"), head.count(b"X-A: 2\r\n")) == (1, 1)


@pytest.mark.parametrize(
    ("name", "value", "gone"),
    [("user-agent", "me", b"hpatui/"), ("ACCEPT", "text/html", b"*/*"), ("hOsT", "app.test", b"127.0.0.1")],
)
async def test_a_header_in_any_case_replaces_the_default(name: str, value: str, gone: bytes) -> None:
    head = (await _heads(RequestSpec(headers=((name, value),))))[0]
    assert head.lower().count(name.lower().encode() + b":") == 1
    assert f"{name}: {value}\r\n".encode() in head
    assert gone not in head


async def test_a_plan_s_header_replaces_the_target_s() -> None:
    head = (await _heads(RequestSpec(headers={"authorization": "mine"}), headers={"Authorization": "theirs"}))[0]
    assert b"theirs" not in head and b"authorization: mine\r\n" in head


async def test_values_are_utf_8() -> None:
    head = (await _heads(RequestSpec(headers={"X-City": "Zürich 東京"})))[0]
    assert "X-City: Zürich 東京\r\n".encode() in head


@pytest.mark.parametrize(
    "headers",
    [{"Schlüssel": "x"}, {"a b": "x"}, {"": "x"}, {"X": "a\r\nInjected: yes"}, {"X\r\nY": "z"}, {"X": "a\0b"}],
)
def test_a_header_that_would_break_the_request_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(LoadError, match="cannot be built"):
        template_of(Target("http://127.0.0.1/", "t"), RequestSpec(headers=headers))


@pytest.mark.parametrize(
    ("url", "path", "whole"),
    [
        ("http://h/", "", "http://h/"),
        ("http://h/base", "a/b", "http://h/base/a/b"),
        ("http://h/base/?k=v", "a?q=1", "http://h/base/a?k=v&q=1"),
        ("http://h?k=v", "/a", "http://h/a?k=v"),
        ("http://h", "?q=1", "http://h/?q=1"),
    ],
)
def test_a_path_is_joined_with_the_target_s_own_path_and_query(url: str, path: str, whole: str) -> None:
    assert joined(url, path) == whole


def _once(answer: bytes) -> Handler:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()

    return one


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", {"reset": 5}),
        (b"HTTP/1.1 103 Early Hints\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc", {}),
        (b"HTTP/1.1 200 OK\r\n\r\nyou sent:\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\n", {}),
        (b"HTTP/1.1 000 Nope\r\nContent-Length: 0\r\n\r\n", {"garbage": 5}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", {}),
    ],
    ids=["cut-after-100", "length-in-hints", "length-in-body", "status-000", "longer-than-promised"],
)
async def test_how_an_answer_ends_is_read_from_its_own_header(answer: bytes, errors: dict[str, int]) -> None:
    async with serving(_once(answer)) as target:
        _, ended = await run_of(plan_of(10, 0.5, breaker=False), target)
    assert ended.totals.errors == errors
    assert ended.totals.ok == 5 - sum(errors.values())


@pytest.mark.parametrize("http2", [False])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_request_on_a_connection_that_was_closed_is_sent_again_once(method: str, http2: bool) -> None:
    """The server closes each connection after two answers without a word; only what may be repeated is."""
    arrivals = 0

    async def two(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal arrivals
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            arrivals += 1
            writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")  # and then it goes, as one does whose idle time is over

    plan = plan_of(
        1,
        1,
        model="closed",
        concurrency=2,
        requests=(RequestSpec(method),),
        connection_age=1e9,
        max_rate=60,
        http2=http2,
    )
    async with serving(two) as target:
        _, ended = await run_of(plan, target)
    if method == "GET":
        assert ended.totals.errors == {}
        assert ended.totals.retried > 5
        assert ended.totals.requests == arrivals
    else:
        assert set(ended.totals.errors) == {"reset"}
        assert ended.totals.retried == 0


@pytest.mark.parametrize("limit", [None, 1_500_000])
async def test_a_large_answer_is_counted_and_no_error_unless_asked_for(limit: int | None) -> None:
    async def large(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2_000_000)
            await writer.drain()

    async with serving(large) as target:
        _, ended = await run_of(plan_of(10, 0.5, max_body=limit, breaker=False), target)
    if limit is None:
        assert (ended.totals.ok, ended.totals.large, ended.totals.errors) == (5, 5, {})
    else:
        assert (ended.totals.ok, ended.totals.errors) == (0, {"too large": 5})


# HTTP/2 ---------------------------------------------------------------------------------------------------------


def _speak(connections: list[int], *, drip: bool = False, goodbye: int = 0, pause: float = 0.0) -> Handler:
    """A server of HTTP/2: `drip`: bodies that never end; `goodbye`: GOAWAY after so many requests of a connection."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = len(connections)
        connections.append(0)
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        session.initiate_connection()
        writer.write(session.data_to_send())
        tasks = set()

        async def answer(stream: int) -> None:
            await asyncio.sleep(pause)
            session.send_headers(stream, [(":status", "200")])
            while drip and not writer.is_closing():
                session.send_data(stream, b"x")
                writer.write(session.data_to_send())
                await asyncio.sleep(0.05)
            session.send_data(stream, b"ok", end_stream=True)
            if goodbye and connections[mine] == goodbye:
                session.close_connection(last_stream_id=stream)
            writer.write(session.data_to_send())

        async def guarded(stream: int) -> None:
            try:
                await answer(stream)
            except (h2.exceptions.ProtocolError, OSError):
                pass

        while data := await reader.read(65536):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.RequestReceived) and not (goodbye and connections[mine] >= goodbye):
                    connections[mine] += 1
                    tasks.add(asyncio.create_task(guarded(event.stream_id or 0)))
            writer.write(session.data_to_send())

    return handler


async def test_http2_slow_drips_time_out_and_are_counted() -> None:
    async with serving(_speak([], drip=True)) as target:
        _, ended = await run_of(plan_of(10, 1, http2=True, timeout=0.5, breaker=False), target)
    assert ended.totals.errors == {"timeout": 10}
    assert ended.totals.requests == 10
    assert ended.totals.cut_off == 0


async def test_http2_connections_are_several_and_renewed_by_age() -> None:
    connections: list[int] = []
    async with serving(_speak(connections, pause=0.1)) as target:
        _, ended = await run_of(plan_of(60, 2, http2=True, connection_age=0.5), target)
        assert (ended.totals.ok, ended.totals.errors) == (120, {})
        assert sum(connections) == 120
        assert 6 <= len(connections) <= 8 * 6  # up to eight at once, each for 0.35 s to 0.65 s
        connections.clear()
        _, ended = await run_of(plan_of(20, 1, http2=True, connection_age=0.0), target)
    assert connections == [1] * 20


async def test_http2_a_server_that_says_goodbye_loses_no_request() -> None:
    connections: list[int] = []
    async with serving(_speak(connections, goodbye=5)) as target:
        _, ended = await run_of(plan_of(50, 1, http2=True, connection_age=1e9), target)
    assert ended.totals.ok + ended.totals.failed == 50
    assert ended.totals.failed <= 2
    assert len(connections) >= 8


async def test_http2_sends_headers_bodies_and_numbers() -> None:
    got: list[tuple[dict[bytes, bytes], bytes]] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        session.initiate_connection()
        writer.write(session.data_to_send())
        headers: dict[int, dict[bytes, bytes]] = {}
        bodies: dict[int, bytes] = {}
        while data := await reader.read(65536):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers[event.stream_id or 0] = {bytes(k): bytes(v) for k, v in event.headers or ()}
                elif isinstance(event, h2.events.DataReceived):
                    stream = event.stream_id or 0
                    bodies[stream] = bodies.get(stream, b"") + (event.data or b"")
                    session.acknowledge_received_data(event.flow_controlled_length or 0, stream)
                elif isinstance(event, h2.events.StreamEnded):
                    stream = event.stream_id or 0
                    got.append((headers[stream], bodies[stream]))
                    session.send_headers(stream, [(":status", "204")], end_stream=True)
            writer.write(session.data_to_send())

    body = b"x" * 200_000 + b"{{id}}"  # more than the server's window
    spec = RequestSpec("POST", "a/{{id}}", (("X-Id", "{{id}}"),), body)
    async with serving(read) as target:
        _, ended = await run_of(plan_of(10, 0.5, http2=True, requests=(spec,)), target)
    assert ended.totals.statuses == {"204": 5}
    assert {len(sent) for _, sent in got} == {200_010}
    assert {(head[b":path"], head[b"x-id"]) for head, _ in got} == {
        (b"/a/%010d" % n, b"%010d" % n) for n in range(1, 6)
    }


async def test_a_server_of_http_1_is_said_to_speak_no_http2() -> None:
    async with serving(answer_all) as target:
        _, ended = await run_of(plan_of(10, 0.5, http2=True, timeout=1.0, breaker=False), target)
    assert ended.totals.ok == 0
    assert ended.totals.requests == 5
