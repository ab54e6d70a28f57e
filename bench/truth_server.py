"""`python -m bench.truth_server KIND`: a server whose answers take a known time. Prints its port.

    constant    10 ms                     exponential   mean 10 ms
    bimodal     5 ms, each 12th 100 ms    stalled       2 ms, but nothing between 2 s and 3 s after its first request
    md1, mm1    one server of 3.5 ms a request (fixed, or exponential), first come, first served

Times come from `times`, so that whoever knows the arrivals knows the answers. Loopback only.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from heapq import heappop, heappush

from hpatui.load.ticker import Ticker

SERVICE = 0.0035  # seconds of one server's work
STALL = (2.0, 3.0)
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
KINDS = ("constant", "exponential", "bimodal", "stalled", "md1", "mm1")


def times(kind: str) -> Iterator[float]:
    """What each request takes, in the order of their arrival (seconds; a queue adds its waiting)."""
    draw = random.Random(20)
    number = 0
    while True:
        number += 1
        if kind == "exponential":
            yield draw.expovariate(1 / 0.010)
        elif kind == "mm1":
            yield draw.expovariate(1 / SERVICE)
        elif kind == "bimodal":
            yield 0.100 if number % 12 == 0 else 0.005
        else:
            yield {"constant": 0.010, "stalled": 0.002, "md1": SERVICE}[kind]


class Queue:
    """When a request that arrives at a time is answered; times of one clock, `first` that of the first request."""

    def __init__(self, kind: str) -> None:
        self._kind, self._times = kind, times(kind)
        self._free = 0.0
        self._first: float | None = None

    def answered(self, arrival: float) -> float:
        """The time of the answer."""
        if self._first is None:
            self._first = arrival
        takes = next(self._times)
        if self._kind in ("md1", "mm1"):
            self._free = max(self._free, arrival) + takes
            return self._free
        begin, end = (self._first + at for at in STALL)
        if self._kind == "stalled" and begin <= arrival < end:
            return end + takes
        return arrival + takes


class _Server:
    def __init__(self, kind: str) -> None:
        self._queue = Queue(kind)
        self._due: list[tuple[float, int, asyncio.Transport]] = []
        self._number = 0
        self._ticker = Ticker(self._answer)

    def arrived(self, transport: asyncio.Transport) -> None:
        now = time.monotonic()
        self._number += 1
        heappush(self._due, (self._queue.answered(now), self._number, transport))
        self._ticker.at(self._due[0][0], now)

    def _answer(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            heappop(self._due)[2].write(_OK)
        if self._due:
            self._ticker.at(self._due[0][0], now)
        else:
            self._ticker.at(now + 3600, now)


class _Connection(asyncio.Protocol):
    def __init__(self, server: _Server) -> None:
        self._server = server
        self._transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in range(data.count(b"\r\n\r\n")):
            self._server.arrived(self._transport)  # type: ignore[arg-type]  # it is a Transport


async def _main(kind: str) -> None:
    server = _Server(kind)
    listening = await asyncio.get_running_loop().create_server(lambda: _Connection(server), "127.0.0.1", 0)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(600)  # whoever forgets to end it


if __name__ == "__main__":
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_main(sys.argv[1]))
