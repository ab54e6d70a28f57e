"""The cluster of one run: a sandbox of its own, or a context; its clock, and what the run makes there.

Whatever is made is noted in a journal first; a guard process takes it away where this one is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpatui.clock import Clock, ScaledClock, SystemClock
from hpatui.cluster.auth import Ask
from hpatui.cluster.connect import Connection, connect
from hpatui.cluster.permissions import Action, Permissions
from hpatui.cluster.writes import PLURALS, Object, Writer
from hpatui.errors import ClusterError, HpatuiError, SandboxError
from hpatui.experiment.file import Experiment, Fault
from hpatui.experiment.guard import Guard
from hpatui.experiment.journal import Entry, Journal, orphans
from hpatui.experiment.manifests import words
from hpatui.experiment.putback import labels, put_back, remove
from hpatui.sandbox.faults import CLOCK, PATH
from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.process import SandboxProcess
from hpatui.session.aim import is_sandbox
from hpatui.session.steer import to_the_end
from hpatui.settings import Settings
from hpatui.text import printable

Say = Callable[[str], None]
_PATIENCE = 30.0  # seconds that taking things away may take before it is left to the guard
_NEVER_LEFT = 0.0


class Ground:
    """Opened by `opened`. `settings` lead to the cluster; `clock` is the cluster's, `speed` times as fast as ours."""

    def __init__(self, settings: Settings, run: str) -> None:
        self.settings, self.run = settings, run
        self.clock: Clock = SystemClock()
        self.speed = 1.0
        self.sandbox = False
        self._made: list[Entry] = []
        self._journal = Journal(settings, run)
        self._guard = Guard(self._journal.path)
        self._process: SandboxProcess | None = None
        self._folder: Path | None = None
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """To the cluster, once it is opened."""
        assert self._connection is not None
        return self._connection

    # Life -----------------------------------------------------------------------------------------------------

    async def open(self, sandbox: SandboxOptions | None, say: Say, ask: Ask | None) -> None:
        """Start the guard, the sandbox if there is to be one, and connect. HpatuiError where there is no way."""
        await self._guard.start()
        if sandbox is not None:
            self._journal.add({"own": True})
            self._folder = Path(tempfile.mkdtemp(prefix="hpatui-sandbox-"))
            self._journal.add({"folder": str(self._folder)})
            self._process = SandboxProcess(sandbox, self._folder)
            handle = await self._process.start()
            self.settings = replace(self.settings, kubeconfig=str(handle.kubeconfig_path), context=None)
        else:
            self._journal.where(self.settings)
        self._connection = await connect(self.settings, SystemClock(), say=say, ask=ask)
        self.sandbox = is_sandbox(self.connection)
        if self.sandbox:
            told = json.loads(await self.connection.request("GET", CLOCK))
            self.speed = float(told["speed"])
            if self.speed != 1.0:
                self.clock = ScaledClock(self.speed, wall=float(told["time"]))

    def lost(self) -> bool:
        """Whether the sandbox of the run's own has ended."""
        return self._process is not None and not self._process.running

    async def close(self) -> list[str]:
        """Take away all that was made; a line for each thing that is left, and will be tried again."""
        left: list[str] = []
        connection, self._connection = self._connection, None
        try:
            if connection is not None and self._process is None and self._made:
                left = await remove(connection, self._made, self.run, time.monotonic() + _PATIENCE)
        finally:
            if connection is not None:
                await connection.close()
            await self._end_sandbox()
            if not left:
                await self._guard.release()
                self._journal.forget()
            self._journal.close()
        return left

    async def _end_sandbox(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop()
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.rmdir()

    # What is made ---------------------------------------------------------------------------------------------

    def note(self, entry: Entry) -> None:
        """Something is about to be made."""
        self._journal.add(entry)
        self._made.append(entry)

    async def create(self, objects: Sequence[Object], namespace: str) -> list[str]:
        """Create them in their order; a line for each. HpatuiError, before anything is created, where one is there already,
        its namespace is not, or we may not.
        """
        writer, said = Writer(self.connection), []
        objects = [with_namespace(item, namespace) for item in objects]
        await self._check(objects, writer)
        for item in objects:
            meta = item["metadata"]
            marked = {**item, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), **labels(self.run)}}}
            name = {key: meta[key] for key in ("name", "namespace") if key in meta}
            self.note({"object": {"kind": item["kind"], "metadata": name}})
            await writer.create(marked, strict=True)
            said.append(f"{words(item)} created")
        return said

    async def _check(self, objects: Sequence[Object], writer: Writer) -> None:
        own = {item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"}
        permissions = Permissions(self.connection)
        for space in dict.fromkeys(item["metadata"].get("namespace", "") for item in objects):
            missing = space and space not in own
            if missing and await writer.read({"kind": "Namespace", "metadata": {"name": space}}) is None:
                hint = "create it, add a Namespace to the objects, or name another"
                raise HpatuiError(f"there is no namespace {printable(space, 80)}", hint=hint)
        for item in objects:
            group, plural = PLURALS[item["kind"]]
            space = item["metadata"].get("namespace", "")
            for verb in ("create", "get", "delete"):
                if space not in own and not await permissions.may(action := Action(verb, plural, group, space)):
                    raise HpatuiError(f"you may not {action}", hint=f"{words(item)} cannot be created and taken away")
            if space not in own and await writer.read(item) is not None:
                raise HpatuiError(
                    f"{words(item)} is there already and is not touched", hint="use another namespace, or name its HPA"
                )

    async def patch_hpa(self, item: Object, spec: Mapping[str, Any]) -> None:
        """Merge `spec` into an HPA's; undone at the end. HpatuiError."""
        before = await Writer(self.connection).read(item)
        if before is None:
            raise HpatuiError(f"{words(item)} is gone")
        undo = inverse(before.get("spec") or {}, spec)
        self.note({"patched": {"kind": item["kind"], "metadata": item["metadata"]}, "undo": undo})
        await Writer(self.connection).patch(item, {"spec": spec}, strict=True)

    async def strike(self, fault: Fault) -> None:
        """Begin a fault of the sandbox. HpatuiError where it cannot be."""
        if not self.sandbox:
            raise HpatuiError("faults are for sandboxes only", hint="run it with --on sandbox")
        name = f"{fault.kind}/{fault.target}" if fault.target else fault.kind
        self.note({"fault": name})
        body: dict[str, Any] = {"fault": fault.kind, "target": fault.target}
        if fault.lasting is not None:
            body["seconds"] = fault.lasting / self.speed  # the sandbox counts those of this machine
        if fault.delay is not None:
            body["delay"] = fault.delay if fault.kind == "slow-start" else fault.delay / self.speed
        await self.connection.request("POST", PATH, body=body)


def with_namespace(item: Object, namespace: str) -> Object:
    """The object in its own namespace, or in this one."""
    meta = item["metadata"]
    if item["kind"] == "Namespace" or meta.get("namespace"):
        return item
    return {**item, "metadata": {**meta, "namespace": namespace}}


def inverse(before: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7386) that undoes `patch` on `before`."""
    undo: dict[str, Any] = {}
    for key, value in patch.items():
        old = before.get(key)
        if isinstance(value, dict) and isinstance(old, dict):
            undo[key] = inverse(old, value)
        else:
            undo[key] = old
    return undo


def sandbox_options(experiment: Experiment) -> SandboxOptions:
    """The sandbox that the experiment asks for. UsageError for one that cannot be."""
    wish = experiment.sandbox
    options = SandboxOptions(
        scenario=wish.scenario, speed=wish.speed, kube_timings=wish.kube_timings, kubernetes=wish.kubernetes
    )
    options.check()
    return options


@contextlib.asynccontextmanager
async def opened(
    settings: Settings, sandbox: SandboxOptions | None, say: Say, ask: Ask | None = None
) -> AsyncIterator[Ground]:
    """The ground of one run, taken away at the end, whatever that is."""
    ground = Ground(settings, f"hpatui-run-{secrets.token_hex(5)}")
    try:
        await ground.open(sandbox, say, ask)
        yield ground
    except ClusterError as error:
        if ground.lost():
            raise SandboxError("the sandbox has ended", hint="run it again") from error
        raise
    finally:

        async def close() -> None:
            for line in await ground.close():
                say(f"left behind, and tried again: {line}")

        await to_the_end(close())


async def clean_up_before(settings: Settings, say: Say) -> None:
    """Take away what runs left that were killed together with their guards."""
    with orphans(settings) as paths:
        for path in paths:
            say(f"an earlier run was killed: cleaning up after it ({path.stem})")
            for line in await put_back(path, patience=_NEVER_LEFT):
                say(f"left behind by an earlier run: {line}")


async def sleep_until(clock: Clock, moment: float, speed: float) -> None:
    """Until that moment of the cluster's clock."""
    await asyncio.sleep(max(0.0, (moment - clock.time()) / speed))


def recording_beside(report: Path | None, number: int, of: int) -> Path | None:
    """Where run `number` of `of` is recorded: beside the report, anew; nowhere without a report."""
    if report is None:
        return None
    path = report.with_name(f"{report.stem}{f'-{number}' if of > 1 else ''}.hpatui")
    path.unlink(missing_ok=True)
    return path
