"""StatefulSets: numbered pods, made in order, taken from the last, and renewed one by one from the last.

As pkg/controller/statefulset/stateful_set_control.go: with OrderedReady one pod at a time and only when all before it
are ready; a partition keeps the pods below it at their revision. PersistentVolumeClaims are not made.
"""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import PODS, Context
from hpatui.sandbox.controllers.objects import (
    Key,
    Object,
    controller_of,
    key_of,
    owner_reference,
    pod_active,
    ready_since,
)
from hpatui.sandbox.controllers.revisions import HASH, History, hash_of, sync_history, trim_history

STATEFUL_SETS = RESOURCES["apps", "statefulsets"]
_SOURCE = "statefulset-controller"


class StatefulSets:
    """Makes, removes and renews the pods of StatefulSets."""

    def __init__(self, context: Context) -> None:
        self._c = context
        context.store.add_listener(STATEFUL_SETS, self._changed)
        context.store.add_listener(PODS, self._pod_changed)

    def _changed(self, type_: str, obj: Object, old: Object | None) -> None:
        if type_ != "DELETED":
            self._c.engine.enqueue(self, key_of(obj))
        else:
            self._c.engine.forget(self, key_of(obj))

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        owner = controller_of(pod)
        if owner is not None and owner["kind"] == STATEFUL_SETS.kind:
            self._c.engine.enqueue(self, (pod["metadata"]["namespace"], owner["name"]))

    def reconcile(self, key: Key, now: float) -> None:
        """One step, then the status."""
        owner = self._c.find(STATEFUL_SETS, *key)
        if owner is None:
            return
        pods = self._pods(owner)
        history = sync_history(self._c, STATEFUL_SETS, owner)
        current = (owner.get("status") or {}).get("currentRevision") or history.name
        if not owner["metadata"].get("deletionTimestamp"):
            self._step(owner, pods, history, current, now)
            pods = self._pods(owner)
        self._write_status(owner, key, pods, history, current, now)

    def _pods(self, owner: Object) -> dict[int, Object]:
        """The pods by their number, those on their way out included."""
        found = self._c.pods_of.owned_by(owner["metadata"]["uid"])
        return {number: pod for pod in found if (number := _number(pod)) >= 0}

    def _step(self, owner: Object, pods: dict[int, Object], history: History, current: str, now: float) -> None:
        spec = owner["spec"]
        wanted = range(first := _first(owner), first + spec.get("replicas", 1))
        ordered = spec.get("podManagementPolicy", "OrderedReady") != "Parallel"
        for number in wanted:
            pod = pods.get(number)
            if pod is not None and (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded"):
                self._delete(owner, pod)
            elif pod is None:
                self._create(owner, number, history, current, now)
            if ordered and (pod is None or not self._available(owner, pod, now)):
                return
        extra = sorted((number for number in pods if number not in wanted), reverse=True)
        for number in extra:
            self._delete(owner, pods[number])
            if ordered:
                return
        if (spec.get("updateStrategy") or {}).get("type") != "OnDelete" and not extra:
            self._renew(owner, pods, wanted, history, now)

    def _renew(
        self, owner: Object, pods: dict[int, Object], wanted: range, history: History, now: float
    ) -> None:  # fmt: skip
        """Delete the last pod of an old revision, once all after it are renewed and ready."""
        for number in reversed(wanted):
            pod = pods.get(number)
            if number - _first(owner) < _partition(owner) or pod is None:
                return
            if _revision(pod) != hash_of(history.name):
                self._delete(owner, pod)
                return
            if not self._available(owner, pod, now):
                return

    def _available(self, owner: Object, pod: Object, now: float) -> bool:
        """Ready for minReadySeconds; comes back when it will be."""
        since = ready_since(pod)
        if since is None or not pod_active(pod):
            return False
        when = since + float(owner["spec"].get("minReadySeconds") or 0)
        if when > now:
            self._c.engine.enqueue_at(self, key_of(owner), when)
        return when <= now

    def _create(self, owner: Object, number: int, history: History, current: str, now: float) -> None:
        meta = owner["metadata"]
        revision = current if number - _first(owner) < _partition(owner) else history.name
        template = history.template(revision)
        name = f"{meta['name']}-{number}"
        inner = template.get("metadata") or {}
        labels = {
            **(inner.get("labels") or {}), HASH: hash_of(revision), "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(number),
        }  # fmt: skip
        pod: Object = {
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": meta["namespace"], "labels": labels,
                "annotations": dict(inner.get("annotations") or {}),
                "ownerReferences": [owner_reference(owner, "apps/v1", "StatefulSet")],
            },
            "spec": {**template["spec"], "hostname": name, "subdomain": owner["spec"].get("serviceName", "")},
        }  # fmt: skip
        try:
            self._c.create_pod(pod)
        except StatusError as refused:
            text = f"create Pod {name} in StatefulSet {meta['name']} failed error: {refused.message}"
            self._event(owner, "Warning", "FailedCreate", text)
            self._c.engine.enqueue_at(self, key_of(owner), now + self._c.timings.sync_period)
            return
        text = f"create Pod {name} in StatefulSet {meta['name']} successful"
        self._event(owner, "Normal", "SuccessfulCreate", text)

    def _delete(self, owner: Object, pod: Object) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            return
        namespace, name = key_of(pod)
        self._c.store.delete(PODS, namespace, name)
        text = f"delete Pod {name} in StatefulSet {owner['metadata']['name']} successful"
        self._event(owner, "Normal", "SuccessfulDelete", text)

    def _event(self, owner: Object, type_: str, reason: str, message: str) -> None:
        self._c.recorder.event(owner, "apps/v1", "StatefulSet", type_, reason, message, _SOURCE)

    def _write_status(
        self, owner: Object, key: Key, pods: dict[int, Object], history: History, current: str, now: float
    ) -> None:
        active = [pod for pod in pods.values() if pod_active(pod)]
        ready = [pod for pod in active if ready_since(pod) is not None]
        updated = [pod for pod in active if _revision(pod) == hash_of(history.name)]
        done = len(updated) == len(active) == len(ready) and len(pods) == len(active)
        if done and len(active) == owner["spec"].get("replicas", 1) and _partition(owner) == 0:
            current = history.name
        old = [pod for pod in active if _revision(pod) == hash_of(current)]
        status: Object = {
            "observedGeneration": owner["metadata"].get("generation", 1),
            "replicas": len(active),
            "availableReplicas": sum(1 for pod in ready if self._available(owner, pod, now)),
            "readyReplicas": len(ready),
            "currentReplicas": len(old),
            "updatedReplicas": len(updated),
            "currentRevision": current,
            "updateRevision": history.name,
            "collisionCount": 0,
        }
        optional = ("readyReplicas", "currentReplicas", "updatedReplicas")
        status = {name: value for name, value in status.items() if value or name not in optional}
        self._c.set_status(STATEFUL_SETS, *key, lambda _: status)
        names = [entry["metadata"]["name"] for entry in history.revisions]
        live = {name for name in names if any(_revision(pod) == hash_of(name) for pod in pods.values())}
        trim_history(self._c, owner, history, {*live, current})


def _number(pod: Object) -> int:
    """The number at the end of a pod's name; -1 if there is none."""
    text = pod["metadata"]["name"].rpartition("-")[2]
    return int(text) if text.isdecimal() else -1


def _revision(pod: Object) -> Any:
    return (pod["metadata"].get("labels") or {}).get(HASH)


def _first(owner: Object) -> int:
    return int((owner["spec"].get("ordinals") or {}).get("start") or 0)


def _partition(owner: Object) -> int:
    rolling = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return int(rolling.get("partition") or 0)
