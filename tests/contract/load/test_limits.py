"""Every limit in every mode, counted where it matters: at the server."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import h2.config
import h2.connection
import h2.events
import pytest

from hpatui.errors import UsageError
from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.run import Finished, LoadRun
from hpatui.load.target import Target
from tests.contract.load.servers import OK, route_of, run_of, serving


@dataclass
class Seen:
    """What a server saw: when requests and connections came, and how many requests it held at once."""

    requests: list[float] = field(default_factory=list)
    connections: list[float] = field(default_factory=list)
    now: int = 0
    most: int = 0
    pause: float = 0.0

    async def one(self) -> None:
        """A request came; it is answered after the pause."""
        self.requests.append(time.monotonic())
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(self.pause)
        self.now -= 1


@asynccontextmanager
async def counting(seen: Seen, *, http2: bool = False) -> AsyncIterator[Target]:
    """A server that answers well and keeps count."""

    async def first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections.append(time.monotonic())
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await seen.one()
            writer.write(OK)

    async def second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections.append(time.monotonic())
        session = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        session.initiate_connection()
        writer.write(session.data_to_send())
        tasks = set()

        async def answer(stream: int) -> None:
            await seen.one()
            session.send_headers(stream, [(":status", "200"), ("content-length", "2")])
            session.send_data(stream, b"ok", end_stream=True)
            writer.write(session.data_to_send())

        while data := await reader.read(65536):
            for event in session.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    tasks.add(asyncio.create_task(answer(event.stream_id or 0)))
            writer.write(session.data_to_send())

    async with serving(second if http2 else first) as target:
        yield target


def _plan(model: str, **more: object) -> LoadPlan:
    """2,000/s are ordered, or as many as four connections can: more than any limit here."""
    plan = LoadPlan(
        model=model, concurrency=4, stages=(Stage(2000, 2000, None),), duration=0.8, max_rate=100_000, timeout=5.0
    )
    return replace(plan, **more)  # type: ignore[arg-type]  # fields of several types


async def _run(plan: LoadPlan, target: Target, workers: int = 1) -> Finished:
    run = LoadRun()
    await run.start(plan, target, workers)
    last = [report async for report in run.reports()][-1]
    assert isinstance(last, Finished)
    return last


_MODES = list(itertools.product(("open", "poisson", "closed"), (False, True), (1, 2), ("kept", "single")))


_CASES = [("max-rate", *mode) for mode in _MODES] + [("way in", *mode) for mode in _MODES if mode[3] == "kept"]


@pytest.mark.parametrize(("limit", "model", "http2", "workers", "connections"), _CASES)
async def test_the_limit_of_the_rate_holds(limit: str, model: str, http2: bool, workers: int, connections: str) -> None:
    seen = Seen()
    plan = _plan(
        "closed" if model == "closed" else "open",
        http2=http2,
        arrivals="poisson" if model == "poisson" else "even",
        connection_age=1e9 if connections == "kept" else 0.0,
        seed=3,
    )
    if model != "closed":
        plan = replace(plan, stages=(Stage(50, 50, None),) if limit == "max-rate" else plan.stages)
    async with counting(seen, http2=http2) as target:
        if limit == "max-rate":
            ended = await _run(replace(plan, max_rate=50.0), target, workers)
        else:
            ended = await _run(plan, replace(target, cap=50.0), workers)
    spread = 30 if model == "poisson" else 4  # Poisson arrivals keep the mean only
    assert 15 <= len(seen.requests) <= 40 + spread
    assert len(seen.connections) <= 40 + spread
    assert ended.totals.requests == len(seen.requests)
    assert ended.totals.limit == pytest.approx(50.0)
    if model == "closed":
        assert ended.totals.held > 0


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("model", "limit"),
    [("open", {"max_in_flight": 6}), ("closed", {"max_in_flight": 3}), ("closed", {"concurrency": 5})],
)
async def test_the_limit_in_flight_holds(model: str, limit: dict[str, int], workers: int, http2: bool) -> None:
    seen = Seen(pause=0.3)
    most = next(iter(limit.values()))
    plan = _plan(model, http2=http2, stages=(Stage(100, 100, None),), **limit)
    async with counting(seen, http2=http2) as target:
        ended = await _run(plan, target, workers)
    assert seen.most == most == ended.totals.in_flight_max
    assert http2 or len(seen.connections) <= most
    if model == "open":
        assert set(ended.totals.unserved_kinds) == {"in-flight limit"}


@pytest.mark.parametrize("model", ["open", "closed"])
@pytest.mark.parametrize("workers", [1, 2])
async def test_connections_are_limited(model: str, workers: int) -> None:
    seen = Seen(pause=0.1)
    plan = _plan(model, connections=3, concurrency=40, stages=(Stage(100, 100, None),), connection_age=0.0)
    async with counting(seen) as target:
        ended = await _run(plan, target, workers)
    assert seen.most <= 3
    assert ended.totals.in_flight_max <= 3


@pytest.mark.parametrize("model", ["open", "closed"])
@pytest.mark.parametrize("http2", [False, True])
async def test_a_port_where_nobody_listens_is_not_hammered(model: str, http2: bool) -> None:
    dials = 0

    async def close_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dials
        dials += 1
        writer.close()

    async with serving(close_at_once) as target:
        plan = _plan(model, http2=http2, max_rate=80.0, stages=(Stage(80, 80, None),), breaker=False)
        ended = await _run(plan, target)
    assert ended.totals.ok == 0
    assert 0 < dials <= 0.8 * 80 + 4


async def test_idle_connections_to_other_pods_count_too() -> None:
    """Five pods in turn, two connections at most: one to the pod before last is closed for the next."""
    open_now = most = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(OK)
        finally:
            open_now -= 1

    async with serving(count) as target:
        routes = tuple(route_of(target, f"pod-{n}") for n in range(5))
        plan = _plan("open", stages=(Stage(30, 30, None),), connections=2, connection_age=1e9)
        _, ended = await run_of(plan, replace(target, routes=routes))
    assert ended.totals.failed == 0
    assert ended.totals.ok >= 15
    assert most <= 3  # two, and one whose end the server has not seen yet


async def test_workers_cannot_share_fewer_connections_than_they_are() -> None:
    with pytest.raises(UsageError, match="cannot share 2 connections"):
        await LoadRun().start(_plan("open", connections=2), Target("http://127.0.0.1:1/", "x"), 3)


async def test_a_refused_port_makes_the_closed_model_wait_longer_and_longer() -> None:
    async with serving(_nobody) as target:
        pass
    _, ended = await run_of(_plan("closed", breaker=False, max_rate=100_000.0), target)
    assert set(ended.totals.errors) == {"refused"}
    assert ended.totals.failed < 200  # it was 18,000 in a second


async def _nobody(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
