"""Garbage: dependents that follow their owners, owners that wait for dependents, namespaces that wait for content.

Kubernetes' garbage collector and namespace controller do this a moment later; here it happens within the write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.status import StatusError, forbidden

if TYPE_CHECKING:
    from hpatui.sandbox.apiserver.store import Store

JsonObject = dict[str, Any]
Place = tuple[Resource, str, str]  # resource, namespace, name

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"
NAMESPACES = RESOURCES["", "namespaces"]
_KEPT = ("default", "kube-system", "kube-public")


class Garbage:
    """Keeps dependents by their owners' uid and objects by namespace, fed by every write of the store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dependents: dict[str, set[Place]] = {}
        self._contents: dict[str, int] = {}

    def changed(self, stored: Resource, type_: str, obj: JsonObject, old: JsonObject | None) -> None:
        """Follow one write."""
        meta = obj["metadata"]
        place = (stored, meta.get("namespace", ""), meta["name"])
        before = _owners(old)
        owners = _owners(obj) if type_ != "DELETED" else frozenset()
        for uid in before - owners:
            places = self._dependents.get(uid)
            if places is not None:
                places.discard(place)
                if not places:
                    del self._dependents[uid]
        for uid in owners - before:
            self._dependents.setdefault(uid, set()).add(place)
        if place[1] and type_ != "MODIFIED":
            self._contents[place[1]] = self._contents.get(place[1], 0) + (1 if type_ == "ADDED" else -1)

    def holds(self, stored: Resource, obj: JsonObject) -> bool:
        """Whether something else must be gone before this object may go."""
        return stored is NAMESPACES and self._contents.get(obj["metadata"]["name"], 0) > 0

    def before_delete(self, stored: Resource, meta: JsonObject, propagation: str | None) -> bool:
        """Put the finalizers that this propagation needs into `meta`; whether the object has to wait."""
        name, uid = meta["name"], meta["uid"]
        if stored is NAMESPACES:
            if name in _KEPT:
                raise forbidden(NAMESPACES, name, "this namespace may not be deleted")
            return self._contents.get(name, 0) > 0
        finalizers = [entry for entry in meta.get("finalizers") or () if entry != ORPHAN]
        if propagation == "Foreground" and any(self._blocks(place, uid) for place in self._dependents.get(uid, ())):
            if FOREGROUND not in finalizers:
                finalizers.append(FOREGROUND)
        elif propagation == "Orphan":
            self._orphan(uid)
        if finalizers:
            meta["finalizers"] = finalizers
        else:
            meta.pop("finalizers", None)
        return bool(finalizers)

    def terminating(self, stored: Resource, obj: JsonObject) -> JsonObject:
        """The object as it is while it waits."""
        if stored is NAMESPACES:
            return {**obj, "status": {**(obj.get("status") or {}), "phase": "Terminating"}}
        return obj

    def after_mark(self, stored: Resource, obj: JsonObject, propagation: str | None) -> None:
        """The object waits: delete what it waits for."""
        if stored is NAMESPACES:
            self._empty(obj["metadata"]["name"])
        elif FOREGROUND in (obj["metadata"].get("finalizers") or ()):
            self._cascade(obj["metadata"]["uid"], "Foreground")

    def after_delete(self, stored: Resource, obj: JsonObject) -> None:
        """The object is gone: delete its dependents, and let go those who waited for it."""
        self._cascade(obj["metadata"]["uid"], "Background")
        space = obj["metadata"].get("namespace", "")
        for owner in obj["metadata"].get("ownerReferences") or ():
            self._release(owner, space)
        if space and not self._contents.get(space, 0):
            self._contents.pop(space, None)
            try:
                namespace = self._store.get(NAMESPACES, None, space)
            except StatusError:
                return
            if namespace["metadata"].get("deletionTimestamp") and not namespace["metadata"].get("finalizers"):
                self._store.delete(NAMESPACES, None, space)

    def _cascade(self, uid: str, propagation: str) -> None:
        for place in list(self._dependents.get(uid, ())):
            obj = self._find(place)
            if obj is None:
                continue
            others = [owner for owner in obj["metadata"]["ownerReferences"] if owner["uid"] != uid]
            if any(self._alive(owner, place[1]) for owner in others):
                meta = {**obj["metadata"], "ownerReferences": others}
                self._store.update(place[0], {**obj, "metadata": meta}, subresource=None)
            elif not obj["metadata"].get("deletionTimestamp"):
                self._store.delete(place[0], place[1], place[2], propagation=propagation)

    def _release(self, owner: JsonObject, space: str) -> None:
        """An owner that was deleted in the foreground goes once nothing blocks it."""
        resource = _resource_of(owner)
        obj = self._find((resource, space, owner["name"])) if resource is not None else None
        if resource is None or obj is None or obj["metadata"]["uid"] != owner["uid"]:
            return
        finalizers = obj["metadata"].get("finalizers") or []
        if FOREGROUND not in finalizers:
            return
        if any(self._blocks(place, owner["uid"]) for place in self._dependents.get(owner["uid"], ())):
            return
        rest = [entry for entry in finalizers if entry != FOREGROUND]
        meta = {key: value for key, value in obj["metadata"].items() if key != "finalizers"}
        if rest:
            meta["finalizers"] = rest
        self._store.update(resource, {**obj, "metadata": meta})

    def _orphan(self, uid: str) -> None:
        for place in list(self._dependents.get(uid, ())):
            obj = self._find(place)
            if obj is None:
                continue
            rest = [owner for owner in obj["metadata"]["ownerReferences"] if owner["uid"] != uid]
            meta = {key: value for key, value in obj["metadata"].items() if key != "ownerReferences"}
            if rest:
                meta["ownerReferences"] = rest
            self._store.update(place[0], {**obj, "metadata": meta})

    def _empty(self, space: str) -> None:
        for resource in dict.fromkeys(RESOURCES.values()):
            if not resource.namespaced or resource.virtual or resource.storage is not None:
                continue
            objects, _ = self._store.list(resource, space)
            for obj in objects:
                place = (resource, space, obj["metadata"]["name"])
                if self._find(place) is not None:
                    self._store.delete(*place, propagation="Background")

    def _blocks(self, place: Place, uid: str) -> bool:
        obj = self._find(place)
        owners = obj["metadata"].get("ownerReferences") or () if obj is not None else ()
        return any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in owners)

    def _alive(self, owner: JsonObject, space: str) -> bool:
        resource = _resource_of(owner)
        obj = self._find((resource, space, owner["name"])) if resource is not None else None
        return obj is not None and obj["metadata"]["uid"] == owner["uid"]

    def _find(self, place: Place) -> JsonObject | None:
        try:
            return self._store.get(*place)
        except StatusError:
            return None


def _owners(obj: JsonObject | None) -> frozenset[str]:
    owners = obj["metadata"].get("ownerReferences") if obj is not None else None
    return frozenset(owner["uid"] for owner in owners) if owners else frozenset()


def _resource_of(owner: JsonObject) -> Resource | None:
    group = owner["apiVersion"].rpartition("/")[0]
    return next((r for r in RESOURCES.values() if r.group == group and r.kind == owner["kind"]), None)
