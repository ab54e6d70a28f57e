"""Reads a recording, also while another process writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec

from hpatui.errors import RecordingError
from hpatui.model import Hpa, Key, Kind, Listed, Seen, Upserted
from hpatui.record.concerning import Concerning
from hpatui.record.known import Known
from hpatui.record.meta import Meta
from hpatui.record.simple import what_of


def open_recording(path: str | Path) -> Recording:
    """A recording, or an export of one. RecordingError where it is none."""
    path = Path(path)
    if not path.is_file():
        raise RecordingError(f"there is no recording {path}", hint="`hpatui record` makes one")
    try:
        return Recording(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True))
    except (sqlite3.Error, msgspec.MsgspecError, TypeError) as error:
        raise RecordingError(f"{path} is no recording: {error}") from error


class Recording:
    """Facts of before. All times epoch seconds; `since` and `until` belong to what is asked for."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        found = database.execute("SELECT text FROM meta WHERE id = 1").fetchone()
        if found is None:
            raise TypeError("it does not say what it is of")
        self._meta = msgspec.json.decode(found[0], type=Meta)

    @property
    def meta(self) -> Meta:
        """Whose facts they are, and from when to when."""
        first, last = self._database.execute("SELECT min(time), max(time) FROM seen").fetchone()
        return replace(self._meta, first=first or 0.0, last=last or 0.0)

    def hpas(self, since: float | None = None, until: float | None = None) -> list[Key]:
        """The HPAs that were known in that time, sorted."""
        meta = self.meta
        found: set[Key] = set()
        for seen in self.facts(meta.first if since is None else since, meta.last if until is None else until):
            match seen.what:
                case Listed(kind=Kind.HPA, items=items):
                    found.update(item.key for item in items)
                case Upserted(kind=Kind.HPA, item=Hpa(key=key)):
                    found.add(key)
        return sorted(found)

    def facts(self, since: float, until: float, hpa: Key | None = None) -> Iterator[Seen]:
        """First what was known at `since`, told anew with its time; then each fact up to `until`, in order of time. With
        `hpa` only what concerns it, as if it had been in focus the whole time.
        """
        known = Known()
        rows = self._rows(until)
        later: list[Seen] = []
        for seen in rows:
            if seen.time > since:
                later.append(seen)
                break
            known.take(seen.what)
        facts = _chained(known.told(since), later, rows)
        return Concerning(hpa).filtered(facts) if hpa is not None else facts

    def _rows(self, until: float) -> Iterator[Seen]:
        rows = self._database.execute("SELECT time, what FROM seen WHERE time <= ? ORDER BY time, seq", (until,))
        for time, body in rows:
            yield Seen(time, what_of(body))

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self._database.close()


def _chained(*parts: Iterable[Seen]) -> Iterator[Seen]:
    for part in parts:
        yield from part
