"""The engine: sends what the plan orders, when it orders it, and counts. Runs in a worker process.

    Pacer -> due times -> a free connection (or a new one, or "unserved") -> answer -> Counting -> a Second a second

Open model: a request is due at its planned time whatever the answers do; one that cannot start within a second of it, or
that finds all connections busy, is counted as unserved and never sent late in a burst. Closed model: each of N
connections sends its next request as soon as the last is answered.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from itertools import accumulate
from urllib.parse import urlsplit

from hpatui.load.breaker import Breaker
from hpatui.load.connection import LoadConnection
from hpatui.load.http2 import Http2Client
from hpatui.load.pacing import Pacer
from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.pool import Pool, Route
from hpatui.load.requests import has_number, numbered, prebuilt, tls_context
from hpatui.load.stats import Counting, Second
from hpatui.load.target import Target

TOO_LATE = 1.0  # seconds after its planned time that a request of the open model is not sent any more
_SWEEP = 0.1
_TICK = 0.001  # seconds between looks at the plan: what is due within one goes out together
_ROUNDING = 1e-6
_PROBE = 0.5  # seconds between probes of the closed model while everything fails
# uvloop reads its clock once an iteration, in milliseconds: too coarse for latencies.
_now = time.monotonic


class Engine:
    """One run. `say` gets each second."""

    def __init__(self, plan: LoadPlan, target: Target, say: Callable[[Second], None]) -> None:
        """LoadError or OSError where target or TLS files cannot be used."""
        self.plan, self._say = plan, say
        self._requests = [prebuilt(target, spec) for spec in plan.requests]
        self._numbered = any(has_number(request) for request in self._requests)
        self._bodiless = [spec.method == "HEAD" for spec in plan.requests]
        self._weights = list(accumulate(spec.weight for spec in plan.requests))
        self._expect = [frozenset(spec.expect) for spec in plan.requests]
        context = tls_context(target, http2=plan.http2) if urlsplit(target.url).scheme == "https" else None
        self._http2 = Http2Client(plan, target, context) if plan.http2 else None
        self._pool = Pool(plan, target, context, opened=self._opened, done=self._done)
        self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.counting = Counting()
        self._random = random.Random(plan.seed)
        now = _now()
        cap = min(plan.max_rate, target.cap or plan.max_rate)
        self.pacer = Pacer(plan.stages, now, arrivals=plan.arrivals, seed=plan.seed, cap=cap, phase=plan.phase)
        self._open_model = plan.model == "open"
        self._started = now
        self._ends = now + plan.duration if plan.duration is not None else float("inf")
        self._wall = time.time() - now
        self._offered = 0
        self._number = 0
        self._paused = False
        self._refill: asyncio.TimerHandle | None = None
        self._stopped = asyncio.Event()
        self.breaker = Breaker(enabled=plan.breaker)
        self._cpu = time.process_time()

    # Orders ---------------------------------------------------------------------------------------------------

    def set_stages(self, stages: tuple[Stage, ...]) -> None:
        """Other stages from now on."""
        self.pacer.rebase(stages, _now())

    def pause(self) -> None:
        """Send nothing until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """Go on, without the requests of the pause."""
        self._paused = False
        self.pacer.resume(_now())
        if not self._open_model:
            self._fill()

    def skip_stage(self) -> None:
        """The stage's condition is met."""
        self.pacer.skip_stage(_now())

    def set_routes(self, routes: list[tuple[str, int, str]]) -> None:
        """Connections go to these from now on; those to others end after their request."""
        now = _now()
        for planned in self._pool.set_routes(routes):
            self._start(planned, now)

    def stop(self) -> None:
        """End the run now; requests under way are dropped and not counted as errors."""
        self._stopped.set()

    # Run ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the plan is over or `stop`."""
        jobs = [asyncio.create_task(self._report()), asyncio.create_task(self._sweep())]
        try:
            sending = asyncio.create_task(self._open() if self._open_model else self._closed())
            ending = asyncio.create_task(self._stopped.wait())
            await asyncio.wait({sending, ending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
                await self._drain()
            for task in (sending, ending):
                task.cancel()
        finally:
            for job in jobs:
                job.cancel()
            await self._close_all()
        self._close_second()

    async def _open(self) -> None:
        """Every request planned before the end goes out, none after it, however late one looks."""
        pacer, now = self.pacer, self._started
        while now < self._ends and pacer.stage is not None:
            now = _now()
            if self._paused:
                await asyncio.sleep(0.05)
                continue
            for planned in pacer.due(min(now, self._ends)):
                if planned > self._ends - _ROUNDING:
                    break
                self._offered += 1
                self._start(planned, now)
            await asyncio.sleep(max(_TICK, min(pacer.next_due() - _now(), 0.05)))

    async def _closed(self) -> None:
        while _now() < self._ends:
            if self._refill is None:
                self._fill()
            await asyncio.sleep(0.05)

    def _fill(self) -> None:
        """Closed model: requests for all connections that have none; a few probes while everything fails."""
        self._refill = None
        now = _now()
        if self._open_model or self._paused or self._stopped.is_set() or now >= self._ends:
            return
        missing = self.plan.concurrency - self._busy - self._pool.opening
        for _ in range(min(missing, max(1, self.plan.concurrency // 20)) if self.breaker.open else missing):
            self._start(now, now)

    def _again(self) -> None:
        """Closed model: the next request in place of the one that ended, a little later while everything fails."""
        if not self._open_model and self._refill is None:
            self._refill = asyncio.get_running_loop().call_later(_PROBE if self.breaker.open else 0.0, self._fill)

    async def _drain(self) -> None:
        """Wait for the requests under way, at most for the timeout."""
        end = _now() + self.plan.timeout
        while self.in_flight and _now() < end and not self._stopped.is_set():
            await asyncio.sleep(0.01)

    # Requests -------------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Requests under way, those that wait for a connection included."""
        return self._busy + self._pool.waiting

    def _start(self, planned: float, now: float) -> None:
        pool = self._pool
        if self._open_model and (now - planned > TOO_LATE or not self.breaker.lets_pass()):
            self.counting.unserved += 1
            return
        route = pool.next_route()
        if route is None:
            self.counting.sent += 1
            self.counting.fail("no pod")
        elif (connection := pool.take(route, now)) is not None:
            self._send(connection, planned, now)
        elif self._busy + pool.opening >= self.plan.connections and self._open_model:
            self.counting.unserved += 1
        elif self._http2 is not None:
            self._busy += 1
            task = asyncio.get_running_loop().create_task(self._exchange(self._http2, planned, now))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            route.waiting.append(planned)
            pool.open(route)

    def _send(self, connection: LoadConnection, planned: float, now: float) -> None:
        counting = self.counting
        counting.sent += 1
        counting.late.append(int((now - planned) * 1e6))
        self._busy += 1
        if self._busy > counting.peak:
            counting.peak = self._busy
        choice = self._choose() if len(self._requests) > 1 else 0
        connection.choice, connection.bodiless = choice, self._bodiless[choice]
        data = self._requests[choice]
        if self._numbered:
            self._number += 1
            data = numbered(data, self._number)
        connection.send(data, planned, now)

    def _choose(self) -> int:
        return self._random.choices(range(len(self._requests)), cum_weights=self._weights)[0]

    def _opened(self, route: Route, connection: LoadConnection | None, error: str) -> None:
        """The pool: a connection is open, or cannot be opened; the oldest request that waits there takes it."""
        now = _now()
        if not route.waiting:
            if connection is not None:
                self._pool.give(connection, route)
            self._again()
            return
        planned = route.waiting.popleft()
        if connection is None:
            self.counting.sent += 1
            self.counting.late.append(int((now - planned) * 1e6))
            self.counting.fail(error)
            self._again()
        elif self._open_model and now - planned > TOO_LATE:
            self.counting.unserved += 1
            self._pool.give(connection, route)
        else:
            self._send(connection, planned, now)

    def _done(self, connection: LoadConnection, error: str) -> None:
        """A connection: its request has been answered, or has failed."""
        self._busy -= 1
        if self._stopped.is_set():
            return
        now = _now()
        if error:
            self.counting.fail(error)
        else:
            self._count(connection.status, connection.choice, connection.size, connection.pod)
            self.counting.response.append(int((now - connection.planned) * 1e6))
            self.counting.service.append(int((now - connection.sent) * 1e6))
        route = connection.route
        assert route is not None
        if not connection.usable or connection.expires <= now:
            self._pool.drop(connection)
        elif route.waiting:
            self._send(connection, route.waiting.popleft(), now)
            return
        elif self._open_model or self._paused or now >= self._ends or self.breaker.open:
            self._pool.give(connection, route)
        else:
            self._send(connection, now, now)
            return
        self._again()

    def _count(self, status: int, choice: int, size: int, pod: str) -> None:
        counting = self.counting
        counting.statuses[status] = counting.statuses.get(status, 0) + 1
        counting.bytes += size
        expected = self._expect[choice]
        if (status in expected) if expected else (200 <= status < 400):
            counting.ok += 1
        else:
            counting.fail(f"http {status}")
        if pod:
            counting.pods[pod] = counting.pods.get(pod, 0) + 1

    async def _exchange(self, client: Http2Client, planned: float, now: float) -> None:
        """One request over HTTP/2, by httpx."""
        counting = self.counting
        counting.sent += 1
        counting.late.append(int((now - planned) * 1e6))
        counting.peak = max(counting.peak, self._busy)
        choice = self._choose() if len(self._requests) > 1 else 0
        status, size, error = await client.send(choice)
        self._busy -= 1
        if self._stopped.is_set():
            return
        ended = _now()
        if error:
            self.counting.fail(error)
        else:
            self._count(status, choice, size, "")
            self.counting.response.append(int((ended - planned) * 1e6))
            self.counting.service.append(int((ended - now) * 1e6))
        self._again()

    # Every second ---------------------------------------------------------------------------------------------

    async def _report(self) -> None:
        tick = 1
        while True:
            await asyncio.sleep(max(0.0, self._started + tick - _now()))
            tick = max(tick + 1, int(_now() - self._started) + 1)
            self._close_second()

    def _close_second(self) -> None:
        now, cpu = _now(), time.process_time()
        stage = self.pacer.stage
        counting, self.counting = self.counting, Counting()
        self.breaker.second(counting.ok, counting.failed)
        offered, self._offered = self._offered, 0
        if not self._open_model:
            offered = counting.sent
        text = stage.text() if stage is not None and self._open_model else self.plan.text()
        self._say(
            counting.close(
                now - 1.0 + self._wall,
                now - self._started,
                float(offered),
                self.in_flight,
                text,
                cpu=cpu - self._cpu,
                breaker_open=self.breaker.open,
            )
        )
        self._cpu = cpu

    async def _sweep(self) -> None:
        too_late = TOO_LATE if self._open_model else float("inf")
        while True:
            await asyncio.sleep(_SWEEP)
            self.counting.unserved += self._pool.sweep(_now(), too_late)

    async def _close_all(self) -> None:
        self._stopped.set()
        for task in self._tasks:
            task.cancel()
        self._pool.close()
        if self._http2 is not None:
            await self._http2.close()
