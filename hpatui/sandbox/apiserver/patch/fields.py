"""Sets of fields, and managedFields: who set what (structured-merge-diff's fieldsV1).

A field set is a frozenset of paths; a path is a tuple of steps as fieldsV1 writes them: `f:spec`, `k:{"name":"x"}`,
`v:"finalizer"`, and `.` for an entry or object itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from hpatui.sandbox.apiserver.schema.shape import Shape

Path = tuple[str, ...]
Fields = frozenset[Path]
JsonObject = dict[str, Any]
_ANY = Shape("any")
_UNTRACKED = frozenset({"apiVersion", "kind"})
_META_UNTRACKED = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
     "deletionTimestamp", "deletionGracePeriodSeconds", "generateName"}
)  # fmt: skip


def fields_of(obj: JsonObject, shape: Shape) -> Fields:
    """The fields that an object sets, without identity and what the server keeps."""
    found: set[Path] = set()
    for key, value in obj.items():
        if key in _UNTRACKED:
            continue
        if key == "metadata":
            value = {name: each for name, each in value.items() if name not in _META_UNTRACKED}
            if not value:
                continue
        found.update(_paths(value, _sub(shape, key), (f"f:{key}",)))
    return frozenset(path for path in found if path != ("f:metadata",))


def _sub(shape: Shape, key: str) -> Shape:
    if shape.kind == "map":
        return shape.item or _ANY
    return shape.fields.get(key) or shape.fields.get("*") or _ANY


def _paths(value: Any, shape: Shape, path: Path) -> Iterator[Path]:
    if isinstance(value, dict) and not shape.atomic and shape.kind in ("object", "map", "any"):
        # Objects of which nobody knows the shape are taken apart like maps.
        if not value:
            yield path
        for key, each in value.items():
            yield from _paths(each, _sub(shape, key), (*path, f"f:{key}"))
    elif isinstance(value, list) and shape.as_set:
        for entry in value:
            yield (*path, f"v:{_json(entry)}")
    elif isinstance(value, list) and shape.keys:
        for entry in value:
            if not isinstance(entry, dict):
                continue
            step = entry_step(entry, shape)
            yield (*path, step, ".")
            for key, each in entry.items():
                yield from _paths(each, _sub(shape.item or _ANY, key), (*path, step, f"f:{key}"))
    else:
        yield path


_DEFAULT_KEYS = {"protocol": "TCP"}


def entry_step(entry: JsonObject, shape: Shape) -> str:
    """How fieldsV1 names a list's entry."""
    keys = {key: entry.get(key, _DEFAULT_KEYS.get(key)) for key in sorted(shape.keys)}
    return f"k:{_json({key: value for key, value in keys.items() if value is not None})}"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def encode_fields(fields: Iterable[Path]) -> JsonObject:
    """Paths as fieldsV1: nested objects, leaves empty."""
    root: JsonObject = {}
    for path in sorted(fields):
        here = root
        for step in path:
            here = here.setdefault(step, {})
    return root


def decode_fields(tree: Any) -> Fields:
    """fieldsV1 as paths."""
    found: set[Path] = set()

    def walk(node: Any, path: Path) -> None:
        if not isinstance(node, dict) or not node:
            if path:
                found.add(path)
            return
        for step, below in node.items():
            walk(below, (*path, step))

    walk(tree, ())
    return frozenset(found)


def dotted(path: Path) -> str:
    """A path as error texts name it: .spec.template.spec.containers[name="web"].image."""
    text = ""
    for step in path:
        kind, _, rest = step.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "k":
            keys = msgspec.json.decode(rest)
            text += "[" + ",".join(f"{key}={_json(value)}" for key, value in keys.items()) + "]"
        elif kind == "v":
            text += f"[={rest}]"
    return text
