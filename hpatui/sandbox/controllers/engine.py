"""The one queue that all controllers share: what is due now, and when the next thing is due.

A controller is `reconcile(key, now)`, called with a key that changed or whose time has come. Keys that are queued twice
run once. Nothing polls: an engine without anything due sleeps until the nearest deadline or the next change. Tests step
an engine over a manual clock (`settle`, `advance`); a running sandbox drives it from its event loop (`Driver`).
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from hpatui.clock import Clock
from hpatui.sandbox.apiserver.status import StatusError

_RETRY = 0.5  # seconds after a conflict or another refusal of the API
_SLICE = 0.01  # seconds of work before other tasks of the event loop have their turn

Key = tuple[str, str]  # namespace and name of what is to be reconciled

log = logging.getLogger(__name__)


class Controller(Protocol):
    """A control loop."""

    def reconcile(self, key: Key, now: float) -> None:
        """Bring the object named `key` a step closer to what is wanted. `now`: epoch seconds of the cluster's clock."""


Item = tuple[Controller, Key]


class Wound(Protocol):
    """A clock that moves by hand."""

    def time(self) -> float:
        """Wall time in seconds since the epoch."""

    def advance(self, seconds: float) -> None:
        """Move it forward."""


class Engine:
    """Work due now in the order it came, and work due later; times are epoch seconds of the cluster's clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.on_work: Callable[[], None] = lambda: None  # called when there is work, or an earlier deadline
        self.done = 0  # reconciles so far
        self._ready: deque[Item] = deque()
        self._queued: set[Item] = set()
        self._heap: list[tuple[float, int, Item]] = []
        self._deadline: dict[Item, float] = {}
        self._sequence = 0

    def enqueue(self, controller: Controller, key: Key) -> None:
        """Reconcile `key` soon."""
        item = (controller, key)
        if item not in self._queued:
            self._queued.add(item)
            self._ready.append(item)
            if len(self._ready) == 1:
                self.on_work()

    def enqueue_at(self, controller: Controller, key: Key, when: float) -> None:
        """Reconcile `key` at `when`, or earlier if that was asked for before."""
        item = (controller, key)
        known = self._deadline.get(item)
        if known is not None and known <= when:
            return
        self._deadline[item] = when
        self._sequence += 1
        heapq.heappush(self._heap, (when, self._sequence, item))
        if self._heap[0][2] == item:
            self.on_work()

    def forget(self, controller: Controller, key: Key) -> None:
        """Drop the deadline of a key whose object is gone."""
        self._deadline.pop((controller, key), None)

    def next_due(self) -> float | None:
        """When there is work next: now (a past time) if some is ready, None if there is none at all."""
        if self._ready:
            return 0.0
        while self._heap and self._deadline.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """Run one due item; False if none is."""
        now = self.clock.time()
        while (due := self.next_due()) is not None and 0.0 < due <= now:
            item = heapq.heappop(self._heap)[2]
            del self._deadline[item]
            self.enqueue(*item)
        if not self._ready:
            return False
        item = self._ready.popleft()
        self._queued.discard(item)
        controller, key = item
        self.done += 1
        try:
            controller.reconcile(key, now)
        except StatusError as refused:
            log.debug("%s %s: %s", type(controller).__name__, key, refused)
            self.enqueue_at(controller, key, now + _RETRY)
        except Exception:
            # An object that users wrote in a shape this controller cannot read: leave it until it changes.
            log.exception("%s cannot handle %s", type(controller).__name__, key)
        return True

    def settle(self, most: int = 100_000) -> None:
        """Run all that is due now. RuntimeError if it does not come to rest within `most` steps."""
        for _ in range(most):
            if not self.step():
                return
        raise RuntimeError(f"controllers do not come to rest: {list(self._ready)[:5]}")

    def advance(self, clock: Wound, seconds: float) -> None:
        """Move a clock, which must be the engine's own, forward, stopping at every deadline on the way."""
        end = clock.time() + seconds
        self.settle()
        while (due := self.next_due()) is not None and due <= end:
            clock.advance(max(0.0, due - clock.time()))
            self.settle()
        clock.advance(max(0.0, end - clock.time()))


class Driver:
    """Runs an engine from the event loop; `speed` cluster seconds pass in one real second."""

    def __init__(self, engine: Engine, speed: float = 1.0) -> None:
        self._engine = engine
        self._speed = speed
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.Handle | None = None
        self._at = 0.0
        self._stopped = False
        engine.on_work = self._wake
        self._wake()

    def stop(self) -> None:
        """Run nothing more."""
        self._stopped = True
        self._engine.on_work = lambda: None
        if self._handle is not None:
            self._handle.cancel()

    def _wake(self) -> None:
        due = self._engine.next_due()
        if due is None or self._stopped:
            return
        if self._handle is not None:
            if self._at <= due:
                return
            self._handle.cancel()
        self._at = due
        delay = (due - self._engine.clock.time()) / self._speed
        self._handle = self._loop.call_soon(self._run) if delay <= 0 else self._loop.call_later(delay, self._run)

    def _run(self) -> None:
        end = time.monotonic() + _SLICE
        self._at = 0.0  # nothing that comes in meanwhile needs another wake-up
        while self._engine.step():
            if time.monotonic() > end:
                self._handle = self._loop.call_later(0, self._run)
                return
        self._handle = None
        self._wake()
