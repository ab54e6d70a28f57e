"""Everything the checks look at, read once: lists by resource and namespace, single objects, and what is served.

A `Reading` is a list with three outcomes: read, forbidden, failed (a missing group or object is `missing`). The checks
share one World, so an object that ten checks need costs one request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hpatui.doctor.fields import Json, child, items, name, namespace, selector_matches, text
from hpatui.doctor.look import Answer, Look
from hpatui.model import Key

PAGE = "500"
MAX_PAGES = 200  # 100,000 objects: more than any cluster has of one kind, and an end to a server that never stops
HPA_VERSIONS = ("v2", "v2beta2", "v1")


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


@dataclass(frozen=True, slots=True)
class Subject:
    """An HPA with its scale target and the target's pods. `target` tells also why there is none."""

    hpa: Json
    target: Reading
    pods: Reading

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return Key(namespace(self.hpa), name(self.hpa))

    @property
    def about(self) -> str:
        """The HPA as evidence names it."""
        return f"HorizontalPodAutoscaler/{self.key}"

    @property
    def reference(self) -> str:
        """The target as evidence names it."""
        return f"{text(self.hpa, 'spec', 'scaleTargetRef', 'kind')}/{self.key.namespace}/{self.target_name}"

    @property
    def kubectl(self) -> str:
        """How a command about it begins."""
        return f"kubectl -n {self.key.namespace}"

    @property
    def kind(self) -> str:
        """The target's kind as kubectl takes it."""
        return text(self.hpa, "spec", "scaleTargetRef", "kind").lower()

    @property
    def target_name(self) -> str:
        """The target's name."""
        return text(self.hpa, "spec", "scaleTargetRef", "name")

    def live_pods(self) -> list[Json]:
        """The target's pods that are not being deleted and have not ended."""
        return [
            pod
            for pod in self.pods.objects
            if not text(pod, "metadata", "deletionTimestamp")
            and text(pod, "status", "phase") not in ("Failed", "Succeeded")
        ]


class World:
    """Reads on demand and remembers. `scope_namespace` None means all namespaces."""

    def __init__(self, look: Look, now: float, scope_namespace: str | None, hpa: Key | None) -> None:
        self.look = look
        self.now = now
        self.scope_namespace = hpa.namespace if hpa is not None else scope_namespace
        self.only = hpa
        self.hpas: Reading = Reading("", Sight.MISSING)
        self.subjects: tuple[Subject, ...] = ()
        self._readings: dict[str, asyncio.Task[Reading]] = {}

    @property
    def scope(self) -> str:
        """What is looked at, for people."""
        if self.only is not None:
            return f"HPA {self.only}"
        return f"namespace {self.scope_namespace}" if self.scope_namespace else "all namespaces"

    async def load(self) -> None:
        """Read the HPAs in scope, their targets and pods."""
        self.hpas = await self._read_hpas()
        wanted = [h for h in self.hpas.objects if self.only is None or name(h) == self.only.name]
        self.subjects = tuple(await asyncio.gather(*(self._subject(hpa) for hpa in wanted)))

    async def _read_hpas(self) -> Reading:
        reading = Reading("", Sight.MISSING)
        for version in HPA_VERSIONS:
            reading = await self.list(f"/apis/autoscaling/{version}", "horizontalpodautoscalers", self.scope_namespace)
            if reading.sight is not Sight.MISSING:
                return reading
        return reading

    async def _subject(self, hpa: Json) -> Subject:
        target = await self.target_of(hpa)
        selector = child(target.first, "spec", "selector")
        pods = await self.list("/api/v1", "pods", self.scope_namespace)
        if pods.sight is not Sight.READ and self.scope_namespace is None:
            pods = await self.list("/api/v1", "pods", namespace(hpa))
        own = tuple(
            pod
            for pod in pods.objects
            if namespace(pod) == namespace(hpa) and selector_matches(selector, child(pod, "metadata", "labels"))
        )
        return Subject(hpa, target, Reading(pods.path, pods.sight, own, pods.error, pods.status))

    # Lists and objects ----------------------------------------------------------------------------------------

    async def list(self, base: str, resource: str, where: str | None) -> Reading:
        """All objects of `resource` below `base` (`/api/v1`, `/apis/apps/v1`) in a namespace, or in all (None)."""
        path = f"{base}/namespaces/{where}/{resource}" if where else f"{base}/{resource}"
        return await self._once(path, lambda: self._pages(path))

    async def object(self, path: str) -> Reading:
        """One object, or any other JSON document."""
        return await self._once(path, lambda: self._single(path))

    async def target_of(self, hpa: Json) -> Reading:
        """The HPA's scale target, found through discovery of its apiVersion, as the controller does."""
        reference = child(hpa, "spec", "scaleTargetRef")
        version, kind = text(reference, "apiVersion"), text(reference, "kind")
        base = f"/apis/{version}" if "/" in version else f"/api/{version or 'v1'}"
        served = await self.object(base)
        if served.sight is not Sight.READ:
            return Reading(base, served.sight, (), served.error, served.status)
        plural = next(
            (
                text(r, "name")
                for r in items(served.first, "resources")
                if r.get("kind") == kind and "/" not in r["name"]
            ),
            "",
        )
        if not plural:
            return Reading(base, Sight.MISSING, (), f"{version} serves no kind {kind}", 404)
        wanted = text(reference, "name")
        known = await self.list(base, plural, self.scope_namespace)
        if known.sight is Sight.READ:
            found = tuple(o for o in known.objects if name(o) == wanted and namespace(o) == namespace(hpa))
            path = f"{base}/namespaces/{namespace(hpa)}/{plural}/{wanted}"
            error = "" if found else f'{plural} "{wanted}" not found'
            return Reading(path, Sight.READ if found else Sight.MISSING, found, error, 200 if found else 404)
        return await self.object(f"{base}/namespaces/{namespace(hpa)}/{plural}/{wanted}")

    async def events(self) -> Reading:
        """The core/v1 events in scope."""
        return await self.list("/api/v1", "events", self.scope_namespace)

    async def log_tail(self, pod: Json, lines: int = 5) -> tuple[str, ...]:
        """The last lines of a pod's log (of the container's run before this one, if that one crashed)."""
        path = f"/api/v1/namespaces/{namespace(pod)}/pods/{name(pod)}/log"
        for previous in ("true", "false"):
            answer = await self.look.get_text(path, {"tailLines": str(lines), "previous": previous})
            if answer.ok and answer.text.strip():
                return tuple(line for line in answer.text.splitlines() if line.strip())[-lines:]
        return ()

    async def _once(self, path: str, read: Callable[[], Awaitable[Reading]]) -> Reading:
        task = self._readings.get(path)
        if task is None:
            task = self._readings[path] = asyncio.ensure_future(read())
        return await task

    async def _single(self, path: str) -> Reading:
        answer = await self.look.get(path)
        return _reading(path, answer, (answer.body,) if answer.ok and answer.body is not None else ())

    async def _pages(self, path: str) -> Reading:
        found: list[Json] = []
        params: dict[str, str] = {"limit": PAGE}
        for _ in range(MAX_PAGES):
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
