"""Facts about the targets of all HPAs of a scope: their objects, scales and pods, and the pods' samples.

One watch for each kind of target, one for pods, one poll for samples, whatever the number of HPAs. Every fact has the
scope EVERYTHING. Pods come after the targets, which say which pods matter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

from hpatui.clock import Clock
from hpatui.cluster.connect import Connection
from hpatui.cluster.decode import decode_workload
from hpatui.cluster.decode_pods import decode_pod, decode_scale, decode_usages
from hpatui.cluster.details import usage_state
from hpatui.cluster.fields import decode, key_of, uid_of
from hpatui.cluster.pace import UsagePace
from hpatui.cluster.resources import target_path
from hpatui.cluster.served import UsageApi
from hpatui.cluster.watch import PACE, ChangedRaw, DeletedRaw, ListedRaw, Watch, WatchPace
from hpatui.errors import ClusterError, ForbiddenError, MalformedObject, NotServedError
from hpatui.model import (
    EVERYTHING,
    ClusterEvent,
    Deleted,
    Fact,
    Hpa,
    Key,
    Kind,
    Listed,
    Reference,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.supervise import Supervisor

SLICE = 100  # objects decoded before keys get a turn
OWN_SCALE = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")  # the object tells its whole scale
RETRY, LONGEST = 5.0, 60.0


class FleetFacts:
    """Runs under the source's supervisor; `want` tells which HPAs there are."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        namespace: str | None,
        queue: asyncio.Queue[ClusterEvent],
        resolution: float,
        pace: WatchPace = PACE,
    ) -> None:
        self._connection, self._clock, self._queue, self._pace = connection, clock, queue, pace
        self._namespace = namespace
        self._resolution = resolution
        self._kinds: set[tuple[str, str]] = set()  # (API version, kind) of targets that are watched
        self._names: dict[str, set[Key]] = {}  # kind -> names of targets without own scale
        self._started: list[asyncio.Task[None]] = []
        self._targets_known = asyncio.Event()
        self._since: dict[Kind, tuple[SourceState, float]] = {}

    def want(self, hpas: Iterable[Hpa], tasks: Supervisor) -> None:
        """Watch what these HPAs scale; what is watched already stays."""
        for hpa in hpas:
            ref = hpa.reference
            if ref.kind not in OWN_SCALE:
                self._names.setdefault(ref.kind, set()).add(Key(hpa.key.namespace, ref.name))
            which = (ref.api_version, ref.kind)
            if which not in self._kinds:
                self._kinds.add(which)
                self._start(tasks, f"all {ref.kind}s", Kind.WORKLOAD, partial(self._watch_targets, *which))
        if self._kinds and not any(task.get_name() == "watching all pods" for task in self._started):
            self._start(tasks, "all pods", Kind.POD, self._watch_pods)
            self._start(tasks, "all samples", Kind.POD_USAGE, self._poll_usage)

    def _start(self, tasks: Supervisor, name: str, kind: Kind, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def failed(line: str) -> None:
            await self._say(kind, SourceState.FAILED, line)

        self._started.append(tasks.start(f"watching {name}", work, failed))

    def stop(self) -> None:
        """End all of it; the supervisor waits for the ends."""
        for task in self._started:
            task.cancel()

    async def _say(self, kind: Kind, state: SourceState, message: str = "") -> None:
        now = self._clock.time()
        known = self._since.get(kind)
        if known is None or known[0] is not state:
            known = self._since[kind] = (state, now)
        await self._queue.put(StatusChanged(kind, SourceStatus(state, known[1], message), EVERYTHING))

    # Targets --------------------------------------------------------------------------------------------------

    async def _watch_targets(self, api_version: str, kind: str) -> None:
        try:
            path = await self._path(api_version, kind)
        except (ClusterError, MalformedObject) as error:
            await self._say(Kind.WORKLOAD, _state_of(error), error.message)
            self._targets_known.set()
            return  # HPAs on a kind that is not there tell so themselves
        make = partial(decode_workload, kind=kind)
        async for event in Watch(self._connection, self._clock, path, None, self._pace).events():
            await self._take(Kind.WORKLOAD, event, make, kind)
            if (
                isinstance(event, ListedRaw | SourceStatus)
                and getattr(event, "state", None) is not SourceState.CONNECTING
            ):
                self._targets_known.set()
            if kind not in OWN_SCALE:
                await self._read_scales(event, api_version, kind)

    async def _path(self, api_version: str, kind: str) -> str:
        """The collection in the scope: of the namespace, or of all."""
        path = await target_path(self._connection, Reference(kind, "", api_version), self._namespace or "-")
        return path if self._namespace else path.replace("/namespaces/-/", "/")

    async def _read_scales(self, event: object, api_version: str, kind: str) -> None:
        """The scale of a kind that may map it anyhow has to be asked for, each time its object changes."""
        keys: set[Key] = set()
        if isinstance(event, ListedRaw):
            keys = {key_of(decode(raw)) for raw in event.items}
        elif isinstance(event, ChangedRaw):
            keys = {key_of(decode(event.item))}
        for namespace, name in sorted(keys & self._names.get(kind, set())):
            path = await target_path(self._connection, Reference(kind, name, api_version), namespace)
            try:
                scale = decode_scale(await self._connection.request("GET", f"{path}/{name}/scale"), kind, api_version)
            except (ClusterError, MalformedObject):
                continue  # the HPA's own status tells that the scale cannot be read
            if scale is not None:
                await self._queue.put(Upserted(Kind.SCALE, scale, EVERYTHING))

    # Pods and samples -----------------------------------------------------------------------------------------

    async def _watch_pods(self) -> None:
        await self._targets_known.wait()
        scope = f"/namespaces/{self._namespace}" if self._namespace else ""
        async for event in Watch(self._connection, self._clock, f"/api/v1{scope}/pods", None, self._pace).events():
            await self._take(Kind.POD, event, decode_pod)

    async def _take(self, kind: Kind, event: object, make: Callable[[bytes], Fact | None], of: str = "") -> None:
        match event:
            case ListedRaw(items=items):
                found = []
                for index, raw in enumerate(items):
                    fact = make(raw)
                    if fact is not None:
                        found.append(fact)
                    if index % SLICE == SLICE - 1:
                        await asyncio.sleep(0)
                await self._queue.put(Listed(kind, tuple(found), EVERYTHING, of))
            case ChangedRaw(item=raw):
                fact = make(raw)
                if fact is not None:
                    await self._queue.put(Upserted(kind, fact, EVERYTHING))
            case DeletedRaw(item=raw):
                obj = decode(raw)
                await self._queue.put(Deleted(kind, key_of(obj), uid_of(obj), EVERYTHING, of))
            case SourceStatus():
                await self._queue.put(StatusChanged(kind, event, EVERYTHING))

    async def _poll_usage(self) -> None:
        """Samples have no watch: they are asked for when the next are due, which their own times tell."""
        api = UsageApi(self._connection)
        pace = UsagePace(self._resolution)
        known: object = None
        await self._targets_known.wait()
        while True:
            try:
                usages = decode_usages(await api.pods(self._namespace or ""))
            except (ClusterError, MalformedObject) as error:
                await self._say(Kind.POD_USAGE, usage_state(error), error.message)
                pause = pace.failed()
            else:
                await self._say(Kind.POD_USAGE, SourceState.LIVE)
                if usages != known:
                    known = usages
                    await self._queue.put(Listed(Kind.POD_USAGE, tuple(usages.values()), EVERYTHING))
                latest = max((usage.time for usage in usages.values()), default=0.0)
                pause = pace.next(latest, self._clock.time())
            await asyncio.sleep(pause)


def _state_of(error: Exception) -> SourceState:
    if isinstance(error, ForbiddenError):
        return SourceState.FORBIDDEN
    return SourceState.NOT_SERVED if isinstance(error, NotServedError) else SourceState.RECONNECTING
