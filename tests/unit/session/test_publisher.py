"""When snapshots are handed out, by a clock that the test steps."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from hpatui.clock import ManualClock
from hpatui.model import (
    Kind,
    Listed,
    Seen,
)
from hpatui.session.publisher import INTERVAL, Publisher
from hpatui.state.snapshot import Snapshot
from hpatui.state.store import Store
from tests.factories import hpa


class Loop:
    """The clock and the timers of an event loop."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append((self.now + delay, call))
        return asyncio.TimerHandle(self.now + delay, call, (), asyncio.new_event_loop())

    def advance(self, seconds: float) -> None:
        """Let time pass and run what is due."""
        self.now += seconds
        due = [call for when, call in self.timers if when <= self.now]
        self.timers = [timer for timer in self.timers if timer[0] > self.now]
        for call in due:
            call()


class Parts:
    """A publisher over a store, and what it handed out."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.clock = ManualClock()
        self.store = Store(now=self.clock.time())
        self.failures: list[str] = []
        self.publisher = Publisher(self.store, self.clock, self.failures.append)
        self.seen: list[Snapshot] = []
        self.publisher.subscribe(self.seen.append)
        self._version = 0

    def change(self) -> None:
        """Something new in the store."""
        self._version += 1
        self.store.take(
            Seen(self.clock.time(), Listed(Kind.HPA, (hpa(version=str(self._version), current=self._version),)))
        )
        self.publisher.changed()


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    loop = Loop()
    monkeypatch.setattr("hpatui.session.publisher.asyncio.get_running_loop", lambda: loop)
    return Parts(loop)


def test_a_thousand_changes_in_a_second_are_at_most_five_snapshots(parts: Parts) -> None:
    for _ in range(1000):
        parts.change()
        parts.loop.advance(0.001)
    assert 4 <= len(parts.seen) <= 5
    parts.loop.advance(INTERVAL)
    assert parts.seen[-1].rows[0].hpa.current_replicas == 1000, "the last change is told"


def test_the_first_change_after_a_pause_is_told_at_once(parts: Parts) -> None:
    parts.change()
    parts.loop.advance(0.0)
    assert len(parts.seen) == 1
    parts.loop.advance(10.0)
    parts.change()
    parts.loop.advance(0.0)
    assert len(parts.seen) == 2


def test_a_notice_is_told_once(parts: Parts) -> None:
    parts.change()
    parts.loop.advance(1.0)
    scaled = hpa(version="9", desired=3, scaled=parts.clock.time())
    parts.store.take(Seen(parts.clock.time(), Listed(Kind.HPA, (scaled,))))
    parts.store.snapshot(parts.clock.time())  # somebody else looks
    parts.publisher.changed()
    parts.loop.advance(1.0)
    parts.change()
    parts.loop.advance(1.0)
    assert [len(snapshot.notices) for snapshot in parts.seen] == [0, 1, 0]


def test_a_subscriber_that_raises_stops_nobody_and_is_told(parts: Parts) -> None:
    def broken(_snapshot: Snapshot) -> None:
        raise ValueError("x")

    parts.publisher.subscribe(broken)
    after: list[Snapshot] = []
    parts.publisher.subscribe(after.append)
    parts.change()
    parts.loop.advance(0.0)
    assert len(parts.seen) == len(after) == 1
    assert "ValueError" in parts.failures[0]


def test_a_snapshot_that_cannot_be_made_is_told(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_now: float) -> Snapshot:
        raise KeyError("x")

    monkeypatch.setattr(parts.store, "snapshot", broken)
    parts.publisher.changed()
    parts.loop.advance(1.0)
    assert "KeyError" in parts.failures[0] and not parts.seen


def test_nothing_is_handed_out_after_the_end(parts: Parts) -> None:
    parts.change()
    parts.publisher.close()
    parts.change()
    parts.loop.advance(5.0)
    assert len(parts.seen) <= 1
