"""One writer a recording: a lock on a file beside it, which the system lets go of when the process ends, however."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from hpatui.errors import RecordingError


class Lock:
    """Held from the beginning until `release`. RecordingError where another process holds it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take(self._file)
        except OSError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() if hasattr(os, "pread") else ""
            os.close(self._file)
            process = f" (process {holder})" if holder.isdigit() else ""
            raise RecordingError(
                f"another hpatui{process} records to {path.with_suffix('')} already, so this one does not",
                hint="or name another file with --out",
            ) from None
        with contextlib.suppress(OSError):
            os.ftruncate(self._file, 0)
            os.write(self._file, str(os.getpid()).encode())

    def release(self) -> None:
        """Let another one have it; idempotent."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _take(file: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: SQLite's own locks keep the file whole, two writers take turns
        return
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
