"""The scheduler: pods go to the emptiest node with room for their requests; the others wait and say why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from hpatui.quantity import parse_quantity
from hpatui.sandbox.controllers.context import NODES, PODS, Context
from hpatui.sandbox.controllers.objects import Key, Object, condition, key_of, with_condition

_SOURCE = "default-scheduler"
_GATED = "Scheduling is blocked due to non-empty scheduling gates"
_ALL_WAITING = ("", "")  # not a pod's key
_RETRY_AFTER = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Resources:
    """CPU in cores, memory in bytes, and how many pods."""

    cpu: float = 0.0
    memory: float = 0.0
    pods: int = 0

    def plus(self, other: Resources, sign: int = 1) -> Resources:
        """The sum, or with sign -1 the difference."""
        return Resources(self.cpu + sign * other.cpu, self.memory + sign * other.memory, self.pods + sign * other.pods)


def pod_requests(pod: Mapping[str, Any]) -> Resources:
    """What the scheduler counts for a pod."""
    return Resources(pod_amount(pod, "requests", "cpu"), pod_amount(pod, "requests", "memory"), 1)


def pod_amount(pod: Mapping[str, Any], kind: str, name: str) -> float:
    """A pod's `requests` or `limits` of a resource, as scheduler and quotas count them (k8s.io/component-helpers/resource).

    Its containers and sidecars, or an init container's need beside the sidecars before it if that is more; what the
    pod itself sets instead, if it does; and its overhead.
    """
    spec = pod["spec"]
    before = spec.get("initContainers") or ()
    most = beside = 0.0
    for container in before:
        own = _own(container, kind, name)
        most = max(most, beside + own)
        beside += own if container.get("restartPolicy") == "Always" else 0.0
    total = max(most, beside + sum(_own(container, kind, name) for container in spec.get("containers") or ()))
    if name in ((spec.get("resources") or {}).get(kind) or {}):
        total = _own(spec, kind, name)
    overhead = amount((spec.get("overhead") or {}).get(name))
    return total + overhead if total or kind == "requests" else total


def _own(entry: Mapping[str, Any], kind: str, name: str) -> float:
    return amount(((entry.get("resources") or {}).get(kind) or {}).get(name))


def amount(text: str | int | float | None) -> float:
    """A quantity as a float; 0 where there is none, or something that is none."""
    return _amount(str(text)) if text is not None else 0.0


@lru_cache(maxsize=4096)
def _amount(text: str) -> float:
    try:
        quantity = parse_quantity(text)
    except ValueError:
        return 0.0
    return float(quantity.unscaled * Fraction(10) ** quantity.scale)


class Scheduler:
    """Binds pods to nodes. Keys are pods; a node or a pod that goes away wakes those that wait."""

    def __init__(self, context: Context) -> None:
        self._c = context
        self._used: dict[str, Resources] = {}
        self._waiting: set[tuple[str, str]] = set()
        self._nodes: dict[str, Object] = {}
        context.store.add_listener(PODS, self._changed)
        context.store.add_listener(NODES, self._node_changed)

    def _changed(self, type_: str, pod: Object, old: Object | None) -> None:
        key = key_of(pod)
        before = _counted(old) if old is not None else ("", Resources())
        if type_ == "DELETED" and old is None:
            before = _counted(pod)
        after = _counted(pod) if type_ != "DELETED" else ("", Resources())
        if before[0] != after[0]:
            self._account(before, -1)
            self._account(after, 1)
            if before[0]:
                self._retry()
        if type_ == "DELETED":
            self._waiting.discard(key)
            self._c.engine.forget(self, key)
        elif not pod["spec"].get("nodeName") and (type_ == "ADDED" or (old and gated(old) and not gated(pod))):
            self._c.engine.enqueue(self, key)

    def _account(self, entry: tuple[str, Resources], sign: int) -> None:
        node, requests = entry
        if node:
            self._used[node] = self._used.get(node, Resources()).plus(requests, sign)

    def _node_changed(self, type_: str, node: Object, old: Object | None) -> None:
        name = node["metadata"]["name"]
        if type_ == "DELETED":
            self._nodes.pop(name, None)
        else:
            self._nodes[name] = node
        self._retry()

    def _retry(self) -> None:
        """Room may have come free: look at all that wait, a moment later and once for all that happens until then."""
        if self._waiting:
            self._c.engine.enqueue_at(self, _ALL_WAITING, self._c.engine.clock.time() + _RETRY_AFTER)

    def reconcile(self, key: Key, now: float) -> None:
        """Bind one pod, or say why not."""
        if key == _ALL_WAITING:
            for waiting in self._waiting:
                self._c.engine.enqueue(self, waiting)
            return
        pod = self._c.find(PODS, *key)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            self._waiting.discard(key)
            return
        if gated(pod):
            self._gate(pod, now)
            return
        requests = pod_requests(pod)
        reasons: Counter[str] = Counter()
        best, most = "", -1.0
        for name, node in self._nodes.items():
            free = _allocatable(node).plus(self._used.get(name, Resources()), -1)
            problems = _problems(pod, node, requests, free)
            reasons.update(problems)
            if not problems and free.cpu > most:
                best, most = name, free.cpu
        if not best:
            self._waiting.add(key)
            self._unschedulable(pod, reasons, now)
            return
        self._waiting.discard(key)
        self._bind(pod, best, now)

    def _bind(self, pod: Object, node: str, now: float) -> None:
        def change(obj: Object) -> Object:
            conditions = with_condition(
                (obj.get("status") or {}).get("conditions"), {"type": "PodScheduled", "status": "True"}, now
            )
            conditions = [_plain(entry) for entry in conditions]
            status = {**(obj.get("status") or {}), "conditions": conditions}
            return {**obj, "spec": {**obj["spec"], "nodeName": node}, "status": status}

        namespace, name = key_of(pod)
        self._c.store.modify(PODS, namespace, name, change, subresource="binding")
        message = f"Successfully assigned {namespace}/{name} to {node}"
        self._c.recorder.event(pod, "v1", "Pod", "Normal", "Scheduled", message, _SOURCE)

    def _gate(self, pod: Object, now: float) -> None:
        wanted = {"type": "PodScheduled", "status": "False", "reason": "SchedulingGated", "message": _GATED}

        def change(status: Object) -> Object:
            return {**status, "phase": "Pending", "conditions": with_condition(status.get("conditions"), wanted, now)}

        self._c.set_status(PODS, *key_of(pod), change)

    def _unschedulable(self, pod: Object, reasons: Counter[str], now: float) -> None:
        total = len(self._nodes)
        detail = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        message = f"0/{total} nodes are available: {detail}." if total else "no nodes available to schedule pods"
        if total:
            message += (
                f" preemption: 0/{total} nodes are available: {total} No preemption victims found for incoming pod."
            )
        known = condition((pod.get("status") or {}).get("conditions"), "PodScheduled")
        if known is not None and known.get("message") == message:
            return
        wanted = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}

        def change(status: Object) -> Object:
            return {**status, "phase": "Pending", "conditions": with_condition(status.get("conditions"), wanted, now)}

        self._c.set_status(PODS, *key_of(pod), change)
        self._c.recorder.event(pod, "v1", "Pod", "Warning", "FailedScheduling", message, _SOURCE)


def gated(pod: Object) -> bool:
    """Whether scheduling gates hold the pod."""
    return bool(pod["spec"].get("schedulingGates"))


def _unfit(pod: Object, node: Object) -> str:
    """Why a pod must not run on a node, whether or not there is room; "" if it may."""
    cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if node["spec"].get("unschedulable") and not tolerates(pod, cordon):
        return "node(s) were unschedulable"
    for taint in node["spec"].get("taints") or ():
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerates(pod, taint):
            return f"node(s) had untolerated taint {{{taint.get('key')}: {taint.get('value', '')}}}"
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(name) != value for name, value in (pod["spec"].get("nodeSelector") or {}).items()):
        return "node(s) didn't match Pod's node affinity/selector"
    return ""


def runs_on(pod: Object, node: Object) -> bool:
    """Whether the node's taints, cordon and labels let the pod run there."""
    return not _unfit(pod, node)


def pinned_to(pod: Object) -> str | None:
    """The node that a pod's affinity names (as a DaemonSet's pods have it); None if it names none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or ()
    for term in terms:
        for field in term.get("matchFields") or ():
            if field.get("key") == "metadata.name" and field.get("operator") == "In":
                return str(next(iter(field.get("values") or ()), ""))
    return None


def tolerates(pod: Object, taint: Mapping[str, Any]) -> bool:
    """Whether one of the pod's tolerations matches the taint (corev1.Toleration.ToleratesTaint)."""
    for entry in pod["spec"].get("tolerations") or ():
        if entry.get("effect") and entry["effect"] != taint.get("effect"):
            continue
        if entry.get("key") and entry["key"] != taint.get("key"):
            continue
        if entry.get("operator") == "Exists" or entry.get("value", "") == taint.get("value", ""):
            return True
    return False


def _plain(entry: Object) -> Object:
    """A condition that has become true gives no reason."""
    if entry["type"] == "PodScheduled":
        return {name: value for name, value in entry.items() if name not in ("reason", "message")}
    return entry


def _counted(pod: Object) -> tuple[str, Resources]:
    """The node that a pod takes room on, and how much; nowhere once it has ended."""
    node = pod["spec"].get("nodeName") or ""
    if not node or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return "", Resources()
    return node, pod_requests(pod)


def _allocatable(node: Object) -> Resources:
    have = (node.get("status") or {}).get("allocatable") or {}
    return Resources(amount(have.get("cpu")), amount(have.get("memory")), int(amount(have.get("pods"))))


def _problems(pod: Object, node: Object, requests: Resources, free: Resources) -> list[str]:
    if why := _unfit(pod, node):
        return [why]
    if (only := pinned_to(pod)) is not None and only != node["metadata"]["name"]:
        return ["node(s) didn't satisfy plugin(s) [NodeAffinity]"]
    ready = condition((node.get("status") or {}).get("conditions"), "Ready")
    if ready is None or ready["status"] != "True":
        return ["node(s) had untolerated taint {node.kubernetes.io/unreachable: }"]
    problems = []
    if requests.cpu > free.cpu + 1e-9:
        problems.append("Insufficient cpu")
    if requests.memory > free.memory + 1e-9:
        problems.append("Insufficient memory")
    if free.pods < 1:
        problems.append("Too many pods")
    return problems
