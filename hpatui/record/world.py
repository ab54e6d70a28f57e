"""Facts -> operations on shards: what is new against what was written before."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from typing import Any, NamedTuple

from hpatui.model import (
    EVERYTHING,
    Deleted,
    Event,
    Hpa,
    Key,
    Kind,
    Listed,
    LoadChanged,
    LoadSample,
    Pod,
    Scale,
    Seen,
    StatusChanged,
    Upserted,
    Workload,
    controller_of,
)
from hpatui.record.codec import LETTERS, identity
from hpatui.record.known import Channel, channel_of, is_detail
from hpatui.record.ops import DELETE, DROP, LIST, UPSERT, Change, Op, bits_of
from hpatui.record.packing import pack

A_SHARD = 32  # scale targets in one shard
STATUS = "#"  # in place of a kind of target: the channel of a status
LOAD: Channel = ("", "", "")  # type: ignore[assignment]
LOAD_VIEW: Channel = ("", "", STATUS)  # type: ignore[assignment]
_HASH = "pod-template-hash"


class NewEntity(NamedTuple):
    """An entity as it is registered. `marks`: of pods their labels, of targets and scales their selectors, of HPAs their
    targets (a line for each that they had), by which readers find what belongs together.
    """

    number: int
    shard: int
    letter: str
    channel: int
    namespace: str
    name: str
    marks: str
    first: float


class _Entity:
    __slots__ = ("item", "letter", "mark", "number", "numbers", "shard", "template")

    def __init__(self, number: int, shard: int) -> None:
        self.number, self.shard = number, shard
        self.item: Any = None
        self.letter, self.template, self.mark = "", b"", ""
        self.numbers = array("q")


class World:
    """The objects of one run of recording, as they were written last."""

    def __init__(self, seq: int = 0, entity: int = 0, channel: int = 0) -> None:
        """The last numbers that were given before."""
        self.seq, self._last_entity, self._last_channel = seq, entity, channel
        self.channels: dict[Channel, int] = {}
        self._members: dict[Channel, dict[tuple[str, ...], _Entity]] = {}
        self._shards_of: dict[Channel, set[int]] = {}  # where a list has members
        self._roots: dict[tuple[str, str], int] = {}
        self._root_of_hpa: dict[str, tuple[str, str]] = {}
        self._focus = ""
        # To be registered with the next write.
        self.new_entities: list[NewEntity] = []
        self.new_channels: list[tuple[int, Channel]] = []
        self.new_marks: list[tuple[str, int]] = []
        self.gone: list[tuple[float, int]] = []
        self.left_out = 0  # objects that cannot be written

    # Facts ----------------------------------------------------------------------------------------------------

    def ops(self, seen: Seen) -> list[tuple[int, Op]]:
        """The operations of one fact, with their shards. A fact that cannot be written raises ValueError or TypeError."""
        what, out = seen.what, []
        self.seq += 1
        scope = getattr(what, "scope", "")
        if is_detail(scope) and scope != self._focus:
            out += self._leave(seen.time)
            self._focus = scope
        match what:
            case LoadSample():
                out.append(self._upsert(seen.time, LOAD, what))
            case LoadChanged():
                out.append(self._upsert(seen.time, LOAD_VIEW, what))
            case StatusChanged(kind=kind, status=status):
                out.append(self._upsert(seen.time, (kind, scope, STATUS), status))
            case Upserted(item=item):
                out.append(self._upsert(seen.time, channel_of(what), item))
            case Listed():
                out += self._listed(seen.time, what)
            case Deleted():
                out += self._deleted(seen.time, what)
        return out

    def _leave(self, time: float) -> list[tuple[int, Op]]:
        """The details of the HPA before are not told any more."""
        out: list[tuple[int, Op]] = []
        for channel in [channel for channel in self._members if is_detail(channel[1])]:
            number = self.channels[channel]
            shards = self._shards_of.pop(channel, set()) | {0}
            out += [(shard, (self.seq, time, DROP, number)) for shard in sorted(shards)]
            self.gone += [(time, entity.number) for entity in self._members.pop(channel).values()]
        return out

    def _upsert(self, time: float, channel: Channel, item: Any) -> tuple[int, Op]:
        members = self._members.setdefault(channel, {})
        letter = LETTERS[type(item)]
        name = identity(letter, item)
        packed = pack(letter, item)
        entity = members.get(name)
        if entity is None:
            entity = members[name] = self._new(time, letter, channel, item)
        return entity.shard, (self.seq, time, UPSERT, entity.number, self._change(entity, channel, item, packed))

    def _listed(self, time: float, event: Listed) -> list[tuple[int, Op]]:
        channel = channel_of(event)
        before = self._members.get(channel, {})
        now: dict[tuple[str, ...], _Entity] = {}
        by_shard: dict[int, list[tuple[int, Change]]] = {0: []}
        for name, (item, letter, packed) in self._packed(before, event.items).items():
            entity = now[name] = before.get(name) or self._new(time, letter, channel, item)
            change = None if packed is None else self._change(entity, channel, item, packed)
            by_shard.setdefault(entity.shard, []).append((entity.number, change))
        self.gone += [(time, entity.number) for name, entity in before.items() if name not in now]
        self._members[channel] = now
        for shard in self._shards_of.get(channel, ()):
            by_shard.setdefault(shard, [])
        self._shards_of[channel] = {0, *(entity.shard for entity in now.values())}
        number, same = self._channel(channel), list(before) == list(now)
        out: list[tuple[int, Op]] = []
        for shard, mine in sorted(by_shard.items()):
            members = None if same else [entity for entity, _ in mine]
            bits = bits_of([change is not None for _, change in mine])
            changes = [change for _, change in mine if change is not None]
            out.append((shard, (self.seq, time, LIST, number, members, bits, changes)))
        return out

    def _packed(self, before: Any, items: Iterable[Any]) -> dict[tuple[str, ...], tuple[Any, str, Any]]:
        """By name: the object, its letter, and it taken apart (None where the very same object was written last). What
        cannot be written is left out and counted.
        """
        found = {}
        for item in items:
            letter = LETTERS[type(item)]
            name = identity(letter, item)
            known = before.get(name)
            try:
                found[name] = (item, letter, None if known is not None and known.item is item else pack(letter, item))
            except (ValueError, TypeError, OverflowError):
                self.left_out += 1
        return found

    def _deleted(self, time: float, event: Deleted) -> list[tuple[int, Op]]:
        kind, scope, of = channel = channel_of(event)
        channels = [channel]
        if kind is Kind.WORKLOAD and scope == EVERYTHING:
            channels.append((Kind.SCALE, scope, of))
        by_shard: dict[int, list[int]] = {}
        for each in channels:
            here = self._members.get(each, {})
            for name in _matching(here, each[0], event):
                entity = here.pop(name)
                by_shard.setdefault(entity.shard, []).append(entity.number)
                self.gone.append((time, entity.number))
        number, named = self._channel(channel), (*event.key, event.uid)
        if not by_shard:
            by_shard[0] = []
        return [(shard, (self.seq, time, DELETE, number, gone, named)) for shard, gone in sorted(by_shard.items())]

    # Entities -------------------------------------------------------------------------------------------------

    def _change(self, entity: _Entity, channel: Channel, item: Any, packed: Any) -> Change:
        """From the version before to this one."""
        letter, template, numbers = packed
        entity.item = item
        mark = _mark(item)
        if mark != entity.mark:
            entity.mark = mark
            self.new_marks.append((mark, entity.number))
        if template == entity.template and letter == entity.letter:
            before = entity.numbers
            which = [place for place, (a, b) in enumerate(zip(before, numbers, strict=True)) if a != b]
            if not which:
                return None
            values = [numbers[place] for place in which]
            for place, value in zip(which, values, strict=True):
                before[place] = value
            return which, values
        entity.letter, entity.template, entity.numbers = letter, template, array("q", numbers)
        return letter, template, list(numbers), self._channel(channel)

    def _new(self, time: float, letter: str, channel: Channel, item: Any) -> _Entity:
        self._last_entity += 1
        entity = _Entity(self._last_entity, self._shard_of(letter, channel, item))
        key = getattr(item, "key", Key("", ""))
        if isinstance(item, Event):
            key = item.about
        entity.mark = _mark(item)
        self._shards_of.setdefault(channel, {0}).add(entity.shard)
        self.new_entities.append(
            NewEntity(entity.number, entity.shard, letter, self._channel(channel), key[0], key[1], entity.mark, time)
        )
        return entity

    def _channel(self, channel: Channel) -> int:
        number = self.channels.get(channel)
        if number is None:
            self._last_channel += 1
            number = self.channels[channel] = self._last_channel
            self.new_channels.append((number, channel))
        return number

    # Shards ---------------------------------------------------------------------------------------------------

    def _shard_of(self, letter: str, channel: Channel, item: Any) -> int:
        if letter in ("t", "l", "c"):
            return 0
        if letter == "h":
            root = self._root_of_hpa[str(item.key)] = (item.key.namespace, item.reference.name)
            return self._numbered(root)
        if is_detail(channel[1]):
            known = self._root_of_hpa.get(channel[1])
            return self._numbered(known) if known is not None else 0
        if isinstance(item, Event):
            known = self._root_of_hpa.get(str(item.about))
            return self._numbered(known) if known is not None else 0
        if isinstance(item, Pod):
            return self._numbered((item.key.namespace, _owner(item)))
        if letter == "u":
            pod = self._members.get((Kind.POD, channel[1], ""), {}).get(tuple(item.key))
            return pod.shard if pod is not None else self._numbered((item.key.namespace, ""))
        return self._numbered((item.key.namespace, item.key.name))

    def _numbered(self, root: tuple[str, str]) -> int:
        number = self._roots.setdefault(root, len(self._roots))
        return 1 + number // A_SHARD


def _owner(pod: Pod) -> str:
    """The name of the workload that a pod is of, as far as its owner tells: a ReplicaSet's name ends with a hash."""
    owner = controller_of(pod.owners)
    if owner is None:
        return ""
    mark = "-" + pod.labels.get(_HASH, "")
    return owner.name.removesuffix(mark) if owner.kind == "ReplicaSet" and len(mark) > 1 else owner.name


def _mark(item: Any) -> str:
    """By what readers find an object (see NewEntity)."""
    if isinstance(item, Pod):
        return json.dumps(dict(item.labels), sort_keys=True)
    if isinstance(item, Hpa):
        return str(item.reference)
    return item.selector if isinstance(item, Workload | Scale) else ""


def _matching(here: dict[tuple[str, ...], _Entity], kind: Kind, event: Deleted) -> Iterable[tuple[str, ...]]:
    """The objects that a deletion names."""
    if kind in (Kind.HPA, Kind.POD, Kind.POD_USAGE):
        known = here.get(tuple(event.key))
        if known is None or (
            kind is Kind.HPA and event.uid and isinstance(known.item, Hpa) and event.uid != known.item.uid
        ):
            return ()
        return (tuple(event.key),)
    return [name for name, entity in here.items() if entity.item.key == event.key]
