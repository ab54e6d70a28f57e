"""Multi-line text from a cluster, made safe for a terminal: its line breaks stay, nothing else that moves a cursor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hpatui.text import printable


def safe_lines(text: str) -> str:
    """`text` with every line made printable; tabs and line ends are kept."""
    return "\n".join("\t".join(printable(part) for part in line.split("\t")) for line in text.split("\n"))


def manifests(objects: Sequence[Mapping[str, Any]]) -> str:
    """Kubernetes objects as YAML documents, each written out in full (no anchors)."""
    import yaml

    return str(yaml.safe_dump_all(json.loads(json.dumps(objects)), sort_keys=False))
