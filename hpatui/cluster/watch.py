"""List, then watch: one resource as a stream of facts that is true after every fault.

    list in pages -> LISTED -> watch from there (bookmarks) -> on 410: list again -> on silence or a break: watch again

A broken watch is resumed from the last version seen; if the server no longer holds it, everything is listed again and
what vanished meanwhile is dropped. Pauses between tries grow to 30 s, with jitter; nothing is asked for in a tight loop.

A quiet watch and one whose connection is dead look the same, whatever the server says on other connections. So each watch
is asked to end after some seconds and is asked for again from where it was, mostly on the same connection: a server sends
a bookmark shortly before that end, and one that is silent beyond it is not there any more.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from hpatui.clock import Clock
from hpatui.cluster.connect import Connection
from hpatui.errors import (
    AuthError,
    ClusterError,
    ForbiddenError,
    GoneError,
    MalformedObject,
    NotServedError,
    UnreachableError,
)
from hpatui.model import SourceState, SourceStatus

PAGE = 500
MUTE = 3  # silent watches in a row that did begin: this server does not end watches when it is asked to
TOLD = 55.0  # seconds between words that only say that the server was heard
BRIEF = 1.0  # seconds; a watch that ends sooner is not asked for again at once


@dataclass(frozen=True, slots=True)
class WatchPace:
    """How patient watches are, in seconds.

    `lives`: the server is asked to end a watch then. `inactivity`: longer silence is a dead connection; `patience`: the
    same where a server does not end watches when asked to, but sends bookmarks about once a minute. `first` and `longest`:
    the pauses between tries, which double. `refused`: where only somebody else can help (forbidden, not served). `settled`:
    a watch that lived so long was a good one, and pauses begin small again. `heartbeat`: how often a silent server is
    asked whether it is there, and how long its answer may take.
    """

    inactivity: float = 9.5
    lives: float = 7.0
    patience: float = 90.0
    first: float = 0.5
    longest: float = 30.0
    refused: float = 30.0
    settled: float = 5.0
    heartbeat: float = 2.5


PACE = WatchPace()


@dataclass(frozen=True, slots=True)
class ListedRaw:
    """The whole list, as JSON objects."""

    items: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ChangedRaw:
    """One object added or modified."""

    item: bytes


@dataclass(frozen=True, slots=True)
class DeletedRaw:
    """One object gone; `item` is how it was last."""

    item: bytes


RawEvent = ListedRaw | ChangedRaw | DeletedRaw | SourceStatus


class _ListMeta(msgspec.Struct):
    resourceVersion: str = ""
    continue_: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct):
    metadata: _ListMeta = msgspec.field(default_factory=_ListMeta)
    items: list[msgspec.Raw] | None = None


class _Event(msgspec.Struct):
    type: str = ""
    object: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"{}"))


class _Meta(msgspec.Struct):
    resourceVersion: str = ""


class _Versioned(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


class _Status(msgspec.Struct):
    code: int = 0
    message: str = ""


_LIST = msgspec.json.Decoder(_List)
_EVENT = msgspec.json.Decoder(_Event)
_VERSIONED = msgspec.json.Decoder(_Versioned)
_STATUS = msgspec.json.Decoder(_Status)

_L = TypeVar("_L")


class Watch:
    """One resource at `path` (e.g. /apis/autoscaling/v2/namespaces/x/horizontalpodautoscalers)."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        path: str,
        params: Mapping[str, str] | None = None,
        pace: WatchPace = PACE,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._path = path
        self._params = dict(params or {})
        self._version = ""
        self._pace = pace
        self._pause = pace.first
        self._since = clock.time()
        self._state = SourceState.CONNECTING
        self._mute = 0  # watches in a row that began and said nothing
        self._told = -1e9  # monotonic, when the state was last said

    def _status(self, state: SourceState, message: str = "", received: int = 0) -> SourceStatus:
        now = self._clock.time()
        if state is not self._state:
            self._state, self._since = state, now
        self._told = self._clock.monotonic()
        contact = now if state in (SourceState.LIVE, SourceState.LISTING) else None
        return SourceStatus(state, self._since, message, contact, received)

    async def events(self) -> AsyncIterator[RawEvent]:
        """Facts and states, for ever; ends only where the credentials are refused for good (state failed)."""
        yield self._status(SourceState.CONNECTING)
        while True:
            try:
                if not self._version:
                    async for event in self._list():
                        yield event
                async for event in self._watch():
                    yield event
            except GoneError:
                self._version = ""
                await self._wait()
            except AuthError as error:
                yield self._status(SourceState.FAILED, str(error))
                return
            except (ForbiddenError, NotServedError) as error:
                self._version = ""
                forbidden = isinstance(error, ForbiddenError)
                yield self._status(SourceState.FORBIDDEN if forbidden else SourceState.NOT_SERVED, error.message)
                await asyncio.sleep(self._pace.refused)
            except (ClusterError, MalformedObject) as error:
                yield self._status(SourceState.RECONNECTING, str(error))
                await self._wait(getattr(error, "retry_after", None))

    async def _wait(self, asked: float | None = None) -> None:
        """Back off: at least as long as the server `asked` for, and longer each time until a watch has settled."""
        await asyncio.sleep(max(asked or 0.0, self._pause) * random.uniform(1.0, 1.3))
        self._pause = min(self._pause * 2, self._pace.longest)

    async def _list(self) -> AsyncIterator[RawEvent]:
        items: list[bytes] = []
        token = ""
        while True:
            params = {**self._params, "limit": str(PAGE)}
            if token:
                params["continue"] = token
            try:
                data = await self._connection.request("GET", self._path, params)
            except GoneError:
                if not token:
                    raise
                data, items = await self._whole(), []
            page = _decode(_LIST, data, self._path)
            items += [bytes(item) for item in page.items or ()]
            token = page.metadata.continue_
            if not token:
                break
            yield self._status(SourceState.LISTING, "", len(items))
        self._version = page.metadata.resourceVersion
        yield ListedRaw(tuple(items))
        yield self._status(SourceState.LIVE, "", len(items))

    async def _whole(self) -> bytes:
        """The list in one piece, where the pages ended too early (as client-go's pager: once); UnreachableError says so."""
        try:
            return await self._connection.request("GET", self._path, self._params)
        except GoneError as error:
            raise UnreachableError("the list changes faster than it can be read") from error

    async def _watch(self) -> AsyncIterator[RawEvent]:
        pace = self._pace
        silence, lives = (pace.inactivity, pace.lives) if self._mute < MUTE else (pace.patience, pace.patience)
        params = {
            **self._params,
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(math.ceil(lives)),
        }
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with self._connection.lines(self._path, params, inactivity=silence) as lines:
                if self._state is not SourceState.LIVE:
                    yield self._status(SourceState.LIVE)
                self._mute += 1
                async for line in lines:
                    self._mute = 0
                    event = self._event(line)
                    if event is not None:
                        yield event
                self._mute = 0
        finally:
            if loop.time() - began >= self._pace.settled:
                self._pause = self._pace.first
        if loop.time() - began < BRIEF:
            raise UnreachableError("the watch ended as soon as it began")

    def _event(self, line: bytes) -> RawEvent | None:
        event = _decode(_EVENT, line, self._path)
        raw = bytes(event.object)
        if event.type == "ERROR":
            status = _decode(_STATUS, raw, self._path)
            if status.code == 410:
                raise GoneError(status.message)
            raise UnreachableError(f"the watch ended: {status.message}")
        self._version = _decode(_VERSIONED, raw, self._path).metadata.resourceVersion or self._version
        if event.type in ("ADDED", "MODIFIED"):
            return ChangedRaw(raw)
        if event.type == "DELETED":
            return DeletedRaw(raw)
        heard = event.type == "BOOKMARK" and self._clock.monotonic() - self._told >= TOLD
        return self._status(SourceState.LIVE) if heard else None


def _decode(decoder: msgspec.json.Decoder[_L], data: bytes, path: str) -> _L:
    try:
        return decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise UnreachableError(f"the answer to {path} is cut off or no JSON") from error
