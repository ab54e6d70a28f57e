"""Where kinds live in the API: the paths of the built-in ones are known, others are looked up by discovery."""

from __future__ import annotations

from hpatui.cluster.connect import Connection
from hpatui.errors import NotServedError

_KNOWN = {
    ("apps", "Deployment"): "deployments",
    ("apps", "StatefulSet"): "statefulsets",
    ("apps", "ReplicaSet"): "replicasets",
    ("", "ReplicationController"): "replicationcontrollers",
    ("", "Pod"): "pods",
    ("", "Service"): "services",
    ("autoscaling", "HorizontalPodAutoscaler"): "horizontalpodautoscalers",
}
_API_VERSION = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Pod": "v1",
    "Service": "v1",
    "ReplicationController": "v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
}


def group_path(api_version: str) -> str:
    """`apps/v1` -> /apis/apps/v1; `v1` -> /api/v1."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


async def collection_path(connection: Connection, api_version: str, kind: str, namespace: str) -> str:
    """The path of a namespaced kind's collection. NotServedError where the server does not have it."""
    api_version = api_version or _API_VERSION.get(kind, "v1")
    group = api_version.partition("/")[0] if "/" in api_version else ""
    plural = _KNOWN.get((group, kind))
    if plural is None:
        plural = await _discover(connection, api_version, kind)
    return f"{group_path(api_version)}/namespaces/{namespace}/{plural}"


async def _discover(connection: Connection, api_version: str, kind: str) -> str:
    found = await connection.get_json(group_path(api_version))
    for resource in found.get("resources") or ():
        if resource.get("kind") == kind and "/" not in str(resource.get("name", "/")):
            return str(resource["name"])
    raise NotServedError(f"the server has no kind {kind} in {api_version}")
