"""The scale subresource: spec.replicas of a workload as an autoscaling/v1 Scale."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.patch.managed import after_update
from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.schema.workloads import shape_of
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.apiserver.tables.columns import labels_text, selector_text

JsonObject = dict[str, Any]
_META = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: JsonObject) -> JsonObject:
    """The Scale of a Deployment, ReplicaSet, StatefulSet, Rollout or ReplicationController."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    selector = spec.get("selector")
    if isinstance(selector, dict) and ("matchLabels" in selector or "matchExpressions" in selector):
        text = selector_text(selector)
    else:
        text = labels_text(selector)
    shown: JsonObject = {"replicas": status.get("replicas", 0)}
    text = status.get("selector") or text  # a Rollout's, of the workload that it refers to
    if text != "<none>":
        shown["selector"] = text
    replicas = spec.get("replicas")
    return {
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in _META if key in meta},
        "spec": {"replicas": replicas} if replicas else {}, "status": shown,
    }  # fmt: skip


def set_replicas(
    store: Store, resource: Resource, obj: JsonObject, replicas: int, manager: str, *, dry_run: bool = False
) -> JsonObject:
    """Write spec.replicas in the name of a field manager, as PUT of a Scale does; the workload after it.

    `obj` carries metadata of the workload (a resourceVersion in it must be fresh: StatusError 409).
    """
    meta = obj["metadata"]
    if isinstance(replicas, bool) or replicas < 0:
        text = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise StatusError(
            422, "Invalid", f'Scale.autoscaling "{meta["name"]}" is invalid: spec.replicas: {text}',
            {"name": meta["name"], "group": "autoscaling", "kind": "Scale",
             "causes": [{"reason": "FieldValueInvalid", "message": text, "field": "spec.replicas"}]},
        )  # fmt: skip
    current = store.get(resource, meta.get("namespace"), meta["name"])
    checked = {key: meta[key] for key in ("resourceVersion", "uid") if meta.get(key)}
    wanted = {
        **current, "metadata": {**current["metadata"], **checked}, "spec": {**current["spec"], "replicas": replicas},
    }  # fmt: skip

    def managed(new: JsonObject, old: JsonObject | None) -> JsonObject:
        return after_update(
            old, new, shape_of(resource, resource.version), manager, resource.api_version, store.now(), "scale"
        )

    return store.update(resource, wanted, check=managed, dry_run=dry_run)
