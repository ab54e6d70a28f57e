"""A program that is stopped sends nothing: its workers feel its heartbeat, whatever its event loop does."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time

from hpatui.load.run import Finished, LoadRun
from tests.contract.load.servers import OK, plan_of, serving


async def test_the_load_ends_while_the_program_is_stopped_and_says_so() -> None:
    arrived = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal arrived
        while True:
            await reader.readuntil(b"\r\n\r\n")
            arrived += 1
            writer.write(OK)

    async with serving(count) as target:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hpatui", "load", target.url, "--rate", "50", "--duration", "60s", "--json",
            "--workers", "2", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ,
        )  # fmt: skip
        try:
            while not arrived:
                await asyncio.sleep(0.02)
            process.send_signal(signal.SIGSTOP)
            before, last = -1, arrived
            while before != last:  # with a load that goes on this never ends
                await asyncio.sleep(1.0)
                before, last = last, arrived
            assert last < 50 * 20
            process.send_signal(signal.SIGCONT)
            output, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    result = json.loads(output)
    assert result["ended"] == "hpatui was stopped or did not get to run"
    assert process.returncode == 2
    assert b"cut short" in errors
    assert 0 <= arrived - result["requests"] <= 50


async def test_an_event_loop_that_is_blocked_does_not_end_the_load() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)

    async with serving(answer) as target:
        run = LoadRun()
        await run.start(plan_of(20, 4), target)
        time.sleep(2.5)  # a login plugin, or a write to a terminal that ctrl-s holds
        async for report in run.reports():
            if isinstance(report, Finished):
                assert (report.reason, report.error) == ("", "")
                assert report.totals.requests + report.totals.unserved == 80


async def test_what_ends_a_worker_unexpectedly_is_told() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)

    async with serving(answer) as target:
        run = LoadRun()
        await run.start(plan_of(20, 30), target)
        (worker,) = run._workers
        os.kill(worker._process.pid, signal.SIGKILL)  # type: ignore[attr-defined]
        (ended,) = [report async for report in run.reports() if isinstance(report, Finished)]
    assert ended.error.startswith("the load engine ended unexpectedly")
