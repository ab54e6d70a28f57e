"""Keeps one run of recording in the file: writes what came, packs what is older, and lets go of what is too old.

New operations are rows of `tail`, written every few seconds. After `PACK` seconds a shard's tail becomes a segment, and
`MERGE` segments become one: near the present little has to be read row by row, and what is older is small. Each step is one
transaction: whenever the process ends, the file has every operation once.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from typing import Any

import msgspec

from hpatui.model import Event, Hpa
from hpatui.record.codec import LETTERS, text_of
from hpatui.record.database import size_of
from hpatui.record.ops import Op, ShardState
from hpatui.record.segment import Segment, write_ops
from hpatui.record.states import DamagedPart, read_state, write_state
from hpatui.record.world import World

PACK = 120.0  # seconds of facts until a shard's tail is packed
MERGE = 15  # packed segments that become one
MANY = 20_000  # operations of one shard that are packed, whatever their times
SPAN = PACK * MERGE  # seconds of facts in one segment at most: a reader has to unpack all of it for one moment
KEEP = 0.95  # of the largest size, after old segments went
_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode


class Keeper:
    """One run, from its beginning to `end`. Raises sqlite3.Error; what was not written can be written again."""

    def __init__(self, database: sqlite3.Connection, started: float, text: str) -> None:
        """`text`: what is said of the run, as JSON."""
        self._database = database
        newest = {
            table: database.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
            for table in ("entity", "channel")
        }
        seq = database.execute(
            "SELECT max(coalesce((SELECT max(seq1) FROM segment), 0), coalesce((SELECT max(seq1) FROM tail), 0))"
        ).fetchone()[0]
        self.world = World(seq, newest["entity"], newest["channel"])
        cursor = database.execute(
            "INSERT INTO run (started, last, ended, text) VALUES (?, ?, 0, ?)", (started, started, text)
        )
        self.run = int(cursor.lastrowid or 0)
        self.started = self.last = started
        self._states: dict[int, ShardState] = {}
        self._pending: dict[int, list[Op]] = {}
        self._unwritten: list[tuple[int, Op]] = []
        self._marks: list[tuple[Any, ...]] = []
        self._quiet = False
        self._packed: dict[int, int] = {}  # segments of the lower level, by shard

    # Taking and writing ---------------------------------------------------------------------------------------

    def take(self, time: float, ops: Iterable[tuple[int, Op]]) -> None:
        """Operations of the world, for the next `write`."""
        self._unwritten += ops
        self.last = max(self.last, time)

    def watched(self, until: float) -> None:
        """Nothing changed until then."""
        self.last, self._quiet = until, True

    def mark(self, time: float, item: Hpa | Event) -> None:
        """A rescale."""
        key = item.key if isinstance(item, Hpa) else item.about
        letter = LETTERS[type(item)]
        self._marks.append((self.run, time, *key, letter, zlib.compress(text_of(letter, item))))

    @property
    def waiting(self) -> int:
        """Operations that are not written yet."""
        return len(self._unwritten)

    def write(self) -> None:
        """All that was taken is in the file afterwards."""
        if not self._unwritten and not self._marks and not self.world.gone and not self._quiet:
            return
        by_shard: dict[int, list[Op]] = {}
        for shard, op in self._unwritten:
            by_shard.setdefault(shard, []).append(op)
        world, execute, many = self.world, self._database.execute, self._database.executemany
        execute("BEGIN IMMEDIATE")
        try:
            rows = [(number, self.run, *map(str, channel)) for number, channel in world.new_channels]
            many("INSERT INTO channel VALUES (?, ?, ?, ?, ?)", rows)
            many(
                "INSERT INTO entity VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                [(e.number, self.run, e.shard, e.letter, e.channel, e.namespace, e.name, e.marks, e.first)
                 for e in world.new_entities],
            )  # fmt: skip
            many("UPDATE entity SET marks = marks || char(10) || ? WHERE id = ?", world.new_marks)
            many("UPDATE entity SET gone = ? WHERE id = ?", world.gone)
            many(
                "INSERT INTO tail (run, shard, t0, t1, seq0, seq1, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(self.run, shard, ops[0][1], ops[-1][1], ops[0][0], ops[-1][0], _encode(ops))
                 for shard, ops in by_shard.items()],
            )  # fmt: skip
            many("INSERT INTO mark (run, time, namespace, name, letter, body) VALUES (?, ?, ?, ?, ?, ?)", self._marks)
            execute("UPDATE run SET last = ? WHERE id = ?", (self.last, self.run))
            execute("COMMIT")
        except BaseException:
            _roll_back(self._database)
            raise
        for known in (
            world.new_channels,
            world.new_entities,
            world.new_marks,
            world.gone,
            self._unwritten,
            self._marks,
        ):
            known.clear()
        self._quiet = False
        for shard, ops in by_shard.items():
            self._pending.setdefault(shard, []).extend(ops)

    # Packing --------------------------------------------------------------------------------------------------

    def due(self) -> int | None:
        """A shard whose tail is to be packed, if there is one. Shards take turns."""
        shards = max(len(self._pending), 1)
        for place, (shard, ops) in enumerate(self._pending.items()):
            if not ops:
                continue
            first = shard not in self._states
            wait = PACK * (place + 1) / shards if first else PACK
            if self.last - ops[0][1] >= wait or len(ops) > MANY:
                return shard
        return None

    def pack(self, shard: int) -> None:
        """A shard's tail becomes a segment, where it is long its beginning; sometimes several segments become one."""
        pending = self._pending.get(shard)
        if not pending:
            return
        ops = [op for op in pending if op[1] <= pending[0][1] + SPAN]
        whole = len(ops) < len(pending) or ops[-1][1] - ops[0][1] > SPAN / 2
        execute = self._database.execute
        if whole and self._packed.get(shard):  # only neighbours become one
            self._packed[shard] = 0
            merge(self._database, self.run, shard)
            execute("UPDATE segment SET level = 1 WHERE run = ? AND shard = ?", (self.run, shard))
        state = self._states.setdefault(shard, ShardState())
        row = _row(self.run, shard, int(whole), ops, state)
        execute("BEGIN IMMEDIATE")
        try:
            execute(_INSERT, row)
            execute("DELETE FROM tail WHERE run = ? AND shard = ? AND seq1 <= ?", (self.run, shard, ops[-1][0]))
            execute("COMMIT")
        except BaseException:
            _roll_back(self._database)
            raise
        for op in ops:
            state.apply(op)
        self._pending[shard] = pending[len(ops) :]
        self._packed[shard] = self._packed.get(shard, 0) + (not whole)
        if self._packed[shard] >= MERGE:
            self._packed[shard] = 0
            merge(self._database, self.run, shard)

    def end(self) -> None:
        """Write and pack everything: the run is over."""
        self.write()
        for shard in tuple(self._pending):
            while self._pending[shard]:
                self.pack(shard)
        for shard, count in self._packed.items():
            if count > 1:
                merge(self._database, self.run, shard)
        self._database.execute("UPDATE run SET ended = 1, last = ? WHERE id = ?", (self.last, self.run))


_INSERT = "INSERT INTO segment (run, shard, level, t0, t1, seq0, seq1, state, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def _row(run: int, shard: int, level: int, ops: list[Op], state: ShardState) -> tuple[Any, ...]:
    times = ops[0][1], ops[-1][1]
    return run, shard, level, *times, ops[0][0], ops[-1][0], write_state(state), write_ops(ops, state)


def _roll_back(database: sqlite3.Connection) -> None:
    if database.in_transaction:
        database.execute("ROLLBACK")


def merge(database: sqlite3.Connection, run: int, shard: int) -> None:
    """A shard's segments of the lower level become one."""
    rows = database.execute(
        "SELECT id, state, body FROM segment WHERE run = ? AND shard = ? AND level = 0 ORDER BY seq0", (run, shard)
    ).fetchall()
    if len(rows) < 2:
        return
    try:
        state = read_state(rows[0][1])
        ops: list[Op] = []
        for _, _, body in rows:
            for op in Segment(body).ops(state):
                state.apply(op)
                ops.append(op)
        row = _row(run, shard, 1, ops, read_state(rows[0][1]))
    except DamagedPart:
        return  # they stay as they are; the reader leaves out what is damaged
    database.execute("BEGIN IMMEDIATE")
    try:
        database.executemany("DELETE FROM segment WHERE id = ?", [(number,) for number, _, _ in rows])
        database.execute(_INSERT, row)
        database.execute("COMMIT")
    except BaseException:
        _roll_back(database)
        raise


def recover(database: sqlite3.Connection) -> None:
    """Runs that were not ended (a killed process): their tails become segments, and they end where they ended."""
    for (run,) in database.execute("SELECT id FROM run WHERE ended = 0").fetchall():
        shards = database.execute("SELECT DISTINCT shard FROM tail WHERE run = ?", (run,)).fetchall()
        for (shard,) in shards:
            _pack_left(database, run, shard)
        database.execute("UPDATE run SET ended = 1 WHERE id = ?", (run,))


def _pack_left(database: sqlite3.Connection, run: int, shard: int) -> None:
    state = state_after(database, run, shard)
    rows = database.execute("SELECT body FROM tail WHERE run = ? AND shard = ? ORDER BY seq0", (run, shard)).fetchall()
    try:
        ops = [op for (body,) in rows for op in _decode(body)]
    except msgspec.MsgspecError:
        return
    if state is not None and ops:
        database.execute("BEGIN IMMEDIATE")
        try:
            database.execute(_INSERT, _row(run, shard, 0, ops, state))
            database.execute("DELETE FROM tail WHERE run = ? AND shard = ?", (run, shard))
            database.execute("COMMIT")
        except BaseException:
            _roll_back(database)
            raise
    merge(database, run, shard)


def state_after(database: sqlite3.Connection, run: int, shard: int) -> ShardState | None:
    """A shard's state after all its segments; None where they are damaged."""
    row = database.execute(
        "SELECT state, body FROM segment WHERE run = ? AND shard = ? ORDER BY seq1 DESC LIMIT 1", (run, shard)
    ).fetchone()
    if row is None:
        return ShardState()
    try:
        state = read_state(row[0])
        Segment(row[1]).advance(state, float("inf"))
    except DamagedPart:
        return None
    return state


# Retention ------------------------------------------------------------------------------------------------------------


def forget_old(database: sqlite3.Connection, before: float, largest: int) -> None:
    """Let go of segments that end before `before` (epoch seconds), and of the oldest until the file is small enough."""
    database.execute("BEGIN IMMEDIATE")
    try:
        database.execute("DELETE FROM segment WHERE t1 < ?", (before,))
        excess = used(database) - largest
        if excess > 0:
            _forget(database, excess + int(largest * (1 - KEEP)))
        _forget_names(database, before)
        database.execute("COMMIT")
    except BaseException:
        _roll_back(database)
        raise
    database.execute("PRAGMA incremental_vacuum").fetchall()


def used(database: sqlite3.Connection) -> int:
    """Bytes of the file that hold something."""
    free, page = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size"))
    return size_of(database) - int(free) * int(page)


def _forget(database: sqlite3.Connection, excess: int) -> None:
    rows = database.execute("SELECT id, length(state) + length(body) FROM segment ORDER BY t1")
    gone = []
    for number, size in rows:
        gone.append((number,))
        excess -= size
        if excess <= 0:
            break
    database.executemany("DELETE FROM segment WHERE id = ?", gone)


def _forget_names(database: sqlite3.Connection, before: float) -> None:
    """Runs, objects and marks of times of which nothing is left."""
    execute = database.execute
    (oldest,) = execute(
        "SELECT min(t0) FROM (SELECT min(t0) AS t0 FROM segment UNION ALL SELECT min(t0) FROM tail)"
    ).fetchone()
    oldest = before if oldest is None else max(before, oldest)
    execute("DELETE FROM mark WHERE time < ?", (oldest,))
    execute("DELETE FROM entity WHERE gone < ?", (oldest,))
    left = "(SELECT run FROM segment UNION SELECT run FROM tail)"
    execute(f"DELETE FROM run WHERE ended = 1 AND id NOT IN {left}")
    for table in ("entity", "channel"):
        execute(f"DELETE FROM {table} WHERE run NOT IN (SELECT id FROM run)")
