"""The node lifecycle: pods of a node that is lost are first not ready, then evicted."""

from __future__ import annotations

from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import NODES, PODS, Context
from hpatui.sandbox.controllers.objects import Key, Object, condition, key_of, pod_ready, seconds_of, with_condition
from hpatui.sandbox.kubelet import Kubelet
from hpatui.sandbox.pod_status import node_lost

_LOST = {
    "type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
    "message": "Kubelet stopped posting node status.",
}  # fmt: skip
_BACK = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}


class Nodes:
    """Reacts to the Ready condition of nodes; `lose` and `restore` are the faults that change it."""

    def __init__(self, context: Context, kubelet: Kubelet) -> None:
        self._c = context
        self._kubelet = kubelet
        self._evict_after = context.timings.initial_readiness_delay * 2
        context.store.add_listener(NODES, self._changed)

    def lose(self, name: str) -> bool:
        """The node reports no more, its containers are gone; False if there is no such node."""
        if self._c.find(NODES, "", name) is None:
            return False
        for pod in self._c.pods.on_node(name):
            self._kubelet.lose(key_of(pod))
        self._set(name, _LOST)
        return True

    def restore(self, name: str) -> None:
        """The node reports again; what ran there is gone."""
        for pod in self._c.pods.on_node(name):
            self._gone(pod)
        self._set(name, _BACK)

    def _set(self, name: str, wanted: Object) -> None:
        now = self._c.engine.clock.time()
        self._c.set_status(
            NODES, "", name, lambda old: {**old, "conditions": with_condition(old.get("conditions"), wanted, now)}
        )

    def _changed(self, type_: str, node: Object, old: Object | None) -> None:
        name = node["metadata"]["name"]
        if type_ == "DELETED":
            for pod in self._c.pods.on_node(name):
                self._gone(pod)
        elif _lost(node) is not None:
            self._c.engine.enqueue(self, ("", name))

    def reconcile(self, key: Key, now: float) -> None:
        """Pods of a lost node: not ready at once, evicted later."""
        node = self._c.find(NODES, *key)
        since = _lost(node) if node is not None else None
        if since is None:
            return
        evict = since + self._evict_after <= now
        for pod in self._c.pods.on_node(key[1]):
            if evict:
                self._gone(pod)
            elif pod_ready(pod):
                self._c.set_status(PODS, *key_of(pod), lambda old: node_lost(old, now))
        if not evict:
            self._c.engine.enqueue_at(self, key, since + self._evict_after)

    def _gone(self, pod: Object) -> None:
        try:
            self._c.store.delete(PODS, *key_of(pod), grace=0)
        except StatusError as refused:
            if refused.code != 404:
                raise


def _lost(node: Object) -> float | None:
    """Since when the node has not been ready; None if it is."""
    ready = condition((node.get("status") or {}).get("conditions"), "Ready")
    if ready is None or ready["status"] == "True":
        return None
    return seconds_of(ready.get("lastTransitionTime")) or 0.0
