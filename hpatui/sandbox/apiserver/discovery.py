"""Discovery: which groups, versions and resources there are, in the old form and in the aggregated one."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.paths import GROUPS
from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.release import DEFAULT, Release

JsonObject = dict[str, Any]

AGGREGATED = ("metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io")
_SUB_KINDS = {
    "scale": ("autoscaling", "v1", "Scale"), "binding": ("", "v1", "Binding"), "eviction": ("policy", "v1", "Eviction"),
    "log": None, "portforward": ("", "v1", "PodPortForwardOptions"), "exec": ("", "v1", "PodExecOptions"),
    "attach": ("", "v1", "PodAttachOptions"),
}  # fmt: skip
_SUB_VERBS = {
    "status": ["get", "patch", "update"], "scale": ["get", "patch", "update"], "log": ["get"],
    "portforward": ["create", "get"], "proxy": ["create", "delete", "get", "patch", "update"],
    "binding": ["create"], "eviction": ["create"], "finalize": ["update"],
    "exec": ["create", "get"], "attach": ["create", "get"],
}  # fmt: skip
_METRIC_VERBS = ["get"]


class Discovery:
    """Discovery documents. `metrics` gives the metric names of the two dynamic groups (None: the group is not served).

    `hidden` are groups that are not served now; `broken` those whose server does not answer.
    """

    def __init__(
        self, hidden: set[str], broken: set[str], metrics: dict[str, list[str]], release: Release = DEFAULT
    ) -> None:
        self._hidden = hidden
        self._broken = broken
        self._metrics = metrics
        self._release = release

    def groups(self) -> dict[str, tuple[str, ...]]:
        """Named groups that are served, with their versions, in the order in which kubectl prefers them."""
        found = {
            group: self._release.versions(group, versions)
            for group, versions in GROUPS.items()
            if group and group not in self._hidden
        }
        dynamic = {"custom.metrics.k8s.io": ("v1beta2", "v1beta1"), "external.metrics.k8s.io": ("v1beta1",)}
        return found | {group: versions for group, versions in dynamic.items() if group in self._metrics}

    def api(self) -> JsonObject:
        """/api"""
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}

    def group(self, name: str) -> JsonObject | None:
        """/apis/GROUP; None if it is not served."""
        versions = self.groups().get(name)
        if versions is None:
            return None
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}

    def group_list(self) -> JsonObject:
        """/apis"""
        groups = [_group(name, versions) for name, versions in self.groups().items()]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def paths(self) -> JsonObject:
        """/"""
        versions = {f"/apis/{group}/{version}" for group, found in self.groups().items() for version in found}
        groups = {f"/apis/{group}" for group in self.groups()}
        fixed = {"/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"}
        return {"paths": sorted(fixed | groups | versions)}

    def resource_list(self, group: str, version: str) -> JsonObject | None:
        """/apis/GROUP/VERSION or /api/v1; None if it is not served."""
        versions = ("v1",) if not group else self.groups().get(group, ())
        if version not in versions:
            return None
        entries: list[JsonObject] = []
        for resource in _resources(group, version):
            entries.append(_entry(resource))
            for sub in resource.subresources:
                kind = _SUB_KINDS.get(sub, (resource.group, version, resource.kind)) or ("", "", "Pod")
                entry: JsonObject = {
                    "name": f"{resource.plural}/{sub}", "singularName": "", "namespaced": resource.namespaced,
                    "kind": kind[2], "verbs": _SUB_VERBS[sub],
                }  # fmt: skip
                if sub in ("scale", "eviction"):
                    entry = {**entry, "group": kind[0], "version": kind[1]}
                entries.append(entry)
        for metric in self._metrics.get(group, ()):
            kind_name = "ExternalMetricValueList" if group.startswith("external") else "MetricValueList"
            entries.append({"name": metric, "singularName": "", "namespaced": True, "kind": kind_name,
                            "verbs": _METRIC_VERBS})  # fmt: skip
        gv = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": entries}

    def aggregated(self, *, core: bool) -> JsonObject:
        """/api or /apis as apidiscovery.k8s.io/v2 APIGroupDiscoveryList."""
        groups = {"": ("v1",)} if core else self.groups()
        items = []
        for group, versions in groups.items():
            found = []
            for version in versions:
                entry: JsonObject = {"version": version, "freshness": "Current"}
                if group in self._broken:
                    entry["freshness"] = "Stale"
                else:
                    entry["resources"] = [*(_aggregated(each, version) for each in _resources(group, version)),
                                          *self._metric_entries(group, version)]  # fmt: skip
                found.append(entry)
            items.append({"metadata": {"name": group, "creationTimestamp": None} if group else
                          {"creationTimestamp": None}, "versions": found})  # fmt: skip
        return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}

    def _metric_entries(self, group: str, version: str) -> list[JsonObject]:
        kind = "ExternalMetricValueList" if group.startswith("external") else "MetricValueList"
        return [
            {"resource": metric, "responseKind": {"group": group, "version": version, "kind": kind},
             "scope": "Namespaced", "singularResource": "", "verbs": _METRIC_VERBS}
            for metric in self._metrics.get(group, ())
        ]  # fmt: skip


def _resources(group: str, version: str) -> list[Resource]:
    return [entry for entry in RESOURCES.values() if entry.group == group and version in entry.versions]


def _group(name: str, versions: tuple[str, ...]) -> JsonObject:
    entries = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": entries, "preferredVersion": entries[0]}


def _entry(resource: Resource) -> JsonObject:
    entry: JsonObject = {
        "name": resource.plural, "singularName": resource.singular if not resource.virtual else "",
        "namespaced": resource.namespaced, "kind": resource.kind, "verbs": list(resource.verbs),
    }  # fmt: skip
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return entry


def _aggregated(resource: Resource, version: str) -> JsonObject:
    scope = "Namespaced" if resource.namespaced else "Cluster"
    entry: JsonObject = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": version, "kind": resource.kind},
        "scope": scope,
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    subs = []
    for sub in resource.subresources:
        kind = _SUB_KINDS.get(sub, (resource.group, version, resource.kind)) or ("", "v1", "Pod")
        subs.append({"subresource": sub, "verbs": _SUB_VERBS[sub],
                     "responseKind": {"group": kind[0], "version": kind[1], "kind": kind[2]}})  # fmt: skip
    if subs:
        entry["subresources"] = subs
    return entry
