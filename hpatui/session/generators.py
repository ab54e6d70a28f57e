"""Load generators inside the cluster: the objects of a run on a lease, and Locust's master as the worker of a LoadRun.

    create (everything belongs to the first Job) -> the lease is pushed on while we live -> delete
    LoadRun <- lines of load.messages <- port-forward <- master's loopback <- Locust's workers

A Job's deadline is never more than LEASE seconds away: when we die, the Jobs end by themselves, and what belongs to them
goes with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from hpatui.cluster.connect import Connection
from hpatui.cluster.forward import Forwarder
from hpatui.cluster.permissions import Action, Permissions
from hpatui.cluster.writes import Writer, pods_of
from hpatui.errors import ClusterError, LoadError, NotServedError, ServerBusyError, UnreachableError
from hpatui.load.jobs import CONTROL_PORT, LEASE, RUN, Object, Place, locust_objects, named
from hpatui.load.messages import (
    Ended,
    Heartbeat,
    Order,
    Report,
    Stop,
    report_of,
    to_line,
)
from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.process import HEARTBEAT, Worker
from hpatui.load.target import Target
from hpatui.text import printable

RENEW = 10.0  # seconds between renewals of the lease
_LAG = 5  # seconds that creating a Job and the clocks may differ by
_LOOK = 0.5
_PATIENCE = 120.0  # seconds for an image to be pulled and a pod to start
_ENDING, _ENDING_LOOK = 10.0, 0.1  # seconds that pods may take to go, and between looks
_LINE = 2**22
_PLURALS = {"ConfigMap": "configmaps", "Secret": "secrets", "Service": "services", "Job": "jobs"}
Say = Callable[[str], None]


class Generators:
    """The objects of one run. The first Job is the owner of all others: with it they go."""

    def __init__(self, connection: Connection, objects: Sequence[Object], say: Say) -> None:
        self._connection = connection
        self._jobs = [item for item in objects if item["kind"] == "Job"]
        self._others = [item for item in objects if item["kind"] != "Job"]
        self._space: str = self._jobs[0]["metadata"]["namespace"]
        self._labels = {RUN: self._jobs[0]["metadata"]["labels"][RUN]}
        self._say = say
        self._released = 0.0
        self._created: list[Object] = []
        self._deleted = False
        self._writer = Writer(connection)

    async def create(self) -> None:
        """Create and start them. LoadError where we may not, ClusterError where it fails; `delete` is due either way."""
        await self._check()
        owner, *jobs = self._jobs
        suspended = {**owner, "spec": {**owner["spec"], "suspend": True}}
        made = await self._create(suspended if len(self._jobs) + len(self._others) > 1 else owner)
        reference = {
            "apiVersion": "batch/v1", "kind": "Job", "name": owner["metadata"]["name"], "uid": made["metadata"]["uid"]
        }  # fmt: skip
        for item in (*self._others, *jobs):
            await self._create({**item, "metadata": {**item["metadata"], "ownerReferences": [reference]}})
        if made["spec"].get("suspend"):
            await self._writer.patch(owner, {"spec": {"suspend": False}})
        self._released = time.monotonic()

    async def hold(self) -> None:
        """Push the lease on, for ever. LoadError when a Job has ended or is gone."""
        while True:
            await asyncio.sleep(RENEW)
            try:
                await self.renew()
            except (UnreachableError, ServerBusyError) as error:
                self._say(f"{error}; the generators end by themselves unless that passes")

    async def renew(self) -> None:
        """Push the lease on once."""
        deadline = int(time.monotonic() - self._released) + LEASE + _LAG
        for job in self._jobs:
            found = await self._writer.read(job)
            if found is None:
                raise LoadError("the generators' Job was deleted")
            if reason := _ended(found):
                raise LoadError(f"the generators' Job ended: {reason}", hint="kubectl describe job shows why")
            with contextlib.suppress(NotServedError):  # the next look finds that it was deleted
                await self._writer.patch(job, {"spec": {"activeDeadlineSeconds": deadline}})

    async def delete(self) -> None:
        """Delete what there is, and wait until no pod of it sends any more. What cannot be deleted ends by its deadline.
        Idempotent.
        """
        self._deleted = True
        items, self._created = self._created, []
        await asyncio.gather(*(self._delete(item) for item in items))
        if items:
            with contextlib.suppress(TimeoutError, ClusterError):
                async with asyncio.timeout(_ENDING):
                    while await pods_of(self._connection, self._space, self._labels):
                        await asyncio.sleep(_ENDING_LOOK)

    async def _check(self) -> None:
        permissions = Permissions(self._connection)
        wanted = [("jobs", "batch", verb) for verb in ("create", "get", "patch", "delete")]
        for plural in dict.fromkeys(_PLURALS[item["kind"]] for item in self._others):
            wanted += [(plural, "", "create"), (plural, "", "delete")]
        if self._others:
            wanted += [("pods", "", "list"), ("pods/portforward", "", "create")]
        for resource, group, verb in wanted:
            action = Action(verb, resource, group, self._space)
            if not await permissions.may(action):
                hint = "deploy/rbac-jobs.yaml allows it; `hpatui load --via cluster --print-manifest` needs no right"
                raise LoadError(f"you may not {action}", hint=hint)

    async def _create(self, item: Object) -> Object:
        if self._deleted:
            raise LoadError("stopped before it began")
        self._created.append(item)
        made = await self._writer.create(item)
        if item not in self._created:  # deleted while it was on its way
            await self._delete(item)
            raise LoadError("stopped before it began")
        return made

    async def _delete(self, item: Object) -> None:
        with contextlib.suppress(ClusterError):
            await self._writer.delete(item)


def _ended(job: Object) -> str:
    """Why the Job is over; empty while it runs."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("type") in ("Failed", "Complete") and condition.get("status") == "True":
            words = condition.get("message") or condition.get("reason") or condition["type"]
            return printable(str(words), 200)
    return ""


class LocustWorker(Worker):
    """Locust in the cluster, as the one worker of a `load.run.LoadRun`. `say` is told what is waited for."""

    def __init__(self, connection: Connection, place: Place, say: Say) -> None:
        self._connection, self._place, self._say = connection, place, say
        self._generators: Generators | None = None
        self._forwarder: Forwarder | None = None
        self._local = 0
        self._pipes: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._abandoned = False
        self._lost: float | None = None  # since when there is no way to the master

    @property
    def running(self) -> bool:
        """Whether its objects may be there."""
        return self._generators is not None

    async def start(self, plan: LoadPlan, target: Target) -> None:
        """Create the objects and wait for the master. UsageError, LoadError or ClusterError where it cannot run."""
        generators = Generators(self._connection, locust_objects(plan, self._place, leased=True), self._say)
        self._generators = generators
        try:
            await generators.create()
            self._raise_if_over()
            self._tasks = [asyncio.create_task(generators.hold())]
            pod = await self._master()
            forwarder = self._forwarder = Forwarder(self._connection, self._place.namespace)
            _, self._local = await forwarder.listen(pod, CONTROL_PORT)
            self._raise_if_over()
            self._say(f"waiting for {self._place.workers} Locust worker{'s'[: self._place.workers > 1]}")
            await self._connect()
            self._raise_if_over()
            self._tasks.append(asyncio.create_task(self._beat()))
        except BaseException:
            await self.stop()
            raise

    async def reports(self) -> AsyncIterator[Report]:
        """Seconds and at last Ended; LoadError if Locust or the way to it is lost."""
        while self._pipes is not None:
            line = b""
            with contextlib.suppress(OSError, ValueError):
                line = await self._pipes[0].readline()
            if not line.endswith(b"\n"):
                await self._reconnect()
                continue
            self._lost = None
            try:
                report = report_of(line)
            except msgspec.MsgspecError as error:
                raise LoadError("Locust said something unreadable") from error
            yield report
            if isinstance(report, Ended):
                await self.stop()
                return

    def set_stages(self, stages: tuple[Stage, ...]) -> None:
        """Other stages from now on."""
        super().set_stages(named(stages))

    def set_routes(self, routes: Sequence[tuple[str, int, str]]) -> None:
        """The Service finds the pods."""

    def finish(self) -> None:
        """Ask for the end; `reports` then gives Ended with the totals. Before there is a master, `start` fails."""
        self._abandoned = self._pipes is None
        super().finish()

    async def stop(self) -> None:
        """End it: by word, and by deleting all that it consists of. Idempotent."""
        generators, self._generators = self._generators, None
        self._tell(Stop())
        pipes, self._pipes = self._pipes, None
        tasks, self._tasks = self._tasks, []
        forwarder, self._forwarder = self._forwarder, None
        for task in tasks:
            task.cancel()
        try:
            if generators is not None:
                await generators.delete()
        finally:
            if pipes is not None:
                pipes[1].close()
            if forwarder is not None:
                await forwarder.close()
            await asyncio.gather(*tasks, return_exceptions=True)

    # The way to the master

    async def _master(self) -> str:
        """The name of the master's pod once it runs."""
        labels = {RUN: self._place.name, "hpatui.dev/role": "master"}
        end = time.monotonic() + _PATIENCE
        said = "no pod yet"
        while time.monotonic() < end:
            self._raise_if_over()
            found = await pods_of(self._connection, self._place.namespace, labels)
            if found and (found[0].get("status") or {}).get("phase") == "Running":
                return str(found[0]["metadata"]["name"])
            reason = _waits_for(found[0]) if found else said
            if reason != said:
                self._say(f"waiting for Locust's pod: {reason}")
                said = reason
            await asyncio.sleep(_LOOK)
        raise LoadError(f"Locust's pod did not start within {_PATIENCE:g} s: {said}", hint="kubectl describe pod")

    async def _connect(self) -> None:
        """A port-forward accepts before it knows whether somebody listens at its far end: `reports` finds out."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._local, limit=_LINE)
        self._pipes = reader, writer
        self._tell(Heartbeat())

    async def _reconnect(self) -> None:
        """The way is closed, or was not open yet. LoadError when the run is over, or it stays closed."""
        if self._generators is None:
            return
        now = time.monotonic()
        self._lost = self._lost or now
        if now - self._lost > LEASE:
            raise LoadError("the way to Locust's master is lost", hint="kubectl logs shows what it does")
        await asyncio.sleep(_LOOK)
        with contextlib.suppress(UnreachableError, ServerBusyError):
            if self._generators is not None:
                await self._generators.renew()  # says why, if it is over
        self._raise_if_over()
        if self._pipes is not None:
            self._pipes[1].close()
        await self._connect()

    def _raise_if_over(self) -> None:
        if self._generators is None or self._abandoned:
            raise LoadError("stopped before it began")
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def _tell(self, order: Order) -> None:
        if self._pipes is not None and not self._pipes[1].is_closing():
            with contextlib.suppress(OSError):
                self._pipes[1].write(to_line(order))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            self._tell(Heartbeat())


def _waits_for(pod: Object) -> str:
    """Why a pod does not run yet."""
    status = pod.get("status") or {}
    for container in status.get("containerStatuses") or ():
        if waiting := (container.get("state") or {}).get("waiting"):
            return printable(" ".join(str(waiting[key]) for key in ("reason", "message") if waiting.get(key)), 200)
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return printable(str(condition.get("message") or "not scheduled"), 200)
    return str(status.get("phase") or "created")
