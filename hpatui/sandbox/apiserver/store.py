"""The objects of a sandbox: one dictionary in memory, written by one event loop, no locks.

    writer -> create / update / delete -> Item (object + its JSON text) -> listeners (controllers, at once)
                                                                        -> Log of the resource -> watchers

Objects that come out are shared with everybody: read them, never change them. Writers hand in new objects that may
share parts with old ones.
"""

from __future__ import annotations

import logging
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from hpatui.clock import Clock, as_datetime, format_rfc3339
from hpatui.sandbox.apiserver.changes import Change, Item, JsonObject, Log, Watcher, WatchEvent
from hpatui.sandbox.apiserver.defaults import apply_defaults
from hpatui.sandbox.apiserver.garbage import Garbage
from hpatui.sandbox.apiserver.patch.managed import after_update
from hpatui.sandbox.apiserver.resources import RESOURCES, Resource, stored_as
from hpatui.sandbox.apiserver.schema.workloads import shape_of
from hpatui.sandbox.apiserver.selectors import Selection, select
from hpatui.sandbox.apiserver.status import FieldError as Cause
from hpatui.sandbox.apiserver.status import StatusError, already_exists, conflict, forbidden, invalid, not_found

log = logging.getLogger(__name__)
Listener = Callable[[str, JsonObject, JsonObject | None], None]
# Sees a write (new, old) once it has its defaults, and may refuse it or change it: validation, managedFields.
Check = Callable[[JsonObject, JsonObject | None], JsonObject]

NAMESPACES = RESOURCES["", "namespaces"]
PODS = RESOURCES["", "pods"]
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_GIVEN_BY_SERVER = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")


def generated_name(prefix: str) -> str:
    """`prefix` and five characters, as metadata.generateName gives."""
    return prefix[:58] + "".join(random.choices(_ALPHABET, k=5))


class Store:
    """All objects. Synchronous; every method raises StatusError as the API server would refuse."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # Starts from the time so that versions of an earlier sandbox are too old here, not from the future.
        self.version = int(clock.time())
        self._items: dict[Resource, dict[str, dict[str, Item]]] = {}
        self._logs: dict[Resource, Log] = {}
        self._listeners: dict[Resource, list[Listener]] = {}
        self._start = self.version
        self._garbage = Garbage(self)

    def now(self) -> str:
        """The time as a metav1.Time."""
        return format_rfc3339(as_datetime(self.clock.time()))

    # Reading

    def get(self, resource: Resource, namespace: str | None, name: str) -> JsonObject:
        """One object; StatusError 404."""
        return self.item(resource, namespace, name).obj

    def item(self, resource: Resource, namespace: str | None, name: str) -> Item:
        """One object with its JSON text; StatusError 404."""
        stored = stored_as(resource)
        space = (namespace or "") if stored.namespaced else ""
        found = self._items.get(stored, {}).get(space, {}).get(name)
        if found is None:
            raise not_found(resource, name)
        return found

    def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> tuple[list[JsonObject], str]:
        """The objects, oldest first within a namespace, and the resourceVersion they are from."""
        selection = select(resource, namespace, label_selector, field_selector)
        return [item.obj for item in self.items(resource, selection)], str(self.version)

    def items(self, resource: Resource, selection: Selection) -> Iterator[Item]:
        """The selected objects with their JSON texts, oldest first within a namespace."""
        spaces = self._items.get(stored_as(resource), {})
        chosen = spaces.values() if selection.namespace is None else (spaces.get(selection.namespace, {}),)
        for names in chosen:
            if selection.everything:
                yield from names.values()
            else:
                yield from (item for item in names.values() if selection.matches(item.obj))

    def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        since_rv: str | int | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
    ) -> Watcher:
        """Changes after `since_rv`; without one, first what is there, as ADDED. StatusError 410 if that is too old."""
        selection = select(resource, namespace, label_selector, field_selector)
        log = self.log(resource)
        if since_rv is not None and int(since_rv) != 0:
            return Watcher(log, log.position(int(since_rv)), selection, [])
        initial = [WatchEvent("ADDED", item, self.version) for item in self.items(resource, selection)]
        return Watcher(log, log.end, selection, initial)

    def log(self, resource: Resource) -> Log:
        """The changes of a resource."""
        stored = stored_as(resource)
        found = self._logs.get(stored)
        if found is None:
            found = self._logs[stored] = Log(self._start)
        return found

    def compact(self) -> None:
        """Forget the history: watches from older versions get 410."""
        for resource in RESOURCES.values():
            log = self.log(resource)
            log.compact()
            log.compacted = self.version

    def add_listener(self, resource: Resource, listener: Listener) -> None:
        """Call `listener(type, object, old)` at each change, within the write. It must not write itself."""
        self._listeners.setdefault(stored_as(resource), []).append(listener)

    # Writing

    def create(
        self, resource: Resource, obj: JsonObject, *, dry_run: bool = False, check: Check | None = None
    ) -> JsonObject:
        """Add an object with defaults, uid and times; a status that it has is kept."""
        stored = stored_as(resource)
        meta = dict(obj.get("metadata") or {})
        for field in (*_GIVEN_BY_SERVER, "resourceVersion", "selfLink"):
            meta.pop(field, None)
        if not meta.get("name"):
            if not meta.get("generateName"):
                raise invalid(
                    resource,
                    "",
                    [Cause("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")],
                )
            meta["name"] = generated_name(meta["generateName"])
        space = ""
        if stored.namespaced:
            space = meta["namespace"] = meta.get("namespace") or "default"
            self._check_namespace(resource, space, meta["name"])
        else:
            meta.pop("namespace", None)
        if meta["name"] in self._items.get(stored, {}).get(space, {}):
            raise already_exists(resource, meta["name"])
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self.now()
        if stored.generation:
            meta["generation"] = 1
        new = {**obj, "apiVersion": stored.api_version, "kind": stored.kind, "metadata": meta}
        new = apply_defaults(stored, new, None)
        if check is not None:
            new = check(new, None)
        return new if dry_run else self._commit(stored, "ADDED", new, None)

    def _check_namespace(self, resource: Resource, space: str, name: str) -> None:
        found = self._items.get(NAMESPACES, {}).get("", {}).get(space)
        if found is None:
            raise not_found(NAMESPACES, space)
        if found.obj["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {space} because it is being terminated"
            raise forbidden(resource, name, why)

    def update(
        self,
        resource: Resource,
        obj: JsonObject,
        *,
        subresource: str | None = None,
        dry_run: bool = False,
        check: Check | None = None,
    ) -> JsonObject:
        """Replace an object; StatusError 409 if its resourceVersion is set and stale. A write of the same is no write.

        `subresource` "status" takes only the status from `obj`, None everything else; "binding" takes all.
        """
        stored = stored_as(resource)
        meta = obj["metadata"]
        old_item = self.item(resource, meta.get("namespace"), meta["name"])
        old = old_item.obj
        self._check_preconditions(resource, old, meta.get("resourceVersion"), meta.get("uid"))
        new = self._merged(stored, old, obj, subresource)
        if check is not None:
            new = check(new, old)
        if new == old:
            return old
        if dry_run:
            return new
        if new["metadata"].get("deletionTimestamp") and not new["metadata"].get("finalizers"):
            pod_runs = stored is PODS and new["metadata"].get("deletionGracePeriodSeconds")
            if not pod_runs and not self._garbage.holds(stored, new):
                return self._remove(stored, new, old_item)
        return self._commit(stored, "MODIFIED", new, old_item)

    def _check_preconditions(self, resource: Resource, old: JsonObject, version: str | None, uid: str | None) -> None:
        meta = old["metadata"]
        if uid and uid != meta["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
            raise conflict(resource, meta["name"], why)
        if version and version not in ("0", meta["resourceVersion"]):
            raise conflict(resource, meta["name"])

    def _merged(self, stored: Resource, old: JsonObject, obj: JsonObject, subresource: str | None) -> JsonObject:
        """What an update makes of `old`: the parts that this way of writing may change."""
        if subresource == "status":
            new = {**old, "status": obj.get("status") or {}}
            if managed := obj["metadata"].get("managedFields"):
                new["metadata"] = {**old["metadata"], "managedFields": managed}
            return new
        had = old["metadata"]
        meta = {key: value for key, value in obj["metadata"].items() if key not in _GIVEN_BY_SERVER}
        meta.pop("selfLink", None)
        meta.update({key: had[key] for key in _GIVEN_BY_SERVER if key in had})
        meta["resourceVersion"] = had["resourceVersion"]
        if "namespace" in had:
            meta["namespace"] = had["namespace"]
        new = {**obj, "apiVersion": stored.api_version, "kind": stored.kind, "metadata": meta}
        if stored.has_status and subresource is None:
            if "status" in old:
                new["status"] = old["status"]
            else:
                new.pop("status", None)
        if subresource is None:
            new = apply_defaults(stored, new, old)
        if stored.generation and _desired(stored, new) != _desired(stored, old):
            new["metadata"]["generation"] = had.get("generation", 0) + 1
        return new

    def modify(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        change: Callable[[JsonObject], JsonObject],
        *,
        subresource: str | None = None,
        manager: str | None = None,
    ) -> JsonObject:
        """Write what `change` makes of the object, in one step; StatusError 404.

        `manager`: who shall be named in managedFields as the writer of what changes; None leaves them as they are.
        """
        check = self._managed(resource, manager) if manager is not None else None
        changed = change(self.get(resource, namespace, name))
        return self.update(resource, changed, subresource=subresource, check=check)

    def _managed(self, resource: Resource, manager: str) -> Check:
        stored = stored_as(resource)
        shape = shape_of(stored, stored.version)

        def check(new: JsonObject, old: JsonObject | None) -> JsonObject:
            return after_update(old, new, shape, manager, stored.api_version, self.now())

        return check

    def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        grace: int | None = None,
        propagation: str | None = None,
        dry_run: bool = False,
    ) -> JsonObject:
        """Delete an object: at once, or mark it for its kubelet, its finalizers or its dependents to finish.

        `propagation`: Background (dependents go after it), Foreground (before it) or Orphan (they stay).
        The result carries metadata.deletionTimestamp if the object is still there.
        """
        stored = stored_as(resource)
        item = self.item(resource, namespace, name)
        old = item.obj
        self._check_preconditions(resource, old, resource_version, uid)
        if dry_run:
            return old
        meta = dict(old["metadata"])
        seconds = self._grace(stored, old, grace)
        if seconds or self._garbage.before_delete(stored, meta, propagation) or meta.get("finalizers"):
            if "deletionTimestamp" in meta and seconds >= meta.get("deletionGracePeriodSeconds", 0):
                return old
            meta["deletionTimestamp"] = format_rfc3339(as_datetime(self.clock.time() + seconds))
            meta["deletionGracePeriodSeconds"] = seconds
            if stored.generation and "generation" in meta and "deletionTimestamp" not in old["metadata"]:
                meta["generation"] += 1
            marked = self._commit(
                stored, "MODIFIED", self._garbage.terminating(stored, {**old, "metadata": meta}), item
            )
            self._garbage.after_mark(stored, marked, propagation)
            # Its last dependents may have gone meanwhile, and it with them.
            return marked
        return self._remove(stored, {**old, "metadata": meta}, item)

    def _grace(self, stored: Resource, obj: JsonObject, grace: int | None) -> int:
        """Seconds for a pod to end by itself; 0 for everything else, and for pods that do not run."""
        if stored is not PODS:
            return 0
        spec, phase = obj.get("spec") or {}, (obj.get("status") or {}).get("phase")
        if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
            return 0
        if grace is None:
            grace = int(spec.get("terminationGracePeriodSeconds", 30))
        return max(0, grace)

    def _remove(self, stored: Resource, last: JsonObject, item: Item) -> JsonObject:
        if stored is PODS and "deletionGracePeriodSeconds" in last["metadata"]:
            last = {**last, "metadata": {**last["metadata"], "deletionGracePeriodSeconds": 0}}
        gone = self._commit(stored, "DELETED", last, item)
        self._garbage.after_delete(stored, gone)
        return gone

    def _commit(self, stored: Resource, type_: str, new: JsonObject, old: Item | None) -> JsonObject:
        """Make a write visible: the only place where objects, versions and the log change."""
        self.version += 1
        meta = new["metadata"] = {**new["metadata"], "resourceVersion": str(self.version)}
        space, name = meta.get("namespace", ""), meta["name"]
        item = Item(new)
        names = self._items.setdefault(stored, {}).setdefault(space, {})
        if type_ == "DELETED":
            names.pop(name, None)
            if not names:
                self._items[stored].pop(space, None)
        else:
            names[name] = item
        self._garbage.changed(stored, type_, new, old.obj if old is not None else None)
        self.log(stored).append(Change(self.version, type_, item, old))
        before = old.obj if old is not None else None
        for listener in self._listeners.get(stored, ()):
            try:
                listener(type_, new, before)
            except (KeyError, TypeError, ValueError, AttributeError):
                # Users write objects in shapes that a controller cannot read; the write is done all the same.
                log.exception("a listener cannot read %s %s", stored.plural, name)
        return new


def _desired(stored: Resource, obj: JsonObject) -> Any:
    """The parts of an object whose change is a new generation."""
    rest = {key: value for key, value in obj.items() if key not in ("metadata", "status")}
    if stored.plural == "deployments":
        return rest, obj["metadata"].get("annotations")
    return rest


__all__ = ["StatusError", "Store", "generated_name"]
