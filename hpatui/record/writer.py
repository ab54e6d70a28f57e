"""Writes what a store takes into a recording. Nothing of it ever raises into the live view: `problem` says what is wrong."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from pathlib import Path

import msgspec

from hpatui import __version__, logs
from hpatui.clock import Clock, SystemClock
from hpatui.model import Seen, Tick
from hpatui.record.meta import Meta
from hpatui.record.simple import body_of


class Recorder:
    """One writer of one recording. `take` is cheap; what was taken is on disk after `flush`, at the latest `every`
    seconds later.
    """

    def __init__(self, path: Path, meta: Meta, clock: Clock | None = None, *, every: float = 2.0) -> None:
        """Opens or creates the file. What goes wrong is in `problem`, and nothing is recorded then."""
        self.path = path
        self.problem = ""
        self._clock = clock or SystemClock()
        self._every = every
        self._flushed = self._clock.monotonic()
        self._waiting: list[tuple[float, bytes]] = []
        self._database: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(path, check_same_thread=False)
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE IF NOT EXISTS seen (seq INTEGER PRIMARY KEY, time REAL, what BLOB)")
            database.execute("CREATE TABLE IF NOT EXISTS meta (id INTEGER PRIMARY KEY, text TEXT)")
            values = {**asdict(meta), "version": __version__}
            database.execute("INSERT OR REPLACE INTO meta VALUES (1, ?)", (msgspec.json.encode(values).decode(),))
            database.commit()
            self._database = database
        except (OSError, sqlite3.Error) as error:
            self._fail(error)

    def take(self, seen: Seen) -> None:
        """Record one fact; never raises."""
        if self._database is None or isinstance(seen.what, Tick):
            return
        try:
            self._waiting.append((seen.time, body_of(seen.what)))
        except Exception as error:  # noqa: BLE001 - a fact that cannot be written is left out
            logs.failure("recording a fact", error)
        if self._clock.monotonic() - self._flushed >= self._every:
            self.flush()

    def flush(self) -> None:
        """What was taken is on disk afterwards, or `problem` says why not."""
        self._flushed = self._clock.monotonic()
        if self._database is None or not self._waiting:
            return
        try:
            self._database.executemany("INSERT INTO seen (time, what) VALUES (?, ?)", self._waiting)
            self._database.commit()
            self._waiting.clear()
        except sqlite3.Error as error:
            self._fail(error)

    def close(self) -> None:
        """Write what is left; idempotent."""
        self.flush()
        if self._database is not None:
            self._database.close()
            self._database = None

    def _fail(self, error: Exception) -> None:
        self.problem = f"not recording: {self.path}: {error}"
