"""Sources of requests inside the data plane: pods get the work without connections being opened."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from hpatui.sandbox.dataplane.serving import Pod

_TICK = 0.1  # seconds between arrivals of an open source
_ROUND_TRIP = 0.005  # seconds a caller needs between answer and next request
_RETRY = 1.0  # seconds a caller waits when it was refused


class Chooses(Protocol):
    """A Service, as a source sees it."""

    def choose(self) -> Pod | None:
        """A ready pod, or None."""


class Traffic:
    """Open: the rate follows `stages` (seconds, rate at the start, rate at the end) in a circle."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, service: Chooses, stages: Sequence[tuple[float, float, float]]
    ) -> None:
        self._loop = loop
        self._service = service
        self._stages = [stage for stage in stages if stage[0] > 0]
        self._length = sum(stage[0] for stage in self._stages)
        self._began = 0.0
        self._last = 0.0
        self._owed = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> bool:
        """Begin; False if there is nothing to send."""
        if not self._stages or not any(first > 0 or last > 0 for _, first, last in self._stages):
            return False
        self._began = self._last = self._loop.time()
        self._timer = self._loop.call_later(_TICK, self._tick)
        return True

    def stop(self) -> None:
        """Send no more."""
        if self._timer is not None:
            self._timer.cancel()

    def rate(self, now: float) -> float:
        """Requests per second now."""
        at = (now - self._began) % self._length
        for seconds, first, last in self._stages:
            if at < seconds:
                return first + (last - first) * at / seconds
            at -= seconds
        return self._stages[-1][2]

    def _tick(self) -> None:
        now = self._loop.time()
        self._owed += self.rate(now) * min(now - self._last, 1.0)
        self._last = now
        while self._owed >= 1.0:
            self._owed -= 1.0
            pod = self._service.choose()
            if pod is not None:
                pod.admit(now)
        self._timer = self._loop.call_later(_TICK, self._tick)


class Callers:
    """Closed: each worker sends its next request when the last one is answered."""

    def __init__(self, loop: asyncio.AbstractEventLoop, service: Chooses, workers: int) -> None:
        self._loop = loop
        self._service = service
        self._timers: list[asyncio.TimerHandle | None] = [None] * workers

    def start(self) -> bool:
        """Begin; False if there are no workers."""
        for worker in range(len(self._timers)):
            self._next(worker, self._loop.time() + worker * 0.01)
        return bool(self._timers)

    def stop(self) -> None:
        """Send no more."""
        for timer in self._timers:
            if timer is not None:
                timer.cancel()

    def _next(self, worker: int, when: float) -> None:
        self._timers[worker] = self._loop.call_at(when, self._call, worker)

    def _call(self, worker: int) -> None:
        now = self._loop.time()
        pod = self._service.choose()
        finish = pod.admit(now) if pod is not None else None
        self._next(worker, now + _RETRY if finish is None else max(finish, now) + _ROUND_TRIP)
