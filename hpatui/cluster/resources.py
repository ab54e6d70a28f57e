"""Where kinds live in the API: the paths of the built-in ones are known, others are looked up by discovery."""

from __future__ import annotations

from hpatui.cluster.connect import Connection
from hpatui.errors import NotServedError
from hpatui.model import Reference

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
    "ScaledObject": "keda.sh/v1alpha1",
}


def group_path(api_version: str) -> str:
    """`apps/v1` -> /apis/apps/v1; `v1` -> /api/v1."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


async def collection_path(connection: Connection, api_version: str, kind: str, namespace: str) -> str:
    """The path of a namespaced kind's collection, as the HPA controller resolves a reference: by group and kind. The
    version is not used (`apps/v1beta2` scales), and a kind in lower case is known too. NotServedError where the server
    does not have it.
    """
    api_version = api_version or _API_VERSION.get(kind, "v1")
    group = api_version.partition("/")[0] if "/" in api_version else ""
    exact = next((k for g, k in _KNOWN if g == group and kind in (k, k.lower())), None)
    if exact is not None:
        base, plural = group_path(_API_VERSION[exact]), _KNOWN[group, exact]
    else:
        base, plural = await _discover(connection, group, api_version, kind)
    return f"{base}/namespaces/{namespace}/{plural}"


async def _discover(connection: Connection, group: str, api_version: str, kind: str) -> tuple[str, str]:
    """(path of the version that has it, plural): the preferred version of the group first."""
    for version in await _versions(connection, group, api_version):
        found = await connection.get_json(group_path(version))
        for resource in found.get("resources") or ():
            served = str(resource.get("kind", ""))
            if kind in (served, served.lower()) and "/" not in str(resource.get("name", "/")):
                return group_path(version), str(resource["name"])
    raise NotServedError(f'no matches for kind "{kind}" in group "{group}"')


async def _versions(connection: Connection, group: str, api_version: str) -> list[str]:
    if not group:
        return ["v1"]
    found = await connection.get_json(f"/apis/{group}")
    known = [str(v.get("groupVersion")) for v in found.get("versions") or () if isinstance(v, dict)]
    preferred = (found.get("preferredVersion") or {}).get("groupVersion")
    return sorted(known, key=lambda version: version != preferred) or [api_version]


async def target_path(connection: Connection, reference: Reference, namespace: str) -> str:
    """The collection that a scaleTargetRef means. An empty apiVersion is the core group there: such an HPA, left from an
    older server, never finds a Deployment.
    """
    return await collection_path(connection, reference.api_version or "v1", reference.kind, namespace)
