"""What is written of facts: operations on one shard, each with the number and the time of its fact.

A recording is cut into shards (the objects of some HPAs), so that one HPA's day can be read without the others', and a
fact about many objects (a list) becomes one operation in each shard, all with the same number. Shard 0 has what belongs to
no HPA, and the head of every list.

    (number, time, UPSERT, entity, change)
    (number, time, LIST, channel, members or None: as before, which of them have a new version (bits), their changes)
    (number, time, DELETE, channel, entities that go, [namespace, name, uid])
    (number, time, DROP, channel)                 no fact: details that nobody looks at any more

An entity is an object in a channel, from when it is first seen to when it goes; a channel is a kind, a scope and a kind of
target. A change is None (seen again, the same), `(which, values)`: numbers that are others now, or
`(letter, template, numbers, channel)`: all of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

UPSERT, LIST, DELETE, DROP = 0, 1, 2, 3

Change = Any  # see above; of lists where it was read
Op = Sequence[Any]


class Entity:
    """One object's newest version within a shard."""

    __slots__ = ("channel", "letter", "numbers", "template")

    def __init__(self, letter: str, channel: int, template: bytes, numbers: array[int]) -> None:
        self.letter, self.channel, self.template, self.numbers = letter, channel, template, numbers


class ShardState:
    """All that is known in a shard after some operations: entities by number, and who is in which channel."""

    __slots__ = ("channels", "entities")

    def __init__(self) -> None:
        self.entities: dict[int, Entity] = {}
        self.channels: dict[int, dict[int, None]] = {}

    def change(self, number: int, change: Change) -> None:
        """A new version of an entity."""
        if change is None:
            return
        if len(change) == 2:
            numbers = self.entities[number].numbers
            for place, value in zip(change[0], change[1], strict=True):
                numbers[place] = value
            return
        letter, template, numbers, channel = change
        self.entities[number] = Entity(letter, channel, template, array("q", numbers))

    def apply(self, op: Op) -> None:
        """Fold one operation in."""
        code = op[2]
        if code == UPSERT:
            self.change(op[3], op[4])
            entity = self.entities.get(op[3])
            if entity is not None:  # of one that nobody asked for nothing may be known
                self.channels.setdefault(entity.channel, {})[op[3]] = None
        elif code == LIST:
            self.listed(op[3], op[4])
            for number, change in zip(changed_of(tuple(self.channels[op[3]]), op[5]), op[6], strict=True):
                self.change(number, change)
        elif code == DELETE:
            for number in op[4]:
                self._remove(number)
        else:
            for number in self.channels.pop(op[3], ()):
                self.entities.pop(number, None)

    def listed(self, channel: int, members: Sequence[int] | None) -> None:
        """A channel has these members now (None: those that it has)."""
        before = self.channels.setdefault(channel, {})
        if members is None:
            return
        now = dict.fromkeys(members)
        for number in before.keys() - now.keys():
            self.entities.pop(number, None)
        self.channels[channel] = now

    def _remove(self, number: int) -> None:
        entity = self.entities.pop(number, None)
        if entity is not None:
            self.channels.get(entity.channel, {}).pop(number, None)


def bits_of(flags: Sequence[bool]) -> bytes:
    """Flags as bytes, eight in each."""
    whole = 0
    for place, flag in enumerate(flags):
        if flag:
            whole |= 1 << place
    return whole.to_bytes((len(flags) + 7) // 8, "little")


def changed_of(members: Sequence[int], bits: bytes) -> Sequence[int]:
    """The members whose flag is set."""
    whole = int.from_bytes(bits, "little")
    if whole == (1 << len(members)) - 1:
        return members
    return [member for place, member in enumerate(members) if whole >> place & 1]
