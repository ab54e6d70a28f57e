"""A cluster as a table of JSON objects, answered the way an API server answers: lists, objects, 404, 403."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.doctor.look import Answer

NOW = 1_780_000_000.0
NS = "shop"
Obj = dict[str, Any]


def at(seconds_ago: float) -> str:
    """An API time that long before NOW."""
    return format_rfc3339(as_datetime(NOW - seconds_ago))


class TableCluster:
    """`objects[path of the list][name]`; `answers` overrides any path. Implements Look."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Obj]] = {}
        self.documents: dict[str, Obj] = {}
        self.answers: dict[str, Answer] = {}
        self.logs: dict[str, str] = {}
        self.asked: list[str] = []

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path]
        if path in self.documents:
            return Answer(200, deepcopy(self.documents[path]))
        if path in self.lists:
            return Answer(200, {"kind": "List", "metadata": {}, "items": deepcopy(self.lists[path])})
        folder, _, name = path.rpartition("/")
        one = next((o for o in self.lists.get(folder, ()) if (o.get("metadata") or {}).get("name") == name), None)
        if one is not None:
            return Answer(200, deepcopy(one))
        return Answer(404, {"kind": "Status", "code": 404}, f"{path} not found")

    async def get_text(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        self.asked.append(path)
        if path in self.logs:
            return Answer(200, text=self.logs[path])
        return Answer(404, error="not found")


def listing(resource: str, namespace: str = NS, base: str = "/api/v1") -> str:
    """The path of a list."""
    return f"{base}/namespaces/{namespace}/{resource}"


HPAS = listing("horizontalpodautoscalers", base="/apis/autoscaling/v2")
DEPLOYMENTS = listing("deployments", base="/apis/apps/v1")
METRICS = listing("pods", base="/apis/metrics.k8s.io/v1beta1")
PODS = listing("pods")
EVENTS = listing("events")
SYSTEM_PODS = listing("pods", "kube-system")
APISERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"


def cond(type_: str, status: str, reason: str, message: str = "", ago: float = 100) -> Obj:
    """A condition."""
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": at(ago)}


def pod(name: str, *, ready: bool = True, age: float = 600, labels: Obj | None = None, cpu: str | None = "100m") -> Obj:
    """A running pod of the shop."""
    resources = {"requests": {"cpu": cpu}} if cpu else {}
    return {
        "metadata": {"name": name, "namespace": NS, "labels": labels or {"app": "shop"}, "creationTimestamp": at(age)},
        "spec": {"containers": [{"name": "main", "resources": resources}]},
        "status": {
            "phase": "Running",
            "startTime": at(age),
            "conditions": [cond("Ready", "True" if ready else "False", "", ago=age - 5)],
            "containerStatuses": [{"name": "main", "restartCount": 0, "image": "shop:1", "state": {"running": {}}}],
        },
    }


def sample(name: str, cpu: str = "40m", age: float = 10, namespace: str = NS) -> Obj:
    """A PodMetrics."""
    return {
        "metadata": {"name": name, "namespace": namespace},
        "timestamp": at(age),
        "window": "15s",
        "containers": [{"name": "main", "usage": {"cpu": cpu, "memory": "40Mi"}}],
    }


def healthy() -> TableCluster:
    """Two pods of a shop at 40 % of 50 %, with everything as it should be."""
    cluster = TableCluster()
    cluster.documents["/apis"] = {"groups": [{"name": "apps"}, {"name": "metrics.k8s.io"}]}
    cluster.documents["/apis/apps/v1"] = {
        "resources": [{"name": "deployments", "kind": "Deployment"}, {"name": "deployments/scale", "kind": "Scale"}]
    }
    cluster.documents[APISERVICE] = {"status": {"conditions": [cond("Available", "True", "Passed")]}}
    cluster.lists[SYSTEM_PODS] = [_metrics_server()]
    cluster.lists[HPAS] = [hpa()]
    cluster.lists[DEPLOYMENTS] = [deployment()]
    cluster.lists[PODS] = [pod("shop-1"), pod("shop-2")]
    cluster.lists[METRICS] = [sample("shop-1"), sample("shop-2")]
    cluster.lists[EVENTS] = []
    return cluster


def hpa(name: str = "shop", target: str = "shop") -> Obj:
    """An HPA on a Deployment, steady at 2."""
    return {
        "metadata": {"name": name, "namespace": NS, "creationTimestamp": at(7200)},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
                }
            ],
        },
        "status": {
            "currentReplicas": 2,
            "desiredReplicas": 2,
            "lastScaleTime": at(3600),
            "currentMetrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "current": {"averageUtilization": 48, "averageValue": "48m"}},
                }
            ],
            "conditions": [
                cond("AbleToScale", "True", "ReadyForNewScale"),
                cond("ScalingActive", "True", "ValidMetricFound"),
                cond("ScalingLimited", "False", "DesiredWithinRange"),
            ],
        },
    }


def deployment(name: str = "shop", app: str = "shop") -> Obj:
    """A Deployment of two pods, all of them updated."""
    return {
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": NS,
            "managedFields": [
                {
                    "manager": "kube-controller-manager",
                    "operation": "Update",
                    "subresource": "scale",
                    "time": at(3600),
                    "fieldsV1": {"f:spec": {"f:replicas": {}}},
                }
            ],
        },
        "spec": {
            "replicas": 2,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": app}},
            "template": {
                "metadata": {"labels": {"app": app}},
                "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "100m"}}}]},
            },
        },
        "status": {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2},
    }


def _metrics_server() -> Obj:
    found = pod("metrics-server-1", labels={"k8s-app": "metrics-server"})
    found["metadata"]["namespace"] = "kube-system"
    return found
