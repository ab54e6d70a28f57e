"""A run of load with what it needs while it lasts: pods that come and go, and stages that wait for an HPA."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpatui import logs
from hpatui.load.conditions import StageWatch, waits
from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.run import Finished, Sampled
from hpatui.model import Hpa

if TYPE_CHECKING:
    from hpatui.clock import Clock
    from hpatui.session.aim import Aim

LOOK = 1.0  # seconds between looks at the HPA that a stage waits for


async def to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Cleaning up: carried out to its end even where we are cancelled (again) meanwhile; the cancellation follows then."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    task.result()


class SteeredRun:
    """One run at an aim. `stop` leaves nothing behind that sends, from whatever state; it closes the aim too."""

    def __init__(
        self, aim: Aim, clock: Clock, look: Callable[[], Awaitable[Hpa | None]], say: Callable[[str], None]
    ) -> None:
        """`look` finds the HPA that stages wait for; `say` is told what generators in the cluster wait for."""
        self.aim = aim
        self._clock, self._look = clock, look
        self._run = aim.run(say)
        self._stage = self._failed = ""
        self._helpers: list[asyncio.Task[None]] = []

    async def start(self, plan: LoadPlan, workers: int = 1) -> None:
        """Start it. UsageError, LoadError or ClusterError where it cannot run; `stop` is due either way."""
        await self._run.start(plan, self.aim.target, workers)
        self._help(self.aim.follow(self._run.set_routes))
        if waits(plan):
            self._help(self._conditions(plan))

    def _help(self, work: Coroutine[Any, Any, None]) -> None:
        """Run beside the load; where it fails for no known reason the load ends, for it would go on without its pods or its
        stages.
        """

        def ended(helper: asyncio.Task[None]) -> None:
            if not helper.cancelled() and (error := helper.exception()) is not None:
                self._failed = self._failed or logs.failure("beside the load", error)
                self._run.finish()

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        self._helpers.append(task)

    async def reports(self) -> AsyncIterator[Sampled | Finished]:
        """Samples, one a second, and at last Finished. LoadError if it died."""
        async for report in self._run.reports():
            if isinstance(report, Sampled):
                self._stage = report.sample.stage
            if isinstance(report, Finished) and self._failed:
                report = replace(report, error=report.error or self._failed)
            yield report

    async def _conditions(self, plan: LoadPlan) -> None:
        """A stage whose condition on the HPA is met gives way to the next."""
        watch = StageWatch(plan, self._clock.monotonic())
        while True:
            await asyncio.sleep(LOOK)
            hpa = await self._look()
            if self._stage and watch.look(self._stage, hpa, self._clock.monotonic()):
                self._run.skip_stage()

    def set_stages(self, stages: tuple[Stage, ...]) -> None:
        """Other stages from now on."""
        self._run.set_stages(stages)

    def pause(self) -> None:
        """Send nothing until `resume`."""
        self._run.pause()

    def resume(self) -> None:
        """Go on."""
        self._run.resume()

    def finish(self) -> None:
        """Ask for the end; `reports` then gives Finished with the totals."""
        self._run.finish()

    async def stop(self) -> None:
        """End it and wait for that; idempotent."""
        await to_the_end(self._stop())

    async def _stop(self) -> None:
        helpers, self._helpers = self._helpers, []
        for helper in helpers:
            helper.cancel()
        try:
            await self._run.stop()
        finally:
            await self.aim.close()
            await asyncio.gather(*helpers, return_exceptions=True)
