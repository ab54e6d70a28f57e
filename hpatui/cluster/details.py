"""The details of one HPA: its scale target, the target's pods, their usage, and the events about all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from hpatui.clock import Clock
from hpatui.cluster.connect import Connection
from hpatui.cluster.decode import decode_event, decode_workload
from hpatui.cluster.decode_pods import decode_owner, decode_pod, decode_scale, decode_usages
from hpatui.cluster.fields import decode, key_of, uid_of
from hpatui.cluster.keda import follow_scaled_object, name_of
from hpatui.cluster.pace import UsagePace
from hpatui.cluster.resources import target_path
from hpatui.cluster.served import UsageApi
from hpatui.cluster.watch import PACE, ChangedRaw, DeletedRaw, ListedRaw, Watch, WatchPace
from hpatui.errors import AuthError, ClusterError, ForbiddenError, MalformedObject, NotServedError, UnreachableError
from hpatui.model import (
    ClusterEvent,
    Deleted,
    Event,
    Fact,
    Hpa,
    Key,
    Kind,
    Listed,
    PodUsage,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.supervise import Supervisor

RETRY = 5.0
SCALE_EVERY, SCALE_PAUSE = 15.0, 0.2

_OF_TARGET = (Kind.WORKLOAD, Kind.SCALE, Kind.POD, Kind.POD_USAGE, Kind.OWNER)


class Details:
    """Runs until cancelled; every fact carries the HPA's key as its scope."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        hpa: Hpa,
        queue: asyncio.Queue[ClusterEvent],
        resolution: float,
        pace: WatchPace = PACE,
    ) -> None:
        self._pace = pace
        self._connection = connection
        self._clock = clock
        self._hpa = hpa
        self._queue = queue
        self._resolution = resolution
        self._scope = str(hpa.key)
        self._tasks: list[asyncio.Task[None]] = []
        self._selector = ""
        self._target_changed = asyncio.Event()
        self._selector_changed = asyncio.Event()
        self._events: dict[str, dict[str, Event]] = {}
        self._since: dict[Kind, tuple[SourceState, float]] = {}

    def start(self, tasks: Supervisor) -> None:
        """Watch all of it side by side, each part on its own feet, until `stop`."""
        hpa, ref = self._hpa, self._hpa.reference
        parts: tuple[tuple[str, tuple[Kind, ...], Callable[[], Coroutine[Any, Any, None]]], ...] = (
            ("the target", _OF_TARGET, self._workload_and_pods),
            ("events of the HPA", (Kind.EVENT,),
             lambda: self._watch_events("hpa", "HorizontalPodAutoscaler", hpa.key.name)),
            ("events of the target", (), lambda: self._watch_events("target", ref.kind, ref.name)),
            ("events of pods", (), lambda: self._watch_events("pods", "Pod", prefix=f"{ref.name}-")),
            ("events of ReplicaSets", (),
             lambda: self._watch_events("replicasets", "ReplicaSet", prefix=f"{ref.name}-")),
        )  # fmt: skip
        if name_of(hpa):
            follow = partial(follow_scaled_object, self._connection, hpa, self._queue.put, self._say)
            parts = (*parts, ("the ScaledObject", (Kind.SCALED_OBJECT,), follow))

        async def failed(kinds: tuple[Kind, ...], line: str) -> None:
            for kind in kinds:
                await self._say(kind, SourceState.FAILED, line)

        for name, kinds, work in parts:
            self._tasks.append(tasks.start(f"watching {name}", work, partial(failed, kinds)))

    def stop(self) -> None:
        """End all of it; the supervisor waits for the ends."""
        for task in self._tasks:
            task.cancel()

    async def _say(self, kind: Kind, state: SourceState, message: str = "") -> None:
        now = self._clock.time()
        known = self._since.get(kind)
        if known is None or known[0] is not state:
            known = self._since[kind] = (state, now)
        contact = now if state is SourceState.LIVE else None
        await self._queue.put(StatusChanged(kind, SourceStatus(state, known[1], message, contact), self._scope))

    # Target and pods ------------------------------------------------------------------------------------------

    async def _workload_and_pods(self) -> None:
        """The target's scale names its pods' selector, whatever kind the target is."""
        ref, namespace = self._hpa.reference, self._hpa.key.namespace
        self._selector = ""
        for kind in _OF_TARGET:
            await self._say(kind, SourceState.CONNECTING)
        while True:
            try:
                path = await target_path(self._connection, ref, namespace)
                await self._read_scale(path)
                break
            except (ClusterError, MalformedObject) as error:
                for kind in _OF_TARGET:
                    await self._say(kind, _state_of(error), error.message)
                await asyncio.sleep(RETRY)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_target(path))
            group.create_task(self._keep_scale(path))
            group.create_task(self._follow_selector(namespace))

    async def _watch_target(self, path: str) -> None:
        params = {"fieldSelector": f"metadata.name={self._hpa.reference.name}"}

        def noted(raw: bytes) -> Fact | None:
            self._target_changed.set()
            return decode_workload(raw)

        await self._watch(Kind.WORKLOAD, path, params, noted)

    async def _read_scale(self, path: str) -> None:
        ref = self._hpa.reference
        raw = await self._connection.request("GET", f"{path}/{ref.name}/scale")
        scale = decode_scale(raw, ref.kind, ref.api_version)
        if scale is None:
            raise MalformedObject(f"the scale of {ref}", "has no name")
        await self._queue.put(Listed(Kind.SCALE, (scale,), self._scope))
        await self._say(Kind.SCALE, SourceState.LIVE)
        if scale.selector != self._selector:
            self._selector = scale.selector
            self._selector_changed.set()

    async def _keep_scale(self, path: str) -> None:
        """A scale cannot be watched: it is read again whenever its object changed, and now and then besides."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SCALE_EVERY):
                    await self._target_changed.wait()
            self._target_changed.clear()
            try:
                await self._read_scale(path)
            except NotServedError as error:
                await self._queue.put(Listed(Kind.SCALE, (), self._scope))
                await self._say(Kind.SCALE, SourceState.NOT_SERVED, error.message)
            except (ClusterError, MalformedObject) as error:
                await self._say(Kind.SCALE, _state_of(error), error.message)
            await asyncio.sleep(SCALE_PAUSE)

    async def _follow_selector(self, namespace: str) -> None:
        """Watch the pods that the scale selects, anew whenever it selects others."""
        while True:
            self._selector_changed.clear()
            work = asyncio.ensure_future(self._selected(namespace, self._selector))
            changed = asyncio.ensure_future(self._selector_changed.wait())
            try:
                await asyncio.wait((work, changed), return_when=asyncio.FIRST_COMPLETED)
                if work.done():
                    work.result()
            finally:
                await _end(work, changed)

    async def _selected(self, namespace: str, selector: str) -> None:
        if not selector:
            for kind in (Kind.POD, Kind.POD_USAGE, Kind.OWNER):
                await self._queue.put(Listed(kind, (), self._scope))
                await self._say(kind, SourceState.NOT_SERVED, "the target's scale has no selector")
            await asyncio.Event().wait()
        params = {"labelSelector": selector}
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(Kind.POD, f"/api/v1/namespaces/{namespace}/pods", params, decode_pod))
            path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
            group.create_task(self._watch(Kind.OWNER, path, params, decode_owner))
            group.create_task(self._poll_usage(namespace, selector))

    async def _watch(
        self, kind: Kind, path: str, params: Mapping[str, str], make: Callable[[bytes], Fact | None]
    ) -> None:
        async for event in Watch(self._connection, self._clock, path, params, self._pace).events():
            match event:
                case ListedRaw(items=items):
                    found = tuple(fact for raw in items if (fact := make(raw)) is not None)
                    await self._queue.put(Listed(kind, found, self._scope))
                case ChangedRaw(item=raw):
                    fact = make(raw)
                    if fact is not None:
                        await self._queue.put(Upserted(kind, fact, self._scope))
                case DeletedRaw(item=raw):
                    obj = decode(raw)
                    await self._queue.put(Deleted(kind, key_of(obj), uid_of(obj), self._scope))
                case SourceStatus():
                    await self._queue.put(StatusChanged(kind, event, self._scope))

    # Events ---------------------------------------------------------------------------------------------------

    async def _watch_events(self, part: str, kind: str, name: str = "", prefix: str = "") -> None:
        """Events about one object, or with `prefix` about those whose name begins so; in core/v1, or where that may
        not be read in events.k8s.io.
        """
        namespace = self._hpa.key.namespace
        for api, about in (("/api/v1", "involvedObject"), ("/apis/events.k8s.io/v1", "regarding")):
            selector = f"{about}.kind={kind}" + (f",{about}.name={name}" if name else "")
            watch = Watch(
                self._connection, self._clock, f"{api}/namespaces/{namespace}/events", {"fieldSelector": selector},
                self._pace,
            )  # fmt: skip
            await self._follow_events(part, watch, prefix, last=about == "regarding")

    async def _follow_events(self, part: str, watch: Watch, prefix: str, *, last: bool) -> None:
        """Until this API turns out to be closed to us, if it is not the `last` one."""
        known = self._events.setdefault(part, {})

        def wanted(raw: bytes) -> Event | None:
            event = decode_event(raw)
            return event if event is not None and event.about.name.startswith(prefix) else None

        async for item in watch.events():
            match item:
                case ListedRaw(items=items):
                    known.clear()
                    known.update((event.uid, event) for raw in items if (event := wanted(raw)) is not None)
                    every = tuple(event for some in self._events.values() for event in some.values())
                    await self._queue.put(Listed(Kind.EVENT, every, self._scope))
                case ChangedRaw(item=raw):
                    event = wanted(raw)
                    if event is not None:
                        known[event.uid] = event
                        await self._queue.put(Upserted(Kind.EVENT, event, self._scope))
                case DeletedRaw(item=raw):
                    event = wanted(raw)
                    if event is not None:
                        known.pop(event.uid, None)
                        await self._queue.put(Deleted(Kind.EVENT, event.key, event.uid, self._scope))
                case SourceStatus(state=SourceState.FORBIDDEN | SourceState.NOT_SERVED) if not last:
                    return
                case SourceStatus() if part == "hpa":
                    await self._queue.put(StatusChanged(Kind.EVENT, item, self._scope))

    # Usage ----------------------------------------------------------------------------------------------------

    async def _poll_usage(self, namespace: str, selector: str) -> None:
        """Pod metrics have no watch: ask again when the next samples are due, which their own times tell."""
        api = UsageApi(self._connection)
        pace = UsagePace(self._resolution)
        known: dict[Key, PodUsage] = {}
        while True:
            try:
                usages = decode_usages(await api.pods(namespace, selector))
            except (ClusterError, MalformedObject) as error:
                await self._say(Kind.POD_USAGE, usage_state(error), error.message)
                pause = pace.failed()
            else:
                await self._say(Kind.POD_USAGE, SourceState.LIVE)
                if usages != known:
                    known = usages
                    await self._queue.put(Listed(Kind.POD_USAGE, tuple(usages.values()), self._scope))
                latest = max((usage.time for usage in usages.values()), default=0.0)
                pause = pace.next(latest, self._clock.time())
            await asyncio.sleep(pause)


def _state_of(error: Exception) -> SourceState:
    if isinstance(error, ForbiddenError):
        return SourceState.FORBIDDEN
    return SourceState.NOT_SERVED if isinstance(error, NotServedError) else SourceState.RECONNECTING


def usage_state(error: Exception) -> SourceState:
    """The state of pod metrics after an error. Without an answer, or with credentials that are no longer taken, it is our
    own connection that fails: the HPA controller has another, so that says nothing about the metrics API.
    """
    if isinstance(error, UnreachableError | AuthError):
        return SourceState.CONNECTING
    return _state_of(error)


async def _end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel and await; what a task that ended by itself raised is its reader's business."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
