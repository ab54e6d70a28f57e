"""Shapes: a small language for the types of JSON fields.

One description serves type checks of bodies, strict field validation, strategic merge patches and server-side apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The type of a value. `kind`: str, int, bool, quantity, intstr, time, any, object, map or list.

    `item`: the values of a map or the entries of a list. `keys`: fields that identify a list's entries for server-side
    apply (() and not `as_set`: the list is one value). `merge`: the field by which strategic merge patches join a list
    ("" replaces it). `goes`: the Go type that error texts name.
    """

    kind: str
    fields: Mapping[str, Shape] = field(default_factory=dict)
    item: Shape | None = None
    keys: tuple[str, ...] = ()
    merge: str = ""
    as_set: bool = False
    atomic: bool = False
    go: str = ""


STR = Shape("str", go="string")
INT = Shape("int", go="int32")
INT64 = Shape("int", go="int64")
BOOL = Shape("bool", go="bool")
QUANTITY = Shape("quantity", go="resource.Quantity")
INTSTR = Shape("intstr", go="intstr.IntOrString")
TIME = Shape("time", go="v1.Time")
ANY = Shape("any")
STR_MAP = Shape("map", item=STR, go="map[string]string")
QUANTITIES = Shape("map", item=QUANTITY, go="v1.ResourceList")
STRS = Shape("list", item=STR, go="[]string")


def obj(go: str, /, **fields: Shape) -> Shape:
    """An object with these fields; `go` is its Go type."""
    return Shape("object", fields, go=go)


def one(go: str, /, **fields: Shape) -> Shape:
    """An object that server-side apply owns as a whole."""
    return Shape("object", fields, go=go, atomic=True)


def listed(item: Shape, *keys: str, merge: str = "") -> Shape:
    """A list; `keys` identify its entries for apply, `merge` (default: the first key) for strategic patches."""
    return Shape("list", item=item, keys=keys, merge=merge or (keys[0] if keys else ""))


def whole(item: Shape) -> Shape:
    """A list that is one value."""
    return Shape("list", item=item)
