"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386)."""

from __future__ import annotations

import copy
from typing import Any

from hpatui.sandbox.apiserver.status import StatusError, bad_request

_MOST_OPERATIONS = 10_000


def merge_patch(value: Any, patch: Any) -> Any:
    """The value with a merge patch: null removes, objects are joined, everything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), change)
    return result


def json_patch(value: Any, operations: Any) -> Any:
    """The value with a JSON patch. StatusError 400 for a malformed one, 422 for one that does not fit."""
    if not isinstance(operations, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(operations) > _MOST_OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {_MOST_OPERATIONS}, got {len(operations)}"
        raise StatusError(413, "RequestEntityTooLarge", text)
    document = {"": copy.deepcopy(value)}
    for operation in operations:
        if not isinstance(operation, dict):
            raise bad_request("json: cannot unmarshal array into Go value of type jsonpatch.Operation")
        _apply(document, operation)
    return document[""]


def _apply(document: dict[str, Any], operation: dict[str, Any]) -> None:
    kind, path = operation.get("op"), operation.get("path")
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise bad_request(f"jsonpatch {kind} operation does not apply: error in path {path!r}")
    if kind in ("add", "replace", "test") and "value" not in operation:
        raise bad_request(f"jsonpatch {kind} operation without a value")
    if kind == "add":
        _add(document, path, copy.deepcopy(operation["value"]))
    elif kind == "remove":
        _remove(document, path, "remove")
    elif kind == "replace":
        _get(document, path, "replace")
        parent, key = _parent(document, path, "replace")
        parent[int(key) if isinstance(parent, list) else key] = copy.deepcopy(operation["value"])
    elif kind == "test":
        if _get(document, path, "test", missing_ok=True) != operation["value"]:
            raise _unfit(f"testing value {path} failed: test failed")
    elif kind in ("move", "copy"):
        source = operation.get("from")
        if not isinstance(source, str):
            raise bad_request(f"jsonpatch {kind} operation without from")
        found = _get(document, source, kind)
        if kind == "move":
            _remove(document, source, kind)
        _add(document, path, copy.deepcopy(found))
    else:
        raise bad_request(f"Unexpected kind: {kind}")


def _unfit(text: str) -> StatusError:
    return StatusError(422, "Invalid", f"the server rejected our request due to an error in our request: {text}", {})


def _parent(document: dict[str, Any], path: str, kind: str) -> tuple[Any, str]:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")]
    here: Any = document
    for step in steps[:-1]:
        here = _step(here, step, path, kind)
    if not isinstance(here, dict | list):
        raise _unfit(f'{kind} operation does not apply: doc is missing path: "{path}": missing value')
    return here, steps[-1]


def _step(here: Any, step: str, path: str, kind: str) -> Any:
    if isinstance(here, dict) and step in here:
        return here[step]
    if isinstance(here, list) and step.isdigit() and int(step) < len(here):
        return here[int(step)]
    raise _unfit(f'{kind} operation does not apply: doc is missing path: "{path}": missing value')


def _get(document: dict[str, Any], path: str, kind: str, *, missing_ok: bool = False) -> Any:
    parent, key = _parent(document, path, kind)
    if missing_ok and isinstance(parent, dict):
        return parent.get(key)
    return _step(parent, key, path, kind)


def _add(document: dict[str, Any], path: str, value: Any) -> None:
    parent, key = _parent(document, path, "add")
    if isinstance(parent, dict):
        parent[key] = value
    elif key == "-":
        parent.append(value)
    elif key.isdigit() and int(key) <= len(parent):
        parent.insert(int(key), value)
    else:
        raise _unfit(f"add operation does not apply: index {key} of {path} is out of bounds")


def _remove(document: dict[str, Any], path: str, kind: str) -> None:
    _get(document, path, kind)
    parent, key = _parent(document, path, kind)
    if isinstance(parent, list):
        del parent[int(key)]
    else:
        del parent[key]
