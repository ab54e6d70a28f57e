"""URL paths of the API: /api/v1/..., /apis/GROUP/VERSION/... taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.status import StatusError, path_not_found

GROUPS: dict[str, tuple[str, ...]] = {}  # group -> versions, the preferred one first
for _resource in RESOURCES.values():
    GROUPS.setdefault(_resource.group, _resource.versions)


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names. `namespace` None: all (or cluster scope); `tail`: what follows the subresource (proxy)."""

    resource: Resource
    version: str
    namespace: str | None = None
    name: str = ""
    subresource: str = ""
    tail: str = ""
    watch: bool = False  # the old /watch/ prefix

    @property
    def api_version(self) -> str:
        """Group and version as objects carry them."""
        return f"{self.resource.group}/{self.version}" if self.resource.group else self.version


def parse_target(path: str) -> Target:
    """The resource that an API path is about; StatusError 404 where nothing is served.

    `path` is the raw (percent-encoded) path; names are decoded after it was split.
    """
    parts = path.split("/")[1:]
    if parts[0] == "api":
        group, rest = "", parts[1:]
    elif parts[0] == "apis" and len(parts) > 1:
        group, rest = unquote(parts[1]), parts[2:]
    else:
        raise path_not_found()
    if len(rest) < 2 or not rest[1]:
        raise path_not_found()
    version, rest = rest[0], [unquote(part) if index < 5 else part for index, part in enumerate(rest[1:])]
    watch = rest[0] == "watch"
    if watch:
        rest = rest[1:]
    namespace: str | None = None
    if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] and (group, rest[2]) in RESOURCES:
        namespace, rest = rest[1], rest[2:]
    resource = RESOURCES.get((group, rest[0])) if rest else None
    if resource is None or version not in resource.versions:
        raise path_not_found()
    if namespace is not None and not resource.namespaced:
        raise path_not_found()
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    if name and namespace is None and resource.namespaced:
        raise path_not_found()
    if subresource and subresource not in resource.subresources:
        raise path_not_found()
    tail = "/".join(rest[3:])
    if tail and subresource != "proxy":
        raise path_not_found()
    return Target(resource, version, namespace, name, subresource, tail, watch)


def verb_of(method: str, target: Target, query: Mapping[str, str]) -> str:
    """The API verb of a request, as RBAC names it."""
    if method in ("GET", "HEAD"):
        if not target.name:
            return "watch" if target.watch or query.get("watch") in ("true", "1") else "list"
        return "watch" if target.watch or query.get("watch") in ("true", "1") else "get"
    if method == "DELETE":
        return "delete" if target.name else "deletecollection"
    try:
        return {"POST": "create", "PUT": "update", "PATCH": "patch"}[method]
    except KeyError:
        raise StatusError(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource"
        ) from None
