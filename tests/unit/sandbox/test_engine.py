"""The controllers' queue: what is due, when, and how often."""

from __future__ import annotations

import asyncio
import time

import pytest

from hpatui.clock import ManualClock, SystemClock
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.engine import Driver, Engine, Key

_A, _B = ("ns", "a"), ("ns", "b")


class Seen:
    """A controller that notes its calls, and fails for the keys it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[Key, float]] = []
        self.failures: dict[Key, list[Exception]] = {}

    def reconcile(self, key: Key, now: float) -> None:
        self.calls.append((key, now))
        if self.failures.get(key):
            raise self.failures[key].pop()


def _engine() -> tuple[Engine, ManualClock, Seen]:
    clock = ManualClock(1000.0)
    return Engine(clock), clock, Seen()


def test_a_key_queued_twice_runs_once() -> None:
    engine, _, seen = _engine()
    engine.enqueue(seen, _A)
    engine.enqueue(seen, _A)
    engine.enqueue(seen, _B)
    engine.settle()
    assert [key for key, _ in seen.calls] == [_A, _B]
    assert engine.next_due() is None


def test_deadlines_run_in_their_order_at_their_time() -> None:
    engine, clock, seen = _engine()
    engine.enqueue_at(seen, _A, 1010.0)
    engine.enqueue_at(seen, _B, 1005.0)
    engine.advance(clock, 7.0)
    assert seen.calls == [(_B, 1005.0)]
    engine.advance(clock, 7.0)
    assert seen.calls[1:] == [(_A, 1010.0)]
    assert clock.time() == 1014.0


def test_the_earlier_deadline_of_a_key_wins() -> None:
    engine, clock, seen = _engine()
    engine.enqueue_at(seen, _A, 1010.0)
    engine.enqueue_at(seen, _A, 1003.0)
    engine.enqueue_at(seen, _A, 1020.0)
    engine.advance(clock, 60.0)
    assert seen.calls == [(_A, 1003.0)]


def test_a_forgotten_deadline_does_not_run() -> None:
    engine, clock, seen = _engine()
    engine.enqueue_at(seen, _A, 1001.0)
    engine.forget(seen, _A)
    engine.advance(clock, 60.0)
    assert seen.calls == []


def test_a_refused_write_is_tried_again() -> None:
    engine, clock, seen = _engine()
    seen.failures[_A] = [StatusError(409, "Conflict", "the object has been modified", {})]
    engine.enqueue(seen, _A)
    engine.advance(clock, 5.0)
    assert len(seen.calls) == 2


def test_an_object_that_cannot_be_read_stops_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    engine, _, seen = _engine()
    seen.failures[_A] = [KeyError("spec")]
    engine.enqueue(seen, _A)
    engine.enqueue(seen, _B)
    engine.settle()
    assert [key for key, _ in seen.calls] == [_A, _B]
    assert "cannot handle" in caplog.text


def test_controllers_that_never_rest_are_noticed() -> None:
    engine, _, _ = _engine()

    class Restless:
        def reconcile(self, key: Key, now: float) -> None:
            engine.enqueue(self, key)

    engine.enqueue(Restless(), _A)
    with pytest.raises(RuntimeError, match="do not come to rest"):
        engine.settle(most=100)


async def _called(seen: Seen, times: int) -> None:
    for _ in range(1000):
        if len(seen.calls) >= times:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not called within 10 s")


async def test_the_driver_sleeps_until_something_is_due() -> None:
    engine, seen = Engine(SystemClock()), Seen()
    driver = Driver(engine)
    engine.enqueue_at(seen, _A, time.time() + 30.0)
    engine.enqueue_at(seen, _B, time.time() + 0.05)
    await _called(seen, 1)
    engine.enqueue(seen, _A)
    await _called(seen, 2)
    driver.stop()
    assert [key for key, _ in seen.calls] == [_B, _A]
    assert engine.done == 2
