"""Writes to a cluster: whole objects of the kinds that hpatui creates, changes and takes away.

The objects go as they are, in the version that they name: what fields an API server knows is its own business. A write is
carried out to its end even where we are cancelled meanwhile, so that whoever cleans up afterwards knows what is there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from hpatui.cluster.connect import Connection
from hpatui.errors import NotServedError, UsageError
from hpatui.text import printable

Object = dict[str, Any]
PATIENCE = 15.0  # seconds that a write may take

PLURALS = {  # (group, resource), as permissions name them
    "Namespace": ("", "namespaces"), "ServiceAccount": ("", "serviceaccounts"),
    "ResourceQuota": ("", "resourcequotas"), "LimitRange": ("", "limitranges"), "ConfigMap": ("", "configmaps"),
    "Secret": ("", "secrets"), "Service": ("", "services"), "Job": ("batch", "jobs"),
    "Deployment": ("apps", "deployments"), "StatefulSet": ("apps", "statefulsets"),
    "PodDisruptionBudget": ("policy", "poddisruptionbudgets"),
    "HorizontalPodAutoscaler": ("autoscaling", "horizontalpodautoscalers"),
}  # fmt: skip
KINDS = tuple(PLURALS)
_VERSIONS = {"": "v1", "batch": "v1", "apps": "v1", "policy": "v1", "autoscaling": "v2"}  # where an object names none
_MERGE, _APPLY = "application/merge-patch+json", "application/apply-patch+yaml"
_STRICT = {"fieldValidation": "Strict"}


def version_of(item: Object) -> str:
    """The apiVersion that it names, or else that of its kind. UsageError for one that its kind does not have."""
    group = PLURALS[item["kind"]][0]
    usual = f"{group}/{_VERSIONS[group]}".strip("/")
    told = str(item.get("apiVersion") or usual)
    own, _, version = told.rpartition("/")
    if own != group or not version.isalnum():
        name = printable(str(item["metadata"]["name"]), 80)
        raise UsageError(f"{item['kind']} {name} has apiVersion {printable(told, 80)}", hint=f"write {usual}")
    return told


def path_of(item: Object, *, named: bool = True) -> str:
    """The path of an object, or of its kind in its namespace. UsageError as with `version_of`."""
    version, meta = version_of(item), item["metadata"]
    start = f"/apis/{version}" if "/" in version else f"/api/{version}"
    space = "" if item["kind"] == "Namespace" else f"/namespaces/{quote(meta['namespace'], safe='')}"
    return f"{start}{space}/{PLURALS[item['kind']][1]}" + (f"/{quote(meta['name'], safe='')}" if named else "")


class Writer:
    """Creates, reads, changes and deletes whole objects of `KINDS`. Raises ClusterError, and UsageError for an apiVersion
    that the kind does not have.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def create(self, item: Object, *, strict: bool = False) -> Object:
        """The object as it was created. `strict`: fields that its kind does not have are refused, not dropped."""
        whole = {"apiVersion": version_of(item), **item}
        return await self._call("POST", path_of(item, named=False), whole, _STRICT if strict else {})

    async def read(self, item: Object) -> Object | None:
        """The object of that kind, name and namespace as it is; None where there is none."""
        try:
            return await self._call("GET", path_of(item))
        except NotServedError:
            return None

    async def patch(self, item: Object, change: Object, *, strict: bool = False) -> None:
        """Merge `change` into it; `strict` as with `create`."""
        await self._call("PATCH", path_of(item), change, _STRICT if strict else {}, kind=_MERGE)

    async def apply(self, item: Object, manager: str, *, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply of `item` by this field manager; the object as it is then (`dry_run`: would be).

        Unknown fields are refused. ConflictError with its causes where other managers own fields that would change and
        `force` is not given, or where `item` names a uid that is not the object's.
        """
        params = {**_STRICT, "fieldManager": manager, "force": "true" if force else "false"}
        if dry_run:
            params["dryRun"] = "All"
        return await self._call("PATCH", path_of(item), item, params, kind=_APPLY)

    async def delete(self, item: Object) -> None:
        """Delete it; what belongs to it follows."""
        await self._call("DELETE", path_of(item), None, {"propagationPolicy": "Background"})

    async def _call(
        self, method: str, path: str, body: Object | None = None, params: Mapping[str, str] | None = None,
        kind: str = "application/json",
    ) -> Object:  # fmt: skip
        async def call() -> Object:
            answer = await self._connection.request(
                method, path, params or None, body=body, content_type=kind, timeout=PATIENCE
            )
            found: Object = json.loads(answer or b"{}")
            return found

        task = asyncio.ensure_future(call())
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # nobody else asks for it, and asyncio would print it
            raise


async def pods_of(connection: Connection, namespace: str, labels: Mapping[str, str]) -> list[Object]:
    """The pods with these labels. Raises ClusterError."""
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    found = await connection.get_json(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector})
    items = found.get("items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
