"""managedFields after a write, and server-side apply with its conflicts.

The rules are those of structured-merge-diff's merge.Updater, with fields as plain paths: an update takes over what it
changes; an apply owns what it lists, removes what it listed before and nobody else owns, and conflicts with others
over fields that it would change.
"""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.patch.fields import (
    Fields,
    Path,
    decode_fields,
    dotted,
    encode_fields,
    entry_step,
    fields_of,
)
from hpatui.sandbox.apiserver.schema.shape import Shape
from hpatui.sandbox.apiserver.status import StatusError

JsonObject = dict[str, Any]
_ANY = Shape("any")


def _entries(obj: JsonObject | None) -> list[JsonObject]:
    found = (obj or {}).get("metadata", {}).get("managedFields") or []
    return [entry for entry in found if isinstance(entry, dict)]


def _with(obj: JsonObject, entries: list[JsonObject]) -> JsonObject:
    meta = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    if entries:
        meta["managedFields"] = entries
    return {**obj, "metadata": meta}


def _entry(manager: str, operation: str, api_version: str, now: str, fields: Fields, sub: str) -> JsonObject:
    entry: JsonObject = {
        "manager": manager, "operation": operation, "apiVersion": api_version, "time": now, "fieldsType": "FieldsV1",
        "fieldsV1": encode_fields(fields),
    }  # fmt: skip
    if sub:
        entry["subresource"] = sub
    return entry


def _same(entry: JsonObject, manager: str, operation: str, sub: str) -> bool:
    return (
        entry.get("manager") == manager
        and entry.get("operation") == operation
        and (entry.get("subresource") or "") == sub
    )


def leaves(obj: JsonObject, shape: Shape) -> dict[Path, Any]:
    """What stands at each field that an object sets."""
    return {path: _at(obj, path, shape) for path in fields_of(obj, shape)}


def _at(value: Any, path: Path, shape: Shape) -> Any:
    for step in path:
        kind, _, rest = step.partition(":")
        if kind == "f":
            value = value.get(rest) if isinstance(value, dict) else None
            shape = (shape.item if shape.kind == "map" else shape.fields.get(rest) or shape.fields.get("*")) or _ANY
        elif kind == "k":
            found = None
            for entry in value if isinstance(value, list) else ():
                if isinstance(entry, dict) and entry_step(entry, shape) == step:
                    found = entry
            value, shape = found, shape.item or _ANY
        elif kind == "v":
            return rest
        else:
            return "."
    if isinstance(value, dict) and shape.kind in ("object", "map") and not shape.atomic:
        return "."
    return value


def changed_fields(old: JsonObject | None, new: JsonObject, shape: Shape) -> Fields:
    """The fields that `new` sets to something else than `old`."""
    after = leaves(new, shape)
    if old is None:
        return frozenset(after)
    before = leaves(old, shape)
    return frozenset(path for path, value in after.items() if path not in before or before[path] != value)


def after_update(
    old: JsonObject | None, new: JsonObject, shape: Shape, manager: str, api_version: str, now: str, sub: str = ""
) -> JsonObject:
    """The new object with managedFields: `manager` takes over what it changed, removed fields belong to nobody."""
    if old is not None and new["metadata"].get("managedFields") == []:
        return _with(new, [])
    changed = changed_fields(old, new, shape)
    present = fields_of(new, shape)
    result, done = [], False
    for entry in _entries(old):
        fields = decode_fields(entry.get("fieldsV1"))
        if _same(entry, manager, "Update", sub):
            done = True
            kept = (fields & present) | changed
            if kept != fields:
                entry = _entry(manager, "Update", api_version, now, kept, sub)
            fields = kept
        elif rest := fields - changed:
            rest = rest & present
            if rest != fields:
                entry = {**entry, "fieldsV1": encode_fields(rest)}
            fields = rest
        else:
            fields = frozenset()
        if fields:
            result.append(entry)
    if not done and changed:
        result.append(_entry(manager, "Update", api_version, now, changed, sub))
    return _with(new, result)


def apply(
    old: JsonObject | None, applied: JsonObject, shape: Shape, manager: str, api_version: str, now: str, *,
    force: bool, sub: str = "",
) -> JsonObject:  # fmt: skip
    """What server-side apply makes of `old`. StatusError 409 with a cause for each field that another manager owns."""
    wanted = fields_of(applied, shape)
    live = old or {key: value for key, value in applied.items() if key in ("apiVersion", "kind", "metadata")}
    before = leaves(old, shape) if old is not None else {}
    values = leaves(applied, shape)
    differing = frozenset(path for path in wanted if path not in before or before[path] != values[path])
    others = [entry for entry in _entries(old) if not _same(entry, manager, "Apply", sub)]
    conflicts = [
        (entry, path) for entry in others for path in sorted(decode_fields(entry.get("fieldsV1")) & differing)
        if path[-1] != "."
    ]  # fmt: skip
    if conflicts and not force:
        raise _conflict(conflicts)
    mine = next((entry for entry in _entries(old) if _same(entry, manager, "Apply", sub)), None)
    had = decode_fields(mine.get("fieldsV1")) if mine is not None else frozenset()
    owned: set[Path] = set()
    kept_entries = []
    for entry in others:
        fields = decode_fields(entry.get("fieldsV1")) - (differing if force else frozenset())
        if fields:
            kept_entries.append({**entry, "fieldsV1": encode_fields(fields)})
            owned |= fields
    merged = _merge(live, applied, shape)
    gone = had - wanted - owned
    left = wanted | owned
    # Whole entries of lists first: their key fields are needed to find them.
    for path in sorted(gone, key=lambda path: (path[-1] != ".", -len(path))):
        above = path[:-1] if path[-1] == "." else path
        if not any(other[: len(above)] == above for other in left):
            merged = _without(merged, path, shape)
    entry = _entry(manager, "Apply", api_version, now, wanted, sub)
    if mine is not None and wanted == had and not differing:
        entry = mine
    return _with(merged, [entry, *kept_entries])


def _conflict(conflicts: list[tuple[JsonObject, Path]]) -> StatusError:
    causes = []
    by_manager: dict[str, list[str]] = {}
    for entry, path in conflicts:
        who = f'"{entry.get("manager")}"'
        if entry.get("subresource"):
            who += f' with subresource "{entry["subresource"]}"'
        if entry.get("operation") == "Update":
            who += f" using {entry.get('apiVersion')}"
        causes.append({"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": dotted(path)})
        by_manager.setdefault(who, []).append(dotted(path))
    many = len(conflicts)
    if many == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        parts = [f"conflicts with {who}:\n" + "\n".join(f"- {p}" for p in paths) for who, paths in by_manager.items()]
        text = f"Apply failed with {many} conflicts: " + "\n".join(parts)
    return StatusError(409, "Conflict", text, {"causes": causes})


def _merge(live: Any, applied: Any, shape: Shape) -> Any:
    if isinstance(applied, dict) and isinstance(live, dict) and not shape.atomic:
        result = dict(live)
        for key, value in applied.items():
            sub = (shape.item if shape.kind == "map" else shape.fields.get(key) or shape.fields.get("*")) or _ANY
            result[key] = _merge(live[key], value, sub) if key in live else value
        return result
    if isinstance(applied, list) and isinstance(live, list) and shape.as_set:
        return [*live, *(entry for entry in applied if entry not in live)]
    if isinstance(applied, list) and isinstance(live, list) and shape.keys:
        result_list = list(live)
        places = {entry_step(entry, shape): i for i, entry in enumerate(live) if isinstance(entry, dict)}
        for entry in applied:
            place = places.get(entry_step(entry, shape)) if isinstance(entry, dict) else None
            if place is None:
                result_list.append(entry)
            else:
                result_list[place] = _merge(result_list[place], entry, shape.item or _ANY)
        return result_list
    return applied


def _without(value: Any, path: Path, shape: Shape) -> Any:
    """The value without the field at a path."""
    step, rest = path[0], path[1:]
    kind, _, name = step.partition(":")
    if kind == "f" and isinstance(value, dict) and name in value:
        if not rest:
            return {key: each for key, each in value.items() if key != name}
        sub = (shape.item if shape.kind == "map" else shape.fields.get(name) or shape.fields.get("*")) or _ANY
        return {**value, name: _without(value[name], rest, sub)}
    if kind == "k" and isinstance(value, list):
        if len(rest) == 1 and rest[0].removeprefix("f:") in shape.keys:
            return value
        if rest == (".",):
            return [entry for entry in value if not isinstance(entry, dict) or entry_step(entry, shape) != step]
        return [
            _without(entry, rest, shape.item or _ANY)
            if isinstance(entry, dict) and entry_step(entry, shape) == step else entry
            for entry in value
        ]  # fmt: skip
    if kind == "v" and isinstance(value, list):
        return [entry for entry in value if step != f"v:{_text(entry)}"]
    return value


def _text(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
