"""Columns of whole numbers in few bytes: differences, small widths, equal columns once.

A column is the values that one number of a fact had, version by version. It is written as the cheapest of: a straight
line; values above their least; differences above theirs; or the number of another column that is the same. What is
written is divided by the greatest common divisor and stands in a stream of its width (1, 2, 4 or 8 bytes), of which first
all low bytes are written, then all second ones, which compresses better.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from itertools import accumulate
from math import gcd
from typing import NamedTuple

LINE, VALUES, STEPS, SAME = 0, 1, 2, 3
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
WIDTHS = tuple(_CODES)


class Column(NamedTuple):
    """How a column is written: `kind`, the least value or step (LINE: the step; SAME: which column), the divisor, and the
    width of its entries in bytes (0: none are written).
    """

    kind: int
    least: int
    scale: int
    width: int


def _width(most: int) -> int:
    return 1 if most < 1 << 8 else 2 if most < 1 << 16 else 4 if most < 1 << 32 else 8


def encode(before: int, values: Sequence[int]) -> tuple[Column, Sequence[int]]:
    """The cheapest way to write `values`, which follow `before`, and the entries of its stream."""
    steps = [b - a for a, b in zip((before, *values), values)]  # noqa: B905 - one shorter on purpose
    least_step, most_step = min(steps), max(steps)
    if least_step == most_step:
        return Column(LINE, least_step, 1, 0), ()
    least, most = min(values), max(values)
    if most - least <= most_step - least_step:
        kind, least_of, entries = VALUES, least, [v - least for v in values]
    else:
        kind, least_of, entries = STEPS, least_step, [s - least_step for s in steps]
    highest = max(entries)
    scale = 1
    if highest > 255:
        scale = gcd(*entries)
        if scale > 1:
            entries = [e // scale for e in entries]
            highest //= scale
    return Column(kind, least_of, scale, _width(highest)), entries


def decode(column: Column, before: int, count: int, entries: Sequence[int]) -> list[int]:
    """All `count` values of a column; `entries` are its own (of a SAME column: not for this function)."""
    kind, least, scale, _ = column
    if kind == LINE:
        return [before + least * (i + 1) for i in range(count)]
    if kind == VALUES:
        return [least + e * scale for e in entries] if scale > 1 else [least + e for e in entries]
    return list(accumulate((least + e * scale for e in entries), initial=before))[1:]


def value_at(column: Column, before: int, place: int, entries: Sequence[int], offset: int) -> int:
    """Its value at the version `place` (from 1) without the others; its entries begin at `offset`."""
    kind, least, scale, _ = column
    if kind == LINE:
        return before + least * place
    if kind == VALUES:
        return least + entries[offset + place - 1] * scale
    return before + least * place + scale * sum(entries[offset : offset + place])


class Streams:
    """The entries of many columns, by width."""

    def __init__(self) -> None:
        self._arrays: dict[int, array[int]] = {width: array(code) for width, code in _CODES.items()}

    def add(self, width: int, entries: Sequence[int]) -> None:
        """Append a column's entries."""
        self._arrays[width].extend(entries)

    def written(self) -> list[bytes]:
        """Each stream as bytes, the low ones first."""
        return [_planes(_little(self._arrays[width]), width) for width in WIDTHS]


def read_streams(written: Sequence[bytes]) -> dict[int, array[int]]:
    """What `Streams.written` wrote."""
    found = {}
    for width, data in zip(WIDTHS, written, strict=True):
        entries = array(_CODES[width])
        entries.frombytes(_woven(data, width))
        if sys.byteorder == "big":
            entries.byteswap()
        found[width] = entries
    return found


def _little(entries: array[int]) -> bytes:
    if sys.byteorder == "big":
        entries = array(entries.typecode, entries)
        entries.byteswap()
    return entries.tobytes()


def _planes(data: bytes, width: int) -> bytes:
    return b"".join(data[place::width] for place in range(width)) if width > 1 else data


def _woven(data: bytes, width: int) -> bytes:
    if width == 1:
        return data
    count = len(data) // width
    out = bytearray(count * width)
    for place in range(width):
        out[place::width] = data[place * count : (place + 1) * count]
    return bytes(out)
