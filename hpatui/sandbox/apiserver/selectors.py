"""Label selectors and field selectors: from a request's text to a test on objects.

Grammar and error texts: k8s.io/apimachinery/pkg/labels and pkg/fields; the fields: each registry's SelectableFields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hpatui.forms.selectors import selector_matches as matches
from hpatui.sandbox.apiserver.resources import Resource
from hpatui.sandbox.apiserver.status import bad_request

__all__ = ["matches", "parse_fields", "parse_labels", "select"]

_SET = re.compile(r"\s*([^\s,!=<>()]+)\s+(in|notin)\s*\(([^()]*)\)\s*")
_PAIR = re.compile(r"\s*([^\s,!=<>()]+)\s*(==|=|!=|<|>)\s*([^\s,()=!<>]*)\s*")
_BARE = re.compile(r"\s*(!?)\s*([^\s,!=<>()]+)\s*")
_KEY = re.compile(r"([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


@dataclass(frozen=True, slots=True)
class Term:
    """One requirement on a label. `operator`: =, !=, in, notin, exists, !, <, >."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels satisfy it."""
        found = labels.get(self.key)
        if self.operator in ("=", "in"):
            return found is not None and found in self.values
        if self.operator in ("!=", "notin"):
            return found is None or found not in self.values
        if self.operator == "exists":
            return found is not None
        if self.operator == "!":
            return found is None
        try:
            left, right = int(found or ""), int(self.values[0])
        except ValueError:
            return False
        return left < right if self.operator == "<" else left > right


@lru_cache(maxsize=512)
def parse_labels(text: str) -> tuple[Term, ...]:
    """The terms of a label selector; StatusError 400 where it is none."""
    terms: list[Term] = []
    at = 0
    while at < len(text):
        if found := _SET.match(text, at):
            values = tuple(sorted(value.strip() for value in found[3].split(","))) if found[3].strip() else ()
            if not values:
                why = "for 'in', 'notin' operators, values set can't be empty"
                raise bad_request(f"unable to parse requirement: values: Invalid value: []: {why}")
            terms.append(Term(found[1], found[2], values))
        elif found := _PAIR.match(text, at):
            terms.append(Term(found[1], "=" if found[2] == "==" else found[2], (found[3],)))
        elif found := _BARE.match(text, at):
            terms.append(Term(found[2], "!" if found[1] else "exists"))
        else:
            raise bad_request(f"unable to parse requirement: found '{text[at:].strip()[:40]}', expected: identifier")
        at = found.end()
        if at < len(text):
            if text[at] != "," or at + 1 == len(text):
                raise bad_request(f"found '{text[at:][:40]}', expected: ',' or 'end of string'")
            at += 1
    for term in terms:
        _check(term)
    return tuple(terms)


def _check(term: Term) -> None:
    if not _KEY.fullmatch(term.key):
        raise bad_request(
            f'unable to parse requirement: <nil>: Invalid value: "{term.key}": name part must consist of alphanumeric '
            "characters, '-', '_' or '.', and must start and end with an alphanumeric character"
        )
    for value in term.values:
        if not _VALUE.fullmatch(value):
            raise bad_request(
                f'unable to parse requirement: values[0][{term.key}]: Invalid value: "{value}": a valid label must be '
                "an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
                "an alphanumeric character"
            )


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
    labels: tuple[Term, ...] = ()
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
