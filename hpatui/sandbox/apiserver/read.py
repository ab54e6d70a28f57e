"""GET: one object, a list, in pages, as objects, tables or metadata only."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from hpatui.sandbox.apiserver.changes import Item
from hpatui.sandbox.apiserver.context import Call, bytes_response, json_response
from hpatui.sandbox.apiserver.convert import needs_conversion, to_version
from hpatui.sandbox.apiserver.negotiate import JSON
from hpatui.sandbox.apiserver.paths import Target
from hpatui.sandbox.apiserver.selectors import Selection, select
from hpatui.sandbox.apiserver.status import StatusError, bad_request, expired
from hpatui.sandbox.apiserver.tables.table import table_of

JsonObject = dict[str, Any]


def selection_of(call: Call) -> Selection:
    """The objects that the parameters of a list, watch or deletecollection select."""
    target, query = call.target, call.query
    fields = query.get("fieldSelector", "")
    if target.name:
        fields = f"{fields},metadata.name={target.name}" if fields else f"metadata.name={target.name}"
    return select(target.resource, target.namespace, query.get("labelSelector"), fields)


def shown(target: Target, item: Item) -> JsonObject:
    """The object in the version that was asked for."""
    if needs_conversion(target.resource, target.version):
        return to_version(target.resource, target.version, item.obj)
    return item.obj


def shown_json(target: Target, item: Item) -> bytes:
    """The same as JSON text."""
    if needs_conversion(target.resource, target.version):
        return msgspec.json.encode(to_version(target.resource, target.version, item.obj))
    return item.json()


def partial(obj: JsonObject, version: str = "v1") -> JsonObject:
    """An object's metadata only."""
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": obj["metadata"]}


def version_of(text: str, name: str = "resourceVersion") -> int | None:
    """A resourceVersion parameter; None if it is not set. StatusError 400 if it is no number."""
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise bad_request(f'{name}: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def too_large(asked: int, current: int) -> StatusError:
    """504: a version from the future."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return StatusError(
        504, "Timeout", f"Timeout: Too large resource version: {asked}, current: {current}",
        {"causes": [cause], "retryAfterSeconds": 1},
    )  # fmt: skip


async def get(call: Call) -> web.StreamResponse:
    """One object."""
    target = call.target
    asked = version_of(call.query.get("resourceVersion", ""))
    if asked is not None and asked > call.store.version:
        raise too_large(asked, call.store.version)
    item = call.store.item(target.resource, target.namespace, target.name)
    return respond(call, item)


def respond(call: Call, item: Item, status: int = 200) -> web.Response:
    """One object in the form that was negotiated."""
    if call.form.kind == "Table":
        obj = shown(call.target, item)
        table = table_of(
            call.target.resource,
            [(item.obj, obj)],
            call.store.clock.time(),
            call.query,
            call.form.version,
            call.server.release.rules,
        )
        return json_response(table, call.form, status)
    if call.form.kind:
        return json_response(partial(shown(call.target, item), call.form.version), call.form, status)
    if call.form.media != JSON:
        return json_response(shown(call.target, item), call.form, status)
    return bytes_response(shown_json(call.target, item), status)


def _page(call: Call) -> tuple[int, list[Item], JsonObject]:
    """The version, the items of this page, and the list's metadata."""
    query, server = call.query, call.server
    limit = query.get("limit", "")
    if limit and not (limit.isascii() and limit.isdigit()):
        raise bad_request(f'limit: Invalid value: "{limit}": strconv.ParseInt: parsing "{limit}": invalid syntax')
    size = int(limit or 0)
    asked = version_of(query.get("resourceVersion", ""))
    match = query.get("resourceVersionMatch", "")
    selection = selection_of(call)
    if token := query.get("continue", ""):
        if asked:
            raise bad_request("specifying resource version is not allowed when using continue")
        version, items, start, name = server.snapshots.resume(token)
    else:
        version, start, name = call.store.version, 0, ""
        if asked is not None and asked > version:
            raise too_large(asked, version)
        if match == "Exact" and asked is not None and asked != version:
            raise expired("The resourceVersion for the provided list is too old.")
        items = sorted(call.store.items(call.target.resource, selection), key=_place)
    meta: JsonObject = {"resourceVersion": str(version)}
    if size and start + size < len(items):
        end = start + size
        if name:
            meta["continue"] = server.snapshots.next_token(name, version, end)
        else:
            meta["continue"] = server.snapshots.keep(version, items, end)
        if selection.everything:
            meta["remainingItemCount"] = len(items) - end
        return version, items[start:end], meta
    return version, items[start:], meta


def _place(item: Item) -> tuple[str, str]:
    meta = item.obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


async def list_(call: Call) -> web.StreamResponse:
    """A list, or one page of it."""
    target, form = call.target, call.form
    _, items, meta = _page(call)
    if form.kind == "Table":
        pairs = [(item.obj, shown(target, item)) for item in items]
        table = table_of(
            target.resource, pairs, call.store.clock.time(), call.query, form.version, call.server.release.rules
        )
        return json_response({**table, "metadata": meta}, form)
    if form.kind:
        value = {
            "kind": "PartialObjectMetadataList", "apiVersion": f"meta.k8s.io/{form.version}", "metadata": meta,
            "items": [partial(shown(target, item), form.version) for item in items],
        }  # fmt: skip
        return json_response(value, form)
    head = {"kind": f"{target.resource.kind}List", "apiVersion": target.api_version, "metadata": meta}
    if target.resource.kind == "Endpoints":
        head["kind"] = "EndpointsList"
    if form.media != JSON:
        return json_response({**head, "items": [shown(target, item) for item in items]}, form)
    body = msgspec.json.encode(head)[:-1] + b',"items":[' + b",".join(shown_json(target, item) for item in items)
    return bytes_response(body + b"]}")
