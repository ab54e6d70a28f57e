"""Hands out snapshots: at most four a second, to everybody who subscribed; a failure on the way is shown, not dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from hpatui import logs
from hpatui.clock import Clock
from hpatui.state.snapshot import ShadowLine, Snapshot
from hpatui.state.store import Store

INTERVAL = 0.25  # seconds; data in the store is on the screen within 0.3 s


class Publisher:
    """`failed` gets one line where a snapshot could not be made or a subscriber raised."""

    def __init__(self, store: Store, clock: Clock, failed: Callable[[str], None]) -> None:
        self._store = store
        self._clock = clock
        self._failed = failed
        self._subscribers: list[Callable[[Snapshot], None]] = []
        self._handle: asyncio.TimerHandle | None = None
        self._published_at = -1e9
        self._closed = False
        self.snapshot = self._plain = store.snapshot(clock.time())
        self.shadows: tuple[ShadowLine, ...] = ()  # lines that go with every snapshot

    def subscribe(self, callback: Callable[[Snapshot], None]) -> Callable[[], None]:
        """Call `callback` with each new snapshot; returns how to unsubscribe."""
        self._subscribers.append(callback)

        def unsubscribe() -> None:
            if callback in self._subscribers:
                self._subscribers.remove(callback)

        return unsubscribe

    def changed(self) -> None:
        """Something in the store changed: publish once the interval since the last time is over."""
        if self._handle is None and not self._closed:
            loop = asyncio.get_running_loop()
            delay = max(0.0, self._published_at + INTERVAL - loop.time())
            self._handle = loop.call_later(delay, self.publish)

    def publish(self) -> None:
        """Publish now, if there is anything new."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._published_at = asyncio.get_running_loop().time()
        try:
            snapshot = self._store.snapshot(self._clock.time())
        except Exception as error:  # noqa: BLE001 - the screen must say that it stands still
            self._failed(logs.failure("showing what is known", error))
            return
        if snapshot is self._plain and self.shadows == self.snapshot.shadows:
            return
        self._plain = snapshot
        snapshot = self.snapshot = replace(snapshot, shadows=self.shadows) if self.shadows else snapshot
        self._store.published(snapshot)
        for callback in tuple(self._subscribers):
            try:
                callback(snapshot)
            except Exception as error:  # noqa: BLE001 - one front end must not stop the others
                self._failed(logs.failure("showing a change", error))

    def close(self) -> None:
        """Publish nothing more."""
        self._closed = True
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
