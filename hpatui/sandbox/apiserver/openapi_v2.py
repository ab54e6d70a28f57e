"""OpenAPI v2, as much as kubectl before 1.29 asks: which parameters a PATCH of each kind takes.

As JSON and as protobuf (gnostic's openapi.v2.Document); the numbers are those of its OpenAPIv2.proto.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from aiohttp import web

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.release import DEFAULT, Release

_MEDIA = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"  # Go reads no "@" in a media type
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")
_GVK = "x-kubernetes-group-version-kind"


def openapi_v2(accept: str, release: Release = DEFAULT) -> web.Response:
    """The document: protobuf where that is asked for, else JSON."""
    if "proto-openapi" in accept:
        return web.Response(body=_protobuf(release), headers={"Content-Type": _MEDIA})
    return web.Response(body=_json(release), content_type="application/json")


def _patches(release: Release) -> list[tuple[str, dict[str, str]]]:
    """(path, group, version and kind) of each object that can be patched."""
    found: list[tuple[str, dict[str, str]]] = []
    for resource in RESOURCES.values():
        if resource.virtual:
            continue
        for version in release.versions(resource.group, resource.versions):
            base = f"/apis/{resource.group}/{version}" if resource.group else f"/api/{version}"
            scope = "/namespaces/{namespace}" if resource.namespaced else ""
            gvk = {"group": resource.group, "version": version, "kind": resource.kind}
            found.append((f"{base}{scope}/{resource.plural}/{{name}}", gvk))
    return found


@cache
def _json(release: Release) -> bytes:
    paths: dict[str, Any] = {}
    for path, gvk in _patches(release):
        parameters = [{"name": name, "in": "query", "type": "string"} for name in _PARAMETERS]
        responses = {"200": {"description": "OK"}}
        paths[path] = {"patch": {"parameters": parameters, "responses": responses, _GVK: gvk}}
    info = {"title": "Kubernetes", "version": release.git_version}
    return json.dumps({"swagger": "2.0", "info": info, "paths": paths, "definitions": {}}).encode()


@cache
def _protobuf(release: Release) -> bytes:
    parameters = b"".join(_field(8, _query_parameter(name)) for name in _PARAMETERS)
    response = _text(1, "200") + _field(2, _field(1, _text(1, "OK")))
    paths = b""
    for path, gvk in _patches(release):
        extension = _text(1, _GVK) + _field(2, _text(2, json.dumps(gvk)))  # JSON is YAML
        operation = parameters + _field(9, _field(1, response)) + _field(13, extension)
        paths += _field(2, _text(1, path) + _field(2, _field(8, operation)))
    info = _text(1, "Kubernetes") + _text(2, release.git_version)
    return _text(1, "2.0") + _field(2, info) + _field(8, paths) + _field(9, b"")


def _query_parameter(name: str) -> bytes:
    """ParametersItem { Parameter { NonBodyParameter { QueryParameterSubSchema } } }"""
    schema = _text(2, "query") + _text(4, name) + _text(6, "string")
    return _field(1, _field(2, _field(3, schema)))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
