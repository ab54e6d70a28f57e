"""Percentiles know what went badly: of the answers, and of all that was planned."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import pytest

from hpatui.load.histogram import index_of
from hpatui.load.stats import Second, Statistics, merged
from tests.contract.load.servers import OK, plan_of, run_of, serving


def _second(**more: object) -> Second:
    return Second(0.0, **more)  # type: ignore[arg-type]  # fields of several types


def _answers(*values: int) -> dict[int, int]:
    """Milliseconds -> the histogram of a second."""
    return {index_of(value * 1000): values.count(value) for value in values}


@pytest.mark.parametrize(
    ("second", "p50", "p95", "at_least"),
    [
        ({"response": _answers(*[10] * 100), "ok": 100}, 10, 10, ()),
        ({"response": _answers(*[10] * 90), "ok": 90, "failed": 10, "waited": 2000.0}, 10, 2000,
         ("p95", "p99", "p999", "max")),
        ({"response": _answers(*[10] * 90), "ok": 90, "unserved": 10}, 10, 10, ("p95", "p99", "p999", "max")),
        ({"response": _answers(*[1] * 60, *[30] * 40), "bad": _answers(*[1] * 60), "ok": 40, "failed": 60}, 30, 30,
         ("p50", "p90", "p95", "p99", "p999", "max")),
        ({"failed": 5}, None, None, ("p50", "p90", "p95", "p99", "p999", "max")),
    ],
    ids=["all-good", "time-outs", "unserved", "fast-errors", "nothing"],
)  # fmt: skip
def test_what_failed_or_was_not_begun_counts_as_slower_than_any_answer(
    second: dict[str, object], p50: float | None, p95: float | None, at_least: tuple[str, ...]
) -> None:
    statistics = Statistics()
    statistics.take(_second(**second))
    planned = statistics.planned()
    assert planned.at_least == at_least
    for name, wanted in (("p50", p50), ("p95", p95)):
        value = planned.table[name]
        assert value == (None if wanted is None else pytest.approx(wanted, rel=0.002))


def test_two_workers_seconds_are_one() -> None:
    one = _second(response=_answers(10), ok=1, kinds={"started late": 2}, unserved=2, limit=5.0, waited=100.0)
    two = _second(response=_answers(10), ok=1, kinds={"started late": 1}, unserved=1, limit=5.0, retried=3)
    whole = merged([one, two])
    assert (whole.ok, whole.unserved, whole.limit, whole.waited, whole.retried) == (2, 3, 10.0, 100.0, 3)
    assert whole.kinds == {"started late": 3}


def _hanging() -> object:
    count = 0

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while True:
            await reader.readuntil(b"\r\n\r\n")
            count += 1
            if count % 10 == 0:
                await asyncio.sleep(30)
            writer.write(OK)

    return hang


async def test_a_tenth_that_hangs_fails_the_threshold() -> None:
    async with serving(_hanging()) as target:  # type: ignore[arg-type]  # a handler
        command = [
            sys.executable,
            "-m",
            "hpatui",
            "load",
            target.url,
            "--rate",
            "50",
            "--duration",
            "2s",
            "--timeout",
            "1s",
        ]
        process = await asyncio.create_subprocess_exec(
            *command, "--max-p95", "250ms", "--json", stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
        )
        out, error = await process.communicate()
    result = json.loads(out)
    assert process.returncode == 1
    assert "p95 is >= 1000.0 ms" in error.decode()
    assert result["planned_ms"]["at_least"] == ["p95", "p99", "p999", "max"]
    assert result["latency_ms"]["p95"] < 1000
    assert result["answered_share"] == result["ok_share"] == 0.9


async def test_a_stall_is_seen_by_all_that_was_planned_in_it() -> None:
    """500/s against a server that answers nothing for its first 1.5 s, 100 in flight at most: wrk2 would say about 1 s."""
    begun: list[float] = []

    async def stalled(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await reader.readuntil(b"\r\n\r\n")
            begun.append(loop.time())
            await asyncio.sleep(max(0.0, begun[0] + 1.5 - loop.time()))
            writer.write(OK)

    async with serving(stalled) as target:
        _, ended = await run_of(plan_of(500, 3, max_in_flight=100), target)
    p90 = ended.planned.table["p90"]
    assert "p90" in ended.planned.at_least
    assert p90 is not None and p90 >= 1000
    assert ended.planned.answered < 0.7
