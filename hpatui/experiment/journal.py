"""What a run has made, on disk before it is made: so that it can be taken away whatever ends the run.

One JSON object a line: where (no secret is in it), what was created, patched, broken. Whoever works with a journal holds a
lock on it; one that nobody holds is of a run that was killed together with its guard.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hpatui.errors import HpatuiError
from hpatui.settings import Settings, state_dir

Entry = Mapping[str, Any]
_SETTINGS = ("kubeconfig", "context", "namespace", "as_user", "as_groups", "state_dir")


def folder(settings: Settings) -> Path:
    """Where journals stand."""
    return state_dir(settings) / "experiments"


class Journal:
    """A journal that is being written. HpatuiError where it cannot be: then nothing may be made."""

    def __init__(self, settings: Settings, run: str) -> None:
        """`run` names it; the objects of the run bear that name too."""
        self.path = folder(settings) / f"{run}.jsonl"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_SH)
        except OSError as error:
            raise HpatuiError(
                f"what the run makes cannot be noted in {self.path.parent}: {error.strerror}",
                hint="make room there or choose another folder (HPATUI_STATE_DIR)",
            ) from error
        self.add({"run": run})

    def where(self, settings: Settings) -> None:
        """The cluster from here on."""
        values = {name: getattr(settings, name) for name in _SETTINGS}
        if values["kubeconfig"]:
            values["kubeconfig"] = str(Path(values["kubeconfig"]).expanduser().absolute())
        self.add({"where": values})

    def add(self, entry: Entry) -> None:
        """Note it, before it is made."""
        try:
            os.write(self._file, json.dumps(entry).encode() + b"\n")
        except OSError as error:
            raise HpatuiError(f"what the run makes cannot be noted: {error.strerror}") from error

    def forget(self) -> None:
        """All of it was taken away; idempotent."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Let go of it; the file stays."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read(path: Path) -> list[Entry]:
    """The entries; a half line at the end was of something that was not made yet."""
    found: list[Entry] = []
    with contextlib.suppress(OSError):
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):
                value = json.loads(line)
                if isinstance(value, dict):
                    found.append(value)
    return found


def settings_of(entry: Entry) -> Settings:
    """The settings that lead to the cluster of a `where`."""
    values = dict(entry["where"])
    return Settings(**{**values, "as_groups": tuple(values.get("as_groups") or ())})


@contextlib.contextmanager
def orphans(settings: Settings) -> Iterator[list[Path]]:
    """The journals that nobody holds; they are ours until the end of the block."""
    mine: list[tuple[int, Path]] = []
    for path in sorted(folder(settings).glob("*.jsonl")):
        with contextlib.suppress(OSError):
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(file)
                continue
            mine.append((file, path))
    try:
        yield [path for _, path in mine]
    finally:
        for file, _ in mine:
            os.close(file)
