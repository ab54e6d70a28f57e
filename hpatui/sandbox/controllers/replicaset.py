"""As many pods as asked for: ReplicaSets, and in the same way ReplicationControllers and Argo's Rollouts.

None of these rolls a new template out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hpatui.forms.selectors import selector_text
from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import DEPLOYMENTS, PODS, REPLICASETS, Context
from hpatui.sandbox.controllers.objects import (
    Key,
    Object,
    condition,
    controller_of,
    key_of,
    owner_reference,
    pod_active,
    pod_ready,
    ready_since,
    seconds_of,
    with_condition,
)

_BURST = 500  # pods created or deleted at once
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


@dataclass(frozen=True, slots=True)
class Owner:
    """A kind of owner: its resource, the controller's name in events, counts to add."""

    resource: Resource
    source: str
    same_as_replicas: tuple[str, ...] = ()  # counts in the status that equal `replicas`


OWNERS = (
    Owner(REPLICASETS, "replicaset-controller", same_as_replicas=("fullyLabeledReplicas",)),
    Owner(
        RESOURCES["argoproj.io", "rollouts"], "rollouts-controller", same_as_replicas=("updatedReplicas", "HPAReplicas")
    ),
    Owner(
        RESOURCES["", "replicationcontrollers"], "replication-controller", same_as_replicas=("fullyLabeledReplicas",)
    ),
)


class Replicas:
    """Creates and deletes the pods of one kind of owner; the status counts them."""

    def __init__(self, context: Context, owner: Owner) -> None:
        self._c = context
        self._owner = owner
        self._resource = owner.resource
        self._kind = owner.resource.kind
        self._version = owner.resource.api_version
        context.store.add_listener(owner.resource, self._changed)
        context.store.add_listener(PODS, self._pod_changed)

    def _changed(self, type_: str, obj: Object, old: Object | None) -> None:
        if type_ != "DELETED":
            self._c.engine.enqueue(self, key_of(obj))
        else:
            self._c.engine.forget(self, key_of(obj))

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        owner = controller_of(pod)
        if owner is not None and owner["kind"] == self._kind:
            self._c.engine.enqueue(self, (pod["metadata"]["namespace"], owner["name"]))

    def reconcile(self, key: Key, now: float) -> None:
        """Create or delete pods, then write the status."""
        rs = self._c.find(self._resource, *key)
        if rs is None:
            return
        pods = [pod for pod in self._c.pods_of.owned_by(rs["metadata"]["uid"]) if pod_active(pod)]
        failure = ""
        if not rs["metadata"].get("deletionTimestamp"):
            wanted = rs["spec"].get("replicas", 1)
            missing = wanted - len(pods) if template_of(self._c, rs) is not None else 0
            if missing > 0:
                failure = self._create(rs, min(missing, _BURST))
            elif missing < 0:
                self._delete(rs, pods, min(-missing, _BURST), now)
            pods = [pod for pod in self._c.pods_of.owned_by(rs["metadata"]["uid"]) if pod_active(pod)]
        self._write_status(rs, key, pods, failure, now)
        if failure:
            self._c.engine.enqueue_at(self, key, now + self._c.timings.sync_period)

    def _create(self, rs: Object, count: int) -> str:
        """Create pods; the message of the first refusal, which ends the attempt."""
        template = template_of(self._c, rs) or {}
        meta = template.get("metadata") or {}
        for _ in range(count):
            pod: Object = {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "generateName": f"{rs['metadata']['name']}-",
                    "namespace": rs["metadata"]["namespace"],
                    "labels": dict(meta.get("labels") or {}),
                    "ownerReferences": [owner_reference(rs, self._version, self._kind)],
                },
                "spec": template["spec"],
            }
            if meta.get("annotations"):
                pod["metadata"]["annotations"] = dict(meta["annotations"])
            try:
                created = self._c.create_pod(pod)
            except StatusError as refused:
                self._event(rs, "Warning", "FailedCreate", f"Error creating: {refused.message}")
                return refused.message
            self._event(rs, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
        return ""

    def _delete(self, rs: Object, pods: list[Object], count: int, now: float) -> None:
        for pod in choose_victims(pods, count, now):
            namespace, name = key_of(pod)
            try:
                self._c.store.delete(PODS, namespace, name)
            except StatusError as refused:
                if refused.code != 404:
                    raise
                continue
            self._event(rs, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    def _event(self, rs: Object, type_: str, reason: str, message: str) -> None:
        self._c.recorder.event(rs, self._version, self._kind, type_, reason, message, self._owner.source)

    def _write_status(self, rs: Object, key: Key, pods: list[Object], failure: str, now: float) -> None:
        need = float(rs["spec"].get("minReadySeconds") or 0)
        ready = [since for pod in pods if (since := ready_since(pod)) is not None]
        available = sum(1 for since in ready if since + need <= now)
        if available < len(ready):
            self._c.engine.enqueue_at(self, key, min(since + need for since in ready if since + need > now))

        def change(status: Object) -> Object:
            new: Object = {
                "replicas": len(pods),
                **dict.fromkeys(self._owner.same_as_replicas, len(pods)),
                "readyReplicas": len(ready),
                "availableReplicas": available,
                "observedGeneration": rs["metadata"].get("generation", 1),
            }
            new = {name: value for name, value in new.items() if value or name == "replicas"}
            if (referred := workload_of(self._c, rs)) is not None:
                new["selector"] = selector_text(referred["spec"].get("selector"))
            conditions = status.get("conditions") or []
            if failure and not condition(conditions, "ReplicaFailure"):  # the first one's words stay
                wanted = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": failure}
                conditions = with_condition(conditions, wanted, now)
            elif not failure and len(pods) >= rs["spec"].get("replicas", 1):
                conditions = [entry for entry in conditions if entry["type"] != "ReplicaFailure"]
            if conditions:
                new["conditions"] = conditions
            return new

        self._c.set_status(self._resource, *key, change)


def workload_of(context: Context, obj: Object) -> Object | None:
    """The Deployment that a Rollout's workloadRef names: its template and selector are the Rollout's."""
    reference = obj["spec"].get("workloadRef")
    if not isinstance(reference, dict) or reference.get("kind") != "Deployment":
        return None
    return context.find(DEPLOYMENTS, obj["metadata"]["namespace"], str(reference.get("name")))


def template_of(context: Context, obj: Object) -> Object | None:
    """The pod template; None where it is neither here nor in a workload that is referred to."""
    source = workload_of(context, obj) or obj
    template: Object | None = source["spec"].get("template")
    return template


def choose_victims(pods: list[Object], count: int, now: float) -> list[Object]:
    """The pods to delete first, in the order of controller.ActivePodsWithRanks.

    Unassigned before assigned, pending before running, unready before ready, lower deletion cost, more pods of the set
    on the same node, ready for a shorter time, more restarts, younger; times compare by powers of ten.
    """
    on_node: dict[str, int] = {}
    for pod in pods:
        if pod_ready(pod):
            node = pod["spec"].get("nodeName") or ""
            on_node[node] = on_node.get(node, 0) + 1

    def rank(pod: Object) -> tuple[Any, ...]:
        status = pod.get("status") or {}
        node = pod["spec"].get("nodeName") or ""
        since, created = ready_since(pod), seconds_of(pod["metadata"].get("creationTimestamp"))
        restarts = max((s.get("restartCount", 0) for s in status.get("containerStatuses") or ()), default=0)
        return (
            bool(node),
            _PHASES.get(status.get("phase", "Pending"), 1),
            pod_ready(pod),
            _cost(pod),
            -on_node.get(node, 0),
            _magnitude(now - since) if since is not None else -1,
            -restarts,
            _magnitude(now - created) if created is not None else -1,
            pod["metadata"]["uid"],
        )

    return sorted(pods, key=rank)[:count]


def _cost(pod: Object) -> int:
    text = (pod["metadata"].get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost", "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _magnitude(seconds: float) -> int:
    """Base-10 logarithm of an age, so that pods of about the same age are alike and any may go."""
    return int(math.log10(seconds)) if seconds >= 1 else 0
