"""A stretch of one shard's operations in few bytes: a state at its beginning, and columns of what came then."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator, Sequence
from operator import itemgetter
from typing import Any

import msgspec

from hpatui.record import columns
from hpatui.record.columns import Column, Streams, encode, read_streams
from hpatui.record.ops import DELETE, LIST, UPSERT, Change, Entity, Op, ShardState, changed_of
from hpatui.record.states import DamagedPart, loosened, squeezed

_pack, _unpack = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode
Wanted = Collection[int] | None


# Writing --------------------------------------------------------------------------------------------------------------


class _Span:
    """Versions of an entity that share a template."""

    __slots__ = ("columns", "count", "full", "now")

    def __init__(self, now: list[int], full: Change) -> None:
        self.now, self.full = now, full  # `now`: the numbers before the span; `full`: its first version, if it is whole
        self.columns: dict[int, list[int]] = {}
        self.count = 0

    def add(self, change: Change) -> None:
        for place, value in zip(change[0], change[1], strict=True) if change is not None else ():
            column = self.columns.get(place)
            if column is None:
                column = self.columns[place] = [self.now[place]] * self.count
            elif len(column) < self.count:
                column.extend([column[-1]] * (self.count - len(column)))
            column.append(value)
        self.count += 1

    def filled(self) -> list[tuple[int, list[int]]]:
        """Each column with a value for each version."""
        for column in self.columns.values():
            column.extend([column[-1]] * (self.count - len(column)))
        return sorted(self.columns.items())


class _Writer:
    def __init__(self, state: ShardState) -> None:
        self._state = state
        self.entities: dict[int, list[_Span]] = {}
        self.places: dict[int, int] = {}
        self._letters: dict[int, str] = {}

    def change(self, number: int, change: Change) -> int:
        """Note a version; returns the entity's place in the segment."""
        spans = self.entities.get(number)
        if spans is None:
            spans = self.entities[number] = []
            self.places[number] = len(self.places)
            known = self._state.entities.get(number)
            if known is not None:
                spans.append(_Span(list(known.numbers), None))
                self._letters[number] = known.letter
        if change is not None and len(change) != 2:
            if not spans:
                self._letters[number] = change[0]
            spans.append(_Span(list(change[2]), change))
            change = None
        spans[-1].add(change)
        return self.places[number]

    def written(self) -> tuple[list[Any], list[bytes]]:
        """Entities with their spans, and the streams. Columns of one kind stand side by side in the streams."""
        streams, found = Streams(), []
        waiting: list[Any] = []
        for number, spans in self.entities.items():
            letter, parts = self._letters[number], []
            for span in spans:
                same: dict[tuple[int, ...], int] = {}
                heads = []
                for place, values in span.filled():
                    alike = same.setdefault(tuple(values), place)
                    if alike != place:
                        heads.append((place, columns.SAME, alike, 1, 0))
                        continue
                    column, entries = encode(span.now[place], values)
                    heads.append((place, *column))
                    if column.width:
                        waiting.append((letter, place, len(waiting), column.width, entries))
                parts.append((span.count, span.full, heads))
            found.append((number, letter, parts))
        for _, _, _, width, entries in sorted(waiting, key=_stream_order):
            streams.add(width, entries)
        return found, streams.written()


_stream_order = itemgetter(0, 1, 2)


def write_ops(ops: Sequence[Op], state: ShardState) -> bytes:
    """The operations in few bytes. `state` is that before them, and not changed."""
    writer = _Writer(state)
    members = {channel: tuple(known) for channel, known in state.channels.items()}
    arguments: list[int] = []
    lists: list[Any] = []
    deletes: list[Any] = []
    for op in ops:
        code = op[2]
        if code == UPSERT:
            arguments.append(writer.change(op[3], op[4]))
            _join(members, state, writer, op)
        elif code == LIST:
            arguments.append(len(lists))
            lists.append((op[3], op[4], op[5]))
            now = members[op[3]] = tuple(op[4]) if op[4] is not None else members.get(op[3], ())
            for number, change in zip(changed_of(now, op[5]), op[6], strict=True):
                writer.change(number, change)
        elif code == DELETE:
            arguments.append(len(deletes))
            deletes.append((op[3], op[4], op[5]))
            gone = set(op[4])
            for channel, known in members.items():
                if gone & set(known):
                    members[channel] = tuple(number for number in known if number not in gone)
        else:
            arguments.append(op[3])
            members.pop(op[3], None)
    head = Streams()
    heads = [
        _plain_column(head, values)
        for values in ([op[0] for op in ops], [round(op[1] * 1000) for op in ops], arguments)
    ]
    exact = [(place, op[1]) for place, op in enumerate(ops) if round(op[1] * 1000) / 1000 != op[1]]
    entities, streams = writer.written()
    return squeezed(
        (len(ops), bytes(op[2] for op in ops), heads, head.written(), exact, lists, deletes, entities, streams)
    )


def _join(members: dict[int, tuple[int, ...]], state: ShardState, writer: _Writer, op: Op) -> None:
    """An upsert may be the first of its entity, which is in the channel then."""
    change = op[4]
    if change is not None and len(change) != 2:
        known = members.setdefault(change[3], ())
        if op[3] not in known:
            members[change[3]] = (*known, op[3])


def _plain_column(streams: Streams, values: Sequence[int]) -> tuple[int, ...]:
    column, entries = encode(0, values)
    if column.width:
        streams.add(column.width, entries)
    return tuple(column)


# Reading --------------------------------------------------------------------------------------------------------------


class _Part:
    """A span as it was read: where its columns' entries begin in the streams."""

    __slots__ = ("count", "full", "heads")

    def __init__(self, count: int, full: Change) -> None:
        self.count, self.full = count, full
        self.heads: list[tuple[int, Column, int]] = []


class Segment:
    """Operations that were written with `write_ops`. DamagedPart where the bytes are others."""

    def __init__(self, data: bytes) -> None:
        found = loosened(data)
        try:
            self.count, self.codes, heads, streams, exact, self._lists, self._deletes, entities, entries = found
            self._read_heads(heads, read_streams(streams), dict(exact))
            self._entries = read_streams(entries)
            self._read_entities(entities)
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise DamagedPart(str(error)) from error

    def _read_heads(self, heads: Any, streams: dict[int, array[int]], exact: dict[int, float]) -> None:
        offsets = dict.fromkeys(columns.WIDTHS, 0)
        read = []
        for head in heads:
            column = Column(*head)
            width, offset = column.width, offsets.get(column.width, 0)
            mine = streams[width][offset : offset + self.count] if width else ()
            if width:
                offsets[width] += self.count
            read.append(columns.decode(column, 0, self.count, mine))
        self.numbers, millis, self.arguments = read
        self.times = [milli / 1000 for milli in millis]
        for place, time in exact.items():
            self.times[place] = time

    def _read_entities(self, entities: Any) -> None:
        self.entities: list[int] = [number for number, _, _ in entities]
        self._places = {number: place for place, number in enumerate(self.entities)}
        self._seen = [0] * len(self.entities)  # versions that `advance` passed
        self._position = 0  # operations that it passed
        self._parts: list[list[_Part]] = []
        waiting: list[Any] = []
        for _, letter, spans in entities:
            parts = []
            for count, full, heads in spans:
                part = _Part(count, full)
                for place, *head in heads:
                    column = Column(*head)
                    if column.width:
                        waiting.append((letter, place, len(waiting), part, len(part.heads), count))
                    part.heads.append((place, column, 0))
                parts.append(part)
            self._parts.append(parts)
        offsets = dict.fromkeys(columns.WIDTHS, 0)
        waiting.sort(key=_stream_order)
        for _, _, _, part, index, count in waiting:
            place, column, _ = part.heads[index]
            part.heads[index] = (place, column, offsets[column.width])
            offsets[column.width] += count

    # As operations --------------------------------------------------------------------------------------------

    def ops(self, state: ShardState, wanted: Wanted = None) -> Iterator[Op]:
        """The operations one by one, from where `advance` came to. `state` is that before each: the caller applies it
        before asking for the next. `wanted`: only of these entities are changes told; of others there is None.
        """
        changes: dict[int, Iterator[Change]] = {}

        def next_of(number: int) -> Change:
            place = self._places[number]
            if wanted is not None and number not in wanted:
                self._seen[place] += 1
                # That it is there, and in which channel, has to be known all the same.
                return self._parts[place][0].full if self._seen[place] == 1 else None
            known = changes.get(number)
            if known is None:
                known = changes[number] = self._changes(place, state.entities.get(number))
            return next(known)

        for index in range(self._position, self.count):
            seq, time, code, argument = self.numbers[index], self.times[index], self.codes[index], self.arguments[index]
            if code == UPSERT:
                number = self.entities[argument]
                yield seq, time, code, number, next_of(number)
            elif code == LIST:
                channel, members, bits = self._lists[argument]
                now = tuple(members) if members is not None else tuple(state.channels.get(channel, ()))
                yield seq, time, code, channel, members, bits, [next_of(number) for number in changed_of(now, bits)]
            elif code == DELETE:
                yield seq, time, code, *self._deletes[argument]
            else:
                yield seq, time, code, argument

    def _changes(self, place: int, before: Entity | None) -> Iterator[Change]:
        """The entity's changes after those that were passed; `before` is how it was then."""
        now: Sequence[int] = before.numbers if before is not None else ()
        passed = self._seen[place]
        for part in self._parts[place]:
            if passed >= part.count:
                passed -= part.count
                continue
            if part.full is not None and not passed:
                now = part.full[2]
            which, rows = self._rows(part, now, passed)
            if part.full is not None and not passed:
                yield part.full
                rows = rows[1:]
            for row in rows:
                yield (which, row) if which else None
            passed = 0

    def _rows(self, part: _Part, before: Sequence[int], passed: int) -> tuple[list[int], Sequence[Any]]:
        """Which numbers change in a span, and their values in each version after `passed` ones."""
        found: dict[int, list[int]] = {}
        count = part.count - passed
        for place, column, offset in part.heads:
            if column.kind == columns.SAME:
                found[place] = found[column.least]
            else:
                here = offset + passed
                entries = self._entries[column.width][here : here + count] if column.width else ()
                found[place] = columns.decode(column, before[place], count, entries)
        return list(found), list(zip(*found.values(), strict=True)) if found else [()] * count

    # As a state -----------------------------------------------------------------------------------------------

    def advance(self, state: ShardState, until: float, wanted: Wanted = None) -> int:
        """Bring `state` (that before the segment) to how it was at `until`, without going through the versions. Returns
        how many operations that were; `ops` goes on after them.
        """
        seen, places = self._seen, self._places
        gone: dict[int, None] = {}
        for index in range(self.count):
            if self.times[index] > until:
                break
            code, argument = self.codes[index], self.arguments[index]
            if code == UPSERT:
                seen[argument] += 1
                self._present(state, argument, seen[argument])
            elif code == LIST:
                channel, members, bits = self._lists[argument]
                before = state.channels.setdefault(channel, {})
                if members is not None:
                    state.channels[channel] = dict.fromkeys(members)
                    gone.update(dict.fromkeys(before.keys() - state.channels[channel].keys()))
                for number in changed_of(tuple(state.channels[channel]), bits):
                    seen[places[number]] += 1
            elif code == DELETE:
                for number in self._deletes[argument][1]:
                    gone[number] = None
                    for known in state.channels.values():
                        known.pop(number, None)
            else:
                gone.update(state.channels.pop(argument, {}))
        else:
            index = self.count
        self._position = index
        for place, count in enumerate(seen):
            if count and (wanted is None or self.entities[place] in wanted):
                self._set(state, place, count)
        for number in gone:
            state.entities.pop(number, None)
        return index

    def _present(self, state: ShardState, place: int, count: int) -> None:
        """An entity that was not there before is in its channel from its first version on."""
        if count == 1 and self._parts[place][0].full is not None:
            state.channels.setdefault(self._parts[place][0].full[3], {})[self.entities[place]] = None

    def _set(self, state: ShardState, place: int, count: int) -> None:
        """The entity as it was after `count` of its versions."""
        known = state.entities.get(self.entities[place])
        for part in self._parts[place]:
            if part.full is not None:
                letter, template, numbers, channel = part.full
                known = state.entities[self.entities[place]] = Entity(letter, channel, template, array("q", numbers))
            assert known is not None
            here = min(count, part.count)
            before, now = known.numbers, array("q", known.numbers)
            for number, column, offset in part.heads if here else ():
                if column.kind == columns.SAME:
                    now[number] = now[column.least]
                else:
                    entries: Sequence[int] = self._entries[column.width] if column.width else ()
                    now[number] = columns.value_at(column, before[number], here, entries, offset)
            known.numbers = now
            count -= here
            if not count:
                return
