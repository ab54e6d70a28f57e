"""`hpatui load --via cluster`: generators inside the cluster. Locust as manifests; busybox as a Job that hpatui runs.

A Job that hpatui runs lives on a lease: its deadline is never more than `LEASE` seconds away, and is pushed on while
hpatui is there. So it ends by itself when hpatui dies, and is deleted when hpatui stops.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import signal
import sys
import time

import yaml

from hpatui.cluster.connect import Connection
from hpatui.cluster.permissions import Action, Permissions
from hpatui.errors import ClusterError, LoadError, NotServedError, ServerBusyError, UnreachableError, UsageError
from hpatui.load.jobs import LEASE, Object, Place, busybox_job, deadline_of, locust_objects
from hpatui.load.plan import LoadPlan
from hpatui.plain.load_target import Aim

_RENEW = 10.0  # seconds between renewals of the lease
_LAG = 5  # seconds that creating a Job and the clocks may differ by


async def load_in_cluster(args: argparse.Namespace, plan: LoadPlan, aim: Aim) -> int:
    """Print the manifests, or run the loops; returns the exit code."""
    assert aim.route is not None and aim.connection is not None  # an aim by --via cluster has both
    for name in ("ca", "cert", "find_capacity", "trace", "csv", "hdr_log", "max_p95", "max_errors"):
        if getattr(args, name):
            flag = name.replace("_", "-")
            raise UsageError(f"--{flag} does not go with --via cluster", hint="use --via port-forward or a URL")
    place = Place(
        f"hpatui-load-{secrets.token_hex(3)}", aim.route.namespace, aim.target.url, args.workers,
        aim.route.selector, not aim.target.verify,
    )  # fmt: skip
    if args.engine == "busybox":
        if args.print_manifest:
            print(yaml.safe_dump(busybox_job(place, deadline_of(plan)), sort_keys=False), end="")
            return 0
        return await _Loops(aim.connection, place, plan.duration).run(as_json=args.json)
    if not args.print_manifest:
        raise UsageError(
            "hpatui prints Locust's objects, it does not run them yet",
            hint="add --print-manifest and pipe it to `kubectl apply -f -`, or use --engine busybox",
        )
    print(yaml.safe_dump_all(locust_objects(plan, place), sort_keys=False), end="")
    return 0


class _Loops:
    """The busybox Job, from its creation to its deletion."""

    def __init__(self, connection: Connection, place: Place, duration: float | None) -> None:
        self._connection, self._place, self._duration = connection, place, duration
        self._jobs = f"/apis/batch/v1/namespaces/{place.namespace}/jobs"
        self._job = busybox_job(place, LEASE)
        self._path = f"{self._jobs}/{self._job['metadata']['name']}"

    async def run(self, *, as_json: bool) -> int:
        """Until the duration is over or a signal comes; 0, or 130 when interrupted before its time."""
        permissions = Permissions(self._connection)
        for verb in ("create", "get", "patch", "delete"):
            action = Action(verb, "jobs", "batch", self._place.namespace)
            if not await permissions.may(action):
                raise LoadError(
                    f"you may not {action}", hint="deploy/rbac-jobs.yaml allows it; or add --print-manifest"
                )
        ending = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, ending.set)
        began = time.monotonic()
        try:
            await self._connection.request("POST", self._jobs, body=self._job)
            loops, place = f"{self._place.workers} wget loop{'s'[: self._place.workers > 1]}", self._place
            print(f"hpatui: {loops} at {place.url} as Job {self._job['metadata']['name']}", file=sys.stderr)
            await self._hold(began, ending)
        finally:
            with contextlib.suppress(ClusterError):  # its deadline ends it where we cannot
                await self._connection.request("DELETE", self._path, {"propagationPolicy": "Background"})
        seconds = time.monotonic() - began
        result = {"engine": "busybox", "workers": place.workers, "duration_s": round(seconds, 3), "requests": None}
        print(json.dumps(result) if as_json else f"{loops} for {seconds:.0f} s; busybox counts nothing")
        return 130 if ending.is_set() and self._duration is not None else 0

    async def _hold(self, began: float, ending: asyncio.Event) -> None:
        while not ending.is_set():
            left = _RENEW if self._duration is None else began + self._duration - time.monotonic()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _RENEW)):
                    await ending.wait()
            try:
                await self._renew(int(time.monotonic() - began) + LEASE + _LAG)
            except NotServedError as error:
                raise LoadError("the Job was deleted") from error
            except (UnreachableError, ServerBusyError) as error:
                print(f"hpatui: {error}; the Job ends by itself unless that passes", file=sys.stderr)

    async def _renew(self, deadline: int) -> None:
        """Push the Job's deadline on, to so many seconds after its start."""
        job = json.loads(await self._connection.request("GET", self._path))
        if reason := _ended(job):
            raise LoadError(f"the Job ended: {reason}", hint="kubectl describe job shows why")
        await self._connection.request(
            "PATCH", self._path, body={"spec": {"activeDeadlineSeconds": deadline}},
            content_type="application/merge-patch+json",
        )  # fmt: skip


def _ended(job: Object) -> str:
    """Why the Job is over; empty while it runs."""
    for condition in (job.get("status") or {}).get("conditions") or ():
        if condition.get("type") in ("Failed", "Complete") and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or condition["type"])
    return ""
