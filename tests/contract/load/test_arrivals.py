"""What arrives at a real server: each shape's rate in every second, even gaps, Poisson arrivals by a statistical test.

Times are the server's own. The machine may be busy: an arrival may come late, but the counts must hold.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from collections import Counter
from statistics import fmean, median

import pytest

from hpatui.load.engine import Engine
from hpatui.load.pacing import Pacer
from hpatui.load.plan import SHAPES, LoadPlan, shaped
from hpatui.load.stats import Second
from tests.contract.load.servers import OK, Handler, plan_of, run_of, serving


def _logging(arrivals: list[float]) -> Handler:
    async def log(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            arrivals.append(asyncio.get_running_loop().time())
            writer.write(OK)

    return log


@pytest.mark.parametrize("shape", SHAPES)
async def test_each_shape_arrives_as_planned(shape: str) -> None:
    stages = shaped(shape, 150.0, 4.0)
    plan = LoadPlan(stages=stages, duration=4.0, max_rate=200)
    planned = list(Pacer(stages, 0.0).due(4.0))
    arrivals: list[float] = []
    async with serving(_logging(arrivals)) as target:
        _, ended = await run_of(plan, target)
    assert ended.totals.unserved == ended.totals.failed == 0
    assert len(arrivals) == pytest.approx(len(planned), rel=0.01, abs=1)
    # Against the plan's own clock, of which only the differences are known here: the median difference is the start.
    start = median(came - due for came, due in zip(arrivals, planned, strict=False))
    seconds = Counter(int(came - start + 0.02) for came in arrivals)
    wanted = Counter(int(due) for due in planned)
    for second in range(4):
        assert seconds[second] == pytest.approx(wanted[second], rel=0.1, abs=6)


async def test_a_steady_rate_arrives_evenly() -> None:
    arrivals: list[float] = []
    async with serving(_logging(arrivals)) as target:
        await run_of(plan_of(100, 3), target)
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert len(arrivals) == 300
    assert median(gaps) == pytest.approx(0.01, abs=0.003)
    assert fmean(gaps) == pytest.approx(0.01, rel=0.02)


@pytest.mark.serial
async def test_thousands_a_second_come_one_by_one_not_a_few_each_millisecond() -> None:
    arrivals: list[float] = []
    async with serving(_logging(arrivals)) as target:
        await run_of(plan_of(1500, 1, max_rate=5000), target)
    gaps = [later - earlier for earlier, later in itertools.pairwise(arrivals)]
    assert len(arrivals) == 1500
    assert median(gaps) > 0.15 / 1500  # in pairs, every second gap would be nothing


@pytest.mark.serial
async def test_poisson_arrivals_are_exponentially_spaced() -> None:
    """Kolmogorov and Smirnov's test of the gaps at a real server, with a fixed seed; 3 instead of the 1.95 of
    the 0.1 % level, for arrivals that a busy machine delays.
    """
    arrivals: list[float] = []
    async with serving(_logging(arrivals)) as target:
        await run_of(plan_of(80, 6, arrivals="poisson", seed=11), target)
    gaps = sorted(later - earlier for earlier, later in itertools.pairwise(arrivals))
    n, mean = len(gaps), fmean(gaps)
    distance = max(
        max((i + 1) / n - (1 - math.exp(-gap / mean)), (1 - math.exp(-gap / mean)) - i / n)
        for i, gap in enumerate(gaps)
    )
    assert 400 < n < 560
    assert distance < 3 / math.sqrt(n)
    even = [mean * (0.9 + 0.2 * i / n) for i in range(n)]  # the same test rejects even arrivals
    far = max(abs((i + 1) / n - (1 - math.exp(-gap / mean))) for i, gap in enumerate(even))
    assert far > 3 / math.sqrt(n)


async def test_a_busy_moment_at_the_end_neither_drops_nor_adds_requests() -> None:
    """The engine itself stands still from 0.7 s to 1.3 s of a run of 1 s: what was due in time goes out all the same."""
    arrivals: list[float] = []
    async with serving(_logging(arrivals)) as target:
        seconds: list[Second] = []
        engine = Engine(plan_of(20, 1), target, seconds.append)
        asyncio.get_running_loop().call_later(0.7, time.sleep, 0.6)
        await engine.run()
    assert len(arrivals) == 20
    assert sum(second.offered for second in seconds) == sum(second.ok for second in seconds) == 20
