"""POST of an eviction: deletes a pod unless a PodDisruptionBudget is against it (registry/core/pod/storage/eviction.go)."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.apiserver.store import PODS, Store

JsonObject = dict[str, Any]
_BUDGETS = RESOURCES["policy", "poddisruptionbudgets"]
_REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."


def evict(store: Store, namespace: str, name: str, grace: Any, *, dry_run: bool) -> None:
    """Delete the pod; StatusError 429 with the budget's numbers if it must stay, 404 if there is none."""
    pod = store.get(PODS, namespace, name)
    if (pod.get("status") or {}).get("phase") == "Running" and not pod["metadata"].get("deletionTimestamp"):
        labels = pod["metadata"].get("labels")
        budgets = [
            entry for entry in store.list(_BUDGETS, namespace)[0] if matches(entry["spec"].get("selector"), labels)
        ]
        if len(budgets) > 1:
            text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise StatusError(422, "Invalid", text)  # Kubernetes: 500 InternalError
        for budget in budgets:
            _take(store, budget, pod, dry_run=dry_run)
    store.delete(PODS, namespace, name, grace=grace, dry_run=dry_run)


def _take(store: Store, budget: JsonObject, pod: JsonObject, *, dry_run: bool) -> None:
    """Count the eviction against the budget."""
    status, name = budget.get("status") or {}, budget["metadata"]["name"]
    allowed = int(status.get("disruptionsAllowed") or 0)
    if allowed <= 0:
        ready = any(
            c.get("type") == "Ready" and c.get("status") == "True" for c in pod["status"].get("conditions") or ()
        )
        enough = status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0
        if not ready and enough:
            return  # an unhealthy pod of a healthy set costs nothing
        need, have = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        text = f"The disruption budget {name} needs {need} healthy pods and has {have} currently"
        causes = [{"reason": "DisruptionBudget", "message": text}]
        raise StatusError(429, "TooManyRequests", _REFUSED, {"causes": causes})
    new = {**budget, "status": {**status, "disruptionsAllowed": allowed - 1}}
    store.update(_BUDGETS, new, subresource="status", dry_run=dry_run)
