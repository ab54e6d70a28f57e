"""One fact as bytes and back."""

from __future__ import annotations

from typing import Any

import msgspec

from hpatui.model import (
    ClusterEvent,
    Deleted,
    Key,
    Kind,
    Listed,
    LoadChanged,
    LoadSample,
    StatusChanged,
    Tick,
    Upserted,
)
from hpatui.record.codec import LETTERS, item_of, text_of

_encode, _decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode


def body_of(what: ClusterEvent | LoadSample | LoadChanged | Tick) -> bytes:
    """A fact as bytes."""
    match what:
        case Listed(kind=kind, items=items, scope=scope, of=of):
            return _encode(("L", kind.value, scope, of, [_item(item) for item in items]))
        case Upserted(kind=kind, item=item, scope=scope):
            return _encode(("U", kind.value, scope, "", _item(item)))
        case Deleted(kind=kind, key=key, uid=uid, scope=scope, of=of):
            return _encode(("D", kind.value, scope, of, (*key, uid)))
        case StatusChanged(kind=kind, status=status, scope=scope):
            return _encode(("S", kind.value, scope, "", _item(status)))
        case LoadSample() | LoadChanged():
            return _encode(("M", "", "", "", _item(what)))
    return _encode(("T", "", "", "", None))


def what_of(body: bytes) -> ClusterEvent | LoadSample | LoadChanged | Tick:
    """The fact of `body_of`."""
    op, kind, scope, of, rest = _decode(body)
    match op:
        case "L":
            return Listed(Kind(kind), tuple(_fact(item) for item in rest), scope, of)
        case "U":
            return Upserted(Kind(kind), _fact(rest), scope)
        case "D":
            return Deleted(Kind(kind), Key(rest[0], rest[1]), rest[2], scope, of)
        case "S":
            return StatusChanged(Kind(kind), _fact(rest), scope)
        case "M":
            sample: LoadSample | LoadChanged = _fact(rest)
            return sample
    return Tick()


def _item(item: Any) -> tuple[str, bytes]:
    letter = LETTERS[type(item)]
    return letter, text_of(letter, item)


def _fact(pair: Any) -> Any:
    return item_of(pair[0], pair[1])
