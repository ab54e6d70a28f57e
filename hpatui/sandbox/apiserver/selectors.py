"""Label selectors (`hpatui.forms`) and field selectors: from a request's text to a test on objects.

Grammar and error texts: k8s.io/apimachinery/pkg/fields; the fields: each registry's SelectableFields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hpatui.forms.label_selectors import Requirement, SelectorError, parse_selector
from hpatui.forms.selectors import selector_matches as matches
from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.status import bad_request

__all__ = ["matches", "parse_fields", "parse_labels", "select"]


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """The terms of a label selector; StatusError 400 where it is none."""
    try:
        return parse_selector(text).terms
    except SelectorError as error:
        raise bad_request(str(error)) from None


_COMMON = ("metadata.name", "metadata.namespace")
_FIELDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "pods"): ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
                   "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName"),
    ("", "events"): ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                     "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
                     "reason", "reportingComponent", "source", "type"),
    ("", "namespaces"): ("status.phase",),
    ("", "nodes"): ("spec.unschedulable",),
    ("", "secrets"): ("type",),
    ("", "services"): ("spec.clusterIP", "spec.type"),
    ("", "replicationcontrollers"): ("status.replicas",),
    ("apps", "replicasets"): ("status.replicas",),
    ("batch", "jobs"): ("status.successful",),
}  # fmt: skip
_REGARDING = {"regarding.": "involvedObject.", "reportingController": "reportingComponent"}


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """One requirement on a field, by its path; `equal` False for !=."""

    path: tuple[str, ...]
    value: str
    equal: bool

    def matches(self, obj: Mapping[str, Any]) -> bool:
        """Whether the object satisfies it."""
        if self.path == ("source",):
            found: Any = (obj.get("source") or {}).get("component") or obj.get("reportingComponent") or ""
        else:
            found = obj
            for step in self.path:
                found = found.get(step) if isinstance(found, Mapping) else None
        if isinstance(found, bool):
            text = "true" if found else "false"
        elif found is None:
            text = "false" if self.path[-1] in ("unschedulable", "hostNetwork") else _ZERO.get(self.path[-1], "")
        else:
            text = str(found)
        return (text == self.value) is self.equal


_ZERO = {"replicas": "0", "successful": "0"}


@lru_cache(maxsize=512)
def parse_fields(resource: Resource, text: str) -> tuple[FieldTerm, ...]:
    """The terms of a field selector for `resource`; StatusError 400 for fields that cannot be selected by."""
    terms = []
    for part in filter(None, text.split(",")):
        found = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
        if found is None:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        name, value = found[1].strip(), found[3].replace("\\", "")
        if resource.group == "events.k8s.io":
            for new, old in _REGARDING.items():
                name = name.replace(new, old) if name.startswith(new) else name
        stored = resource.storage or (resource.group, resource.plural)
        if name not in _COMMON and name not in _FIELDS.get(stored, ()):
            raise bad_request(
                f'Unable to find "{_gvr(resource)}" that match label selector "", field selector "{text}": '
                f"field label not supported: {name}"
            )
        terms.append(FieldTerm(tuple(name.split(".")), value, found[2] != "!="))
    return tuple(terms)


def _gvr(resource: Resource) -> str:
    return f"{resource.group}/{resource.version}, Resource={resource.plural}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a resource a request is about: namespace (None: all), labels and fields."""

    namespace: str | None = None
    labels: tuple[Requirement, ...] = ()
    fields: tuple[FieldTerm, ...] = ()

    @property
    def everything(self) -> bool:
        """Whether all objects of the namespace (or of all) match."""
        return not self.labels and not self.fields

    def matches(self, obj: Mapping[str, Any]) -> bool:
        """Whether the object is among them."""
        meta = obj["metadata"]
        if self.namespace is not None and meta.get("namespace", "") != self.namespace:
            return False
        if self.labels:
            labels = meta.get("labels") or {}
            if not all(term.matches(labels) for term in self.labels):
                return False
        return all(term.matches(obj) for term in self.fields)


def select(
    resource: Resource, namespace: str | None, label_selector: str | None, field_selector: str | None
) -> Selection:
    """The Selection that a request's parameters ask for; StatusError 400 where they are malformed."""
    return Selection(
        namespace if resource.namespaced else None,
        parse_labels(label_selector.strip()) if label_selector else (),
        parse_fields(resource, field_selector) if field_selector else (),
    )
