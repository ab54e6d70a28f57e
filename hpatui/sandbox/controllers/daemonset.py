"""DaemonSets: a pod on each node that its pods fit, renewed node by node.

As pkg/controller/daemon: pods are pinned to their node by affinity and bound by the scheduler. maxSurge is not done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import NODES, PODS, Context
from hpatui.sandbox.controllers.objects import (
    Key,
    Object,
    controller_of,
    key_of,
    owner_reference,
    pod_active,
    ready_since,
    scaled_value,
)
from hpatui.sandbox.controllers.revisions import HASH, History, hash_of, sync_history, trim_history
from hpatui.sandbox.controllers.scheduler import pinned_to, runs_on

DAEMON_SETS = RESOURCES["apps", "daemonsets"]
_SOURCE = "daemonset-controller"
_TOLERATED = (
    ("not-ready", "NoExecute"), ("unreachable", "NoExecute"), ("disk-pressure", "NoSchedule"),
    ("memory-pressure", "NoSchedule"), ("pid-pressure", "NoSchedule"), ("unschedulable", "NoSchedule"),
)  # fmt: skip


class DaemonSets:
    """Makes, removes and renews the pods of DaemonSets."""

    def __init__(self, context: Context) -> None:
        self._c = context
        self._keys: set[Key] = set()
        context.store.add_listener(DAEMON_SETS, self._changed)
        context.store.add_listener(PODS, self._pod_changed)
        context.store.add_listener(NODES, self._node_changed)

    def _changed(self, type_: str, obj: Object, old: Object | None) -> None:
        key = key_of(obj)
        if type_ != "DELETED":
            self._keys.add(key)
            self._c.engine.enqueue(self, key)
        else:
            self._keys.discard(key)
            self._c.engine.forget(self, key)

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        owner = controller_of(pod)
        if owner is not None and owner["kind"] == DAEMON_SETS.kind:
            self._c.engine.enqueue(self, (pod["metadata"]["namespace"], owner["name"]))

    def _node_changed(self, type_: str, node: Object, old: Object | None) -> None:
        for key in self._keys:
            self._c.engine.enqueue(self, key)

    def reconcile(self, key: Key, now: float) -> None:
        """Pods where they are missing, none where they are too many, one step of a roll-out, then the status."""
        owner = self._c.find(DAEMON_SETS, *key)
        if owner is None:
            return
        history = sync_history(self._c, DAEMON_SETS, owner)
        template = _pod_of(owner, history, "")
        nodes = {n["metadata"]["name"] for n in self._c.store.list(NODES)[0] if runs_on(template, n)}
        if not owner["metadata"].get("deletionTimestamp"):
            on_node = self._on_node(owner)
            for node in sorted(nodes - set(on_node)):
                self._create(owner, history, node, now)
            for node, pods in on_node.items():
                ended = [pod for pod in pods if (pod.get("status") or {}).get("phase") in ("Failed", "Succeeded")]
                for pod in pods if node not in nodes else [*ended, *[p for p in pods if p not in ended][1:]]:
                    self._delete(owner, pod)
            if (owner["spec"].get("updateStrategy") or {}).get("type") != "OnDelete":
                self._renew(owner, history, nodes, now)
        self._write_status(owner, key, history, nodes, now)

    def _on_node(self, owner: Object) -> dict[str, list[Object]]:
        """The pods, oldest first, by the node they are for."""
        found: dict[str, list[Object]] = {}
        pods = self._c.pods_of.owned_by(owner["metadata"]["uid"])
        for pod in sorted(pods, key=lambda pod: str(pod["metadata"].get("creationTimestamp"))):
            found.setdefault(pod["spec"].get("nodeName") or pinned_to(pod) or "", []).append(pod)
        return found

    def _renew(self, owner: Object, history: History, nodes: set[str], now: float) -> None:
        """Delete pods of old revisions while no more than maxUnavailable nodes are without a pod that serves."""
        rolling = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        most = max(1, scaled_value(rolling.get("maxUnavailable"), len(nodes), up=True, default="1%"))
        held = {node: pods[0] for node, pods in self._on_node(owner).items() if node in nodes}
        serving = {node for node, pod in held.items() if self._available(owner, pod, now)}
        spare = most - (len(nodes) - len(serving))
        for node, pod in sorted(held.items(), key=lambda entry: entry[0] in serving):
            if _revision(pod) == hash_of(history.name) or pod["metadata"].get("deletionTimestamp"):
                continue
            if node in serving:
                if spare <= 0:
                    return
                spare -= 1
            self._delete(owner, pod)

    def _available(self, owner: Object, pod: Object, now: float) -> bool:
        """Ready for minReadySeconds; comes back when it will be."""
        since = ready_since(pod)
        if since is None or not pod_active(pod):
            return False
        when = since + float(owner["spec"].get("minReadySeconds") or 0)
        if when > now:
            self._c.engine.enqueue_at(self, key_of(owner), when)
        return when <= now

    def _create(self, owner: Object, history: History, node: str, now: float) -> None:
        try:
            created = self._c.create_pod(_pod_of(owner, history, node))
        except StatusError as refused:
            self._event(owner, "Warning", "FailedCreate", f"Error creating: {refused.message}")
            self._c.engine.enqueue_at(self, key_of(owner), now + self._c.timings.sync_period)
            return
        self._event(owner, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")

    def _delete(self, owner: Object, pod: Object) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            return
        self._c.store.delete(PODS, *key_of(pod))
        self._event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")

    def _event(self, owner: Object, type_: str, reason: str, message: str) -> None:
        self._c.recorder.event(owner, "apps/v1", "DaemonSet", type_, reason, message, _SOURCE)

    def _write_status(self, owner: Object, key: Key, history: History, nodes: set[str], now: float) -> None:
        on_node = self._on_node(owner)
        held = [on_node[node][0] for node in nodes if node in on_node]
        ready = [pod for pod in held if ready_since(pod) is not None]
        available = sum(1 for pod in ready if self._available(owner, pod, now))
        status: Object = {
            "currentNumberScheduled": len(held),
            "numberMisscheduled": sum(1 for node in on_node if node and node not in nodes),
            "desiredNumberScheduled": len(nodes),
            "numberReady": len(ready),
            "observedGeneration": owner["metadata"].get("generation", 1),
            "updatedNumberScheduled": sum(1 for pod in held if _revision(pod) == hash_of(history.name)),
            "numberAvailable": available,
            "numberUnavailable": len(nodes) - available,
        }
        optional = ("updatedNumberScheduled", "numberAvailable", "numberUnavailable")
        status = {name: value for name, value in status.items() if value or name not in optional}
        self._c.set_status(DAEMON_SETS, *key, lambda _: status)
        names = [entry["metadata"]["name"] for entry in history.revisions]
        live = {name for name in names if any(_revision(pod) == hash_of(name) for pod in held)}
        trim_history(self._c, owner, history, live)


def _pod_of(owner: Object, history: History, node: str) -> Object:
    """The pod for a node, pinned to it."""
    template, meta = owner["spec"]["template"], owner["metadata"]
    inner, spec = template.get("metadata") or {}, template.get("spec") or {}
    labels = {
        **(inner.get("labels") or {}), HASH: hash_of(history.name),
        "pod-template-generation": str(meta.get("generation", 1)),
    }  # fmt: skip
    more = [{"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    pinned = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]}}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "generateName": f"{meta['name']}-", "namespace": meta["namespace"], "labels": labels,
            "annotations": dict(inner.get("annotations") or {}),
            "ownerReferences": [owner_reference(owner, "apps/v1", "DaemonSet")],
        },
        "spec": {
            **spec, "tolerations": [*(spec.get("tolerations") or ()), *more],
            "affinity": {**(spec.get("affinity") or {}), "nodeAffinity": pinned},
        },
    }  # fmt: skip


def _revision(pod: Mapping[str, Any]) -> Any:
    return (pod["metadata"].get("labels") or {}).get(HASH)
