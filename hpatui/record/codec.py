"""Facts as text and back: one JSON text for each fact, without loss of what the store and decisions read.

`raw` is reduced first (`reduce.py`); all else of a fact is what its decoder took from the object. Text that somebody else
wrote (an event's message) has its credentials masked on the way in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from hpatui.masking import masked
from hpatui.model import (
    Event,
    Fact,
    Hpa,
    Kind,
    LoadChanged,
    LoadSample,
    OwnerLink,
    Pod,
    PodUsage,
    Scale,
    ScaledObject,
    SourceStatus,
    Workload,
)
from hpatui.record.reduce import reduced_hpa, reduced_pod, reduced_usage, reduced_workload

Item = Fact | SourceStatus | LoadSample | LoadChanged

TYPES: dict[str, type[Any]] = {
    "h": Hpa,
    "w": Workload,
    "s": Scale,
    "o": OwnerLink,
    "k": ScaledObject,
    "p": Pod,
    "e": Event,
    "u": PodUsage,
    "t": SourceStatus,
    "l": LoadSample,
    "c": LoadChanged,
}
LETTERS: dict[type[Any], str] = {kind: letter for letter, kind in TYPES.items()}
KIND_OF: dict[str, Kind] = {
    "h": Kind.HPA,
    "w": Kind.WORKLOAD,
    "s": Kind.SCALE,
    "o": Kind.OWNER,
    "k": Kind.SCALED_OBJECT,
    "p": Kind.POD,
    "e": Kind.EVENT,
    "u": Kind.POD_USAGE,
}
_REDUCE: dict[str, Callable[[bytes], bytes]] = {
    "h": reduced_hpa,
    "w": reduced_workload,
    "p": reduced_pod,
    "u": reduced_usage,
}
_ENCODER = msgspec.json.Encoder()
_NOTHING = msgspec.Raw(b"0")
_DECODERS: dict[str, Any] = {
    letter: msgspec.json.Decoder(tuple[kind, msgspec.Raw])  # type: ignore[valid-type]
    for letter, kind in TYPES.items()
}


def text_of(letter: str, item: Item) -> bytes:
    """The fact as JSON: `[fact, its raw]`. ValueError or TypeError where it holds what JSON cannot."""
    if isinstance(item, Hpa | Workload | Pod | PodUsage) and item.raw:
        return _ENCODER.encode((replace(item, raw=b""), msgspec.Raw(_REDUCE[letter](item.raw))))
    if isinstance(item, Event):
        item = replace(item, message=masked(item.message))
    elif isinstance(item, LoadChanged):
        view = item.view
        item = replace(item, view=replace(view, target=masked(view.target), message=masked(view.message)))
    return _ENCODER.encode((item, _NOTHING))


def item_of(letter: str, text: bytes) -> Any:
    """The fact of a text of `text_of`. ValueError where it is none."""
    item, raw = _DECODERS[letter].decode(text)
    if len(raw) > 1:
        object.__setattr__(item, "raw", bytes(raw))
    return item


def identity(letter: str, item: Any) -> tuple[str, ...]:
    """What names the object within its stream."""
    if letter == "o":
        return (item.uid,)
    if letter == "e":
        return (item.uid or str(item.key),)
    if letter in ("w", "s"):
        return (item.kind, *item.key)
    return () if letter in ("t", "l", "c") else tuple(item.key)
