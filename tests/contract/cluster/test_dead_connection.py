"""One connection that is dead while the server is well: what came over it is not taken for live for long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web

from hpatui.clock import SystemClock
from hpatui.cluster.connect import Connection, connect
from hpatui.cluster.served import SILENCE, UsageApi
from hpatui.cluster.source import ClusterSource
from hpatui.cluster.watch import MUTE, PACE, Watch, WatchPace
from hpatui.errors import UnreachableError
from hpatui.model import SourceState, SourceStatus
from hpatui.sandbox.kubeconfig import write_kubeconfig
from hpatui.settings import Settings
from hpatui.state.store import Store
from tests.contract.cluster.conftest import Watching, watching
from tests.contract.cluster.proxy import WATCH, FaultProxy
from tests.contract.conftest import TOKEN, ApiServer

SHORT = WatchPace(inactivity=1.6, lives=1.0, first=0.05, longest=0.4, heartbeat=0.5)


class Relay:
    """A TCP relay that can let one connection hang for ever: both ends stay open, nothing comes through."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.dead: set[int] = set()
        self.last: dict[str, int] = {}  # a part of a request -> the connection that carried the last one
        self.asked: list[bytes] = []
        self._count = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._count += 1
        number = self._count
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._port)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._pump(number, reader, up_writer), self._pump(number, up_reader, writer))

    async def _pump(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                if data.startswith(b"GET "):
                    line = data.split(b"\r\n")[0]
                    self.asked.append(line)
                    kind = "watch" if b"watch=1" in line else "poll" if b"metrics.k8s.io" in line else "other"
                    self.last[kind] = number
                if number in self.dead:
                    await asyncio.Event().wait()
                writer.write(data)
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def _relayed(api: ApiServer, tmp_path: Path) -> AsyncIterator[tuple[Watching, Relay]]:
    proxy = FaultProxy(api.url)
    async with proxy.running():
        relay = Relay(proxy.port)
        server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
        kubeconfig = tmp_path / "through-the-relay"
        write_kubeconfig(kubeconfig, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", TOKEN, "shop")
        connection = await connect(Settings(kubeconfig=str(kubeconfig)), SystemClock())
        source = ClusterSource(connection, SystemClock(), "shop", SHORT)
        world = Watching(
            api, proxy, connection, source, Store(context="test", namespace="shop", now=SystemClock().time())
        )
        task = asyncio.create_task(world.consume())
        try:
            yield world, relay
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await source.close()
            await connection.close()
            server.close()


async def test_a_watch_whose_connection_died_is_noticed_though_the_server_answers(
    api: ApiServer, tmp_path: Path
) -> None:
    async with _relayed(api, tmp_path) as (world, relay):
        await world.create("a")
        await world.live("a")
        await world.until(lambda: "watch" in relay.last)
        relay.dead.add(relay.last["watch"])
        await world.create("b")
        await world.live("a", "b")
        assert world.states.count(SourceState.RECONNECTING) <= 1
        assert world.proxy.count("limit=") == 1, "it goes on from where it was: nothing is listed again"


def test_in_real_life_it_takes_less_than_ten_seconds() -> None:
    assert PACE.lives + 2 <= PACE.inactivity < 10, "and a slow line has two seconds for the end of a watch"


async def test_a_quiet_watch_is_live_all_the_time(api: ApiServer, tmp_path: Path) -> None:
    async with watching(api, tmp_path, SHORT) as world:
        await world.create("a")
        await world.live("a")
        before = world.proxy.count(WATCH)
        await world.until(lambda: world.proxy.count(WATCH) >= before + 2)
        assert world.states[-1] is SourceState.LIVE
        assert SourceState.RECONNECTING not in world.states
        assert world.proxy.count("limit=") == 1


@contextlib.asynccontextmanager
async def _odd_server(
    tmp_path: Path, answer: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> AsyncIterator[Connection]:
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kubeconfig = tmp_path / "odd"
    write_kubeconfig(kubeconfig, f"http://127.0.0.1:{runner.addresses[0][1]}", TOKEN, "shop")
    connection = await connect(Settings(kubeconfig=str(kubeconfig)), SystemClock())
    try:
        yield connection
    finally:
        await connection.close()
        await runner.cleanup()


async def test_a_server_that_ends_no_watch_is_given_time(tmp_path: Path) -> None:
    """Silence means nothing there: after some tries watches are as patient as bookmarks demand."""
    watches = 0
    states: list[SourceState] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal watches
        if "watch" not in request.query:
            return web.json_response({"metadata": {"resourceVersion": "5"}, "items": []})
        watches += 1
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    async with _odd_server(tmp_path, answer) as connection:
        pace = WatchPace(inactivity=0.2, lives=0.1, patience=60.0, first=0.01, longest=0.02)

        async def follow() -> None:
            async for event in Watch(connection, SystemClock(), "/apis/x/v1/things", None, pace).events():
                if isinstance(event, SourceStatus):
                    states.extend([event.state])

        task = asyncio.create_task(follow())
        try:
            async with asyncio.timeout(20):
                while watches <= MUTE or states[-1] is not SourceState.LIVE:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.6)  # three times as long as the watches before lasted
            assert (watches, states[-1]) == (MUTE + 1, SourceState.LIVE)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_poll_of_samples_does_not_wait_a_minute_on_a_dead_connection(tmp_path: Path) -> None:
    """But a metrics server that is slow is waited for the next time."""
    polls = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal polls
        if not request.path.endswith("/pods"):
            return web.json_response({"versions": [{"version": "v1beta1"}]})
        polls += 1
        await asyncio.sleep(0.6)
        return web.json_response({"items": []})

    async with _odd_server(tmp_path, answer) as connection:
        api = UsageApi(connection, silence=0.2)
        with pytest.raises(UnreachableError):
            await api.pods()
        assert b"items" in await api.pods()
        assert polls == 2
    assert SILENCE < 10
