"""What this machine could not begin in time is unserved: it is never sent late in a burst."""

from __future__ import annotations

import asyncio
import os
import signal

from hpatui.load.run import Finished, LoadRun, Sampled
from tests.contract.load.servers import answer_all, plan_of, serving


async def test_requests_that_are_too_late_are_never_sent() -> None:
    async with serving(answer_all) as target:
        run = LoadRun()
        await run.start(plan_of(40, 4), target)
        stopped = False
        async for report in run.reports():
            if isinstance(report, Sampled) and not stopped:
                stopped = True
                (worker,) = run._workers
                pid = worker._process.pid  # type: ignore[attr-defined]
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(2.0)
                os.kill(pid, signal.SIGCONT)
            if isinstance(report, Finished):
                totals = report.totals
    assert totals.requests + totals.unserved == 160
    assert totals.unserved >= 30  # the first of the two seconds
