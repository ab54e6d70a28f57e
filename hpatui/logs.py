"""The log file: what went wrong where nobody could show it. One file in the state folder, rotated, without secrets.

    logs.start(path)  ->  logs.failure("watching HPAs", error)  ->  traceback in the file, one line for the user

Tracebacks are written without local variables and pass `masking.masked`, so neither credentials nor a cluster's objects
reach the file. A folder that cannot be written to is no reason to fail: `path()` is then None, and the lines say so.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from pathlib import Path

from hpatui.masking import masked
from hpatui.text import printable

MOST_BYTES = 1_000_000  # then the file becomes NAME.1, and one that was there goes
_LINE = 400  # characters of an error's own words; an exception may carry a whole object in its message
_lock = threading.Lock()


class _Log:
    """Where the process logs, and what prevents it."""

    path: Path | None = None
    problem: str = ""


def start(path: str | Path | None) -> None:
    """Log to `path` from now on (None: not at all). Its folder is made; what prevents writing is kept for `problem`."""
    _Log.path, _Log.problem = None, ""
    if path is None:
        return
    wanted = Path(path).expanduser()
    try:
        wanted.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(wanted, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError as error:
        _Log.problem = f"no log file: {wanted}: {error.strerror or error}"
        return
    _Log.path = wanted


def path() -> Path | None:
    """Where the log is written, or None."""
    return _Log.path


def problem() -> str:
    """Why there is no log file, or an empty text."""
    return _Log.problem


def write(where: str, text: str) -> None:
    """One entry: time (UTC), place, text. Never raises: a full disk must not end the program."""
    target = _Log.path
    if target is None:
        return
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    lines = [_safe(line) for line in masked(text).splitlines() or [""]]
    entry = f"{stamp} {_safe(where)}: " + "\n    ".join(lines) + "\n"
    with _lock:
        try:
            if target.exists() and target.stat().st_size + len(entry) > MOST_BYTES:
                target.replace(target.with_name(target.name + ".1"))
            handle = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, entry.encode("utf-8", "replace"))
            finally:
                os.close(handle)
        except OSError:
            pass


def failure(where: str, error: BaseException) -> str:
    """Log an unexpected `error` with its traceback; the line for the user: what failed and where the rest stands."""
    kind = type(error).__name__
    stack = "".join(traceback.format_tb(error.__traceback__))
    causes, seen = [f"{kind}: {str(error)[:_LINE]}"], {id(error)}
    cause = error.__cause__ or error.__context__
    while cause is not None and id(cause) not in seen and len(causes) < 8:
        seen.add(id(cause))
        causes.append(f"after {type(cause).__name__}: {str(cause)[:_LINE]}")
        cause = cause.__cause__ or cause.__context__
    write(where, "unexpected failure\n" + stack + "\n".join(causes))
    there = f"; see {_Log.path}" if _Log.path is not None else ""
    return f"{where}: unexpected {kind}{there}"


def _safe(line: str) -> str:
    return printable(line.rstrip("\n"), 2000)
