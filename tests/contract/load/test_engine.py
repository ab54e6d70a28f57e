"""The engine in its own process against real servers on loopback, bounded in count and time."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import h2.config
import h2.connection
import h2.events
import pytest

from hpatui.load.plan import RequestSpec
from hpatui.load.run import Finished, LoadRun, Sampled
from hpatui.model import LoadSample
from tests.contract.load.servers import OK, answer_all, plan_of, run_of, serving
from tests.terminal.driver import alive


async def test_the_ordered_requests_arrive_and_are_counted() -> None:
    arrivals: list[bytes] = []

    async def log(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            arrivals.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(OK)

    async with serving(log) as target:
        samples, ended = await run_of(plan_of(50, 2), replace(target, headers={"X-Test": "yes"}, sandbox=True))
    assert ended.totals.requests == len(arrivals) == 100
    assert (ended.totals.ok, ended.totals.failed, ended.totals.unserved) == (100, 0, 0)
    assert ended.totals.statuses == {"200": 100}
    assert sum(sample.per_pod.get("pod-1", 0) for sample in samples) == 100
    assert arrivals[0].startswith(b"GET / HTTP/1.1\r\n")
    assert b"hpatui/" in arrivals[0]
    assert b"X-Test: yes" in arrivals[0]


async def test_the_service_time_is_the_server_s() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.1)
            writer.write(OK)

    async with serving(slow) as target:
        _, ended = await run_of(plan_of(30, 2, model="closed", concurrency=1), target)
    service = ended.summary["service_time_ms"]["p50"]
    assert service is not None and service >= 95


@pytest.mark.parametrize(
    ("kind", "handler"),
    [
        ("garbage", b"this is no HTTP\r\n\r\n"),
        ("reset", None),
        ("http 500", b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"),
        ("too large", b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 3_000_000),
    ],
    ids=["garbage", "reset", "500", "too-large"],
)
async def test_failures_are_counted_by_kind(kind: str, handler: bytes | None) -> None:
    async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if handler is not None:
            writer.write(handler)
            await writer.drain()

    async with serving(misbehave) as target:
        _, ended = await run_of(plan_of(20, 1, breaker=False, max_body=1 << 20), target)
    assert ended.totals.failed == ended.totals.requests >= 15  # on a busy machine some stay unserved
    assert set(ended.totals.errors) == {kind}


async def test_nobody_listens() -> None:
    async with serving(answer_all) as target:
        pass
    _, ended = await run_of(plan_of(20, 1, breaker=False), target)
    assert set(ended.totals.errors) == {"refused"}


async def test_an_answer_that_never_ends_is_a_timeout() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await asyncio.sleep(0.05)

    async with serving(drip) as target:
        _, ended = await run_of(plan_of(10, 1, timeout=0.5, breaker=False), target)
    assert ended.totals.errors.get("timeout", 0) >= 8


async def test_when_everything_fails_only_probes_go_on() -> None:
    async with serving(answer_all) as target:
        pass
    samples, ended = await run_of(plan_of(100, 9), target)
    assert samples[0].failed >= 90
    assert any(sample.breaker_open for sample in samples)
    assert samples[-3].sent <= 10
    assert ended.totals.unserved > 100


async def test_connections_are_renewed_by_age_or_for_each_request() -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answer_all(reader, writer)

    async with serving(count) as target:
        await run_of(plan_of(20, 1, connection_age=0.0), target)
        single, connections = connections, 0
        await run_of(plan_of(20, 1, connection_age=1e9), target)
    assert single == 20
    assert connections <= 3


async def test_the_rate_changes_and_stop_is_quick() -> None:
    async with serving(answer_all) as target:
        process = LoadRun()
        await process.start(plan_of(10, 60), target)
        seen: list[int] = []
        async for report in process.reports():
            assert isinstance(report, Sampled)
            seen.append(report.sample.sent)
            if len(seen) == 1:
                process.set_rate(100)
            if len(seen) == 4:
                break
        begin = time.monotonic()
        await process.stop()
        assert time.monotonic() - begin < 2.0  # half a second on a quiet machine
        assert not process.running
    assert seen[0] <= 12
    assert max(seen[2:]) >= 90


async def test_a_pause_sends_nothing() -> None:
    async with serving(answer_all) as target:
        process = LoadRun()
        await process.start(plan_of(50, 60), target)
        samples: list[LoadSample] = []
        async for report in process.reports():
            assert isinstance(report, Sampled)
            samples.append(report.sample)
            if len(samples) == 1:
                process.pause()
            if len(samples) == 4:
                process.resume()
            if len(samples) == 6:
                break
        await process.stop()
    assert samples[2].sent == samples[3].sent == 0
    assert 20 <= samples[5].sent <= 60


def test_the_engine_dies_with_its_parent() -> None:
    code = (
        "import asyncio, sys, time\n"
        "from hpatui.load.run import LoadRun\n"
        "from hpatui.load.plan import LoadPlan\n"
        "from hpatui.load.target import Target\n"
        "async def main():\n"
        "    p = LoadRun()\n"
        "    await p.start(LoadPlan(duration=60), Target('http://127.0.0.1:1/', 'x'))\n"
        "    print(p._workers[0]._process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert alive(child)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait(10)
    end = time.monotonic() + 10
    while alive(child) and time.monotonic() < end:
        time.sleep(0.05)
    assert not alive(child)


async def test_two_workers_send_the_ordered_rate_together() -> None:
    arrivals: list[float] = []

    async def log(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            arrivals.append(asyncio.get_running_loop().time())
            writer.write(OK)

    async with serving(log) as target:
        run = LoadRun()
        await run.start(plan_of(60, 2), target, workers=2)
        reports = [report async for report in run.reports()]
    last = reports[-1]
    assert isinstance(last, Finished)
    assert last.totals.requests == len(arrivals) == 120
    assert last.totals.ok == 120
    assert last.response.total == 120


async def test_each_request_has_its_number_and_a_true_length() -> None:
    bodies: list[bytes] = []

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            bodies.append(head.split(b" ")[1] + b" " + await reader.readexactly(length))
            writer.write(OK)

    spec = RequestSpec("POST", "order/{{id}}", {}, b'{"order": "{{id}}"}')
    async with serving(read) as target:
        _, ended = await run_of(plan_of(10, 1, requests=(spec,)), target)
    assert ended.totals.ok == 10
    assert len(set(bodies)) == 10
    assert b'/order/0000000003 {"order": "0000000003"}' in bodies


async def test_the_weights_of_endpoints_are_kept_and_each_expects_its_own_status() -> None:
    paths: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
            paths.append(path)
            status = b"404 Not Found" if path == b"/gone" else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")

    specs = (RequestSpec("GET", "a", weight=3.0), RequestSpec("GET", "gone", weight=1.0, expect=(404,)))
    async with serving(answer) as target:
        _, ended = await run_of(plan_of(200, 2, requests=specs, seed=5), target)
    assert ended.totals.failed == 0
    assert paths.count(b"/gone") / len(paths) == pytest.approx(0.25, abs=0.08)


async def test_a_server_without_http2_is_an_error_not_a_hang() -> None:
    async with serving(answer_all) as target:
        _, ended = await run_of(plan_of(20, 1, http2=True, timeout=1.0, breaker=False), target)
    assert set(ended.totals.errors) <= {"garbage", "reset", "timeout"}
    assert ended.totals.requests == 20


async def test_http2_requests_share_a_connection_and_are_counted() -> None:
    connections = 0

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        session.initiate_connection()
        writer.write(session.data_to_send())
        while data := await reader.read(65536):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    session.send_headers(event.stream_id, [(":status", "200"), ("content-length", "2")])
                    session.send_data(event.stream_id, b"ok", end_stream=True)
            writer.write(session.data_to_send())

    async with serving(speak) as target:
        _, ended = await run_of(plan_of(30, 1, http2=True), target)
    assert (ended.totals.requests, ended.totals.ok, ended.totals.bytes) == (30, 30, 60)
    assert connections == 1
