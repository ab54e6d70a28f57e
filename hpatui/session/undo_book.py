"""What hpatui applied, kept for `hpatui undo`: the spec before and after of each change, in the state folder.

A file for each HPA of each cluster, readable by its user only. It is written before anything is applied, whole or not at all.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hpatui.errors import HpatuiError
from hpatui.model import Key

MOST = 20  # changes of one HPA


@dataclass(frozen=True, slots=True)
class Change:
    """One change: where (`server` is the API server's address), when (epoch seconds), and the spec before and after.

    `uid` is the HPA's: one of the same name made anew is another.
    """

    server: str
    context: str
    namespace: str
    name: str
    uid: str
    time: float
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    why: str = ""

    @property
    def key(self) -> Key:
        return Key(self.namespace, self.name)


class UndoBook:
    """The folder `undo` in the state folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "undo"

    def keep(self, change: Change) -> None:
        """Keep a change that is about to be made. HpatuiError where that cannot be written: then it must not be made."""
        changes = [*self._read(self._path(change.server, change.key)), change][-MOST:]
        self._write(change.server, change.key, changes)

    def drop(self, change: Change) -> None:
        """Forget a change that was undone, or came to nothing."""
        changes = [kept for kept in self._read(self._path(change.server, change.key)) if kept != change]
        self._write(change.server, change.key, changes)

    def changes(self, server: str, key: Key | None = None) -> list[Change]:
        """The changes made in a cluster (of one HPA; its namespace may be empty), oldest first."""
        found = []
        with contextlib.suppress(OSError):
            for path in sorted(self._folder.glob(f"{_cluster(server)}-*.json")):
                found += self._read(path)
        if key is not None:
            found = [c for c in found if c.name == key.name and key.namespace in ("", c.namespace)]
        return sorted((c for c in found if c.server == server), key=lambda c: c.time)

    def _path(self, server: str, key: Key) -> Path:
        name = hashlib.sha256(f"{key.namespace}/{key.name}".encode()).hexdigest()[:16]
        return self._folder / f"{_cluster(server)}-{name}.json"

    def _read(self, path: Path) -> list[Change]:
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        found = []
        for item in value if isinstance(value, list) else ():
            with contextlib.suppress(TypeError):
                found.append(Change(**item))
        return [change for change in found if isinstance(change.before, dict) and isinstance(change.after, dict)]

    def _write(self, server: str, key: Key, changes: list[Change]) -> None:
        path, name = self._path(server, key), ""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not changes:
                path.unlink(missing_ok=True)
                return
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".undo")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump([asdict(change) for change in changes], file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError as error:
            if name:
                Path(name).unlink(missing_ok=True)
            raise HpatuiError(
                f"the old spec cannot be kept in {self._folder}: {error.strerror}",
                hint="make room there or choose another folder (HPATUI_STATE_DIR); nothing was applied",
            ) from error


def _cluster(server: str) -> str:
    return hashlib.sha256(server.encode()).hexdigest()[:12]
