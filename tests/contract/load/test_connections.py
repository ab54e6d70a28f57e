"""How answers end, and which connections and pods the requests take."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from hpatui.load.plan import RequestSpec
from hpatui.load.run import LoadRun, Sampled
from hpatui.load.target import Target
from tests.contract.load.servers import OK, Handler, answer_all, plan_of, route_of, run_of, serving


@pytest.mark.parametrize("model", ["open", "closed"])
@pytest.mark.parametrize("length", [30, 0])
async def test_the_answer_to_a_head_ends_with_its_header(model: str, length: int) -> None:
    async def head_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HEAD ")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            answers.append(1)
            await asyncio.sleep(0.02)

    answers: list[int] = []
    plan = plan_of(20, 1, model=model, concurrency=1, requests=(RequestSpec("HEAD"),), timeout=1.0)
    async with serving(head_only) as target:
        _, ended = await run_of(plan, target)
    assert ended.totals.errors == {}
    assert ended.totals.ok == len(answers) >= 5


@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nhello", {}),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello", {}),
        (b"HTTP/1.1 204 No Content\r\n\r\n", {}),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhello", {}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nhello", {"reset": 10}),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", {"reset": 10}),
        (b"HTTP/1.1 200 OK\r\nX-Half", {"reset": 10}),
    ],
    ids=["http-1.0", "close", "204", "interim", "cut-short", "cut-chunk", "cut-header"],
)
async def test_an_answer_without_a_length_ends_with_its_connection(answer: bytes, errors: dict[str, int]) -> None:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        half = len(answer) // 2
        writer.write(answer[:half])
        await asyncio.sleep(0.02)
        writer.write(answer[half:])
        await writer.drain()

    async with serving(one) as target:
        _, ended = await run_of(plan_of(10, 1, breaker=False), target)
    assert ended.totals.errors == errors
    assert ended.totals.ok + ended.totals.failed == 10


async def test_the_closed_model_goes_on_when_the_server_has_recovered() -> None:
    healthy = False

    async def later(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while healthy:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await asyncio.sleep(0.02)

    async with serving(later) as target:
        run = LoadRun()
        await run.start(plan_of(1, 30, model="closed", concurrency=8), target)
        probes, recovered = [], False
        async for report in run.reports():
            assert isinstance(report, Sampled)
            sample = report.sample
            if sample.breaker_open and not healthy:
                probes.append(sample.sent)
                healthy = len(probes) == 3
            if healthy and sample.ok > 50 and sample.in_flight == 8:
                recovered = True
                break
        await run.stop()
    assert probes[2] <= 5
    assert recovered


def _counting(counts: list[int], index: int) -> Handler:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            counts[index] += 1
            writer.write(OK)

    return handler


async def test_each_pod_gets_its_share_and_a_new_one_at_once() -> None:
    counts = [0, 0, 0]
    async with AsyncExitStack() as stack:
        targets = [await stack.enter_async_context(serving(_counting(counts, i))) for i in range(3)]
        routes = tuple(route_of(target, f"pod-{i}") for i, target in enumerate(targets))
        run = LoadRun()
        await run.start(plan_of(60, 4), replace(targets[0], routes=routes[:2]))
        seconds: list[dict[str, int]] = []
        async for report in run.reports():
            if isinstance(report, Sampled):
                seconds.append(dict(report.sample.per_pod))
                if len(seconds) == 1:
                    run.set_routes(routes[1:])
    for second, pods in ((0, {"pod-0", "pod-1"}), (2, {"pod-1", "pod-2"})):  # between them, they change
        assert set(seconds[second]) == pods
        assert max(seconds[second].values()) - min(seconds[second].values()) <= 2
    assert sum(counts) == 240


async def test_without_any_pod_requests_fail_as_such_until_there_is_one() -> None:
    async with serving(answer_all) as target:
        run = LoadRun()
        await run.start(plan_of(20, 5, breaker=False), replace(target, routes=(route_of(target, "pod-0"),)))
        errors: list[dict[str, int]] = []
        async for report in run.reports():
            if isinstance(report, Sampled):
                errors.append(dict(report.sample.errors))
                if len(errors) == 1:
                    run.set_routes([])
                if len(errors) == 3:
                    run.set_routes([route_of(target, "pod-0")])
    assert (errors[0], list(errors[2]), errors[4]) == ({}, ["no pod"], {})
    assert 18 <= errors[2]["no pod"] <= 22  # 20, but for what falls on the border of a second


async def test_more_than_the_cap_of_connections_is_unserved_and_never_sent_later() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(1.5)
            writer.write(OK)

    async with serving(silent) as target:
        samples, ended = await run_of(plan_of(40, 3, connections=5), target)
    assert ended.totals.in_flight_max == 5
    assert ended.totals.requests + ended.totals.unserved == 120
    assert max(sample.sent for sample in samples) <= 10


async def test_an_unresolvable_host_is_an_error_of_its_kind() -> None:
    target = Target("http://no-such-host.invalid/", "test")
    _, ended = await run_of(plan_of(5, 1, breaker=False, timeout=3.0), target)
    assert (ended.totals.ok, ended.totals.failed + ended.totals.unserved) == (0, 5)
    assert set(ended.totals.errors) <= {"dns", "connect timeout"}
