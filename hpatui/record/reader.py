"""Reads a recording, also while another process writes it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import msgspec

from hpatui.clock import as_datetime
from hpatui.errors import RecordingError
from hpatui.forms.label_selectors import Selector, SelectorError, parse_selector
from hpatui.model import EVERYTHING, Event, Hpa, Key, Kind, Seen, SourceState, SourceStatus, StatusChanged, Upserted
from hpatui.record.codec import KIND_OF, item_of
from hpatui.record.concerning import Concerning
from hpatui.record.database import connect_readonly
from hpatui.record.known import is_detail
from hpatui.record.meta import Meta
from hpatui.record.segment import Wanted
from hpatui.record.streams import Facts, Run


def open_recording(path: str | Path) -> Recording:
    """A recording, or an export of one. RecordingError where it is none."""
    path = Path(path).expanduser()
    if path.is_dir():
        raise RecordingError(f"{path} is a folder, no recording", hint="name a file")
    if not path.exists():
        raise RecordingError(f"there is no recording {path}", hint="`hpatui record` makes one")
    try:
        return Recording(path, connect_readonly(path))
    except sqlite3.OperationalError as error:
        raise RecordingError(f"cannot read {path}: {error}") from error
    except (sqlite3.Error, msgspec.MsgspecError, ValueError, OSError) as error:
        raise RecordingError(f"{path} is no recording: {error}") from error


class Recording:
    """Facts of before. All times epoch seconds. Damaged parts are left out; `problems` says so, a line each."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        database.isolation_level = None
        self.path = path
        self._database = database
        found = database.execute("SELECT text FROM meta WHERE id = 1").fetchone()
        if found is None:
            raise ValueError("it does not say what it is of")
        self._meta = msgspec.json.decode(found[0], type=Meta)
        self._damage: dict[str, int] = {}

    @property
    def meta(self) -> Meta:
        """Whose facts they are, and from when to when."""
        runs = self._runs()
        (first,) = self._database.execute(
            "SELECT min(t0) FROM (SELECT min(t0) AS t0 FROM segment UNION ALL SELECT min(t0) FROM tail)"
        ).fetchone()
        return replace(self._meta, first=first or 0.0, last=runs[-1].last if runs else 0.0)

    @property
    def problems(self) -> list[str]:
        """What could not be read so far."""
        return [
            f"{count} damaged parts of {self.path.name} were left out ({why})" for why, count in self._damage.items()
        ]

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self._database.close()

    # What there is --------------------------------------------------------------------------------------------

    def hpas(self, since: float | None = None, until: float | None = None) -> list[Key]:
        """The HPAs that were there at some moment of that time, sorted."""
        low, high = self._bounds(since, until)
        rows = self._database.execute(
            "SELECT DISTINCT e.namespace, e.name FROM entity e JOIN run r ON r.id = e.run"
            " WHERE e.letter = 'h' AND e.first <= ? AND coalesce(e.gone, r.last) >= ?",
            (high, low),
        )
        return sorted(Key(namespace, name) for namespace, name in rows)

    def rescales(self, hpa: Key, since: float | None = None, until: float | None = None) -> list[Seen]:
        """The HPA as it was after each rescale in that time, and the events that told of one, in order of time. Costs
        little, however long the time is.
        """
        low, high = self._bounds(since, until)
        rows = self._database.execute(
            "SELECT time, letter, body FROM mark WHERE namespace = ? AND name = ? AND time >= ? AND time <= ?"
            " ORDER BY time, id",
            (*hpa, low, high),
        )
        found, known = [], set()
        for time, letter, body in rows:
            try:
                item: Hpa | Event = item_of(letter, zlib.decompress(body))
            except (zlib.error, ValueError) as error:
                self._lost(str(error))
                continue
            which = (item.uid, item.count if isinstance(item, Event) else item.last_scale_time)
            if which not in known:
                known.add(which)
                found.append(Seen(time, Upserted(KIND_OF[letter], item)))
        return found

    def breaks(self) -> list[tuple[float, float]]:
        """From when to when nothing was recorded, between the first and the last fact."""
        runs = self._runs()
        return [(a.last, b.started) for a, b in pairwise(runs) if b.started > a.last]

    # Facts ----------------------------------------------------------------------------------------------------

    def facts(self, since: float | None = None, until: float | None = None, hpa: Key | None = None) -> Iterator[Seen]:
        """First what was known at `since`, told anew with its time; then each fact up to `until`, in order of time. With
        `hpa` only what concerns it, as if it had been in focus the whole time. None: from the first, to the last.
        """
        low, high = self._bounds(since, until)
        facts = self._facts(low, high, hpa)
        return Concerning(hpa).filtered(facts) if hpa is not None else facts

    def state(self, at: float, hpa: Key | None = None) -> list[Seen]:
        """What was known at a moment."""
        return list(self.facts(at, at, hpa))

    def _facts(self, since: float, until: float, hpa: Key | None) -> Iterator[Seen]:
        runs = [run for run in self._runs() if run.started <= until]
        begun = [place for place, run in enumerate(runs) if run.started <= since]
        for place in range(begun[-1] if begun else 0, len(runs)):
            run = runs[place]
            end = min(until, run.end)
            facts = self._read(run, since, end, hpa)
            if facts is not None:
                if run.started <= since:
                    facts.go_to(min(since, end))
                    yield from facts.told(since)
                yield from facts.after(end)
            if place + 1 < len(runs) or (run.ended and until > run.last):
                yield _silence(
                    max(since, min(run.last, end)), runs[place + 1].started if place + 1 < len(runs) else None
                )

    def _read(self, run: Run, since: float, until: float, hpa: Key | None) -> Facts | None:
        """A run's shards, or those that have something about the HPA."""
        if hpa is None:
            rows = self._database.execute(
                "SELECT shard FROM segment WHERE run = ? UNION SELECT shard FROM tail WHERE run = ?",
                (run.number, run.number),
            )
            shards, wanted = sorted(shard for (shard,) in rows), None
        else:
            shards, wanted = self._concerned(run, since, until, hpa)
        return Facts(self._database, run, shards, wanted, self._lost) if shards else None

    def _concerned(self, run: Run, since: float, until: float, hpa: Key) -> tuple[list[int], Wanted]:
        """The shards and entities that have to do with an HPA: its own details; of all HPAs' facts the HPA and those that
        scale the same target, the target and its scale, events about the HPA, and each pod that the target's selector
        selects, with its samples. Rather too many: `Concerning` looks closely.
        """
        rows = self._database.execute(
            "SELECT e.id, e.shard, e.letter, c.scope, e.namespace, e.name, e.marks FROM entity e"
            " JOIN channel c ON c.id = e.channel WHERE e.run = ? AND e.namespace IN (?, '')"
            " AND e.first <= ? AND coalesce(e.gone, ?) >= ?",
            (run.number, hpa.namespace, until, until, since),
        ).fetchall()
        own = str(hpa)
        targets = {
            t
            for *_, letter, _, ns, name, marks in rows
            if letter == "h" and name == hpa.name
            for t in marks.split("\n")
        }
        names = {target.partition("/")[2] for target in targets}
        selects = [
            selector
            for *_, letter, scope, _, name, marks in rows
            if letter in ("w", "s") and name in names and scope in (EVERYTHING, own)
            for selector in _selectors(marks)
        ]
        wanted: dict[int, int] = {}
        pods = set()
        samples = []
        for number, shard, letter, scope, _, name, marks in rows:
            if (
                scope == own
                or letter in ("l", "c")
                or (letter == "t" and not is_detail(scope))
                or (letter == "h" and (name == hpa.name or targets & set(marks.split("\n"))))
                or (letter in ("w", "s") and name in names)
                or (letter == "e" and scope == EVERYTHING and name in ("", hpa.name))
            ):
                wanted[number] = shard
            elif letter == "p" and any(_matches(selects, text) for text in marks.split("\n")):
                wanted[number] = shard
                pods.add(name)
            elif letter == "u":
                samples.append((number, shard, name))
        wanted |= {number: shard for number, shard, name in samples if name in pods}
        return sorted({0, *wanted.values()}), set(wanted)

    # Runs -----------------------------------------------------------------------------------------------------

    def _runs(self) -> list[Run]:
        """The runs in order. Where the clock was set back, what came later counts."""
        rows = self._database.execute("SELECT id, started, last, ended, text FROM run ORDER BY id").fetchall()
        runs: list[Run] = []
        end = float("inf")
        for number, started, last, ended, text in reversed(rows):
            if started < end:
                runs.append(Run(number, started, min(last, _before(end)), _before(end), bool(ended), text))
            end = min(end, started)
        return runs[::-1]

    def _bounds(self, since: float | None, until: float | None) -> tuple[float, float]:
        meta = self.meta if since is None or until is None else None
        return (
            since if since is not None else meta.first if meta is not None else 0.0,
            until if until is not None else meta.last if meta is not None else 0.0,
        )

    def _lost(self, why: str) -> None:
        self._damage[why] = self._damage.get(why, 0) + 1


def _before(time: float) -> float:
    return time if time == float("inf") else time - 1e-6


def _selectors(texts: str) -> list[Selector]:
    found = []
    for text in texts.split("\n"):
        with contextlib.suppress(SelectorError):
            found.append(parse_selector(text)) if text else None
    return found


def _matches(selectors: list[Selector], labels: str) -> bool:
    known = _labels(labels)
    return any(selector.matches(known) for selector in selectors)


@lru_cache(maxsize=4096)
def _labels(text: str) -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads(text) if text else {}
    return found


def _silence(since: float, until: float | None) -> Seen:
    """Between two runs nothing is known of the cluster."""
    when = f" until {as_datetime(until):%Y-%m-%d %H:%M:%S} UTC" if until is not None else ""
    status = SourceStatus(SourceState.RECONNECTING, since, f"nothing was recorded{when}", since)
    return Seen(since, StatusChanged(Kind.HPA, status))
