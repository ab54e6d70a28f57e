"""A damaged recording: put aside, never deleted, and what can be read of it copied into a new one."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from hpatui.record.database import APPLICATION
from hpatui.record.places import FOLDER

MAGIC = b"SQLite format 3\x00"
_TABLES = ("run", "channel", "entity", "mark", "segment", "tail")
_BESIDE = ("-wal", "-shm")


def is_ours(path: Path) -> bool:
    """Whether a file that cannot be read was a recording: by its place, or by what is left of its header."""
    if path.parent.name == FOLDER:
        return True
    with path.open("rb") as file:
        head = file.read(100)
    return head.startswith(MAGIC) and int.from_bytes(head[68:72], "big") == APPLICATION


def move_aside(path: Path, now: float) -> Path:
    """Rename a file, and what SQLite has beside it; returns its new name."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    path.rename(aside)
    for ending in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{ending}").replace(f"{aside}{ending}")
    return aside


def salvage(damaged: Path, into: sqlite3.Connection) -> tuple[int, int]:
    """Copy each row that can be read; returns how many parts of the recording could be kept, and how many not."""
    kept = lost = 0
    try:
        source = sqlite3.connect(damaged)
    except sqlite3.Error:
        return 0, 0
    with contextlib.closing(source):
        for table in _TABLES:
            for number in _numbers(source, table):
                copied = _copy(source, into, table, number)
                if table in ("segment", "tail"):
                    kept, lost = kept + copied, lost + (not copied)
    return kept, lost


def _numbers(source: sqlite3.Connection, table: str) -> list[int]:
    """The numbers of a table's rows, as far as they can be read in one go; else all up to the highest."""
    found: list[int] = []
    try:
        for (number,) in source.execute(f"SELECT id FROM {table} ORDER BY id"):
            found.append(number)
    except sqlite3.DatabaseError:
        with contextlib.suppress(sqlite3.DatabaseError):
            (highest,) = source.execute(f"SELECT max(id) FROM {table}").fetchone()
            found += range(found[-1] + 1 if found else 1, (highest or 0) + 1)
    return found


def _copy(source: sqlite3.Connection, into: sqlite3.Connection, table: str, number: int) -> bool:
    try:
        row = source.execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()
        if row is None:
            return False
        marks = ", ".join("?" * len(row))
        into.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row)
    except sqlite3.DatabaseError:
        return False
    return True
