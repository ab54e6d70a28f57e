"""The data plane's process over real sockets: answers, queues, Services, draining, counters, and its end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from hpatui.sandbox.dataplane.client import DataPlaneProcess
from hpatui.sandbox.dataplane.messages import (
    DropService,
    PodUsage,
    SetCallers,
    SetEndpoints,
    SetTraffic,
    StartPod,
    StopPod,
    Usage,
)

_SERVICE = "ns/web:80"


class Plane:
    """A data plane and what it reported."""

    def __init__(self) -> None:
        self.usage: dict[str, PodUsage] = {}
        self.lost = False
        self.process = DataPlaneProcess(self._take, self._gone, interval=0.1)

    def _take(self, report: Usage) -> None:
        self.usage.update(report.pods)

    def _gone(self) -> None:
        self.lost = True

    async def until(self, what: Callable[[], object]) -> None:
        deadline = time.monotonic() + 15.0
        while not what():
            assert time.monotonic() < deadline, "it did not happen in 15 s"
            await asyncio.sleep(0.01)

    async def pod(self, uid: str, *, rate: float = 4.0, cost: float = 0.0, backlog: int = 100) -> str:
        """A pod; its URL."""
        self.process.send(StartPod(uid, f"pod-{uid}", rate, cost, backlog))
        await self.until(lambda: uid in self.process.pod_ports)
        return f"http://127.0.0.1:{self.process.pod_ports[uid]}/"

    async def service(self, *uids: str) -> str:
        """The Service in front of these pods; its URL."""
        self.process.send(SetEndpoints(_SERVICE, list(uids)))
        await self.until(lambda: _SERVICE in self.process.service_ports)
        return f"http://127.0.0.1:{self.process.service_ports[_SERVICE]}/"


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    plane = Plane()
    await plane.process.connect()
    yield plane
    plane.process.close()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        yield session


async def _pod_of(session: aiohttp.ClientSession, url: str) -> str:
    async with session.get(url) as answer:
        assert answer.status == 200
        return answer.headers["X-Pod-Name"]


async def test_a_pod_answers_ok(plane: Plane, http: aiohttp.ClientSession) -> None:
    url = await plane.pod("a")
    async with http.get(url + "index.php?x=1") as answer:
        assert (answer.status, await answer.text()) == (200, "OK!")
    async with http.post(url, data=b"x" * 100_000) as answer:
        assert answer.status == 200
    async with http.head(url) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, "3")


async def test_cpu_time_is_charged_and_reported(plane: Plane, http: aiohttp.ClientSession) -> None:
    url = await plane.pod("a", rate=1.0, cost=0.02)
    for _ in range(10):
        await _pod_of(http, url)
    await plane.until(lambda: "a" in plane.usage and plane.usage["a"].served == 10)
    await plane.until(lambda: plane.usage["a"].cpu == pytest.approx(0.2, abs=0.001))


async def test_a_saturated_pod_queues_and_then_refuses(plane: Plane, http: aiohttp.ClientSession) -> None:
    url = await plane.pod("a", rate=0.1, cost=0.02, backlog=5)

    async def once() -> tuple[int, float]:
        began = time.monotonic()
        async with http.get(url) as answer:
            await answer.read()
            return answer.status, time.monotonic() - began

    answers = await asyncio.gather(*(once() for _ in range(8)))
    assert Counter(status for status, _ in answers) == {200: 5, 503: 3}
    # Five requests of 20 ms at a tenth of a core: the last one waits for 1 s less one period's quota.
    assert max(seconds for status, seconds in answers if status == 200) > 0.5


async def test_a_connection_stays_on_its_pod_and_new_ones_spread(plane: Plane) -> None:
    for uid in ("a", "b", "c"):
        await plane.pod(uid)
    url = await plane.service("a", "b", "c")
    seen = set()
    for _ in range(40):
        async with aiohttp.ClientSession() as session:
            first = await _pod_of(session, url)
            assert {await _pod_of(session, url) for _ in range(3)} == {first}
            seen.add(first)
    assert seen == {"pod-a", "pod-b", "pod-c"}


async def test_new_connections_follow_the_endpoints(plane: Plane) -> None:
    await plane.pod("a")
    await plane.pod("b")
    url = await plane.service("a")
    await plane.service("b")
    for _ in range(3):
        async with aiohttp.ClientSession() as session:
            assert await _pod_of(session, url) == "pod-b"


async def test_a_sticky_service_sends_all_to_one_pod(plane: Plane) -> None:
    for uid in ("a", "b", "c"):
        await plane.pod(uid)
    url = await plane.service("a", "b", "c")
    plane.process.send(SetEndpoints(_SERVICE, ["a", "b", "c"], sticky=True))
    plane.process.send(StartPod("d", "pod-d", 1.0, 0.0, 10))
    await plane.until(lambda: "d" in plane.process.pod_ports)  # orders are carried out one after the other
    seen = set()
    for _ in range(20):
        async with aiohttp.ClientSession() as session:
            seen.add(await _pod_of(session, url))
    assert len(seen) == 1


async def test_a_service_without_pods_resets_connections(plane: Plane, http: aiohttp.ClientSession) -> None:
    url = await plane.service()
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)):
        await http.get(url)
    plane.process.send(DropService(_SERVICE))
    for _ in range(100):
        try:
            await http.get(url)
        except aiohttp.ClientConnectorError:
            return
        except aiohttp.ClientError:
            await asyncio.sleep(0.02)
    raise AssertionError("the Service's port still listens")


async def test_a_drained_pod_finishes_what_it_took(plane: Plane, http: aiohttp.ClientSession) -> None:
    url = await plane.pod("a", rate=0.1, cost=0.05)
    await _pod_of(http, url)
    slow = asyncio.create_task(_pod_of(http, url))
    await asyncio.sleep(0.1)
    plane.process.send(StopPod("a", drain=True))
    assert await slow == "pod-a"
    with pytest.raises(aiohttp.ClientConnectionError):
        await http.get(url)


async def test_a_killed_pod_resets_what_it_took(plane: Plane, http: aiohttp.ClientSession) -> None:
    url = await plane.pod("a", rate=0.01, cost=0.05)
    slow = asyncio.create_task(_pod_of(http, url))
    await asyncio.sleep(0.2)
    plane.process.send(StopPod("a"))
    with pytest.raises(aiohttp.ClientConnectionError):
        await slow


async def test_garbage_gets_400(plane: Plane) -> None:
    await plane.pod("a")
    reader, writer = await asyncio.open_connection("127.0.0.1", plane.process.pod_ports["a"])
    writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.close()


async def test_pipelined_requests_are_answered_in_order(plane: Plane) -> None:
    await plane.pod("a", rate=1.0, cost=0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", plane.process.pod_ports["a"])
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3 + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    answers = await asyncio.wait_for(reader.read(), 15)
    assert answers.count(b"HTTP/1.1 200 OK") == 4
    assert answers.count(b"Connection: close") == 1
    writer.close()


async def test_traffic_inside_the_cluster_costs_cpu(plane: Plane) -> None:
    await plane.pod("a", rate=1.0, cost=0.001)
    await plane.service("a")
    plane.process.send(SetTraffic("t", _SERVICE, [(60.0, 100.0, 100.0)]))
    await plane.until(lambda: "a" in plane.usage and plane.usage["a"].served > 30)
    plane.process.send(SetTraffic("t", _SERVICE, []))
    plane.process.send(SetCallers("loop", _SERVICE, 2))
    before = plane.usage["a"].served
    await plane.until(lambda: plane.usage["a"].served > before + 30)


async def test_the_sandbox_learns_that_it_ended(plane: Plane) -> None:
    os.kill(plane.process.pid, signal.SIGKILL)
    await plane.until(lambda: plane.lost)


async def test_it_ends_with_its_control_socket(plane: Plane) -> None:
    await plane.pod("a")
    plane.process.close()
    assert not plane.lost
