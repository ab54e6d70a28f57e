"""Writes to a cluster, through the official client: it knows the path and the form of each kind.

Its requests go over our own connection, so that there is one place for TLS, credentials and errors. The client is
synchronous: each call runs in a thread, and is carried out to its end even where we are cancelled meanwhile, so that
whoever cleans up afterwards knows what is there.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hpatui.cluster.connect import Connection
from hpatui.errors import NotServedError, UsageError
from hpatui.text import printable

Object = dict[str, Any]
PATIENCE = 15.0  # seconds that a write may take

KINDS = {
    "Namespace": ("CoreV1Api", "namespace"),
    "ServiceAccount": ("CoreV1Api", "namespaced_service_account"),
    "ResourceQuota": ("CoreV1Api", "namespaced_resource_quota"),
    "LimitRange": ("CoreV1Api", "namespaced_limit_range"),
    "ConfigMap": ("CoreV1Api", "namespaced_config_map"),
    "Secret": ("CoreV1Api", "namespaced_secret"),
    "Service": ("CoreV1Api", "namespaced_service"),
    "Job": ("BatchV1Api", "namespaced_job"),
    "Deployment": ("AppsV1Api", "namespaced_deployment"),
    "StatefulSet": ("AppsV1Api", "namespaced_stateful_set"),
    "PodDisruptionBudget": ("PolicyV1Api", "namespaced_pod_disruption_budget"),
    "HorizontalPodAutoscaler": ("AutoscalingV2Api", "namespaced_horizontal_pod_autoscaler"),
}

PLURALS = {  # (group, resource), as permissions name them
    "Namespace": ("", "namespaces"), "ServiceAccount": ("", "serviceaccounts"),
    "ResourceQuota": ("", "resourcequotas"), "LimitRange": ("", "limitranges"), "ConfigMap": ("", "configmaps"),
    "Secret": ("", "secrets"), "Service": ("", "services"), "Job": ("batch", "jobs"),
    "Deployment": ("apps", "deployments"), "StatefulSet": ("apps", "statefulsets"),
    "PodDisruptionBudget": ("policy", "poddisruptionbudgets"),
    "HorizontalPodAutoscaler": ("autoscaling", "horizontalpodautoscalers"),
}  # fmt: skip


@dataclass(slots=True)
class _Answer:
    """What the client reads of an answer."""

    status: int
    data: bytes
    reason: str = ""

    @property
    def response(self) -> _Answer:
        return self

    def read(self) -> bytes:
        """The body."""
        return self.data


class _Wire:
    """The client's REST layer (`rest.RESTClientObject`), over our connection."""

    def __init__(self, connection: Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection, self._loop = connection, loop

    def request(
        self, method: str, url: str, headers: Any = None, body: Any = None, post_params: Any = None,
        _request_timeout: Any = None,
    ) -> _Answer:  # fmt: skip
        """One request; raises ClusterError."""
        parts = urlsplit(url)
        kind = (headers or {}).get("Content-Type") or "application/json"
        work = self._connection.request(
            method, parts.path, dict(parse_qsl(parts.query)), body=body, content_type=kind, timeout=PATIENCE
        )
        return _Answer(200, asyncio.run_coroutine_threadsafe(work, self._loop).result())

    def close(self) -> None:
        """The connection is not ours to close."""


def _validation(strict: bool) -> dict[str, str]:
    return {"field_validation": "Strict"} if strict else {}


def _misfit(error: ValueError) -> str:
    """What the client says of the first field that does not fit, without its value: it may be a Secret's."""
    told: Any = getattr(error, "errors", list)()
    if not told:
        return "it does not have the form of its kind"
    place = ".".join(str(part) for part in told[0]["loc"] if part != "body")
    known = {
        "extra_forbidden": "there is no such field", "missing": "it must be given", "int_type": "it takes a whole number",
        "string_type": "it takes a text", "bool_type": "it takes true or false", "list_type": "it takes a list",
        "dict_type": "it takes a map", "model_type": "it takes a map", "model_attributes_type": "it takes a map",
    }  # fmt: skip
    return printable(f"{place}: {known.get(told[0]['type'], told[0]['msg'])}", 300)


class Writer:
    """Creates, reads, changes and deletes whole objects; their kinds are those of `KINDS`. Raises ClusterError, and
    UsageError for an object that does not have the form of its kind."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._client: Any = None

    async def create(self, item: Object, *, strict: bool = False) -> Object:
        """The object as it was created. `strict`: fields that its kind does not have are refused, not dropped."""
        return await self._call("create", item, item, **_validation(strict))

    async def read(self, item: Object) -> Object | None:
        """The object of that kind, name and namespace as it is; None where there is none."""
        try:
            return await self._call("read", item)
        except NotServedError:
            return None

    async def patch(self, item: Object, change: Object, *, strict: bool = False) -> None:
        """Merge `change` into it; `strict` as with `create`."""
        await self._call("patch", item, change, _content_type="application/merge-patch+json", **_validation(strict))

    async def apply(self, item: Object, manager: str, *, force: bool = False, dry_run: bool = False) -> Object:
        """Server-side apply of `item` by this field manager; the object as it is then (`dry_run`: would be).

        Unknown fields are refused. ConflictError with its causes where other managers own fields that would change and
        `force` is not given, or where `item` names a uid that is not the object's.
        """
        more = {"dry_run": "All"} if dry_run else {}
        return await self._call(
            "patch", item, item, field_manager=manager, force=force, field_validation="Strict",
            _content_type="application/apply-patch+yaml", **more,
        )  # fmt: skip

    async def delete(self, item: Object) -> None:
        """Delete it; what belongs to it follows."""
        await self._call("delete", item, propagation_policy="Background")

    async def _call(self, verb: str, item: Object, *body: Object, **options: Any) -> Object:
        loop = asyncio.get_running_loop()
        api, suffix = KINDS[item["kind"]]
        meta = item["metadata"]
        names = {} if verb == "create" else {"name": meta["name"]}
        if item["kind"] != "Namespace":
            names["namespace"] = meta["namespace"]
        if body:
            names["body"] = body[0]

        def call() -> Object:
            method = getattr(self._api(api, loop), f"{verb}_{suffix}")
            try:
                answer = method(**names, **options, _preload_content=False)
            except ValueError as error:  # the client knows the form of each kind, and sends nothing that has another
                raise UsageError(
                    f"{item['kind']} {meta['name']}: {_misfit(error)}", hint="correct the object"
                ) from None
            found: Object = json.loads(answer.data or b"{}")
            return found

        task = asyncio.ensure_future(asyncio.to_thread(functools.partial(call)))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # nobody else asks for it, and asyncio would print it
            raise

    def _api(self, name: str, loop: asyncio.AbstractEventLoop) -> Any:
        from kubernetes import client

        if self._client is None:
            configuration = client.Configuration(host="http://server")  # only the path behind it is used
            made = client.ApiClient(configuration)
            made.rest_client = _Wire(self._connection, loop)  # type: ignore[assignment]  # has what is used of it
            self._client = made
        return getattr(client, name)(self._client)


async def pods_of(connection: Connection, namespace: str, labels: Mapping[str, str]) -> list[Object]:
    """The pods with these labels. Raises ClusterError."""
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    found = await connection.get_json(f"/api/v1/namespaces/{namespace}/pods", {"labelSelector": selector})
    items = found.get("items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
