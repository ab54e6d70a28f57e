"""Deployments: one ReplicaSet a pod template, and rolling updates between them."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.status import StatusError, conflict
from hpatui.sandbox.controllers.context import DEPLOYMENTS, REPLICASETS, Context
from hpatui.sandbox.controllers.deployment_status import deployment_status
from hpatui.sandbox.controllers.objects import (
    Key,
    Object,
    controller_of,
    key_of,
    owner_reference,
    scaled_value,
    short_hash,
)
from hpatui.sandbox.controllers.rollout import ReplicaCount, proportions, rolling_step

_SOURCE = "deployment-controller"
_REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAX = "deployment.kubernetes.io/max-replicas"
_HASH = "pod-template-hash"
_OWN_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration", _REVISION, _DESIRED, _MAX)


class Deployments:
    """Creates and scales ReplicaSets; the status and its conditions follow them."""

    def __init__(self, context: Context) -> None:
        self._c = context
        context.store.add_listener(DEPLOYMENTS, self._changed)
        context.store.add_listener(REPLICASETS, self._set_changed)

    def _changed(self, type_: str, obj: Object, old: Object | None) -> None:
        if type_ != "DELETED":
            self._c.engine.enqueue(self, key_of(obj))
        else:
            self._c.engine.forget(self, key_of(obj))

    def _set_changed(self, type_: str, rs: Object, old: Object | None) -> None:
        owner = controller_of(rs)
        if owner is not None and owner["kind"] == "Deployment":
            self._c.engine.enqueue(self, (rs["metadata"]["namespace"], owner["name"]))

    def reconcile(self, key: Key, now: float) -> None:
        """One step of the roll-out, then the status."""
        deployment = self._c.find(DEPLOYMENTS, *key)
        if deployment is None:
            return
        sets = sorted(
            self._c.replicasets_of.owned_by(deployment["metadata"]["uid"]),
            key=lambda rs: (rs["metadata"]["creationTimestamp"], rs["metadata"]["name"]),
        )
        if not deployment["metadata"].get("deletionTimestamp"):
            template = _template(deployment["spec"]["template"])
            new = next((rs for rs in sets if _template(rs["spec"]["template"]) == template), None)
            paused = deployment["spec"].get("paused", False)
            deployment, new, sets = self._roll(deployment, new, sets, paused=paused)
            self._write_status(deployment, key, new, sets, now)

    def _roll(
        self, deployment: Object, new: Object | None, sets: list[Object], *, paused: bool
    ) -> tuple[Object, Object | None, list[Object]]:
        """One step; the deployment, the new ReplicaSet and all sets after it."""
        old = [rs for rs in sets if rs is not new]
        desired = deployment["spec"].get("replicas", 1)
        surge, unavailable = limits(deployment)
        recreate = (deployment["spec"].get("strategy") or {}).get("type") == "Recreate"
        resized = [rs for rs in sets if _size(rs) and _annotation(rs, _DESIRED) not in ("", str(desired))]
        if resized and (new is not None or paused):
            sets = self._proportional(deployment, sets, desired, desired + (0 if recreate else surge))
            new = next((rs for rs in sets if new is not None and rs["metadata"]["uid"] == new["metadata"]["uid"]), None)
        elif not paused:
            if new is None and not (recreate and any(_pods(rs) or _size(rs) for rs in old)):
                new = self._create_set(deployment, sets, surge)
                sets = [*sets, new]
            elif new is not None:
                new = self._annotate(deployment, new, old, desired + surge)
                sets = [*old, new]
            if recreate:
                sizes = {rs["metadata"]["uid"]: 0 for rs in old}
                if new is not None and not any(_pods(rs) for rs in old):
                    sizes[new["metadata"]["uid"]] = desired
            else:
                assert new is not None
                sizes = self._rolling_sizes(new, old, desired, surge, unavailable)
            sets = self._apply(deployment, sets, sizes, desired, desired + (0 if recreate else surge))
            if new is not None:
                new = next(rs for rs in sets if rs["metadata"]["uid"] == new["metadata"]["uid"])
                self._cleanup(deployment, new, sets)
        if new is not None:
            deployment = self._revision(deployment, _annotation(new, _REVISION))
        return deployment, new, sets

    @staticmethod
    def _rolling_sizes(new: Object, old: list[Object], desired: int, surge: int, unavailable: int) -> dict[str, int]:
        counts = [_count(rs) for rs in old]
        step = rolling_step(_count(new), counts, desired, surge, unavailable)
        sizes = {rs["metadata"]["uid"]: size for rs, size in zip(old, step.old, strict=True)}
        sizes[new["metadata"]["uid"]] = step.new
        return sizes

    def _create_set(self, deployment: Object, sets: list[Object], surge: int) -> Object:
        template = deployment["spec"]["template"]
        meta = deployment["metadata"]
        hashed = template_hash(deployment)
        labels = {**((template.get("metadata") or {}).get("labels") or {}), _HASH: hashed}
        revision = 1 + max((int(_annotation(rs, _REVISION) or 0) for rs in sets), default=0)
        desired = deployment["spec"].get("replicas", 1)
        annotations = {
            **_shared(deployment),
            _REVISION: str(revision), _DESIRED: str(desired), _MAX: str(desired + surge),
        }  # fmt: skip
        selector = deployment["spec"]["selector"]
        spec: Object = {
            "replicas": 0,
            "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), _HASH: hashed}},
            "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
        }
        if deployment["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = deployment["spec"]["minReadySeconds"]
        return self._create_or_adopt(
            deployment,
            {
                "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": {
                    "name": f"{meta['name']}-{hashed}", "namespace": meta["namespace"], "labels": labels,
                    "annotations": annotations,
                    "ownerReferences": [owner_reference(deployment, "apps/v1", "Deployment")],
                },
                "spec": spec,
            },
        )  # fmt: skip

    def _create_or_adopt(self, deployment: Object, manifest: Object) -> Object:
        """Create it; if the name is taken, adopt an orphan, or give the next try another hash."""
        try:
            created: Object = self._c.store.create(REPLICASETS, manifest)
            return created
        except StatusError as refused:
            if refused.code != 409:
                raise
        space, name = key_of(manifest)
        if controller_of(self._c.store.get(REPLICASETS, space, name)) is None:
            owners = manifest["metadata"]["ownerReferences"]
            adopted: Object = self._c.store.modify(
                REPLICASETS, space, name,
                lambda obj: {**obj, "metadata": {**obj["metadata"], "ownerReferences": owners}},
            )  # fmt: skip
            return adopted
        self._c.set_status(
            DEPLOYMENTS, *key_of(deployment),
            lambda old: {**old, "collisionCount": old.get("collisionCount", 0) + 1},
        )  # fmt: skip
        raise conflict(REPLICASETS, name, "the name is taken by another owner's ReplicaSet")

    def _annotate(self, deployment: Object, new: Object, old: list[Object], most: int) -> Object:
        """The new ReplicaSet has its Deployment's annotations; one that becomes new again (undo) the next revision."""
        notes = {name: value for name, value in _shared(deployment).items() if _annotation(new, name) != value}
        highest = max((int(_annotation(rs, _REVISION) or 0) for rs in old), default=0)
        if int(_annotation(new, _REVISION) or 0) <= highest:
            notes[_REVISION] = str(highest + 1)
        return self._modify(new, notes, None) if notes else new

    def _proportional(self, deployment: Object, sets: list[Object], desired: int, most: int) -> list[Object]:
        active = [rs for rs in sets if _size(rs)] or sets[-1:]
        allowed = most if len(active) > 1 else desired
        wanted = proportions([(_size(rs), int(_annotation(rs, _MAX) or 0)) for rs in active], allowed, most)
        sizes = {rs["metadata"]["uid"]: size for rs, size in zip(active, wanted, strict=True)}
        return self._apply(deployment, sets, sizes, desired, most)

    def _apply(
        self, deployment: Object, sets: list[Object], sizes: dict[str, int], desired: int, most: int
    ) -> list[Object]:
        """Give the ReplicaSets their sizes and the annotations that tell a resize from a roll-out."""
        result = []
        for rs in sets:
            size, before = sizes.get(rs["metadata"]["uid"], _size(rs)), _size(rs)
            notes = {_DESIRED: str(desired), _MAX: str(most)} if size or before else {}
            if size != before or any(_annotation(rs, name) != value for name, value in notes.items()):
                rs = self._modify(rs, notes, size)
            if size != before:
                way = "up" if size > before else "down"
                name = rs["metadata"]["name"]
                message = f"Scaled {way} replica set {name} from {before} to {size}"
                self._c.recorder.event(
                    deployment, "apps/v1", "Deployment", "Normal", "ScalingReplicaSet", message, _SOURCE
                )
            result.append(rs)
        return result

    def _modify(self, rs: Object, notes: dict[str, str], size: int | None) -> Object:
        def change(obj: Object) -> Object:
            meta = {**obj["metadata"], "annotations": {**(obj["metadata"].get("annotations") or {}), **notes}}
            spec = obj["spec"] if size is None else {**obj["spec"], "replicas": size}
            return {**obj, "metadata": meta, "spec": spec}

        changed: Object = self._c.store.modify(REPLICASETS, *key_of(rs), change)
        return changed

    def _revision(self, deployment: Object, revision: str) -> Object:
        if _annotation(deployment, _REVISION) == revision:
            return deployment

        def change(obj: Object) -> Object:
            annotations = {**(obj["metadata"].get("annotations") or {}), _REVISION: revision}
            return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}

        changed: Object = self._c.store.modify(DEPLOYMENTS, *key_of(deployment), change)
        return changed

    def _cleanup(self, deployment: Object, new: Object, sets: list[Object]) -> None:
        """Delete old empty ReplicaSets beyond revisionHistoryLimit once the roll-out is done."""
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        if any(_size(rs) or _pods(rs) for rs in sets if rs is not new):
            return
        empty = [rs for rs in sets if rs is not new]
        empty.sort(key=lambda rs: int(_annotation(rs, _REVISION) or 0))
        for rs in empty[: max(0, len(empty) - limit)]:
            try:
                self._c.store.delete(REPLICASETS, *key_of(rs))
            except StatusError as refused:
                if refused.code != 404:
                    raise

    def _write_status(self, deployment: Object, key: Key, new: Object | None, sets: list[Object], now: float) -> None:
        result = deployment_status(deployment, new, sets, now)
        if result.check_again is not None:
            self._c.engine.enqueue_at(self, key, result.check_again)
        self._c.set_status(DEPLOYMENTS, *key, lambda _: result.status)


def _shared(deployment: Object) -> dict[str, str]:
    """The annotations that a Deployment shares with its newest ReplicaSet."""
    notes = deployment["metadata"].get("annotations") or {}
    return {name: value for name, value in notes.items() if name not in _OWN_ANNOTATIONS}


def template_hash(deployment: Object) -> str:
    """The pod-template-hash of its template."""
    collisions = (deployment.get("status") or {}).get("collisionCount", 0)
    return short_hash([_template(deployment["spec"]["template"]), collisions])


def limits(deployment: Object) -> tuple[int, int]:
    """maxSurge and maxUnavailable as numbers of pods; if both are 0, one may be unavailable."""
    desired = deployment["spec"].get("replicas", 1)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = scaled_value(rolling.get("maxSurge"), desired, up=True, default="25%")
    unavailable = scaled_value(rolling.get("maxUnavailable"), desired, up=False, default="25%")
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return surge, min(unavailable, desired)


def _template(template: Object) -> Object:
    """The pod template without the hash label."""
    meta = template.get("metadata") or {}
    labels = {name: value for name, value in (meta.get("labels") or {}).items() if name != _HASH}
    kept: dict[str, Any] = {"labels": labels, "annotations": meta.get("annotations") or {}}
    return {"metadata": kept, "spec": template.get("spec") or {}}


def _count(rs: Object) -> ReplicaCount:
    status = rs.get("status") or {}
    return ReplicaCount(_size(rs), status.get("replicas", 0), status.get("availableReplicas", 0))


def _size(rs: Object) -> int:
    size: int = rs["spec"].get("replicas", 1)
    return size


def _pods(rs: Object) -> int:
    count: int = (rs.get("status") or {}).get("replicas", 0)
    return count


def _annotation(obj: Object, name: str) -> str:
    value: str = (obj["metadata"].get("annotations") or {}).get(name, "")
    return value
