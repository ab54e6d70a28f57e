"""OpenAPI v3, as much as kubectl asks: which groups there are, and which parameters a PATCH takes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hpatui.sandbox.apiserver.context import json_response
from hpatui.sandbox.apiserver.descriptions import of_field, of_type
from hpatui.sandbox.apiserver.discovery import AGGREGATED
from hpatui.sandbox.apiserver.paths import GROUPS
from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.schema.shape import Shape
from hpatui.sandbox.apiserver.schema.workloads import shape_of
from hpatui.sandbox.apiserver.status import path_not_found
from hpatui.sandbox.release import DEFAULT, Release

JsonObject = dict[str, Any]
_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")
]
_TYPES = {"str": "string", "int": "integer", "bool": "boolean", "quantity": "string", "intstr": "string",
          "time": "string"}  # fmt: skip


def openapi(path: str, release: Release = DEFAULT) -> web.Response:
    """The document at a path below /openapi; StatusError 404."""
    if path == "/openapi/v3":
        paths = {}
        for group, versions in GROUPS.items():
            if group not in AGGREGATED:
                for version in release.versions(group, versions):
                    name = f"apis/{group}/{version}" if group else f"api/{version}"
                    paths[name] = {"serverRelativeURL": f"/openapi/v3/{name}?hash=1"}
        return json_response({"paths": paths})
    parts = path.removeprefix("/openapi/v3/").split("/")
    group = parts[1] if parts[0] == "apis" and len(parts) == 3 else ""
    if (
        not path.startswith("/openapi/v3/")
        or parts[-1] not in GROUPS.get(group, ())
        or group in AGGREGATED
        or not release.serves(group, parts[-1])
    ):
        raise path_not_found()
    return json_response(_document(group, parts[-1], release))


def _document(group: str, version: str, release: Release) -> JsonObject:
    paths: JsonObject = {}
    schemas: JsonObject = {}
    for resource in RESOURCES.values():
        if resource.group != group or version not in resource.versions or resource.virtual:
            continue
        gvk = {"group": group, "version": version, "kind": resource.kind}
        base = f"/apis/{group}/{version}" if group else f"/api/{version}"
        scope = "/namespaces/{namespace}" if resource.namespaced else ""
        action = {
            "operationId": f"patch{resource.kind}", "parameters": _PARAMETERS, "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": gvk,
            "requestBody": {"content": {"application/merge-patch+json": {"schema": {"type": "object"}}}},
            "responses": {"200": {"description": "OK"}},
        }  # fmt: skip
        paths[f"{base}{scope}/{resource.plural}/{{name}}"] = {"patch": action, "parameters": []}
        schemas[_schema_name(resource, version)] = {
            **_described(of_type(resource.kind), _schema(shape_of(resource, version), 0)),
            "x-kubernetes-group-version-kind": [gvk],
        }  # fmt: skip
    info = {"title": "Kubernetes", "version": release.git_version}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": schemas}}


def _schema_name(resource: Resource, version: str) -> str:
    group = resource.group.split(".")[0] or "core"
    return f"io.k8s.api.{group}.{version}.{resource.kind}"


def _schema(shape: Shape, depth: int) -> JsonObject:
    kind = shape.kind
    if kind == "object":
        fields = {name: field for name, field in shape.fields.items() if name != "*"}
        return _described(of_type(shape.go), {"type": "object", "properties": {
            name: _described(of_field(shape.go, name), _schema(field, depth + 1)) for name, field in fields.items()
        }})  # fmt: skip
    if kind == "map":
        return {"type": "object", "additionalProperties": _schema(shape.item or Shape("any"), depth + 1)}
    if kind == "list":
        return {"type": "array", "items": _schema(shape.item or Shape("any"), depth + 1)}
    return {"type": _TYPES[kind]} if kind in _TYPES else {"type": "object"}


def _described(text: str, schema: JsonObject) -> JsonObject:
    return {**schema, "description": text} if text else schema
