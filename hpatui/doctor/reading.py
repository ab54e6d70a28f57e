"""Looks that are made once: lists by resource and namespace, single objects, and what is served.

A `Reading` is a look with its outcome: read, forbidden, failed, or missing (no such group, resource or object).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hpatui.doctor.fields import Json, items, name, namespace, text
from hpatui.doctor.look import Answer, Look

PAGE = "500"
MAX_PAGES = 200  # 100,000 objects: more than any cluster has of one kind, and an end to a server that never stops
AT_ONCE = 8  # looks under way at a time


class Sight(StrEnum):
    """How a look ended."""

    READ = "read"
    MISSING = "missing"  # 404: the group, resource or object is not there
    FORBIDDEN = "forbidden"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look at `path` gave: its objects (one, if it was a look at one object), or why there are none."""

    path: str
    sight: Sight
    objects: tuple[Json, ...] = ()
    error: str = ""
    status: int = 0

    @property
    def first(self) -> Json | None:
        """The first (or only) object."""
        return self.objects[0] if self.objects else None


class Reads:
    """Reads on demand and remembers. `scope` None means that lists are read over all namespaces."""

    def __init__(self, look: Look, scope: str | None) -> None:
        self.look = look
        self.scope = scope
        self._readings: dict[str, asyncio.Task[Reading]] = {}
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def list(self, base: str, resource: str, where: str | None) -> Reading:
        """All objects of `resource` below `base` (`/api/v1`, `/apis/apps/v1`) in a namespace, or in all (None)."""
        path = f"{base}/namespaces/{where}/{resource}" if where else f"{base}/{resource}"
        return await self._once(path, lambda: self._pages(path))

    async def object(self, path: str) -> Reading:
        """One object, or any other JSON document."""
        return await self._once(path, lambda: self._single(path))

    async def found(self, base: str, resource: str, where: str, wanted: str, *, one: bool) -> Reading:
        """The object of that name: looked up in the list of the scope, or asked for alone where `one` is wished or the
        list may not be read. The path and the status are those of a look that was made.
        """
        path = f"{base}/namespaces/{where}/{resource}/{wanted}"
        if not one:
            known = await self.list(base, resource, self.scope)
            if known.sight is Sight.READ:
                found = tuple(o for o in known.objects if name(o) == wanted and namespace(o) == where)
                if found:
                    return Reading(path, Sight.READ, found, "", 200)
                return Reading(known.path, Sight.MISSING, (), f'{resource} "{wanted}" not found', known.status)
        return await self.object(path)

    async def _once(self, path: str, read: Callable[[], Awaitable[Reading]]) -> Reading:
        task = self._readings.get(path)
        if task is None:
            task = self._readings[path] = asyncio.ensure_future(read())
        return await task

    async def _single(self, path: str) -> Reading:
        async with self._gate:
            answer = await self.look.get(path)
        return _reading(path, answer, (answer.body,) if answer.ok and answer.body is not None else ())

    async def _pages(self, path: str) -> Reading:
        found: list[Json] = []
        params: dict[str, str] = {"limit": PAGE}
        for _ in range(MAX_PAGES):
            async with self._gate:
                answer = await self.look.get(path, params)
            if not answer.ok or answer.body is None:
                return _reading(path, answer, ())
            found += items(answer.body, "items")
            following = text(answer.body, "metadata", "continue")
            if not following:
                break
            params = {"limit": PAGE, "continue": following}
        return Reading(path, Sight.READ, tuple(found), "", 200)


def _reading(path: str, answer: Answer, objects: tuple[Mapping[str, Any], ...]) -> Reading:
    if answer.ok and answer.body is not None:
        return Reading(path, Sight.READ, objects, "", answer.status)
    sight = {401: Sight.FORBIDDEN, 403: Sight.FORBIDDEN, 404: Sight.MISSING}.get(answer.status, Sight.FAILED)
    return Reading(path, sight, (), answer.error or f"HTTP {answer.status}", answer.status)
