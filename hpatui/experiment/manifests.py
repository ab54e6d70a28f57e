"""The objects of an experiment, from YAML or JSON files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from hpatui.cluster.writes import KINDS
from hpatui.errors import UsageError
from hpatui.text import printable

Object = dict[str, Any]
MOST = 200
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")  # RFC 1123


def read_objects(path: Path, namespace: str) -> list[Object]:
    """The objects of a file, each with its namespace (`namespace` where it says none; empty: the context's own). UsageError
    for what is none.
    """
    try:
        documents = list(yaml.safe_load_all(path.read_text(encoding="utf-8-sig")))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"cannot read {path}: {reason}", hint="name a file that can be read") from error
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f":{where.line + 1}" if where is not None else ""
        raise UsageError(f"{path}{line} is no YAML", hint="correct it") from error
    found: list[Object] = []
    for document in documents:
        if document is None:
            continue
        items = document.get("items") if isinstance(document, dict) and document.get("kind") == "List" else [document]
        found += [_checked(item, path, namespace) for item in (items if isinstance(items, list) else [items])]
    if not found:
        raise UsageError(f"{path} holds no object", hint="write Kubernetes objects as YAML")
    if len(found) > MOST:
        raise UsageError(f"{path} holds {len(found)} objects", hint=f"at most {MOST}")
    return found


def _checked(item: Any, path: Path, namespace: str) -> Object:
    if (
        not isinstance(item, dict)
        or not isinstance(item.get("kind"), str)
        or not isinstance(item.get("metadata"), dict)
    ):
        raise UsageError(
            f"{path} holds something that is no Kubernetes object", hint="it needs apiVersion, kind, metadata"
        )
    kind, name = item["kind"], item["metadata"].get("name")
    if kind not in KINDS:
        hint = f"apply it before, and name its HPA; those are created here: {', '.join(KINDS)}"
        raise UsageError(f"{path}: objects of kind {printable(kind, 60)} are not created here", hint=hint)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(f"{path}: a {kind} has no name that Kubernetes takes", hint="write metadata.name")
    meta = {**item["metadata"]}
    if kind == "Namespace":
        meta.pop("namespace", None)
    elif namespace and not meta.get("namespace"):
        meta["namespace"] = namespace
    return {key: value for key, value in {**item, "metadata": meta}.items() if key != "status"}


def words(item: Object) -> str:
    """`Deployment shop/web`, for people."""
    meta = item["metadata"]
    space = f"{meta['namespace']}/" if meta.get("namespace") else ""
    return printable(f"{item['kind']} {space}{meta['name']}", 200)
