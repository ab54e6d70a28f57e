"""Events as client-go's recorder writes them: counted when they repeat, combined when many are alike, limited in rate.

same source, object, type, reason and message   -> count + 1 on the same Event
10 alike but for the message within 600 s        -> one Event "(combined from similar events): ..."
more than 25 about one object                    -> one a refill period (300 s in Kubernetes), the rest is dropped
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.controllers.engine import Engine
from hpatui.sandbox.controllers.objects import Key, Object, key_of, seconds_of, stamp

EVENTS = RESOURCES["", "events"]
_MOST_ALIKE = 10
_ALIKE_WITHIN = 600.0
_BURST = 25.0
_REMEMBERED = 4096  # entries of each cache, as in client-go
_TTL = 3600.0  # the API server's --event-ttl
_PREFIX = "(combined from similar events): "


@dataclass(slots=True)
class _Alike:
    messages: set[str] = field(default_factory=set)
    last: float = 0.0


@dataclass(slots=True)
class _Written:
    namespace: str
    name: str
    message: str


@dataclass(slots=True)
class _Tokens:
    left: float
    at: float


class Recorder:
    """Writes events of all controllers; `refill` seconds until an object that had its burst may have another one."""

    def __init__(self, store: Store, engine: Engine, refill: float = 300.0) -> None:
        self._store = store
        self._engine = engine
        self._refill = refill
        self._alike: OrderedDict[Hashable, _Alike] = OrderedDict()
        self._written: OrderedDict[Hashable, _Written] = OrderedDict()
        self._tokens: OrderedDict[Hashable, _Tokens] = OrderedDict()
        self._sequence = 0
        store.add_listener(EVENTS, self._changed)

    def event(
        self,
        about: Mapping[str, Any],
        api_version: str,
        kind: str,
        type_: str,
        reason: str,
        message: str,
        source: str,
        *,
        host: str = "",
        field_path: str = "",
    ) -> None:
        """Record an event about `about`, whose apiVersion and kind are given because stored objects may lack them."""
        now = self._engine.clock.time()
        meta = about["metadata"]
        involved: Object = {
            "kind": kind, "namespace": meta.get("namespace", ""), "name": meta["name"], "uid": meta["uid"],
            "apiVersion": api_version, "resourceVersion": meta.get("resourceVersion", ""),
        }  # fmt: skip
        if field_path:
            involved["fieldPath"] = field_path
        origin = (source, host, kind, involved["namespace"], meta["name"], meta["uid"])
        message, key = self._combine(now, (*origin, field_path, type_, reason), message)
        known = self._written.get(key)
        if not self._allowed(now, origin):
            return
        if known is not None and self._repeat(known, message, now):
            self._written.move_to_end(key)
            return
        self._sequence += 1
        name = f"{meta['name']}.{int(now * 1e6) * 1000 + self._sequence % 1000:x}"
        namespace = involved["namespace"] or "default"
        component: Object = {"component": source, **({"host": host} if host else {})}
        new: Object = {
                "apiVersion": "v1", "kind": "Event", "metadata": {"name": name, "namespace": namespace},
                "involvedObject": {k: v for k, v in involved.items() if v}, "reason": reason, "message": message,
                "source": component, "firstTimestamp": stamp(now), "lastTimestamp": stamp(now), "count": 1,
                "type": type_, "eventTime": None, "reportingComponent": source, "reportingInstance": host,
        }  # fmt: skip
        with contextlib.suppress(StatusError):  # its namespace is gone or being emptied: what happens there goes on
            self._store.create(EVENTS, new)
        _remember(self._written, key, _Written(namespace, name, message))

    def reconcile(self, key: Key, now: float) -> None:
        """An event's time is over, unless it was repeated meanwhile."""
        namespace, name = key
        try:
            event = self._store.get(EVENTS, namespace, name)
        except StatusError:
            return
        end = self._last_seen(event, now) + _TTL
        if end <= now:
            self._store.delete(EVENTS, namespace, name)
        else:
            self._engine.enqueue_at(self, key, end)

    def _changed(self, type_: str, event: Mapping[str, Any], old: Mapping[str, Any] | None) -> None:
        if type_ == "ADDED":
            self._engine.enqueue_at(self, key_of(event), self._engine.clock.time() + _TTL)
        elif type_ == "DELETED":
            self._engine.forget(self, key_of(event))

    @staticmethod
    def _last_seen(event: Mapping[str, Any], now: float) -> float:
        return seconds_of(event.get("lastTimestamp") or event.get("eventTime")) or now

    def _combine(self, now: float, key: tuple[Hashable, ...], message: str) -> tuple[str, Hashable]:
        alike = self._alike.get(key)
        if alike is None or now - alike.last > _ALIKE_WITHIN:
            alike = _Alike()
        alike.last = now
        alike.messages.add(message)
        _remember(self._alike, key, alike)
        if len(alike.messages) < _MOST_ALIKE:
            return message, (*key, message)
        alike.messages.pop()  # client-go keeps the set from growing the same way
        return _PREFIX + message, key

    def _allowed(self, now: float, origin: Hashable) -> bool:
        tokens = self._tokens.get(origin) or _Tokens(_BURST, now)
        tokens.left = min(_BURST, tokens.left + (now - tokens.at) / self._refill)
        tokens.at = now
        _remember(self._tokens, origin, tokens)
        if tokens.left < 1.0:
            return False
        tokens.left -= 1.0
        return True

    def _repeat(self, known: _Written, message: str, now: float) -> bool:
        def again(event: Object) -> Object:
            return {**event, "count": event.get("count", 1) + 1, "lastTimestamp": stamp(now), "message": message}

        try:
            self._store.modify(EVENTS, known.namespace, known.name, again)
        except StatusError:
            return False  # it was deleted: write a new one
        return True


def _remember(cache: OrderedDict[Hashable, Any], key: Hashable, value: object) -> None:
    cache[key] = value
    cache.move_to_end(key)
    if len(cache) > _REMEMBERED:
        cache.popitem(last=False)
