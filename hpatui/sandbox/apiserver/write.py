"""POST, PUT, PATCH and DELETE."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hpatui.sandbox.apiserver.changes import Item
from hpatui.sandbox.apiserver.context import Call, json_response
from hpatui.sandbox.apiserver.convert import from_version, to_version
from hpatui.sandbox.apiserver.evict import evict
from hpatui.sandbox.apiserver.negotiate import decode
from hpatui.sandbox.apiserver.patch.json_patch import json_patch, merge_patch
from hpatui.sandbox.apiserver.patch.managed import after_update, apply
from hpatui.sandbox.apiserver.patch.strategic import strategic_patch
from hpatui.sandbox.apiserver.read import respond, selection_of
from hpatui.sandbox.apiserver.resources import stored_as
from hpatui.sandbox.apiserver.scale import scale_of, set_replicas
from hpatui.sandbox.apiserver.schema.check import checked
from hpatui.sandbox.apiserver.schema.workloads import shape_of
from hpatui.sandbox.apiserver.status import StatusError, bad_request, conflict, method_not_allowed, success
from hpatui.sandbox.apiserver.store import PODS, Check
from hpatui.sandbox.apiserver.validation.objects import validate

JsonObject = dict[str, Any]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_CUSTOM = ("argoproj.io",)
_RETURNED = ("pods", "services", "serviceaccounts", "resourcequotas")  # deletion answers with the object
_STEPS = 5  # tries of a patch that meets a newer version; in one event loop one is enough


def dry_run(call: Call, body: JsonObject | None = None) -> bool:
    """Whether nothing shall be kept; StatusError 422 for another value than All."""
    found = list(call.request.query.getall("dryRun", [])) + list((body or {}).get("dryRun") or ())
    for value in found:
        if value != "All":
            text = f'Unsupported value: "{value}": supported values: "All"'
            raise StatusError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: dryRun: {text}', {})
    return bool(found)


def _validation(call: Call) -> str:
    value = call.query.get("fieldValidation") or "Warn"
    if value not in ("Strict", "Warn", "Ignore"):
        text = f'Unsupported value: "{value}": supported values: "Ignore", "Strict", "Warn"'
        raise StatusError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: fieldValidation: {text}', {})
    return value


def manager_of(call: Call) -> str:
    """The field manager: as the request names it, or the client's own name."""
    name = call.query.get("fieldManager") or call.request.headers.get("User-Agent", "").split("/")[0]
    return name[:128] or "unknown"


def _read_in(call: Call, obj: Any) -> tuple[JsonObject, list[str]]:
    """A body as a clean object of the version in the path, with warnings. StatusError 400."""
    target = call.target
    if isinstance(obj, dict):
        _check_kind(call, obj)
    validation = _validation(call)
    clean, warnings = checked(target.resource, target.version, obj, validation)
    if target.resource.plural == "horizontalpodautoscalers" and target.version != "v1":
        texts = [f'unknown field "{path}"' for path in call.server.release.takes(clean)]
        if texts and validation == "Strict":
            why = f"strict decoding error: {', '.join(texts)}"
            raise bad_request(
                f'{target.resource.kind} in version "{target.version}" cannot be handled as a {target.resource.kind}: {why}'
            )
        warnings += texts if validation == "Warn" else []
    meta = clean.setdefault("metadata", {})
    if target.resource.namespaced:
        given = meta.setdefault("namespace", target.namespace)
        if given != target.namespace:
            text = "the namespace of the provided object does not match the namespace sent on the request"
            raise bad_request(text)
    if target.name and meta.setdefault("name", target.name) != target.name:
        text = f"the name of the object ({meta['name']}) does not match the name on the URL ({target.name})"
        raise bad_request(text)
    return clean, warnings


def _check_kind(call: Call, obj: JsonObject) -> None:
    target = call.target
    kind, version = obj.get("kind"), obj.get("apiVersion")
    if kind is not None and kind != target.resource.kind:
        text = f"{kind} in version {target.version!r} cannot be handled as a {target.resource.kind}: "
        raise bad_request(text.replace("'", '"') + f"no kind {kind!r} is registered here".replace("'", '"'))
    if version is not None and version != target.api_version:
        text = f"the API version in the data ({version}) does not match the expected API version ({target.api_version})"
        raise bad_request(text)
    obj.setdefault("kind", target.resource.kind)
    obj.setdefault("apiVersion", target.api_version)


def _checks(call: Call, sub: str = "") -> Check:
    """Validation, quotas and managedFields of a write of whole objects."""
    stored = stored_as(call.target.resource)
    shape = shape_of(stored, stored.version)

    def check(new: JsonObject, old: JsonObject | None) -> JsonObject:
        validate(stored, new, old, call.server.release)
        if stored is PODS and old is None:
            new = call.server.runtime.admit_pod(new)
        return after_update(old, new, shape, manager_of(call), stored.api_version, call.store.now(), sub)

    return check


def _answer(call: Call, obj: JsonObject, status: int, warnings: list[str]) -> web.Response:
    response = respond(call, Item(obj), status)
    for text in warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    return response


async def create(call: Call) -> web.StreamResponse:
    """POST of an object, or to a pod's binding or eviction."""
    target = call.target
    body = decode(await call.body(), call.request.headers.get("Content-Type", ""))
    if target.subresource:
        return _create_sub(call, body)
    if target.name:
        raise method_not_allowed()
    clean, warnings = _read_in(call, body)
    if clean["metadata"].get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    stored = from_version(target.resource, target.version, clean)
    if stored_as(target.resource).has_status:
        stored = {key: value for key, value in stored.items() if key != "status"}
    new = call.store.create(target.resource, stored, dry_run=dry_run(call), check=_checks(call))
    return _answer(call, new, 201, warnings)


def _create_sub(call: Call, body: Any) -> web.StreamResponse:
    target, store = call.target, call.store
    if not isinstance(body, dict):
        raise bad_request("the body is no object")
    if target.subresource == "eviction":
        given = body.get("deleteOptions")
        grace = _grace(given) if isinstance(given, dict) else None
        evict(store, target.namespace or "", target.name, grace, dry_run=dry_run(call))
    elif target.subresource == "binding":
        named = body.get("target")
        node = named.get("name") if isinstance(named, dict) else None
        if not node or not isinstance(node, str):
            raise bad_request("Binding.target.name: Required value")
        pod = store.get(PODS, target.namespace, target.name)
        if pod["spec"].get("nodeName"):
            why = f'pod {target.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise StatusError(409, "Conflict", f'Operation cannot be fulfilled on pods/binding "{target.name}": {why}')
        new = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        store.update(PODS, new, subresource="binding", dry_run=dry_run(call))
    else:
        raise method_not_allowed()
    return json_response(
        {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, None, 201
    )


async def update(call: Call) -> web.StreamResponse:
    """PUT of an object, its status or its scale."""
    target, store = call.target, call.store
    if not target.name:
        raise method_not_allowed()
    body = decode(await call.body(), call.request.headers.get("Content-Type", ""))
    if target.subresource == "scale":
        return _put_scale(call, body)
    clean, warnings = _read_in(call, body)
    new = _update(call, from_version(target.resource, target.version, clean))
    return _answer(call, new, 200, warnings) if store else json_response(new)


def _update(call: Call, obj: JsonObject) -> JsonObject:
    target = call.target
    sub = target.subresource if target.subresource == "status" else None
    check = _checks(call, sub or "")
    return call.store.update(target.resource, obj, subresource=sub, dry_run=dry_run(call), check=check)


def _put_scale(call: Call, body: Any) -> web.StreamResponse:
    target = call.target
    clean, _ = checked(target.resource, target.version, body, _validation(call), "scale")
    meta = {**(clean.get("metadata") or {}), "name": target.name, "namespace": target.namespace}
    replicas = (clean.get("spec") or {}).get("replicas", 0)
    new = set_replicas(
        call.store, target.resource, {"metadata": meta}, replicas, manager_of(call), dry_run=dry_run(call)
    )
    return json_response(scale_of(new), call.form)


async def patch(call: Call) -> web.StreamResponse:
    """PATCH, in four kinds."""
    target = call.target
    if not target.name:
        raise method_not_allowed()
    media = call.request.headers.get("Content-Type", "").partition(";")[0].strip()
    allowed = [JSON_PATCH, MERGE_PATCH, APPLY]
    if target.resource.group not in _CUSTOM:
        allowed.insert(2, STRATEGIC)
    change = decode(await call.body(), media or "none", tuple(allowed))
    if media == APPLY:
        return _apply(call, change)
    if call.query.get("force"):
        text = "force: Forbidden: may not be specified for non-apply patch"
        raise StatusError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {text}', {})
    current = call.store.get(target.resource, target.namespace, target.name)
    if target.subresource == "scale":
        shown = scale_of(current)
        patched = _patched(call, media, {**shown, "spec": {"replicas": shown["spec"].get("replicas", 0)}}, change)
        return _put_scale(call, patched)
    shown = to_version(target.resource, target.version, current)
    clean, warnings = _read_in(call, _patched(call, media, shown, change))
    new = _update(call, from_version(target.resource, target.version, clean))
    return _answer(call, new, 200, warnings)


def _patched(call: Call, media: str, obj: JsonObject, change: Any) -> Any:
    if media == JSON_PATCH:
        return json_patch(obj, change)
    if not isinstance(change, dict):
        raise bad_request("json: cannot unmarshal array into Go value of type map[string]interface {}")
    if media == MERGE_PATCH:
        return merge_patch(obj, change)
    target = call.target
    return strategic_patch(obj, change, shape_of(target.resource, target.version, target.subresource))


def _apply(call: Call, body: Any) -> web.StreamResponse:
    """Server-side apply; creates what is not there."""
    target, store = call.target, call.store
    manager = call.query.get("fieldManager")
    if not manager:
        text = "fieldManager: Required value: is required for apply patch"
        raise StatusError(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {text}', {})
    if target.subresource == "scale":
        raise method_not_allowed(target.resource, "apply of scale")
    clean, warnings = _read_in(call, body)
    if clean["metadata"].get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    applied = from_version(target.resource, target.version, clean)
    if stored_as(target.resource).has_status and target.subresource != "status":
        applied.pop("status", None)
    stored = stored_as(target.resource)
    shape = shape_of(stored, stored.version)
    force = call.query.get("force") in ("true", "1")

    def merged(old: JsonObject | None) -> JsonObject:
        return apply(old, applied, shape, manager, target.api_version, store.now(), force=force, sub=target.subresource)

    def check(new: JsonObject, old: JsonObject | None) -> JsonObject:
        validate(stored, new, old, call.server.release)
        return call.server.runtime.admit_pod(new) if stored is PODS and old is None else new

    try:
        old = store.get(target.resource, target.namespace, target.name)
    except StatusError as missing:
        if missing.code != 404 or target.subresource:
            raise
        if applied["metadata"].get("resourceVersion") or applied["metadata"].get("uid"):
            raise conflict(target.resource, target.name) from missing
        new = store.create(target.resource, merged(None), dry_run=dry_run(call), check=check)
        return _answer(call, new, 201, warnings)
    sub = target.subresource or None
    new = store.update(target.resource, merged(old), subresource=sub, dry_run=dry_run(call), check=check)
    return _answer(call, new, 200, warnings)


async def _options(call: Call) -> JsonObject:
    """DeleteOptions from the body and the query."""
    raw = await call.body()
    body = decode(raw, call.request.headers.get("Content-Type", "")) if raw.strip() else {}
    if not isinstance(body, dict):
        raise bad_request("DeleteOptions: the body is no object")
    options = dict(body)
    if "gracePeriodSeconds" in call.query:
        options["gracePeriodSeconds"] = call.query["gracePeriodSeconds"]
    if "propagationPolicy" in call.query:
        options["propagationPolicy"] = call.query["propagationPolicy"]
    options["gracePeriodSeconds"] = _grace(options)
    policy = options.get("propagationPolicy")
    if policy not in (None, "Background", "Foreground", "Orphan"):
        text = f'Unsupported value: "{policy}": supported values: "Background", "Foreground", "Orphan", "nil"'
        raise StatusError(422, "Invalid", f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: {text}', {})
    if policy is None and options.get("orphanDependents"):
        options["propagationPolicy"] = "Orphan"
    return options


def _grace(options: JsonObject) -> int | None:
    """gracePeriodSeconds of DeleteOptions; StatusError 400 if it is no number."""
    grace = options.get("gracePeriodSeconds")
    try:
        return int(grace) if grace is not None else None
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_request(f'gracePeriodSeconds: invalid value "{grace}"') from error


async def delete(call: Call) -> web.StreamResponse:
    """DELETE of one object: a Status, or the object if it goes later."""
    target, store = call.target, call.store
    options = await _options(call)
    demands = options.get("preconditions")
    demands = demands if isinstance(demands, dict) else {}
    gone = store.delete(
        target.resource, target.namespace, target.name, uid=demands.get("uid"),
        resource_version=demands.get("resourceVersion"), grace=options.get("gracePeriodSeconds"),
        propagation=options.get("propagationPolicy"), dry_run=dry_run(call, options),
    )  # fmt: skip
    if target.resource.plural in _RETURNED or gone["metadata"].get("deletionTimestamp"):
        return respond(call, Item(gone))
    return json_response(success(target.resource, target.name, gone["metadata"]["uid"]), None)


async def delete_collection(call: Call) -> web.StreamResponse:
    """DELETE of all that the selectors select."""
    target, store = call.target, call.store
    options = await _options(call)
    trial = dry_run(call, options)
    items = []
    for item in list(store.items(target.resource, selection_of(call))):
        meta = item.obj["metadata"]
        try:
            gone = store.delete(
                target.resource, meta.get("namespace"), meta["name"], uid=meta["uid"],
                grace=options.get("gracePeriodSeconds"), propagation=options.get("propagationPolicy"), dry_run=trial,
            )  # fmt: skip
        except StatusError as error:
            if error.code != 404:
                raise
        else:
            items.append(to_version(target.resource, target.version, gone))
    meta = {"resourceVersion": str(store.version)}
    value = {"kind": f"{target.resource.kind}List", "apiVersion": target.api_version, "metadata": meta, "items": items}
    return json_response(value, call.form if not call.form.kind else None)
