"""Objects for tests of the API server."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
HPAS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
PODS = "/api/v1/namespaces/shop/pods"
CONFIG_MAPS = "/api/v1/namespaces/shop/configmaps"


def config_map(name: str = "settings", **data: str) -> Object:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": data}


def pod(name: str = "web-1", *, labels: dict[str, str] | None = None, node: str = "", **status: Any) -> Object:
    """A pod of one container."""
    spec: Object = {"containers": [{"name": "web", "image": "nginx:1.27"}]}
    if node:
        spec["nodeName"] = node
    meta = {"name": name, "namespace": "shop", "labels": labels or {"app": "web"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, **({"status": status} if status else {})}


def deployment(name: str = "web", replicas: int = 2) -> Object:
    """A Deployment of one container with requests."""
    container = {"name": "web", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m"}}}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
        },
    }  # fmt: skip


def hpa(name: str = "web", **spec: Any) -> Object:
    """The walkthrough's HPA on a Deployment of the same name."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 30}}
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "80Mi"}}
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "minReplicas": 1,
            "maxReplicas": 3,
            "metrics": [{"type": "Resource", "resource": cpu}, {"type": "Resource", "resource": memory}],
            **spec,
        },
    }  # fmt: skip
