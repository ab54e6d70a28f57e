"""Candidate specs in files: manifests of HPAs, checked as an API server would, for the live HPA that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hpatui.autoscaler.inputs import HpaObject
from hpatui.autoscaler.parse import parse_hpa
from hpatui.errors import MalformedObject, UsageError
from hpatui.model import Key
from hpatui.text import printable

_KIND = "HorizontalPodAutoscaler"
_VERSIONS = ("autoscaling/v2", "autoscaling/v2beta2", "autoscaling/v1", "autoscaling/v2beta1")
_LARGEST = 1 << 20  # bytes of a file
DEFAULT_METRICS = [  # k8s.io/kubernetes/pkg/apis/autoscaling/v2/defaults.go: what an HPA without metrics gets
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate: where it stands (`name`, a file's, with its place where there are several), whose it is (the namespace
    may be empty), its spec as JSON of autoscaling/v2, and as `decide` takes it.
    """

    name: str
    key: Key
    spec: Mapping[str, Any]
    trial: HpaObject


def read_candidates(paths: Sequence[str]) -> list[Candidate]:
    """All candidates of the files, for one HPA. UsageError, one line with the file's name, for what cannot be used."""
    found: list[Candidate] = []
    for path in paths:
        found += _read(Path(path))
    names = {candidate.key.name for candidate in found}
    spaces = {candidate.key.namespace for candidate in found if candidate.key.namespace}
    if len(names) > 1 or len(spaces) > 1:
        told = ", ".join(sorted({str(candidate.key) for candidate in found}))
        raise UsageError(f"the candidates are of several HPAs: {printable(told)}", hint="one HPA at a time")
    return _distinct(found)


def _distinct(found: list[Candidate]) -> list[Candidate]:
    """With names that differ."""
    seen: dict[str, int] = {}
    named = []
    for item in found:
        seen[item.name] = seen.get(item.name, 0) + 1
        name = item.name if seen[item.name] == 1 else f"{item.name}#{seen[item.name]}"
        named.append(Candidate(name, item.key, item.spec, item.trial))
    return named


def _read(path: Path) -> list[Candidate]:
    try:
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{path} has more than 1 MiB", hint="give a manifest of an HPA")
        documents = [item for item in yaml.safe_load_all(path.read_text(encoding="utf-8")) if item is not None]
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}", hint="give a file with a manifest of an HPA"
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text", hint="give a manifest of an HPA in YAML or JSON") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark is not None else ""
        why = printable(str(getattr(error, "problem", None) or "is no YAML"), 200)
        raise UsageError(f"{path}{where}: {why}", hint="correct the YAML") from error
    found = [_candidate(path, item) for document in documents for item in _items(document)]
    if not found:
        raise UsageError(f"{path} holds no HPA", hint=f"give a manifest of kind {_KIND}")
    return found


def _items(document: Any) -> list[Any]:
    """The HPAs of a document: itself, those of a List; other objects of the same file are passed over."""
    if not isinstance(document, dict):
        return [document]
    if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
        return [item for item in document["items"] if isinstance(item, dict) and item.get("kind") == _KIND]
    return [document] if document.get("kind") in (_KIND, None) else []


def _candidate(path: Path, value: Any) -> Candidate:
    if not isinstance(value, dict) or value.get("kind") != _KIND:
        raise UsageError(f"{path} holds something that is no {_KIND}", hint="give the whole manifest of an HPA")
    meta = value.get("metadata")
    if not isinstance(meta, dict) or not isinstance(meta.get("name"), str) or not meta["name"]:
        raise UsageError(f"{path}: metadata.name is missing", hint="name the live HPA that it is a candidate for")
    spec = checked_spec(value, str(path))
    key = Key(str(meta.get("namespace") or ""), meta["name"])
    try:
        trial = parse_hpa({"metadata": {"name": key.name, "namespace": key.namespace or "default"}, "spec": spec})
    except MalformedObject as error:
        raise UsageError(f"{path}: {error}", hint="correct it") from error
    return Candidate(path.name, key, spec, trial)


def checked_spec(value: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The spec of a manifest of an HPA as autoscaling/v2, after an API server's own checks. UsageError with `where`."""
    from hpatui.sandbox.apiserver.convert import from_version
    from hpatui.sandbox.apiserver.resources import RESOURCES
    from hpatui.sandbox.apiserver.schema.check import checked
    from hpatui.sandbox.apiserver.status import StatusError
    from hpatui.sandbox.apiserver.validation.hpa import check_hpa
    from hpatui.sandbox.release import release_of

    version = str(value.get("apiVersion") or "")
    if version not in _VERSIONS:
        raise UsageError(f"{where}: apiVersion is {printable(version, 60)!r}", hint="write autoscaling/v2")
    resource, short = RESOURCES["autoscaling", "horizontalpodautoscalers"], version.partition("/")[2]
    body = {name: part for name, part in value.items() if name != "status"}
    try:
        clean, _ = checked(resource, short, body, "Strict")
        stored = from_version(resource, short, clean)
        errors = check_hpa(stored, None, release_of("1.37"))
    except StatusError as error:
        raise UsageError(f"{where}: {printable(error.message, 400)}", hint="correct it") from error
    if errors:
        told = "; ".join(f"{e.field}: {e.text}" for e in errors[:3])
        raise UsageError(f"{where}: {printable(told, 400)}", hint="correct it")
    spec = dict(stored.get("spec") or {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        spec["metrics"] = DEFAULT_METRICS
    return spec
