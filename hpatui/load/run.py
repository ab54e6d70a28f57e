"""A run of load: one or several workers, steered together, their seconds merged into samples and totals.

LoadProcess x N -> Second x N -> merged -> Statistics -> Sampled ... Finished
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hpatui.errors import ClusterError, LoadError, UsageError
from hpatui.load.histogram import Histogram
from hpatui.load.messages import Counted
from hpatui.load.plan import LoadPlan, Stage, shared_stages
from hpatui.load.process import LoadProcess, Worker
from hpatui.load.stats import Planned, Second, Statistics, merged
from hpatui.load.target import Target
from hpatui.model import LoadSample, LoadTotals

MOST_WORKERS = 64
_Word = tuple[int, Second | None, str, str]  # worker, second (None: it has ended), error, what cut it short
_PATIENCE = 1.5  # seconds that a second waits for the slowest worker


@dataclass(frozen=True, slots=True)
class Sampled:
    """One second of the run, the run so far, and the second's response times (slot of `histogram` -> count)."""

    sample: LoadSample
    totals: LoadTotals
    response: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """The run is over: its totals, its latency tables (see `Statistics.summary`) and the histogram of response times.

    `error` says why it could not go on, `reason` what cut it short (empty: as planned, or as told).
    """

    totals: LoadTotals
    summary: dict[str, dict[str, float | None]]
    response: Histogram
    error: str = ""
    reason: str = ""
    planned: Planned = field(default_factory=Planned)


class LoadRun:
    """One run at a time; it may be started again once it has ended."""

    def __init__(self, worker: Callable[[], Worker] = LoadProcess) -> None:
        """`worker` makes one."""
        self._make = worker
        self._workers: list[Worker] = []

    @property
    def running(self) -> bool:
        """Whether any worker lives."""
        return any(worker.running for worker in self._workers)

    async def start(self, plan: LoadPlan, target: Target, workers: int = 1) -> None:
        """Start. UsageError for a plan that cannot be used, LoadError if a worker cannot be started."""
        if not 1 <= workers <= MOST_WORKERS:
            raise UsageError(f"{workers} workers cannot be used", hint=f"1 to {MOST_WORKERS}")
        plan.check()
        if workers > plan.most_in_flight:
            most = plan.most_in_flight
            raise UsageError(
                f"{workers} workers cannot share {most} connections", hint=f"--workers {most}, or more of them"
            )
        if target.cap is not None:
            target = replace(target, cap=target.cap / workers)
        await self.stop()
        mine = self._workers = [self._make() for _ in range(workers)]
        try:
            for index, worker in enumerate(mine):
                await worker.start(plan.share(index, workers), target)
                if self._workers is not mine:
                    raise LoadError("stopped before it began")
        except BaseException:
            await asyncio.gather(*(worker.stop() for worker in mine))
            if self._workers is mine:
                self._workers = []
            raise

    async def reports(self) -> AsyncIterator[Sampled | Finished]:
        """Samples, one a second, and at last Finished; LoadError if a worker died."""
        statistics = Statistics()
        queue: asyncio.Queue[_Word] = asyncio.Queue()
        readers = [asyncio.create_task(_read(i, worker, queue)) for i, worker in enumerate(self._workers)]
        waiting: list[list[Second]] = [[] for _ in readers]
        alive = set(range(len(readers)))
        error = reason = ""
        try:
            while alive:
                index, second, problem, cut = await self._next(queue, waiting, alive)
                error, reason = error or problem, reason or cut
                if second is not None:
                    waiting[index].append(second)
                elif index >= 0:
                    alive.discard(index)
                late = index < 0
                while second := _merge(waiting, alive, late=late):
                    late = False
                    yield Sampled(statistics.take(second), statistics.totals(), second.response)
        finally:
            for reader in readers:
                reader.cancel()
        await self.stop()
        yield Finished(
            statistics.totals(), statistics.summary(), statistics.response, error, reason, statistics.planned()
        )

    @staticmethod
    async def _next(queue: asyncio.Queue[_Word], waiting: list[list[Second]], alive: set[int]) -> _Word:
        """What a worker says next; (-1, None, "", "") when the others have waited long enough for it."""
        some_wait = any(waiting[i] for i in alive)
        try:
            async with asyncio.timeout(_PATIENCE if some_wait else None):
                return await queue.get()
        except TimeoutError:
            return -1, None, "", ""

    def set_rate(self, rate: float) -> None:
        """Another steady rate from now on."""
        self.set_stages((Stage(rate, rate, None),))

    def set_stages(self, stages: tuple[Stage, ...]) -> None:
        """Other stages from now on."""
        for worker in self._workers:
            worker.set_stages(shared_stages(stages, len(self._workers)))

    def pause(self) -> None:
        """Send nothing until `resume`."""
        for worker in self._workers:
            worker.pause()

    def resume(self) -> None:
        """Go on."""
        for worker in self._workers:
            worker.resume()

    def skip_stage(self) -> None:
        """The stage's condition is met."""
        for worker in self._workers:
            worker.skip_stage()

    def set_routes(self, routes: Sequence[tuple[str, int, str]]) -> None:
        """Pods came or went."""
        for worker in self._workers:
            worker.set_routes(routes)

    def finish(self) -> None:
        """Ask for the end; `reports` then gives Finished with the totals."""
        for worker in self._workers:
            worker.finish()

    async def stop(self) -> None:
        """End all workers within half a second; idempotent."""
        workers, self._workers = self._workers, []
        await asyncio.gather(*(worker.stop() for worker in workers))


async def _read(index: int, worker: Worker, queue: asyncio.Queue[_Word]) -> None:
    error = reason = ""
    try:
        async for report in worker.reports():
            if isinstance(report, Counted):
                queue.put_nowait((index, report.second, "", ""))
            else:
                error, reason = report.error, report.reason
    except (LoadError, ClusterError) as problem:
        error = str(problem)
    with contextlib.suppress(asyncio.QueueFull):
        queue.put_nowait((index, None, error, reason))


def _merge(waiting: list[list[Second]], alive: set[int], *, late: bool) -> Second | None:
    """The oldest second that every living worker has told of (`late`: that any has), as one."""
    if not any(waiting) or (not late and any(not waiting[index] for index in alive)):
        return None
    return merged([seconds.pop(0) for seconds in waiting if seconds])
