"""Strategic merge patch: merge patch that joins known lists by a key (apimachinery/pkg/util/strategicpatch)."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.schema.shape import Shape
from hpatui.sandbox.apiserver.status import bad_request

_ANY = Shape("any")
_DELETE = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"


def strategic_patch(value: Any, patch: Any, shape: Shape) -> Any:
    """The value with a strategic merge patch. StatusError 400 where the patch is malformed."""
    if not isinstance(patch, dict):
        raise bad_request("json: cannot unmarshal into Go value of type map[string]interface {}")
    return _object(value, patch, shape)


def _object(value: Any, patch: dict[str, Any], shape: Shape) -> Any:
    directive = patch.get("$patch")
    if directive == "replace":
        return _plain({key: each for key, each in patch.items() if key != "$patch"})
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"Unknown patch type: {directive}")
    result = dict(value) if isinstance(value, dict) else {}
    orders: dict[str, list[Any]] = {}
    for key, change in patch.items():
        if key.startswith(_ORDER):
            if isinstance(change, list):
                orders[key[len(_ORDER) :]] = change
        elif key.startswith(_DELETE):
            name = key[len(_DELETE) :]
            if isinstance(result.get(name), list) and isinstance(change, list):
                result[name] = [entry for entry in result[name] if entry not in change]
        elif key == "$retainKeys":
            if isinstance(change, list):
                result = {name: each for name, each in result.items() if name in change}
        elif key.startswith("$"):
            continue
        elif change is None:
            result.pop(key, None)
        else:
            result[key] = _value(result.get(key), change, _field(shape, key))
    for name, order in orders.items():
        if isinstance(result.get(name), list):
            result[name] = _ordered(result[name], order, _field(shape, name).merge)
    return result


def _field(shape: Shape, key: str) -> Shape:
    if shape.kind == "map":
        return shape.item or _ANY
    return shape.fields.get(key) or shape.fields.get("*") or _ANY


def _value(value: Any, change: Any, shape: Shape) -> Any:
    if isinstance(change, dict):
        return _object(value, change, shape)
    if isinstance(change, list):
        if shape.as_set and isinstance(value, list):
            return [*value, *(entry for entry in change if entry not in value)]
        if shape.kind == "list" and shape.merge and not shape.as_set:
            return _list(value if isinstance(value, list) else [], change, shape)
        return [_plain(entry) for entry in change]
    return change


def _plain(value: Any) -> Any:
    """A value that replaces: nulls in objects go, as in a merge into nothing."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if each is not None and not key.startswith("$")}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _list(value: list[Any], change: list[Any], shape: Shape) -> list[Any]:
    key, item = shape.merge, shape.item or _ANY
    result = list(value)
    if any(isinstance(entry, dict) and entry.get("$patch") == "replace" for entry in change):
        return [_plain(entry) for entry in change if not (isinstance(entry, dict) and "$patch" in entry)]
    for entry in change:
        if not isinstance(entry, dict):
            raise bad_request(f"list of {key}: a patch of it has entries that are no objects")
        if key not in entry:
            raise bad_request(f"map: {entry} does not contain declared merge key: {key}")
        places = [i for i, have in enumerate(result) if isinstance(have, dict) and have.get(key) == entry[key]]
        if entry.get("$patch") == "delete":
            result = [have for i, have in enumerate(result) if i not in places]
        elif places:
            result[places[0]] = _object(result[places[0]], entry, item)
        else:
            result.append(_object({}, entry, item))
    return result


def _ordered(entries: list[Any], order: list[Any], key: str) -> list[Any]:
    """The entries in the order that the client gave; those it does not name stay behind their neighbours."""

    def identity(entry: Any) -> Any:
        return entry.get(key) if isinstance(entry, dict) else entry

    rank = {}
    for position, entry in enumerate(order):
        name = identity(entry)
        if isinstance(name, str | int):
            rank[name] = position
    last = -1
    ranked = []
    for position, entry in enumerate(entries):
        last = rank.get(identity(entry), last)
        ranked.append(((last, position), entry))
    return [entry for _, entry in sorted(ranked, key=lambda pair: pair[0])]
