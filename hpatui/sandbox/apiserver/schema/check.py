"""Bodies against shapes: wrong JSON types are refused, unknown fields are dropped, reported or refused."""

from __future__ import annotations

import re
from typing import Any

from hpatui.clock import parse_rfc3339
from hpatui.quantity import QuantityError, parse_quantity
from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.schema.shape import Shape
from hpatui.sandbox.apiserver.schema.workloads import shape_of
from hpatui.sandbox.apiserver.status import bad_request

JsonObject = dict[str, Any]
_BITS = {"int32": 31, "int64": 63}
_MOST_DEEP = 200
_INDEX = re.compile(r"\[\d+\]")


class _WrongType(Exception):
    """A value of a type that the field cannot hold; the text is that of Go's decoder."""


def checked(
    resource: Resource, version: str, obj: Any, validation: str, subresource: str = ""
) -> tuple[JsonObject, list[str]]:
    """The object without unknown fields and without nulls, and warnings about the former.

    `validation`: Strict refuses unknown fields, Warn reports them, Ignore drops them. StatusError 400.
    """
    kind = "Scale" if subresource == "scale" else resource.kind
    if not isinstance(obj, dict):
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: json: not an object')
    unknown: list[str] = []
    shape = shape_of(resource, version, subresource)
    try:
        clean = _clean(obj, shape, "", kind, unknown, 0)
    except _WrongType as error:
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {error}') from error
    assert isinstance(clean, dict)
    texts = [f'unknown field "{path}"' for path in unknown]
    if texts and validation == "Strict":
        raise bad_request(
            f'{kind} in version "{version}" cannot be handled as a {kind}: strict decoding error: {", ".join(texts)}'
        )
    return clean, texts if validation == "Warn" else []


def _clean(value: Any, shape: Shape, path: str, go: str, unknown: list[str], depth: int) -> Any:
    if depth > _MOST_DEEP:
        raise _WrongType("the object is nested too deeply")
    kind = shape.kind
    if kind == "any" or value is None:
        return value
    if kind == "object":
        if not isinstance(value, dict):
            raise _wrong(value, path, go, shape)
        return _clean_object(value, shape, path, unknown, depth)
    if kind == "map":
        if not isinstance(value, dict):
            raise _wrong(value, path, go, shape)
        assert shape.item is not None
        found = {key: each for key, each in value.items() if each is not None}
        return {key: _clean(each, shape.item, path, go, unknown, depth + 1) for key, each in found.items()}
    if kind == "list":
        if not isinstance(value, list):
            raise _wrong(value, path, go, shape)
        assert shape.item is not None
        # As in Go, a null entry is an empty object.
        entries = [{} if each is None and shape.item.kind == "object" else each for each in value]
        return [
            _clean(each, shape.item, f"{path}[{i}]", go, unknown, depth + 1)
            for i, each in enumerate(entries)
            if each is not None
        ]
    _check_scalar(value, shape, path, go)
    return int(value) if isinstance(value, float) and kind == "int" else value


def _clean_object(value: JsonObject, shape: Shape, path: str, unknown: list[str], depth: int) -> JsonObject:
    result = {}
    rest = shape.fields.get("*")
    for key, each in value.items():
        field = shape.fields.get(key, rest)
        where = f"{path}.{key}" if path else key
        if field is None or key == "*":
            unknown.append(where)
        elif each is not None:
            result[key] = _clean(each, field, where, shape.go, unknown, depth + 1)
    return result


def _check_scalar(value: Any, shape: Shape, path: str, go: str) -> None:
    kind = shape.kind
    if kind == "str":
        if not isinstance(value, str):
            raise _wrong(value, path, go, shape)
    elif kind == "bool":
        if not isinstance(value, bool):
            raise _wrong(value, path, go, shape)
    elif kind == "int":
        if isinstance(value, float) and value.is_integer():
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(value, path, go, shape)
        if not -(2 ** _BITS[shape.go]) <= value < 2 ** _BITS[shape.go]:
            raise _WrongType(
                f"json: cannot unmarshal number {value} into Go struct field {_go_path(go, path)} of type {shape.go}"
            )
    elif kind == "intstr":
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise _wrong(value, path, go, shape)
    elif kind == "quantity":
        _check_quantity(value, path, go, shape)
    elif kind == "time":
        _check_time(value, path, go, shape)


def _check_quantity(value: Any, path: str, go: str, shape: Shape) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _wrong(value, path, go, shape)
    try:
        parse_quantity(str(value))
    except QuantityError as error:
        raise _WrongType(str(error)) from error


def _check_time(value: Any, path: str, go: str, shape: Shape) -> None:
    if not isinstance(value, str):
        raise _wrong(value, path, go, shape)
    try:
        parse_rfc3339(value)
    except ValueError as error:
        text = f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
        raise _WrongType(text) from error


def _wrong(value: Any, path: str, go: str, shape: Shape) -> _WrongType:
    if isinstance(value, bool):
        found = "bool"
    elif isinstance(value, str):
        found = "string"
    elif isinstance(value, int | float):
        found = "number"
    else:
        found = "array" if isinstance(value, list) else "object"
    name = shape.go or ("[]" if shape.kind == "list" else "map")
    return _WrongType(f"json: cannot unmarshal {found} into Go struct field {_go_path(go, path)} of type {name}")


def _go_path(go: str, path: str) -> str:
    return f"{go}.{_INDEX.sub('', path)}"
