"""The engine: sends what the plan orders, when it orders it, and counts. Runs in a worker process.

    Pacer -> due times -> Gate -> a free connection, or a new one -> answer -> Counting -> a Second a second

Open model: a request is due at its planned time whatever the answers do; one that this machine cannot begin within a
second of it, or for which there is no room (`most_in_flight`), is unserved and never sent late in a burst. Waiting for a
connection is the target's time. Closed model: each of N connections sends its next request as soon as the last is answered.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from itertools import accumulate
from urllib.parse import urlsplit

from hpatui.load.breaker import Breaker
from hpatui.load.connection import STALE, Call
from hpatui.load.faults import BREAKER, IN_FLIGHT, LATE, LIMIT, OWN
from hpatui.load.gate import gate_of
from hpatui.load.histogram import counts_of
from hpatui.load.pacing import Pacer
from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.pool import Connection, Pool
from hpatui.load.requests import numbered_text, template_of, tls_context
from hpatui.load.stats import Counting, Second
from hpatui.load.target import Target
from hpatui.load.ticker import Ticker

TOO_LATE = 1.0  # seconds after its planned time that a request of the open model is not sent any more
_SWEEP = 0.1
_TICK = 0.0002  # seconds between looks at the plan: what is due within one goes out together
_LOOK = 0.05  # seconds between looks at the plan at most
_ROUNDING = 1e-6
_PROBE = 0.5  # seconds between probes of the closed model while everything fails
_BACK_OFF = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)  # seconds before the closed model connects again, by failures in a row
_MARGIN = 0.3  # seconds that a time-out may be noticed late
# uvloop reads its clock once an iteration, in milliseconds: too coarse for latencies.
_now = time.monotonic


class Engine:
    """One run. `say` gets each second."""

    def __init__(self, plan: LoadPlan, target: Target, say: Callable[[Second], None]) -> None:
        """LoadError or OSError where target or TLS files cannot be used."""
        self.plan, self._say = plan, say
        self._templates = [template_of(target, spec) for spec in plan.requests]
        self._numbered = any(template.numbered for template in self._templates)
        self._weights = list(accumulate(spec.weight for spec in plan.requests))
        self._expect = [frozenset(spec.expect) for spec in plan.requests]
        context = tls_context(target, http2=plan.http2) if urlsplit(target.url).scheme == "https" else None
        self._pool = Pool(plan, target, context, self._templates, send=self._send, failed=self._failed, done=self._done)
        self._gate = gate_of(plan, target)
        self._sandbox = target.sandbox
        self._held: deque[Call] = deque()  # wait for the gate
        self._most, self._under_way = plan.most_in_flight, 0
        self.counting = Counting()
        self._random = random.Random(plan.seed)
        now = _now()
        self.pacer = Pacer(
            plan.stages, now, arrivals=plan.arrivals, seed=plan.seed, cap=self._gate.rate, phase=plan.phase
        )
        self._open_model = plan.model == "open"
        self._started = now
        self._ends = now + plan.duration if plan.duration is not None else float("inf")
        self._wall = time.time() - now
        self._offered = self._number = 0
        self._paused_at: float | None = None
        self._paused_for = 0.0
        self._sent_until: float | None = None
        self._undialled = 0  # failures to connect in a row
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
        if self._paused_at is None:
            self._paused_at = _now()

    def resume(self) -> None:
        """Go on, without the requests of the pause."""
        now = _now()
        if self._paused_at is not None:
            self._paused_for += now - self._paused_at
            self._paused_at = None
        self.pacer.resume(now)
        if not self._open_model:
            self._fill()

    def skip_stage(self) -> None:
        """The stage's condition is met."""
        self.pacer.skip_stage(_now())

    def set_routes(self, routes: list[tuple[str, int, str]]) -> None:
        """Connections go to these from now on; those to others end after their request."""
        now = _now()
        for call in self._pool.set_routes(routes):
            self._dispatch(call, now)

    def stop(self) -> None:
        """End the run now; requests under way are dropped and not counted as errors."""
        self._stopped.set()

    # Run ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until the plan is over or `stop`."""
        over = asyncio.get_running_loop().create_future()
        ticker = Ticker(lambda: self._wake(ticker, over))
        jobs = [asyncio.create_task(self._report()), asyncio.create_task(self._sweep())]
        sending = over if self._open_model else asyncio.ensure_future(self._closed())
        ending = asyncio.create_task(self._stopped.wait())
        try:
            if self._open_model:
                ticker.at(self._started, self._started)
            await asyncio.wait({sending, ending}, return_when=asyncio.FIRST_COMPLETED)
            self._sent_until = min(_now(), self._ends)
            if sending.done():
                sending.result()
                await self._drain()
        finally:
            ticker.close()
            for job in (*jobs, sending, ending):
                job.cancel()
            self._stopped.set()
            self._close_second()
            self._pool.close()

    def _wake(self, ticker: Ticker, over: asyncio.Future[None]) -> None:
        now = _now()
        if self._stopped.is_set() or over.done():
            return
        try:
            if self._paused_at is not None:
                ticker.at(now + _LOOK, now)
            elif (wake := self._tick(now)) is None:
                ticker.close()
                over.set_result(None)
            else:
                gap = 0.0 if self._held else self.pacer.gap
                ticker.at(wake if gap >= _TICK else max(wake, now + _TICK), now, gap if gap >= _TICK else 0.0)
        except Exception as error:  # noqa: BLE001  # raised where the run waits for its end
            over.set_exception(error)

    def _tick(self, now: float) -> float | None:
        """Open model: what is due goes out; says when to look again (None: all that was planned has been begun).

        All that is planned before the end goes out, however late one looks.
        """
        pacer, last = self.pacer, self._ends - _ROUNDING
        for planned in pacer.due(min(now, self._ends)):
            if planned > last:
                break
            self._offered += 1
            self._plan_one(planned, now)
        if self._held:
            self._release(now)
        if (now >= self._ends or pacer.stage is None) and not self._held:
            return None
        wake = min(pacer.next_due(), now + _LOOK)
        return min(wake, now + self._gate.opens(now)) if self._held else wake

    def _plan_one(self, planned: float, now: float) -> None:
        if now - planned > TOO_LATE:
            self.counting.leave(LATE)
        elif not self.breaker.lets_pass():
            self.counting.leave(BREAKER)
        elif self._under_way + len(self._held) >= self._most:
            self.counting.leave(IN_FLIGHT)
        elif self._held or not self._gate.take(now):
            self._held.append(Call(planned))
        else:
            self.counting.late.append(int((now - planned) * 1e6))
            self._begin(Call(planned), now)

    def _release(self, now: float) -> None:
        """Those that waited for the gate, as it allows."""
        held = self._held
        while held:
            call = held[0]
            if call.retried:
                if not self._gate.take(now):
                    return
                self._under_way += 1
                self._dispatch(held.popleft(), now, fresh=True)
            elif self._open_model and now - call.planned > TOO_LATE:
                held.popleft()
                self.counting.leave(LIMIT)
            elif self._gate.take(now):
                self._begin(held.popleft(), now)
            else:
                return

    async def _closed(self) -> None:
        while _now() < self._ends:
            if self._refill is None:
                self._fill()
            await asyncio.sleep(_LOOK)

    def _fill(self) -> None:
        """Closed model: requests for all connections that have none; a few probes while everything fails."""
        self._refill = None
        now = _now()
        if self._open_model or self._paused_at is not None or self._stopped.is_set() or now >= self._ends:
            return
        self._release(now)
        missing = self._most - self._under_way - len(self._held)
        for _ in range(min(missing, max(1, self._most // 20)) if self.breaker.open else missing):
            if not self._gate.take(now):
                self._refill_after(self._gate.opens(now))
                return
            self._begin(Call(now), now)

    def _again(self) -> None:
        """Closed model: the next request in place of the one that ended, a little later while it fails."""
        if not self._open_model and self._refill is None:
            pause = _PROBE if self.breaker.open else 0.0
            if self._undialled:
                pause = max(pause, _BACK_OFF[min(self._undialled // self._most, len(_BACK_OFF) - 1)])
            self._refill_after(pause)

    def _refill_after(self, seconds: float) -> None:
        self._refill = asyncio.get_running_loop().call_later(seconds, self._fill)

    async def _drain(self) -> None:
        """Wait for the requests under way: each ends by its own deadline."""
        end = _now() + self.plan.timeout + 2 * _SWEEP + _MARGIN
        while (self._under_way or self._held) and _now() < end and not self._stopped.is_set():
            self._release(_now())
            await asyncio.sleep(0.01)

    # Requests -------------------------------------------------------------------------------------------------

    def _begin(self, call: Call, now: float, connection: Connection | None = None) -> None:
        """A request that the gate has let through; closed model: on the connection whose request was answered."""
        counting, index = self.counting, 0
        counting.sent += 1
        self._under_way += 1
        if self._under_way > counting.peak:
            counting.peak = self._under_way
        if len(self._templates) > 1:
            index = self._random.choices(range(len(self._templates)), cum_weights=self._weights)[0]
        template = self._templates[index]
        call.choice, call.bodiless, call.data, call.begun = index, template.bodiless, template.data, now
        if self._numbered:
            call.number = self._number * self.plan.parts + self.plan.part + 1
            self._number += 1
            if template.numbered and not self.plan.http2:
                call.data = numbered_text(template.data, call.number)
        call.deadline = now + self.plan.timeout
        if connection is None:
            self._dispatch(call, now)
        else:
            self._send(connection, call)

    def _dispatch(self, call: Call, now: float, *, fresh: bool = False) -> None:
        """Send it on a free connection, or let it wait for a new one (`fresh`: in any case)."""
        pool = self._pool
        route = pool.next_route()
        if route is None:
            self._failed(call, "no pod")
        elif not fresh and (connection := pool.take(route, now)) is not None:
            self._send(connection, call)
        elif not pool.want(route, call):
            self._failed(call, IN_FLIGHT)

    def _send(self, connection: Connection, call: Call) -> None:
        self._undialled = 0
        connection.send(call, _now())

    def _failed(self, call: Call, error: str) -> None:
        """A request was never sent: there was no connection for it."""
        self._under_way -= 1
        self._undialled += 1
        self._lost(call, error)
        self._again()

    def _lost(self, call: Call, error: str) -> None:
        """A request without an answer: the target's fault, or something that this machine could not do."""
        if self._stopped.is_set():
            return
        counting = self.counting
        if error in OWN or error == IN_FLIGHT:
            counting.sent -= 1
            counting.leave(error)
            return
        counting.fail(error)
        if error.endswith("timeout"):
            counting.waited = max(counting.waited, self.plan.timeout * 1000.0)

    def _done(self, connection: Connection, call: Call, error: str) -> None:
        """A connection: its request has been answered, or has failed."""
        self._under_way -= 1
        if self._stopped.is_set():
            return
        now = _now()
        if error == STALE and not call.retried and self._templates[call.choice].again:
            self._retry(call, now)
        elif error:
            self._lost(call, "reset" if error == STALE else error)
        else:
            expected, pod = self._expect[call.choice], connection.pod or (call.pod if self._sandbox else "")
            self.counting.answer(call, now, expected, pod)
        route = connection.route
        assert route is not None
        if (
            self._open_model
            or not connection.usable
            or connection.expires <= now
            or route.waiting
            or self._held
            or self._paused_at is not None
            or now >= self._ends
            or self.breaker.open
            or self.plan.http2
            or not self._gate.take(now)
        ):
            self._pool.release(connection, route, now)
            self._again()
        else:
            self._begin(Call(now), now, connection)

    def _retry(self, call: Call, now: float) -> None:
        """The server had closed the connection before the request came: once more, on a new one (RFC 9110, 9.2.2)."""
        call.retried = True
        call.status = call.size = call.body = 0
        self.counting.retried += 1
        if self._gate.take(now):
            self._under_way += 1
            self._dispatch(call, now, fresh=True)
        else:
            self._held.appendleft(call)

    # Every second ---------------------------------------------------------------------------------------------

    async def _report(self) -> None:
        tick = 1
        while True:
            await asyncio.sleep(max(0.0, self._started + tick - _now()))
            tick = max(tick + 1, int(_now() - self._started) + 1)
            self._close_second()

    def _close_second(self) -> None:
        now, cpu, stage = _now(), time.process_time(), self.pacer.stage
        counting, self.counting = self.counting, Counting()
        offered, self._offered = self._offered, 0
        paused = self._paused_for + (now - self._paused_at if self._paused_at is not None else 0.0)
        names, tcp, tls = self._pool.dialer.take_phases()
        held, self._gate.held = self._gate.held, 0
        second = Second(
            now - 1.0 + self._wall,
            now - self._started,
            float(offered if self._open_model else counting.sent),
            in_flight=self._under_way + len(self._held),
            cpu=cpu - self._cpu,
            stage=stage.text() if stage is not None and self._open_model else self.plan.text(),
            breaker_open=self.breaker.open,
            name=counts_of(names),
            tcp=counts_of(tcp),
            tls=counts_of(tls),
            sending=max(0.0, (now if self._sent_until is None else self._sent_until) - self._started - paused),
            held=held,
            limit=self._gate.rate,
        )
        self.breaker.second(counting.ok, counting.failed)
        self._say(counting.close(second))
        self._cpu = cpu

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            self._pool.sweep(_now())
