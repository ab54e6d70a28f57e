"""ControllerRevisions: the pod templates that a StatefulSet or DaemonSet has had, and which of them is wanted now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import CONTROLLER_REVISIONS as REVISIONS
from hpatui.sandbox.controllers.context import Context
from hpatui.sandbox.controllers.objects import Object, key_of, owner_reference, short_hash

HASH = "controller-revision-hash"


@dataclass(frozen=True, slots=True)
class History:
    """The revisions, oldest first. `update` is the one with the owner's template; all have one."""

    revisions: list[Object]
    update: Object

    @property
    def name(self) -> str:
        """The wanted revision's name, as status.updateRevision has it."""
        name: str = self.update["metadata"]["name"]
        return name

    def template(self, name: str) -> Object:
        """The pod template of a revision; the wanted one if it is not kept."""
        for revision in self.revisions:
            if revision["metadata"]["name"] == name:
                return _template(revision)
        return _template(self.update)


def hash_of(name: str) -> str:
    """The hash at the end of a revision's name."""
    return name.rpartition("-")[2]


def sync_history(context: Context, resource: Resource, owner: Object) -> History:
    """Create the revision of the owner's template, or make an older one the newest again (undo)."""
    found = sorted(context.revisions_of.owned_by(owner["metadata"]["uid"]), key=lambda entry: int(entry["revision"]))
    template = owner["spec"]["template"]
    newest = int(found[-1]["revision"]) if found else 0
    same = next((entry for entry in found if _template(entry) == template), None)
    if same is None:
        same = _create(context, resource, owner, newest + 1)
        found = [*found, same]
    elif int(same["revision"]) != newest:
        same = context.store.modify(REVISIONS, *key_of(same), lambda obj: {**obj, "revision": newest + 1})
        found = [*(entry for entry in found if entry["metadata"]["uid"] != same["metadata"]["uid"]), same]
    return History(found, same)


def trim_history(context: Context, owner: Object, history: History, live: Collection[str]) -> None:
    """Delete the oldest revisions beyond revisionHistoryLimit; `live` are the names of those that pods have."""
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    spare = [entry for entry in history.revisions if entry["metadata"]["name"] not in {*live, history.name}]
    for entry in spare[: max(0, len(spare) - limit)]:
        try:
            context.store.delete(REVISIONS, *key_of(entry))
        except StatusError as refused:
            if refused.code != 404:
                raise


def _create(context: Context, resource: Resource, owner: Object, number: int) -> Object:
    meta, template = owner["metadata"], owner["spec"]["template"]
    hashed = short_hash([template, number])
    created: Object = context.store.create(
        REVISIONS,
        {
            "apiVersion": "apps/v1", "kind": "ControllerRevision",
            "metadata": {
                "name": f"{meta['name']}-{hashed}", "namespace": meta["namespace"],
                "labels": {**((template.get("metadata") or {}).get("labels") or {}), HASH: hashed},
                "annotations": _shared(meta.get("annotations") or {}),
                "ownerReferences": [owner_reference(owner, resource.api_version, resource.kind)],
            },
            "data": {"spec": {"template": {**template, "$patch": "replace"}}},
            "revision": number,
        },
    )  # fmt: skip
    return created


def _shared(notes: Object) -> Object:
    return {k: v for k, v in notes.items() if k != "kubectl.kubernetes.io/last-applied-configuration"}


def _template(revision: Object) -> Object:
    template: Object = revision["data"]["spec"]["template"]
    return {key: value for key, value in template.items() if key != "$patch"}
