"""Takes away what a run made: objects that bear its name, patches of an HPA, faults of a sandbox, generators, folders.

Each is tried again where the way to the cluster fails, until `patience` is over; what then is left is said.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hpatui.clock import SystemClock
from hpatui.cluster.connect import Connection, connect
from hpatui.cluster.writes import Object, Writer, pods_of
from hpatui.errors import AuthError, ClusterError, ForbiddenError, HpatuiError, NoClusterError, NotServedError
from hpatui.experiment.journal import Entry, read, settings_of
from hpatui.load.jobs import RUN
from hpatui.sandbox.faults import PATH as FAULTS
from hpatui.text import printable

OWN = {"app.kubernetes.io/managed-by": "hpatui"}
PATIENCE, _FIRST, _LONGEST = 60.0, 0.2, 5.0
_GOING, _LOOK = 20.0, 0.2  # seconds in which pods and namespaces go, and between looks
_FINAL = (ForbiddenError, AuthError, NoClusterError)


def labels(run: str) -> dict[str, str]:
    """What each object of a run bears."""
    return {**OWN, RUN: run}


async def put_back(path: Path, *, patience: float = PATIENCE) -> list[str]:
    """Take away all that a journal names, the newest first, and remove the journal; a line for each thing that is left."""
    entries = read(path)
    run = next((str(entry["run"]) for entry in entries if "run" in entry), "")
    left: list[str] = []
    for where, made in _by_cluster(entries):
        own = any(entry.get("own") for entry in made)  # a sandbox of the run's own went with it
        things = [entry for entry in made if not {"folder", "own"} & entry.keys()]
        if things and where is not None and not own:
            left += await _at(where, things, run, patience)
        for entry in made:
            if "folder" in entry:
                _remove(str(entry["folder"]))
    if not left:
        _forget(path)
    return left


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)


def _by_cluster(entries: Sequence[Entry]) -> list[tuple[Entry | None, list[Entry]]]:
    parts: list[tuple[Entry | None, list[Entry]]] = [(None, [])]
    for entry in entries:
        if "where" in entry:
            parts.append((entry, []))
        elif "run" not in entry:
            parts[-1][1].append(entry)
    return parts


def _remove(name: str) -> None:
    """The folder of a sandbox that was killed, and no other."""
    path = Path(name)
    if path.name.startswith("hpatui-sandbox-") and path.parent == Path(tempfile.gettempdir()):
        shutil.rmtree(path, ignore_errors=True)


async def _at(where: Entry, made: Sequence[Entry], run: str, patience: float) -> list[str]:
    end = time.monotonic() + patience
    connection: Connection | None = None
    try:
        found: list[Connection] = []

        async def open_it() -> None:
            found.append(await connect(settings_of(where), SystemClock()))

        if problem := await tried(open_it, end):
            return [f"{_words(entry)} ({problem})" for entry in made]
        connection = found[0]
        return await remove(connection, made, run, end)
    finally:
        if connection is not None:
            await connection.close()


async def remove(connection: Connection, made: Sequence[Entry], run: str, end: float) -> list[str]:
    """Take these away, the newest first, until `end` (of the monotonic clock); a line for each that is left."""
    left: list[str] = []
    cleaner = _Cleaner(connection, run, end)
    for entry in reversed(made):
        problem = await tried(lambda entry=entry: cleaner.undo(entry), end)  # type: ignore[misc]
        if problem:
            left.append(f"{_words(entry)} ({problem})")
    await cleaner.wait()
    return left


async def tried(work: Callable[[], Awaitable[None]], end: float) -> str:
    """Do it, again after each failure of the way there, until `end` (at least once); empty, or why it could not be done."""
    pause = _FIRST
    while True:
        try:
            await work()
            return ""
        except NotServedError:
            return ""  # it is not there, which is all that was wanted
        except _FINAL as error:
            return error.message
        except HpatuiError as error:
            if time.monotonic() + pause > end:
                return error.message
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST)


class _Cleaner:
    """Undoes single entries, and waits for what goes slowly."""

    def __init__(self, connection: Connection, run: str, end: float) -> None:
        self._connection, self._run, self._end = connection, run, end
        self._writer = Writer(connection)
        self._going: list[tuple[str, dict[str, str]]] = []
        self._spaces: list[Object] = []

    async def undo(self, entry: Entry) -> None:
        """One of them. NotServedError where it is not there; ClusterError."""
        if "object" in entry:
            await self._delete(dict(entry["object"]))
        elif "patched" in entry:
            await self._writer.patch(dict(entry["patched"]), {"spec": entry["undo"]})
        elif "fault" in entry:
            await self._connection.request("DELETE", f"{FAULTS}/{quote(str(entry['fault']), safe='/')}")
        elif "generators" in entry:
            await self._generators(str(entry["generators"]), str(entry["namespace"]))

    async def _delete(self, item: Object) -> None:
        there = await self._writer.read(item)
        if there is None:
            return
        meta = there.get("metadata") or {}
        if not labels(self._run).items() <= (meta.get("labels") or {}).items():
            return  # somebody else's, of the same name
        await self._writer.delete(item)
        if item["kind"] == "Namespace":
            self._spaces.append(item)
        chosen = ((there.get("spec") or {}).get("selector") or {}).get("matchLabels")
        if item["kind"] in ("Deployment", "StatefulSet") and chosen:
            self._going.append((str(meta["namespace"]), dict(chosen)))

    async def _generators(self, run: str, space: str) -> None:
        """Locust in the cluster: the Jobs own the rest of it."""
        found = await self._connection.get_json(
            f"/apis/batch/v1/namespaces/{space}/jobs", {"labelSelector": f"{RUN}={run}"}
        )
        items = found.get("items")
        for job in items if isinstance(items, list) else ():
            name = {"kind": "Job", "metadata": {"namespace": space, "name": job["metadata"]["name"]}}
            await self._writer.delete(name)
        self._going.append((space, {RUN: run}))

    async def wait(self) -> None:
        """Until no pod of what was deleted is left, nor a namespace; not for ever."""
        end = min(max(self._end, time.monotonic() + 1.0), time.monotonic() + _GOING)
        while (self._going or self._spaces) and time.monotonic() < end:
            try:
                if self._going and not await pods_of(self._connection, *self._going[-1]):
                    self._going.pop()
                    continue
                if not self._going and await self._writer.read(self._spaces[-1]) is None:
                    self._spaces.pop()
                    continue
            except ClusterError:
                pass  # a namespace that is gone, a way that fails: look again
            await asyncio.sleep(_LOOK)


def _words(entry: Entry) -> str:
    """What is left, for people."""
    item: Any = entry.get("object") or entry.get("patched")
    if item is not None:
        meta = item["metadata"]
        space = f"{meta['namespace']}/" if meta.get("namespace") else ""
        what = "" if "object" in entry else "the changed spec of "
        return printable(f"{what}{item['kind']} {space}{meta['name']}", 200)
    return printable(" ".join(f"{key} {value}" for key, value in entry.items()), 200)
