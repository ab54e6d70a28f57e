"""The engine: sends what the plan orders, when it orders it, and counts. Runs in a worker process.

    Pacer -> due times -> a free connection (or a new one, or "unserved") -> answer -> Statistics -> a sample a second

Open model: a request is due at its planned time whatever the answers do; one that cannot start within a second of it, or
that finds all connections busy, is counted as unserved and never sent late in a burst. Closed model: each of N
connections sends its next request as soon as the last is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
import time
from collections import deque
from collections.abc import Callable
from itertools import accumulate
from urllib.parse import urlsplit

import httpx

from hpatui import __version__
from hpatui.load.connection import Exchange, LoadConnection
from hpatui.load.pacing import Pacer
from hpatui.load.plan import LoadPlan, RequestSpec, Stage
from hpatui.load.stats import Statistics
from hpatui.load.target import Target
from hpatui.model import LoadSample, LoadTotals

TOO_LATE = 1.0  # seconds after its planned time that a request is not sent any more
_SWEEP = 0.1
_BREAKER_SECONDS = 5  # seconds of nothing but failures that open the circuit breaker
_BREAKER_SHARE = 0.02  # of the rate that goes on as a probe while it is open
# uvloop reads its clock once an iteration, in milliseconds: too coarse for latencies.
_now = time.monotonic
USER_AGENT = f"hpatui/{__version__}"


def build_requests(target: Target, specs: tuple[RequestSpec, ...]) -> list[bytes]:
    """Each request as the bytes of HTTP/1.1; httpx decides about URL, headers and body."""
    built: list[bytes] = []
    for spec in specs:
        url = target.url.rstrip("/") + "/" + spec.path.lstrip("/") if spec.path else target.url
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*", **target.headers, **spec.headers}
        request = httpx.Request(spec.method, url, headers=headers, content=spec.body or None)
        path = request.url.raw_path
        lines = [request.method.encode() + b" " + path + b" HTTP/1.1"]
        lines += [name + b": " + value for name, value in request.headers.raw]
        built.append(b"\r\n".join(lines) + b"\r\n\r\n" + spec.body)
    return built


def tls_context(target: Target) -> ssl.SSLContext:
    """How to check the target's certificate."""
    context = ssl.create_default_context(cafile=target.ca_file, cadata=target.ca_data)
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Engine:
    """One run. `say` gets each second's sample and the totals so far."""

    def __init__(self, plan: LoadPlan, target: Target, say: Callable[[LoadSample, LoadTotals], None]) -> None:
        self.plan, self.target, self._say = plan, target, say
        self._loop = asyncio.get_running_loop()
        self._requests = build_requests(target, plan.requests)
        self._weights = list(accumulate(spec.weight for spec in plan.requests))
        self._expect = [frozenset(spec.expect) for spec in plan.requests]
        parts = urlsplit(target.url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._ssl = tls_context(target) if parts.scheme == "https" else None
        self._idle: deque[LoadConnection] = deque()
        self._busy: set[LoadConnection] = set()
        self._opening = 0
        self._waiting: deque[float] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.stats = Statistics()
        self._random = random.Random(plan.seed)
        now = _now()
        self._cap = min(plan.max_rate, target.cap or plan.max_rate)
        self.pacer = Pacer(plan.stages, now, arrivals=plan.arrivals, seed=plan.seed, cap=self._cap)
        self._started = now
        self._wall = time.time() - now
        self._offered = 0
        self._paused = False
        self._stopped = asyncio.Event()
        self._wake = asyncio.Event()
        self._failing = 0
        self._probe_debt = 0.0

    # Orders ---------------------------------------------------------------------------------------------------

    def set_rate(self, rate: float) -> None:
        """Another steady rate from now on."""
        self.pacer.rebase((Stage(rate, rate, None),), _now())
        self._wake.set()

    def pause(self) -> None:
        """Send nothing until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self.pacer.resume(_now())
        self._wake.set()

    def skip_stage(self) -> None:
        """The stage's condition is met."""
        self.pacer.skip_stage(_now())
        self._wake.set()

    def stop(self) -> None:
        """End the run now; requests under way are dropped and not counted as errors."""
        self._stopped.set()
        self._wake.set()

    # Run ------------------------------------------------------------------------------------------------------

    async def run(self) -> LoadTotals:
        """Until the plan is over or `stop`; returns the totals."""
        jobs = [asyncio.create_task(self._report()), asyncio.create_task(self._sweep())]
        try:
            sending = asyncio.create_task(self._closed() if self.plan.model == "closed" else self._open())
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
            self._close_all()
        self._close_second()
        return self.stats.totals(_now() - self._started)

    @property
    def _over(self) -> bool:
        limit = self.plan.duration
        return limit is not None and _now() - self._started >= limit

    async def _open(self) -> None:
        pacer = self.pacer
        while not self._over and pacer.stage is not None:
            if not self._paused:
                now = _now()
                for planned in pacer.due(now):
                    self._offered += 1
                    self._start(planned, now)
            wait = max(0.0005, min(pacer.next_due() - _now(), 0.05)) if not self._paused else 0.05
            await asyncio.sleep(wait)

    async def _closed(self) -> None:
        for _ in range(self.plan.concurrency):
            self._start(_now(), _now())
        while not self._over:
            await asyncio.sleep(0.05)

    async def _drain(self) -> None:
        """Wait for the requests under way, at most for the timeout."""
        end = _now() + self.plan.timeout
        while (self._busy or self._waiting) and _now() < end and not self._stopped.is_set():
            await asyncio.sleep(0.01)

    # Requests -------------------------------------------------------------------------------------------------

    @property
    def in_flight(self) -> int:
        """Requests under way, those that wait for a connection included."""
        return len(self._busy) + len(self._waiting)

    def _start(self, planned: float, now: float) -> None:
        if now - planned > TOO_LATE or (self.breaker_open and not self._probe()):
            self.stats.unserved()
            return
        connection = self._free(now)
        if connection is not None:
            self._send(connection, planned, now)
        elif len(self._busy) + self._opening < self.plan.connections:
            self._waiting.append(planned)
            self._opening += 1
            task = self._loop.create_task(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self.stats.unserved()

    def _free(self, now: float) -> LoadConnection | None:
        idle = self._idle
        while idle:
            connection = idle.pop()
            if connection.usable and connection.expires > now:
                return connection
            connection.close()
        return None

    def _send(self, connection: LoadConnection, planned: float, now: float) -> None:
        self.stats.started(max(0.0, now - planned))
        self._busy.add(connection)
        exchange = Exchange(planned, now)
        connection.send(self._choose(), exchange)

    def _choose(self) -> bytes:
        if len(self._requests) == 1:
            return self._requests[0]
        return self._random.choices(self._requests, cum_weights=self._weights)[0]

    async def _connect(self) -> None:
        error = ""
        try:
            async with asyncio.timeout(self.plan.timeout):
                _, connection = await self._loop.create_connection(
                    self._new_connection, self._host, self._port, ssl=self._ssl,
                    server_hostname=(self.target.server_name or self._host) if self._ssl else None,
                )  # fmt: skip
        except TimeoutError:
            error = "connect timeout"
        except ConnectionRefusedError:
            error = "refused"
        except ssl.SSLError:
            error = "tls"
        except OSError as problem:
            error = "dns" if type(problem).__name__ == "gaierror" else "connect"
        finally:
            self._opening -= 1
        now = _now()
        if not self._waiting:
            if not error:
                self._idle.append(connection)
            return
        planned = self._waiting.popleft()
        if error:
            self.stats.started(max(0.0, now - planned))
            self.stats.failed(error)
            self._again()
        elif now - planned > TOO_LATE:
            self.stats.unserved()
            self._idle.append(connection)
        else:
            self._send(connection, planned, now)

    def _new_connection(self) -> LoadConnection:
        age = self.plan.connection_age
        expires = _now() + (age * self._random.uniform(0.7, 1.3) if age > 0 else 0.0)
        return LoadConnection(self._loop, self._done, expires, self.plan.max_body + 65536)

    def _done(self, connection: LoadConnection, exchange: Exchange, error: str) -> None:
        self._busy.discard(connection)
        if self._stopped.is_set():
            return
        now = _now()
        if error:
            self.stats.failed(error)
        else:
            ok = self._is_ok(exchange.status)
            self.stats.answered(
                now - exchange.planned, now - exchange.sent, exchange.status, exchange.size, exchange.pod, ok=ok
            )
        if connection.usable and connection.expires > now:
            if self._waiting:
                self._send(connection, self._waiting.popleft(), now)
                return
            self._idle.append(connection)
        else:
            connection.close()
        self._again()

    def _again(self) -> None:
        """Closed model: the next request of this connection."""
        if self.plan.model == "closed" and not self._stopped.is_set() and not self._over:
            now = _now()
            self._loop.call_soon(self._start, now, now) if not self.breaker_open else self._loop.call_later(
                0.5, self._start, now + 0.5, now + 0.5
            )

    def _is_ok(self, status: int) -> bool:
        expected = self._expect[0]
        return status in expected if expected else 200 <= status < 400

    # Breaker --------------------------------------------------------------------------------------------------

    @property
    def breaker_open(self) -> bool:
        """Whether everything has failed for some seconds, so that only a few probes go on."""
        return self.plan.breaker and self._failing >= _BREAKER_SECONDS

    def _probe(self) -> bool:
        self._probe_debt += _BREAKER_SHARE
        if self._probe_debt < 1.0:
            return False
        self._probe_debt -= 1.0
        return True

    # Every second ---------------------------------------------------------------------------------------------

    async def _report(self) -> None:
        tick = 1
        self._cpu = time.process_time()
        while True:
            await asyncio.sleep(max(0.0, self._started + tick - _now()))
            tick = max(tick + 1, int(_now() - self._started) + 1)
            self._close_second()

    def _close_second(self) -> None:
        now = _now()
        cpu = time.process_time()
        stage = self.pacer.stage
        sample = self.stats.close_second(
            now - 1.0 + self._wall,
            float(self._offered),
            self.in_flight,
            stage.text() if stage is not None and self.plan.model == "open" else self.plan.text(),
            cpu=cpu - getattr(self, "_cpu", cpu),
            breaker_open=self.breaker_open,
        )
        self._cpu = cpu
        self._offered = 0
        if sample.ok:
            self._failing = 0
        elif sample.failed:
            self._failing += 1
        self._say(sample, self.stats.totals(max(now - self._started, 1e-9)))

    async def _sweep(self) -> None:
        """Time out requests; a slow drip does not count as an answer."""
        while True:
            await asyncio.sleep(_SWEEP)
            oldest = _now() - self.plan.timeout
            for connection in [c for c in self._busy if c.exchange is not None and c.exchange.sent < oldest]:
                connection.fail("timeout")
            while self._waiting and _now() - self._waiting[0] > TOO_LATE:
                self._waiting.popleft()
                self.stats.unserved()

    def _close_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        for connection in [*self._idle, *self._busy]:
            connection.exchange = None
            with contextlib.suppress(RuntimeError):
                connection.close()
        self._idle.clear()
        self._busy.clear()
        self._waiting.clear()
