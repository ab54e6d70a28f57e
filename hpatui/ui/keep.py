"""What the screen remembers between runs: that the tour was seen, which columns are hidden. A small JSON file.

A file that cannot be read or written is as good as none; nothing of a cluster is in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


class Kept:
    """The file `screen.json` in the state folder, read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "screen.json"
        self._values: dict[str, Any] | None = None

    def seen(self, name: str) -> bool:
        """Whether something that comes only once was there already."""
        return self._all().get(name) is True

    def names(self, name: str) -> list[str]:
        """A list of words; empty where there is none."""
        value = self._all().get(name)
        return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []

    def keep(self, name: str, value: bool | list[str]) -> None:
        """Remember a value; the file is written whole or not at all."""
        values = self._all()
        values[name] = value
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".screen")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(values, file, indent=1)
            Path(temporary).replace(self._path)

    def _all(self) -> dict[str, Any]:
        if self._values is None:
            try:
                value = json.loads(self._path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                value = {}
            self._values = value if isinstance(value, dict) else {}
        return self._values
