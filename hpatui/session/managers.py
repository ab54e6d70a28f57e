"""Who else writes an HPA's spec: managers of its fields, tools that set it back; and what places look like production."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.text import printable

FIELD_MANAGER = "hpatui"

# Tools that keep an object as their repository has it, by the names under which they write (field managers).
_GITOPS = re.compile(
    r"argocd|argo-cd|kustomize-controller|helm-controller|flux|fleetagent|rancher|pulumi|terraform|config-sync"
    r"|configsync|kapp|sveltos|werf|crossplane|ansible|helm",
    re.IGNORECASE,
)
_MARKS = (  # labels and annotations that such tools leave on what they keep
    ("argocd.argoproj.io/", "Argo CD"),
    ("kustomize.toolkit.fluxcd.io/", "Flux"),
    ("helm.toolkit.fluxcd.io/", "Flux"),
    ("meta.helm.sh/release-name", "Helm"),
    ("configsync.gke.io/", "Config Sync"),
    ("kapp.k14s.io/", "kapp"),
    ("pulumi.com/", "Pulumi"),
)
_PRODUCTION = re.compile(r"(?<![a-z])(?:prod|prd|production|live)(?![a-z])", re.IGNORECASE)
_NOT_PRODUCTION = re.compile(r"(?<![a-z])(?:non|not|no)[-_. ]?(?:prod|prd|production|live)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Manager:
    """One field manager of the spec: which fields under spec it owns, as `maxReplicas` or `behavior.scaleDown`."""

    name: str
    operation: str  # Apply, Update
    fields: tuple[str, ...]
    gitops: bool

    def __str__(self) -> str:
        shown = ", ".join(self.fields[:6]) + (f" and {len(self.fields) - 6} more" if len(self.fields) > 6 else "")
        return printable(f"{self.name} ({self.operation}): {shown}", 300)


def spec_managers(obj: Mapping[str, Any]) -> tuple[Manager, ...]:
    """The managers of the spec's fields, from metadata.managedFields (empty where the server tells none)."""
    found = []
    for entry in (obj.get("metadata") or {}).get("managedFields") or ():
        if not isinstance(entry, Mapping) or entry.get("subresource"):
            continue
        fields = entry.get("fieldsV1")
        spec = fields.get("f:spec") if isinstance(fields, Mapping) else None
        if isinstance(spec, Mapping) and spec:
            name = str(entry.get("manager") or "unknown")
            names = tuple(dict.fromkeys(_names(spec)))
            found.append(Manager(name, str(entry.get("operation") or ""), names, bool(_GITOPS.search(name))))
    return tuple(found)


def is_gitops(manager: str) -> bool:
    """Whether a field manager's name is that of a tool that keeps objects as a repository has them."""
    return bool(_GITOPS.search(manager))


def _names(fields: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """The fields by name; those of behavior one level deeper, because two may share it."""
    for key, below in fields.items():
        if not isinstance(key, str) or not key.startswith("f:"):
            continue
        name = above + key[2:]
        if key == "f:behavior" and isinstance(below, Mapping) and any(part.startswith("f:") for part in below):
            yield from _names(below, "behavior.")
        else:
            yield name


def kept_by(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """What sets the HPA back to what it has stored, in words for a warning: GitOps tools, Helm, KEDA, other owners."""
    meta = obj.get("metadata") or {}
    who: dict[str, None] = {}
    for manager in spec_managers(obj):
        if manager.gitops:
            who[f"{printable(manager.name, 80)} manages its spec"] = None
    marks = [*(meta.get("labels") or {}), *(meta.get("annotations") or {})]
    for start, name in _MARKS:
        if any(str(mark).startswith(start) for mark in marks):
            who[f"{name} has marked it as its own"] = None
    for owner in meta.get("ownerReferences") or ():
        if isinstance(owner, Mapping) and owner.get("controller"):
            who[printable(f"{owner.get('kind')}/{owner.get('name')} owns it", 200)] = None
    return tuple(who)


def looks_like_production(*names: str) -> bool:
    """Whether a name of the place (context, cluster, host, namespace) says production: a word of its own, not a part."""
    return any(_PRODUCTION.search(name) and not _NOT_PRODUCTION.search(name) for name in names)
