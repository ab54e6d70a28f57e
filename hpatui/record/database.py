"""The file of a recording: its tables, their versions, and what can be wrong with it. SQLite, write-ahead log.

meta      whose facts these are (one row)
run       from when to when somebody recorded without a break, with the controller's flags then
channel   what a run's lists are about; entity: which objects there were, from when to when, and where
tail      the newest operations of each shard, as they came (a few minutes)
segment   all older ones in columns, with the shard's state before them
mark      rescales, so that they are found without reading everything
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from hpatui.errors import RecordingError

APPLICATION = 0x68706174  # "hpat", in the header of the file
SCHEMA = 1

_TABLES = """
CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL);
CREATE TABLE run (id INTEGER PRIMARY KEY, started REAL NOT NULL, last REAL NOT NULL, ended INTEGER NOT NULL,
    text TEXT NOT NULL);
CREATE TABLE channel (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL,
    of TEXT NOT NULL);
CREATE TABLE entity (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, shard INTEGER NOT NULL, letter TEXT NOT NULL,
    channel INTEGER NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, marks TEXT NOT NULL,
    first REAL NOT NULL, gone REAL);
CREATE INDEX entity_by_name ON entity (run, namespace, letter);
CREATE TABLE tail (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, shard INTEGER NOT NULL,
    t0 REAL NOT NULL, t1 REAL NOT NULL, seq0 INTEGER NOT NULL, seq1 INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX tail_by_shard ON tail (run, shard, seq1);
CREATE TABLE segment (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, shard INTEGER NOT NULL, level INTEGER NOT NULL,
    t0 REAL NOT NULL, t1 REAL NOT NULL, seq0 INTEGER NOT NULL, seq1 INTEGER NOT NULL,
    state BLOB NOT NULL, body BLOB NOT NULL);
CREATE INDEX segment_by_shard ON segment (run, shard, seq1);
CREATE INDEX segment_by_time ON segment (t1, t0);
CREATE TABLE mark (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, time REAL NOT NULL, namespace TEXT NOT NULL,
    name TEXT NOT NULL, letter TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX mark_by_name ON mark (namespace, name, time);
"""  # fmt: skip

# What brings a file of version N to N + 1, by N. Version 0 is an empty file.
MIGRATIONS: dict[int, str] = {0: _TABLES}


class NewerRecording(RecordingError):
    """The file was written by a later hpatui than this one."""


class DamagedRecording(RecordingError):
    """The file is no recording, or no longer whole."""


def connect(path: Path) -> sqlite3.Connection:
    """The file for writing, made or brought to the present version. NewerRecording, DamagedRecording, or sqlite3.Error."""
    database = sqlite3.connect(path, timeout=5.0, check_same_thread=False, isolation_level=None)
    try:
        version = check(database, path)
        if version == 0:
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
            database.execute(f"PRAGMA application_id = {APPLICATION}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing that was committed
        database.execute("PRAGMA journal_size_limit = 8388608")
        migrate(database, version)
    except BaseException:
        database.close()
        raise
    return database


def check(database: sqlite3.Connection, path: Path, migrations: int = SCHEMA) -> int:
    """The version of a file. NewerRecording or DamagedRecording where it cannot be used."""
    try:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise
        raise DamagedRecording(f"{path} is no recording: {error}") from error
    if application != APPLICATION and (tables or version):
        raise DamagedRecording(f"{path} is a database of another program", hint="name another file")
    if version > migrations:
        raise NewerRecording(
            f"{path} was written by a newer hpatui (format {version}, this one knows {migrations})",
            hint="update hpatui, or record to another file with --out",
        )
    return int(version)


def migrate(database: sqlite3.Connection, version: int) -> None:
    """Bring a file from `version` to the present one, each step whole or not at all."""
    for step in range(version, SCHEMA):
        database.execute("BEGIN IMMEDIATE")
        try:
            for statement in MIGRATIONS[step].split(";"):
                if statement.strip():
                    database.execute(statement)
            database.execute(f"PRAGMA user_version = {step + 1}")
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise


def connect_readonly(path: Path) -> sqlite3.Connection:
    """The file for reading. DamagedRecording, NewerRecording, or sqlite3.Error."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0, check_same_thread=False)
    try:
        try:
            version = check(database, path)
        except sqlite3.OperationalError:
            # Nobody writes it, and the folder cannot be written: then SQLite needs no file beside it.
            if path.with_name(path.name + "-wal").exists():
                raise
            database.close()
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            database = sqlite3.connect(uri, uri=True, check_same_thread=False)
            version = check(database, path)
        if version == 0:
            raise DamagedRecording(f"{path} is empty", hint="`hpatui record` makes a recording")
    except BaseException:
        database.close()
        raise
    return database


def is_whole(database: sqlite3.Connection) -> bool:
    """Whether SQLite finds the file in order."""
    try:
        return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False


def size_of(database: sqlite3.Connection) -> int:
    """Bytes of the file, without pages that are free and the log."""
    found: Sequence[int] = [database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size")]
    return found[0] * found[1]
