"""Reads the operations of one run's shards: those of a shard in order, and the facts that they make together.

Another process may write at the same time: each step asks the database anew for what comes after the last operation that
it has, so it does not matter whether that is in the tail, in a segment, or in one that several became meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from heapq import merge as merged
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from hpatui.model import Deleted, Key, Kind, Listed, LoadChanged, Seen, StatusChanged, Upserted
from hpatui.record.codec import KIND_OF
from hpatui.record.known import LOAD_LASTS, ORDER
from hpatui.record.ops import DELETE, LIST, UPSERT, Op, ShardState, changed_of
from hpatui.record.packing import plain_letter, unpack
from hpatui.record.segment import Segment, Wanted
from hpatui.record.states import DamagedPart, read_state
from hpatui.record.world import STATUS

MANY = 100_000  # facts that are kept for the case that they come again
_decode = msgspec.msgpack.Decoder().decode


class Run(NamedTuple):
    """One run of recording. `end`: up to when it counts; `last`: its last fact."""

    number: int
    started: float
    last: float
    end: float
    ended: bool
    text: str


class Shard:
    """One shard of a run, read from a moment on."""

    def __init__(
        self, database: sqlite3.Connection, run: int, shard: int, wanted: Wanted, lost: Callable[[str], None]
    ) -> None:
        self._database, self._run, self.shard, self.wanted, self._lost = database, run, shard, wanted, lost
        self.state = ShardState()
        self.seq = 0  # of the last operation that is in `state`
        self._segment: Segment | None = None  # begun

    def go_to(self, time: float) -> None:
        """The state as it was at `time`, all facts of that moment included."""
        row = self._database.execute(
            "SELECT seq0, seq1, state, body FROM segment WHERE run = ? AND shard = ? AND t0 <= ? ORDER BY seq0 DESC LIMIT 1",
            (self._run, self.shard, time),
        ).fetchone()
        if row is not None:
            try:
                self.state, segment = read_state(row[2]), Segment(row[3])
                count = segment.advance(self.state, time, self.wanted)
            except DamagedPart as error:
                self._lost(str(error))
                self.state, self.seq = ShardState(), row[1]
            else:
                self.seq = segment.numbers[count - 1] if count else row[0] - 1
                if count < segment.count:
                    self._segment = segment
                    return
        for seq, ops in self._tail():
            for op in ops:
                if op[1] > time:
                    return
                self.state.apply(op)
                self.seq = op[0]
            self.seq = max(self.seq, seq)

    def _tail(self) -> Iterator[tuple[int, list[Op]]]:
        rows = self._database.execute(
            "SELECT seq1, body FROM tail WHERE run = ? AND shard = ? AND seq1 > ? ORDER BY seq1",
            (self._run, self.shard, self.seq),
        ).fetchall()
        for seq, body in rows:
            try:
                yield seq, [op for op in _decode(body) if op[0] > self.seq]
            except (msgspec.MsgspecError, TypeError, IndexError) as error:
                self._lost(str(error))

    def ops(self, until: float) -> Iterator[Op]:
        """The operations after those in `state`, up to `until`. Each is in `state` when it is given."""
        if self._segment is not None:
            segment, self._segment = self._segment, None
            yield from self._of_segment(segment, until)
            if self.seq < segment.numbers[-1]:
                return
        while True:
            # One read of both, so that nothing goes from the one to the other in between.
            self._database.execute("BEGIN")
            try:
                row = self._database.execute(
                    "SELECT t0, seq1, state, body FROM segment WHERE run = ? AND shard = ? AND seq1 > ?"
                    " ORDER BY seq1 LIMIT 1",
                    (self._run, self.shard, self.seq),
                ).fetchone()
                tail = list(self._tail()) if row is None else []
            finally:
                self._database.execute("COMMIT")
            if row is None:
                for _, ops in tail:
                    for op in ops:
                        if op[1] > until:
                            return
                        self.state.apply(op)
                        yield op
                return
            if row[0] > until:
                return
            try:
                segment = Segment(row[3])
                yield from self._of_segment(segment, until)
            except DamagedPart as error:
                self._lost(str(error))
                self._after_damage(row[1])
                self.seq = row[1]
            if self.seq < row[1]:
                return

    def _after_damage(self, seq: int) -> None:
        """Go on with the state at the beginning of the next segment."""
        row = self._database.execute(
            "SELECT state FROM segment WHERE run = ? AND shard = ? AND seq1 > ? ORDER BY seq1 LIMIT 1",
            (self._run, self.shard, seq),
        ).fetchone()
        self.state = ShardState()
        if row is not None:
            try:
                self.state = read_state(row[0])
            except DamagedPart as error:
                self._lost(str(error))

    def _of_segment(self, segment: Segment, until: float) -> Iterator[Op]:
        for op in segment.ops(self.state, self.wanted):
            if op[1] > until:
                return
            self.state.apply(op)
            self.seq = op[0]
            yield op


# Facts ----------------------------------------------------------------------------------------------------------------


class Facts:
    """Some shards of a run, read together: what was known at a moment, and the facts after it."""

    def __init__(
        self, database: sqlite3.Connection, run: Run, shards: list[int], wanted: Wanted, lost: Callable[[str], None]
    ) -> None:
        self._lost, self._wanted = lost, wanted
        self._shards = [Shard(database, run.number, shard, wanted, lost) for shard in shards]
        rows = database.execute("SELECT id, kind, scope, of FROM channel WHERE run = ?", (run.number,))
        self._channels = {number: (kind, scope, of) for number, kind, scope, of in rows}
        self._items: dict[int, Any] = {}  # the newest version of an entity as a fact, while it stays

    def go_to(self, time: float) -> None:
        """What was known at `time`."""
        for shard in self._shards:
            shard.go_to(time)

    # What is known --------------------------------------------------------------------------------------------

    def told(self, at: float) -> Iterator[Seen]:
        """All that is known, as a source tells it at its start, stamped with `at`."""
        found: dict[int, list[Any]] = {}
        for shard in self._shards:
            for channel, members in shard.state.channels.items():
                found.setdefault(channel, []).extend(self._items_of(shard, members))
        named = [(self._channels[number], items) for number, items in found.items() if number in self._channels]
        for kind in ORDER:
            for (of_kind, scope, of), items in named:
                if of_kind == kind.value:
                    yield from self._told(at, kind, scope, of, items)
        for (of_kind, _, _), items in named:
            for item in items if of_kind == "" else ():
                if isinstance(item, LoadChanged):
                    yield Seen(at, LoadChanged(item.view))
                elif 0 <= at - item.time <= LOAD_LASTS:
                    yield Seen(at, item)

    def _told(self, at: float, kind: Kind, scope: str, of: str, items: list[Any]) -> Iterator[Seen]:
        if of != STATUS:
            yield Seen(at, Listed(kind, tuple(items), scope, of))
            return
        for status in items:
            yield Seen(at, StatusChanged(kind, status, scope))

    def _items_of(self, shard: Shard, members: Iterable[int]) -> Iterator[Any]:
        for number in members:
            if self._wanted is None or number in self._wanted:
                item = self._item(shard.state, number)
                if item is not None:
                    yield item

    def _item(self, state: ShardState, number: int) -> Any:
        """The entity as a fact; None where it cannot be read."""
        item = self._items.get(number)
        if item is None:
            entity = state.entities.get(number)
            if entity is None:
                return None
            try:
                item = self._items[number] = unpack(entity.letter, entity.template, entity.numbers)
            except (ValueError, TypeError, IndexError) as error:
                self._lost(str(error))
        return item

    # What comes -----------------------------------------------------------------------------------------------

    def after(self, until: float) -> Iterator[Seen]:
        """The facts after those that are known, up to `until`."""
        streams = [self._numbered(shard, until) for shard in self._shards]
        fact: Seen | None = None
        number = -1
        for op, shard in merged(*streams, key=_number_of) if len(streams) > 1 else streams[0]:
            if op[0] != number:
                if fact is not None:
                    yield fact
                fact, number = None, op[0]
            # Other shards may be one operation ahead; the one that gave this operation is exactly there.
            fact = self._joined(fact, op, shard)
        if fact is not None:
            yield fact

    @staticmethod
    def _numbered(shard: Shard, until: float) -> Iterator[tuple[Op, Shard]]:
        for op in shard.ops(until):
            yield op, shard

    def _joined(self, fact: Seen | None, op: Op, shard: Shard) -> Seen | None:
        """The fact so far, with this operation of it."""
        code, time = op[2], op[1]
        if code == UPSERT:
            return self._upserted(op, shard) or fact
        if code == LIST:
            members = tuple(shard.state.channels[op[3]])
            for entity in changed_of(members, op[5]):
                self._items.pop(entity, None)
            items = self._items_of(shard, members)
            if fact is not None and isinstance(fact.what, Listed):
                items = chain(fact.what.items, items)
            kind, scope, of = self._channels[op[3]]
            return Seen(time, Listed(Kind(kind), tuple(items), scope, of))
        if code == DELETE:
            for entity in op[4]:
                self._items.pop(entity, None)
            kind, scope, of = self._channels[op[3]]
            namespace, name, uid = op[5]
            return Seen(time, Deleted(Kind(kind), Key(namespace, name), uid, scope, of))
        return fact

    def _upserted(self, op: Op, shard: Shard) -> Seen | None:
        number = op[3]
        if self._wanted is not None and number not in self._wanted:
            return None
        if op[4] is not None:
            self._items.pop(number, None)
        if len(self._items) > MANY:
            self._items.clear()
        item, entity = self._item(shard.state, number), shard.state.entities.get(number)
        if item is None or entity is None:
            return None
        kind, scope, of = self._channels[entity.channel]
        if kind == "":
            return Seen(op[1], item)
        if of == STATUS:
            return Seen(op[1], StatusChanged(Kind(kind), item, scope))
        return Seen(op[1], Upserted(KIND_OF[plain_letter(entity.letter)], item, scope))


def _number_of(pair: tuple[Op, Shard]) -> int:
    number: int = pair[0][0]
    return number
