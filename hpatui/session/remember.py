"""What hpatui remembers between runs: the namespace last looked at in each context. A small JSON file."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

_MOST = 200  # contexts
ALL = "*"


class Memory:
    """The file `namespaces.json` in the state folder. A file that cannot be read or written is as good as none."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "namespaces.json"

    def namespace(self, context: str) -> str | None:
        """The namespace last looked at in a context (`*`: all), or None."""
        return self._read().get(context)

    def remember(self, context: str, namespace: str | None) -> None:
        """Remember a namespace (None: all) for a context. Written whole or not at all."""
        known = self._read()
        known.pop(context, None)
        known[context] = namespace or ALL
        kept = dict(list(known.items())[-_MOST:])
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".namespaces")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1)
            Path(name).replace(self._path)

    def _read(self) -> dict[str, str]:
        try:
            value = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        pairs = value.items() if isinstance(value, dict) else ()
        return {str(context): namespace for context, namespace in pairs if isinstance(namespace, str)}
