"""Watch: changes as a stream of JSON lines, with bookmarks, until the client goes or its time is over."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import msgspec
from aiohttp import web

from hpatui.sandbox.apiserver.changes import Watcher, WatchEvent
from hpatui.sandbox.apiserver.context import Call
from hpatui.sandbox.apiserver.read import partial, selection_of, shown, shown_json, too_large, version_of
from hpatui.sandbox.apiserver.status import StatusError, bad_request
from hpatui.sandbox.apiserver.tables.table import table_of

JsonObject = dict[str, Any]
_LOOK = 1.0  # seconds between looks whether the API has gone down
_LONGEST = 3600.0  # seconds, where the client names no timeout: Kubernetes ends watches after 30 to 60 minutes


class _Encoder:
    """Turns events into lines in the form that was negotiated."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._headers = True

    def line(self, event: WatchEvent) -> bytes:
        target, form = self._call.target, self._call.form
        if not form.kind:
            text = shown_json(target, event.item)
            return b'{"type":"' + event.type.encode() + b'","object":' + text + b"}\n"
        return self.value(event.type, self._form(event))

    def _form(self, event: WatchEvent) -> JsonObject:
        target, form = self._call.target, self._call.form
        obj = shown(target, event.item)
        if form.kind != "Table":
            return partial(obj, form.version)
        table = table_of(
            target.resource,
            [(event.item.obj, obj)],
            self._call.store.clock.time(),
            self._call.query,
            form.version,
            self._call.server.release.rules,
        )
        table["metadata"] = {"resourceVersion": str(event.version)}
        if not self._headers:
            table["columnDefinitions"] = None
        self._headers = False
        return table

    def bookmark(self, version: int, *, initial_end: bool = False) -> bytes:
        target, form = self._call.target, self._call.form
        meta: JsonObject = {"resourceVersion": str(version), "creationTimestamp": None}
        if initial_end:
            meta["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj: JsonObject = {"kind": target.resource.kind, "apiVersion": target.api_version, "metadata": meta}
        if form.kind == "Table":
            obj = table_of(target.resource, [], 0.0, self._call.query, form.version)
            obj["metadata"] = meta
        elif form.kind:
            obj = partial(obj, form.version)
        return self.value("BOOKMARK", obj)

    def value(self, type_: str, obj: JsonObject) -> bytes:
        return msgspec.json.encode({"type": type_, "object": obj}) + b"\n"


def _start(call: Call) -> tuple[Watcher | StatusError, bool, int]:
    """The watcher (or why there is none), whether a bookmark ends the first events, and the version it starts from."""
    query, store, target = call.query, call.store, call.target
    asked = version_of(query.get("resourceVersion", ""))
    if asked is not None and asked > store.version:
        return too_large(asked, store.version), False, 0
    selection = selection_of(call)
    log = store.log(target.resource)
    initial = query.get("sendInitialEvents", "")
    if initial == "true" and query.get("resourceVersionMatch") != "NotOlderThan":
        raise bad_request("resourceVersionMatch must be NotOlderThan when sendInitialEvents is set")
    if not asked or initial == "true":
        events = [WatchEvent("ADDED", item, store.version) for item in store.items(target.resource, selection)]
        events = [] if initial == "false" else events
        return Watcher(log, log.end, selection, events), initial == "true", store.version
    try:
        return Watcher(log, log.position(asked), selection, []), False, asked
    except StatusError as error:
        return error, False, 0


async def watch(call: Call) -> web.StreamResponse:
    """Stream changes. A version that is too old is an ERROR event, as from Kubernetes' watch cache."""
    query = call.query
    seconds = version_of(query.get("timeoutSeconds", ""), "timeoutSeconds")
    watcher, initial_end, version = _start(call)
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"})
    response.enable_chunked_encoding()
    await response.prepare(call.request)
    encoder = _Encoder(call)
    if isinstance(watcher, StatusError):
        await response.write(encoder.value("ERROR", watcher.to_json()))
        return response
    loop = asyncio.get_running_loop()
    end = loop.time() + (float(seconds) if seconds else _LONGEST * random.uniform(0.5, 1.0))
    stream = _Stream(call, watcher, encoder, response, end)
    await stream.run(version, initial_end)
    return response


class _Stream:
    """One open watch."""

    def __init__(
        self, call: Call, watcher: Watcher, encoder: _Encoder, response: web.StreamResponse, end: float
    ) -> None:
        self._call, self._watcher, self._encoder, self._response, self._end = call, watcher, encoder, response, end
        self._bookmarks = call.query.get("allowWatchBookmarks") in ("true", "1")

    async def run(self, version: int, initial_end: bool) -> None:
        loop = asyncio.get_running_loop()
        interval = self._call.server.bookmark_interval
        next_mark = loop.time() + interval
        if initial_end:
            await self._drain_initial()
            await self._response.write(self._encoder.bookmark(version, initial_end=True))
        while (now := loop.time()) < self._end and not self._call.server.runtime.api_down():
            wake = min(self._end, next_mark) if self._bookmarks else self._end
            current = self._call.store.version
            try:
                events = await self._watcher.batch(max(0.0, min(wake - now, _LOOK)))
            except StatusError as error:
                await self._response.write(self._encoder.value("ERROR", error.to_json()))
                return
            if events:
                await self._response.write(b"".join([self._encoder.line(event) for event in events]))
            elif self._bookmarks and loop.time() >= min(next_mark, self._end):
                next_mark = loop.time() + interval
                await self._response.write(self._encoder.bookmark(current))
        transport = self._call.request.transport
        if transport is not None and self._call.server.runtime.api_down():
            transport.abort()

    async def _drain_initial(self) -> None:
        while events := await self._watcher.batch(0.0):
            await self._response.write(b"".join([self._encoder.line(event) for event in events]))
