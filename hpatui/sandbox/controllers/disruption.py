"""PodDisruptionBudgets: how many pods of a selection may be evicted now (pkg/controller/disruption)."""

from __future__ import annotations

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.controllers.context import PODS, Context
from hpatui.sandbox.controllers.objects import (
    Key,
    Object,
    controller_of,
    key_of,
    pod_active,
    pod_ready,
    scaled_value,
    with_condition,
)

BUDGETS = RESOURCES["policy", "poddisruptionbudgets"]
_SCALED = {"ReplicaSet": "replicasets", "StatefulSet": "statefulsets", "Deployment": "deployments"}


class Budgets:
    """Keeps status.disruptionsAllowed; evictions are refused by it (apiserver.evict)."""

    def __init__(self, context: Context) -> None:
        self._c = context
        self._budgets: dict[str, dict[Key, Object]] = {}
        context.store.add_listener(BUDGETS, self._changed)
        context.store.add_listener(PODS, self._pod_changed)

    def _changed(self, type_: str, budget: Object, old: Object | None) -> None:
        key = key_of(budget)
        if type_ == "DELETED":
            self._budgets.get(key[0], {}).pop(key, None)
        else:
            self._budgets.setdefault(key[0], {})[key] = budget
            self._c.engine.enqueue(self, key)

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        for key, budget in self._budgets.get(pod["metadata"]["namespace"], {}).items():
            if matches((budget.get("spec") or {}).get("selector"), pod["metadata"].get("labels")):
                self._c.engine.enqueue(self, key)

    def reconcile(self, key: Key, now: float) -> None:
        """Write the status."""
        budget = self._c.find(BUDGETS, *key)
        if budget is None:
            return
        spec = budget.get("spec") or {}
        pods = [pod for pod in self._c.pods.select(key[0], spec.get("selector")) if pod_active(pod)]
        healthy = sum(1 for pod in pods if pod_ready(pod))
        expected, desired = self._wanted(spec, pods)
        allowed = max(0, healthy - desired) if pods else 0
        wanted = {
            "type": "DisruptionAllowed", "status": "True" if allowed else "False", "message": "",
            "reason": "SufficientPods" if allowed else "InsufficientPods",
            "observedGeneration": budget["metadata"].get("generation", 1),
        }  # fmt: skip

        def change(status: Object) -> Object:
            return {
                "observedGeneration": budget["metadata"].get("generation", 1), "disruptionsAllowed": allowed,
                "currentHealthy": healthy, "desiredHealthy": desired, "expectedPods": expected,
                "conditions": with_condition(status.get("conditions"), wanted, now),
            }  # fmt: skip

        self._c.set_status(BUDGETS, *key, change)

    def _wanted(self, spec: Object, pods: list[Object]) -> tuple[int, int]:
        """How many pods there should be, and how many of them healthy."""
        if spec.get("maxUnavailable") is not None:
            expected = self._expected(pods)
            return expected, max(0, expected - scaled_value(spec["maxUnavailable"], expected, up=True, default="0"))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self._expected(pods)
        return expected, scaled_value(least, expected, up=True, default="0")

    def _expected(self, pods: list[Object]) -> int:
        """The sum of the sizes of the pods' owners; a pod without one that has a size counts as itself."""
        sizes: dict[str, int] = {}
        for pod in pods:
            owner = controller_of(pod)
            plural = _SCALED.get(str(owner["kind"])) if owner is not None else None
            found = (
                self._c.find(RESOURCES["apps", plural], pod["metadata"]["namespace"], owner["name"])
                if (owner is not None and plural is not None)
                else None
            )
            if found is None or owner is None:
                sizes[pod["metadata"]["uid"]] = 1
            else:
                sizes[str(owner["uid"])] = int(found["spec"].get("replicas", 1))
        return sum(sizes.values())
