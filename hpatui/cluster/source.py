"""The cluster as one stream of events: all HPAs of the scope, and the details of the one in focus.

    watch(HPAs) ------------------------------v
    watch(target), watch(its pods), -> queue -> events()
    watch(events), poll(pod metrics) ---------^

Details are asked for only for the HPA in focus, with selectors on the server's side, so 5,000 HPAs do not mean 5,000
watches. The queue is bounded: a slow consumer slows the watches, it does not grow memory.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec

from hpatui.autoscaler.rules import RECORDED
from hpatui.autoscaler.which_rules import server_version, which_rules
from hpatui.clock import Clock
from hpatui.cluster.connect import Connection
from hpatui.cluster.decode import decode_hpa
from hpatui.cluster.details import Details
from hpatui.cluster.fields import decode, key_of, uid_of
from hpatui.cluster.fleet import FleetFacts
from hpatui.cluster.heartbeat import Heartbeat
from hpatui.cluster.resources import collection_path
from hpatui.cluster.versions import VERSIONS, to_v2
from hpatui.cluster.watch import PACE, ChangedRaw, DeletedRaw, ListedRaw, Watch, WatchPace
from hpatui.errors import ClusterError, ForbiddenError, NotServedError
from hpatui.model import (
    EVERYTHING,
    ClusterEvent,
    ControllerFlags,
    Deleted,
    Hpa,
    Key,
    Kind,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.supervise import Supervisor

QUEUE = 1000
ONE_EVERY = 5.0  # seconds between looks at an HPA that may be read but not listed
_FLAGS = (
    "sync_period",
    "tolerance",
    "downscale_stabilization",
    "cpu_initialization",
    "initial_readiness_delay",
    "metrics_resolution",
)


class ClusterSource:
    """One cluster's facts. `namespace` None: all namespaces."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        namespace: str | None,
        pace: WatchPace = PACE,
        *,
        observe: bool = False,
        single: str = "",
    ) -> None:
        """`observe`: tell of the targets, pods and samples of all HPAs too. `single`: the HPA that was asked for by name;
        where listing is forbidden, it alone is followed.
        """
        self._single = single
        self._connection = connection
        self._pace = pace
        self._clock = clock
        self._namespace = namespace
        self._queue: asyncio.Queue[ClusterEvent] = asyncio.Queue(QUEUE)
        self._watching: asyncio.Task[None] | None = None
        self._details: Details | None = None
        self._observe = observe
        self._fleet: FleetFacts | None = None
        self._version = "v2"
        self._rules = RECORDED  # of the server
        self._resolution = ControllerFlags().metrics_resolution
        self._status = SourceStatus(SourceState.CONNECTING, clock.time())
        self._heart = Heartbeat(connection, pace.heartbeat, self._heart_said)
        self._tasks = Supervisor(self._failed, first=pace.first * 2, longest=pace.longest)

    async def events(self) -> AsyncIterator[Seen]:
        """Facts and states as they come (model.FactSource), until `close`."""
        if self._watching is None:
            self._watching = self._tasks.start("watching HPAs", self._watch_hpas)
            self._tasks.start("asking whether the server answers", self._heart.run)
        while True:
            event = await self._queue.get()
            yield Seen(self._clock.time(), event)

    async def close(self) -> None:
        """Stop everything; idempotent."""
        self.set_focus(None)
        await self._tasks.close()

    def set_namespace(self, namespace: str | None) -> None:
        """Watch the HPAs of another namespace, or of all (None)."""
        self._namespace, self._single = namespace, ""
        self.set_focus(None)
        if self._fleet is not None:
            self._fleet.stop()
            self._fleet = None
        while not self._queue.empty():
            self._queue.get_nowait()
        if self._watching is not None:
            self._watching.cancel()
            self._watching = self._tasks.start("watching HPAs", self._watch_hpas)

    def set_focus(self, hpa: Hpa | None) -> None:
        """Watch the details of one HPA (its target, pods, usage, events) and of no other."""
        if self._details is not None:
            self._details.stop()
            self._details = None
            waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
            for event in waiting:
                if event.scope in ("", EVERYTHING):  # details of before would be taken for those of another target
                    self._queue.put_nowait(event)
        if hpa is not None:
            self._details = Details(self._connection, self._clock, hpa, self._queue, self._resolution, self._pace)
            self._details.start(self._tasks)

    # Whether it can be trusted --------------------------------------------------------------------------------

    async def _failed(self, _name: str, line: str) -> None:
        """Something nobody expected; the task begins anew after a pause."""
        await self._say(SourceStatus(SourceState.FAILED, self._clock.time(), line, retrying=True))

    async def _heart_said(self, problem: str) -> None:
        if problem:
            now = self._clock.time()
            status = SourceStatus(SourceState.RECONNECTING, now, problem, self._status.last_contact)
            await self._queue.put(StatusChanged(Kind.HPA, status))
        else:
            await self._queue.put(StatusChanged(Kind.HPA, self._status))

    async def _say(self, status: SourceStatus) -> None:
        self._status = status
        await self._queue.put(StatusChanged(Kind.HPA, status))

    # HPAs -----------------------------------------------------------------------------------------------------

    def _path(self) -> str:
        scope = f"/namespaces/{self._namespace}" if self._namespace else ""
        return f"/apis/autoscaling/{self._version}{scope}/horizontalpodautoscalers"

    async def _watch_hpas(self) -> None:
        put = self._queue.put
        self._version = await self._find_version()
        self._rules = which_rules(server_version(self._connection.version)).server
        if self._single and self._namespace:
            await self._follow_one(self._single)
        async for event in Watch(self._connection, self._clock, self._path(), None, self._pace).events():
            self._heart.heard()
            match event:
                case ListedRaw(items=items):
                    found = []
                    for index, raw in enumerate(items):
                        hpa = self._decode(raw)
                        if hpa is not None:
                            found.append(hpa)
                        if index % 200 == 199:
                            await asyncio.sleep(0)  # keys must answer while thousands are decoded
                    await put(Listed(Kind.HPA, tuple(found)))
                    self._observe_targets(found)
                case ChangedRaw(item=raw):
                    hpa = self._decode(raw)
                    if hpa is not None:
                        await put(Upserted(Kind.HPA, hpa))
                        self._observe_targets((hpa,))
                case DeletedRaw(item=raw):
                    obj = decode(raw)
                    await put(Deleted(Kind.HPA, key_of(obj), uid_of(obj)))
                case SourceStatus():
                    await self._say(event)

    def _observe_targets(self, hpas: Iterable[Hpa]) -> None:
        if not self._observe:
            return
        if self._fleet is None:
            self._fleet = FleetFacts(
                self._connection, self._clock, self._namespace, self._queue, self._resolution, self._pace
            )
        self._fleet.want(hpas, self._tasks)

    async def _follow_one(self, name: str) -> None:
        """Where `list` is forbidden but `get` is not: this HPA, for ever. Returns where the HPAs are to be listed."""
        try:
            await self._connection.request("GET", self._path(), {"limit": "1"})
            return
        except ForbiddenError:
            pass
        except ClusterError:
            return  # the watch says what is wrong
        while True:
            now = self._clock.time()
            try:
                hpa = self._decode(await self._connection.request("GET", f"{self._path()}/{name}"))
                found: tuple[Hpa, ...] = (hpa,) if hpa is not None else ()
            except NotServedError:
                found = ()
            except ForbiddenError:
                return
            except ClusterError as error:
                await self._say(SourceStatus(SourceState.RECONNECTING, now, str(error)))
                await asyncio.sleep(max(self._pace.first, error.retry_after or ONE_EVERY))
                continue
            self._heart.heard()
            await self._queue.put(Listed(Kind.HPA, found))
            await self._say(SourceStatus(SourceState.LIVE, now, "this HPA only: listing is forbidden", now, len(found)))
            await asyncio.sleep(ONE_EVERY)

    async def _find_version(self) -> str:
        """The newest version of autoscaling that the server has. Where it cannot be asked, v2 is tried."""
        try:
            group = await self._connection.get_json("/apis/autoscaling")
        except NotServedError:
            return "v2"
        except ClusterError:
            return self._version
        served = {str(item.get("version")) for item in group.get("versions") or ()}
        return next((version for version in VERSIONS if version in served), "v2")

    def _decode(self, raw: bytes) -> Hpa | None:
        if self._version != "v2":
            raw = msgspec.json.encode(to_v2(self._version, decode(raw)))
        return decode_hpa(raw, self._rules)

    # Questions ------------------------------------------------------------------------------------------------

    async def namespaces(self) -> list[str]:
        """The cluster's namespaces, sorted. ClusterError where listing them is not allowed."""
        found = await self._connection.get_json("/api/v1/namespaces")
        return sorted(key_of(item).name for item in found.get("items") or ())

    async def controller_flags(self) -> ControllerFlags:
        """The controller's flags: the sandbox tells its own, elsewhere Kubernetes' defaults are assumed."""
        if not self._connection.sandbox:
            return ControllerFlags()
        try:
            found = await self._connection.get_json("/api/v1/namespaces/kube-system/configmaps/hpatui-sandbox")
        except ClusterError:
            return ControllerFlags()
        data = found.get("data") or {}
        values: dict[str, Any] = {}
        for name in _FLAGS:
            with contextlib.suppress(ValueError, KeyError):
                values[name] = float(str(data[name]).removesuffix("s"))
        flags = ControllerFlags(**values, known=bool(values)) if values else ControllerFlags()
        self._resolution = flags.metrics_resolution
        return flags

    async def get_object(self, kind: str, key: Key, api_version: str = "") -> bytes:
        """One object's JSON; an HPA always as autoscaling/v2."""
        if kind == "HorizontalPodAutoscaler":
            path = f"/apis/autoscaling/{self._version}/namespaces/{key.namespace}/horizontalpodautoscalers/{key.name}"
            raw = await self._connection.request("GET", path)
            return raw if self._version == "v2" else msgspec.json.encode(to_v2(self._version, decode(raw)))
        path = await collection_path(self._connection, api_version, kind, key.namespace)
        return await self._connection.request("GET", f"{path}/{key.name}")

    async def events_of(self, kind: str, key: Key) -> list[bytes]:
        """The JSON of the events about an object."""
        selector = f"involvedObject.kind={kind},involvedObject.name={key.name}"
        path = f"/api/v1/namespaces/{key.namespace}/events"
        found = await self._connection.get_json(path, {"fieldSelector": selector})
        return [msgspec.json.encode(item) for item in found.get("items") or ()]
