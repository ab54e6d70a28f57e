"""APIServices and discovery: which groups are served now, by this server or by another one behind it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from hpatui.sandbox.apiserver.context import json_response
from hpatui.sandbox.apiserver.discovery import AGGREGATED, Discovery
from hpatui.sandbox.apiserver.paths import GROUPS
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.runtime import Runtime
from hpatui.sandbox.apiserver.status import StatusError, path_not_found, unavailable
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.release import DEFAULT, Release

JsonObject = dict[str, Any]
API_SERVICES = RESOURCES["apiregistration.k8s.io", "apiservices"]
METRICS = "metrics.k8s.io"
_LOCAL = {"type": "Available", "status": "True", "reason": "Local", "message": "Local APIServices are always available"}


class ApiServices:
    """Keeps the APIServices' Available conditions true and answers discovery."""

    def __init__(self, store: Store, runtime: Runtime, release: Release = DEFAULT) -> None:
        self._store = store
        self._release = release
        self._runtime = runtime
        for group, versions in GROUPS.items():
            if group not in AGGREGATED:
                for version in release.versions(group, versions):
                    self._add_local(group, version)

    def _add_local(self, group: str, version: str) -> None:
        name = f"{version}.{group}"
        spec: JsonObject = {"version": version, "groupPriorityMinimum": 18000 if not group else 17000,
                            "versionPriority": 15}  # fmt: skip
        if group:
            spec["group"] = group
        obj = {
            "metadata": {"name": name, "labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}},
            "spec": spec,
            "status": {"conditions": [{**_LOCAL, "lastTransitionTime": self._store.now()}]},
        }
        try:
            self._store.create(API_SERVICES, obj)
        except StatusError as refused:
            if refused.code != 409:
                raise

    def served(self, group: str) -> bool:
        """Whether an aggregated group is registered."""
        return any(_group_of(obj) == group for obj in self._store.list(API_SERVICES)[0])

    def refresh(self) -> None:
        """Write the Available conditions of services behind this server, where they changed."""
        available = self._runtime.metrics_available()
        for obj in self._store.list(API_SERVICES)[0]:
            service = (obj.get("spec") or {}).get("service")
            if not service or _group_of(obj) not in AGGREGATED:
                continue
            up = available or _group_of(obj) != METRICS
            if up:
                state = ("True", "Passed", "all checks passed")
            else:
                where = f"{service.get('namespace')}/{service.get('name')}"
                text = f'endpoints for service/{service.get("name")} in "{service.get("namespace")}" have no addresses'
                state = ("False", "MissingEndpoints", f'{text} with port name "https"' if where else text)
            had: JsonObject = next(iter((obj.get("status") or {}).get("conditions") or ()), {})
            if (had.get("status"), had.get("reason")) == state[:2]:
                continue
            when = self._store.now() if had.get("status") != state[0] else had.get("lastTransitionTime")
            condition = {"type": "Available", "status": state[0], "reason": state[1], "message": state[2],
                         "lastTransitionTime": when}  # fmt: skip
            new = {**obj, "status": {"conditions": [condition]}}
            self._store.update(API_SERVICES, new, subresource="status")

    def _discovery(self) -> Discovery:
        hidden, broken, metrics = set(), set(), {}
        if not self.served(METRICS):
            hidden.add(METRICS)
        elif not self._runtime.metrics_available():
            broken.add(METRICS)
        for group, names in (("custom.metrics.k8s.io", self._runtime.custom_metric_names),
                             ("external.metrics.k8s.io", self._runtime.external_metric_names)):  # fmt: skip
            found = names()
            if found or self.served(group):
                metrics[group] = found
        return Discovery(hidden, broken, metrics, self._release)

    def document(self, path: str, accept: str) -> web.Response | None:
        """The discovery document at a path; None if it is not one. StatusError 404 and 503."""
        if path == "/":
            return json_response(self._discovery().paths())
        parts = path.split("/")[1:]
        if parts[0] not in ("api", "apis") or len(parts) > 3 or (parts[0] == "api" and len(parts) > 2):
            return None
        discovery = self._discovery()
        if len(parts) == 1:
            if wanted := _aggregated_media(accept):
                body = discovery.aggregated(core=parts[0] == "api")
                body["apiVersion"] = f"apidiscovery.k8s.io/{wanted}"
                response = json_response(body)
                response.headers["Content-Type"] = (
                    f"application/json;g=apidiscovery.k8s.io;v={wanted};as=APIGroupDiscoveryList"
                )
                return response
            return json_response(discovery.api() if parts[0] == "api" else discovery.group_list())
        group = parts[1] if parts[0] == "apis" else ""
        if parts[0] == "apis" and len(parts) == 2:
            found = discovery.group(group)
        else:
            if group == METRICS and METRICS not in discovery.groups():
                raise path_not_found()
            if group == METRICS and not self._runtime.metrics_available():
                raise unavailable()
            found = discovery.resource_list(group, parts[-1])
        if found is None:
            raise path_not_found()
        return json_response(found)


def _group_of(obj: JsonObject) -> str:
    return str((obj.get("spec") or {}).get("group") or "")


def _aggregated_media(accept: str) -> str:
    """The version of the aggregated form, if that is what the client wants first."""
    for part in accept.split(","):
        values = dict(piece.strip().split("=", 1) for piece in part.split(";")[1:] if "=" in piece)
        if values.get("as") == "APIGroupDiscoveryList" and values.get("v") in ("v2", "v2beta1"):
            return values["v"]
        if part.strip().startswith("application/json") and not values:
            return ""
    return ""
