"""The three metrics APIs: metrics.k8s.io, custom.metrics.k8s.io and external.metrics.k8s.io."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from hpatui.sandbox.apiserver.access import Attributes, User
from hpatui.sandbox.apiserver.context import Server, json_response
from hpatui.sandbox.apiserver.discovery import AGGREGATED
from hpatui.sandbox.apiserver.negotiate import negotiate
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.selectors import parse_labels, select
from hpatui.sandbox.apiserver.services import API_SERVICES, METRICS
from hpatui.sandbox.apiserver.status import StatusError, method_not_allowed, path_not_found, unavailable

JsonObject = dict[str, Any]
PODS = RESOURCES["", "pods"]
NODES = RESOURCES["", "nodes"]
_VERSIONS = {
    METRICS: ("v1", "v1beta1"), "custom.metrics.k8s.io": ("v1beta1", "v1beta2"), "external.metrics.k8s.io": ("v1beta1",)
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """A path below one of the groups: what follows the version, split."""

    group: str
    version: str
    parts: tuple[str, ...]


def parse(path: str, server: Server) -> Query | None:
    """The query of a path; None if it is about another group. StatusError 404 and 503."""
    parts = path.split("/")[1:]
    if len(parts) < 4 or parts[0] != "apis" or parts[1] not in AGGREGATED:
        return None
    group, version = parts[1], parts[2]
    if version not in _VERSIONS[group] or not server.release.serves(group, version):
        raise path_not_found()
    registered = any(
        ((obj.get("spec") or {}).get("group") or "") == group for obj in server.store.list(API_SERVICES)[0]
    )
    names = {
        METRICS: lambda: [], "custom.metrics.k8s.io": server.runtime.custom_metric_names,
        "external.metrics.k8s.io": server.runtime.external_metric_names,
    }  # fmt: skip
    if not registered and not names[group]():
        raise path_not_found()
    if group == METRICS and not server.runtime.metrics_available():
        raise unavailable()
    return Query(group, version, tuple(unquote(part) for part in parts[3:]))


async def answer(server: Server, request: web.Request, query: Query, user: User) -> web.Response:
    """The metrics that a query asks for."""
    if request.method not in ("GET", "HEAD"):
        raise method_not_allowed()
    form = negotiate(request.headers.get("Accept", ""))
    if query.group == METRICS:
        value = _resource_metrics(server, request, query, user)
    elif query.group == "custom.metrics.k8s.io":
        value = _custom(server, request, query, user)
    else:
        value = _external(server, request, query, user)
    return json_response(value, form)


def _resource_metrics(server: Server, request: web.Request, query: Query, user: User) -> JsonObject:
    parts = query.parts
    namespace = ""
    if len(parts) >= 3 and parts[0] == "namespaces":
        namespace, parts = parts[1], parts[2:]
    if len(parts) > 2 or parts[0] not in ("pods", "nodes") or (namespace and parts[0] == "nodes"):
        raise path_not_found()
    name = parts[1] if len(parts) == 2 else ""
    user.check(Attributes("get" if name else "list", METRICS, parts[0], "", namespace, name))
    api = {"apiVersion": f"{METRICS}/{query.version}"}
    labels = request.query.get("labelSelector")
    if parts[0] == "nodes":
        terms = parse_labels(labels) if labels else ()
        found = [
            entry for entry in server.runtime.node_metrics()
            if all(term.matches(entry["metadata"].get("labels") or {}) for term in terms)
        ]  # fmt: skip
        return _one(found, name, "NodeMetrics", "nodemetrics", name, api)
    if name and not namespace:
        raise path_not_found()
    fields = f"metadata.name={name}" if name else request.query.get("fieldSelector")
    selection = select(PODS, namespace or None, labels, fields)
    pods = [item.obj for item in server.store.items(PODS, selection)]
    return _one(server.runtime.pod_metrics(pods), name, "PodMetrics", "podmetrics", f"{namespace}/{name}", api)


def _one(found: list[JsonObject], name: str, kind: str, plural: str, full: str, api: JsonObject) -> JsonObject:
    """A list, or the one of that name."""
    if not name:
        return {"kind": f"{kind}List", **api, "metadata": {}, "items": found}
    for entry in found:
        if entry["metadata"]["name"] == name:
            return {"kind": kind, **api, **entry}
    details = {"name": full, "group": METRICS, "kind": plural}
    raise StatusError(404, "NotFound", f'{plural}.{METRICS} "{full}" not found', details)


def _custom(server: Server, request: web.Request, query: Query, user: User) -> JsonObject:
    parts = query.parts
    if len(parts) != 5 or parts[0] != "namespaces":
        raise path_not_found()
    _, namespace, plural, name, metric = parts
    user.check(Attributes("get", query.group, f"{plural}", metric, namespace, name if name != "*" else ""))
    plural, _, group = plural.partition(".")
    resource = RESOURCES.get((group, plural)) or next((r for r in RESOURCES.values() if r.plural == plural), None)
    if resource is None or resource.virtual:
        raise path_not_found()
    fields = None if name == "*" else f"metadata.name={name}"
    selection = select(resource, namespace, request.query.get("labelSelector"), fields)
    objects = [item.obj for item in server.store.items(resource, selection)]
    if name != "*" and not objects:
        server.store.get(resource, namespace, name)  # refuses
    items = server.runtime.custom_metrics(namespace, objects, plural, metric)
    if query.version == "v1beta1":
        items = [
            {"metricName" if key == "metric" else key: each["name"] if key == "metric" else each
             for key, each in entry.items()}
            for entry in items
        ]  # fmt: skip
    return {
        "kind": "MetricValueList", "apiVersion": f"{query.group}/{query.version}", "metadata": {}, "items": items
    }  # fmt: skip


def _external(server: Server, request: web.Request, query: Query, user: User) -> JsonObject:
    if len(query.parts) != 3 or query.parts[0] != "namespaces":
        raise path_not_found()
    _, namespace, metric = query.parts
    user.check(Attributes("get", query.group, metric, "", namespace))
    terms = parse_labels(request.query.get("labelSelector", "").strip())
    items = server.runtime.external_metrics(namespace, metric)
    items = [entry for entry in items if all(term.matches(entry.get("metricLabels") or {}) for term in terms)]
    return {
        "kind": "ExternalMetricValueList", "apiVersion": f"{query.group}/{query.version}", "metadata": {},
        "items": items,
    }  # fmt: skip
