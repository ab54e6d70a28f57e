"""What happened to the objects of one resource, in order, and the watchers that read it.

The log is bounded: a watcher is a position in it and holds nothing else, so that a slow one costs no memory. One that
falls behind the oldest change that is kept gets 410 Expired, and lists again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec

from hpatui.sandbox.apiserver.selectors import Selection
from hpatui.sandbox.apiserver.status import expired

JsonObject = dict[str, Any]
KEPT = 8192


class Item:
    """An object at one version, with its JSON text once somebody wanted it. The object is shared: never change it."""

    __slots__ = ("_json", "obj")

    def __init__(self, obj: JsonObject) -> None:
        self.obj = obj
        self._json: bytes | None = None

    def json(self) -> bytes:
        """The stored form as JSON text."""
        if self._json is None:
            self._json = msgspec.json.encode(self.obj)
        return self._json


@dataclass(frozen=True, slots=True)
class Change:
    """One write: ADDED, MODIFIED or DELETED at `version` (the store's counter); `old` is what was there before."""

    version: int
    type: str
    item: Item
    old: Item | None


class Log:
    """The last changes of one resource. `compacted` is the newest version that is no longer held."""

    def __init__(self, version: int, kept: int = KEPT) -> None:
        self._changes: deque[Change] = deque()
        self._first = 0  # position of _changes[0], counted from the beginning of time
        self._kept = kept
        self.compacted = version
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def end(self) -> int:
        """The position after the newest change."""
        return self._first + len(self._changes)

    def append(self, change: Change) -> None:
        """Add a change and wake those who wait for one."""
        self._changes.append(change)
        if len(self._changes) > self._kept:
            self.compacted = self._changes.popleft().version
            self._first += 1
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def compact(self) -> None:
        """Forget all changes: every watch that is not up to date has to list again."""
        if self._changes:
            self.compacted = self._changes[-1].version
            self._first += len(self._changes)
            self._changes.clear()

    def position(self, version: int) -> int:
        """The position of the first change after `version`; StatusError 410 if changes since then are gone."""
        if version < self.compacted:
            raise expired(f"too old resource version: {version} ({self.compacted})")
        low, high = 0, len(self._changes)
        while low < high:
            middle = (low + high) // 2
            if self._changes[middle].version <= version:
                low = middle + 1
            else:
                high = middle
        return self._first + low

    def since(self, position: int, most: int) -> list[Change]:
        """Up to `most` changes from `position` on; StatusError 410 if they are gone."""
        if position < self._first:
            raise expired(f"too old resource version: watch fell behind ({self.compacted})")
        start = position - self._first
        size = len(self._changes)
        if start >= size:
            return []
        if start * 2 > size:  # a deque is slow in its middle: walk from the near end
            count = size - start
            found = [change for change, _ in zip(reversed(self._changes), range(count), strict=False)][::-1]
            return found[:most]
        return [self._changes[index] for index in range(start, min(size, start + most))]

    async def wait(self, timeout: float | None) -> None:
        """Return when a change was appended, or after `timeout` seconds."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            pass
        finally:
            if not future.done() or future.cancelled():
                self._waiting = [other for other in self._waiting if other is not future]


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """What a watcher sees: a change's type as it is for the watcher's selection."""

    type: str
    item: Item
    version: int


class Watcher:
    """Reads a log from a position, through a selection. Also an async iterator over single events."""

    def __init__(self, log: Log, position: int, selection: Selection, initial: list[WatchEvent]) -> None:
        self._log = log
        self._position = position
        self._selection = selection
        self._pending = deque(initial)

    async def batch(self, timeout: float | None = None, most: int = 500) -> list[WatchEvent]:
        """The next events, at once if there are some; [] after `timeout` seconds. StatusError 410 if it fell behind."""
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        while True:
            if self._pending:
                events = [self._pending.popleft() for _ in range(min(most, len(self._pending)))]
            else:
                changes = self._log.since(self._position, most)
                self._position += len(changes)
                events = [event for change in changes if (event := self._seen(change)) is not None]
                if changes and not events:
                    continue
            if events:
                return events
            left = None if end is None else end - loop.time()
            if left is not None and left <= 0:
                return []
            await self._log.wait(left)

    def _seen(self, change: Change) -> WatchEvent | None:
        """A change as this watcher's selection sees it: an object may come into it or leave it."""
        new = change.item
        now = change.type != "DELETED" and self._selection.matches(new.obj)
        was = change.old is not None and self._selection.matches(change.old.obj)
        if now:
            return WatchEvent("MODIFIED" if was else "ADDED", new, change.version)
        return WatchEvent("DELETED", new, change.version) if was else None

    async def __aiter__(self) -> AsyncIterator[WatchEvent]:
        while True:
            for event in await self.batch():
                yield event
