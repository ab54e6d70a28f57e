"""The engine's timer: never early, however long it runs by itself; every wake is one that was asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from hpatui.load.ticker import Ticker


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize(("rate", "periodic"), [(3000.0, True), (700.0, True), (3000.0, False), (90.0, True)])
def test_it_never_wakes_early_and_loses_none(
    new_loop: Callable[[], asyncio.AbstractEventLoop], rate: float, periodic: bool
) -> None:
    """So many are due: as many as were planned up to each wake."""
    asked: list[float] = []
    early: list[float] = []

    async def run() -> None:
        over, gap, start = asyncio.Event(), 1 / rate, time.monotonic() + 0.01

        def wake() -> None:
            now = time.monotonic()
            if now < asked[-1] - 1e-6:
                early.append(asked[-1] - now)
            number = len(asked)
            while start + number * gap <= now:
                number += 1
                asked.append(start + number * gap)
            if number > 0.2 * rate:
                ticker.close()
                over.set()
            else:
                ticker.at(start + number * gap, now, gap if periodic else 0.0)

        ticker = Ticker(wake)
        asked.append(start)
        ticker.at(start, time.monotonic(), gap if periodic else 0.0)
        async with asyncio.timeout(20):
            await over.wait()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(run())
    assert len(early) <= 0.01 * len(asked)  # a time that had passed wakes at once; then there is nothing due


async def test_a_later_time_replaces_the_one_before_and_close_ends_it() -> None:
    woken: list[float] = []
    ticker = Ticker(lambda: woken.append(time.monotonic()))
    now = time.monotonic()
    ticker.at(now + 0.01, now, 0.01)
    ticker.at(now + 0.1, now)
    await asyncio.sleep(0.3)
    assert len(woken) == 1
    assert woken[0] >= now + 0.1
    ticker.close()
    ticker.close()
    count = len(woken)
    await asyncio.sleep(0.05)
    assert len(woken) == count
