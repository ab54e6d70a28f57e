"""A shard's state as few bytes, and how bytes are squeezed."""

from __future__ import annotations

import zlib
from array import array
from typing import Any

import msgspec

from hpatui.record.ops import Entity, ShardState

_pack, _unpack = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode
LEVEL = 6  # of zlib
MOST = 256 << 20  # bytes of one part unpacked: more is no recording of ours


class DamagedPart(ValueError):
    """Bytes that are not what was written."""


def squeezed(value: Any) -> bytes:
    return zlib.compress(_pack(value), LEVEL)


def loosened(data: bytes) -> Any:
    """What `squeezed` made; its check sum tells damage."""
    try:
        loose = zlib.decompressobj()
        plain = loose.decompress(data, MOST)
        if not loose.eof:
            raise DamagedPart("it is cut short")
        return _unpack(plain)
    except (zlib.error, msgspec.MsgspecError, ValueError) as error:
        raise DamagedPart(str(error)) from error


# States ---------------------------------------------------------------------------------------------------------------


def write_state(state: ShardState) -> bytes:
    """All of a state."""
    templates: dict[bytes, int] = {}
    entities = []
    for number, entity in state.entities.items():
        place = templates.setdefault(entity.template, len(templates))
        entities.append((number, entity.letter, entity.channel, place, list(entity.numbers)))
    channels = [(channel, list(members)) for channel, members in state.channels.items()]
    return squeezed((list(templates), entities, channels))


def read_state(data: bytes) -> ShardState:
    """The state of `write_state`. DamagedPart where it is none."""
    state = ShardState()
    found = loosened(data)
    try:
        templates, entities, channels = found
        for number, letter, channel, place, numbers in entities:
            state.entities[number] = Entity(letter, channel, templates[place], array("q", numbers))
        state.channels = {channel: dict.fromkeys(members) for channel, members in channels}
    except (TypeError, ValueError, IndexError, OverflowError) as error:
        raise DamagedPart(str(error)) from error
    return state
