"""Snapshots as lines of JSON (`hpatui schema watch`)."""

from __future__ import annotations

import json
from typing import TextIO

from hpatui.api.as_json import snapshot_json
from hpatui.model import Key
from hpatui.state.snapshot import Detail, Snapshot


class JsonPrinter:
    """One JSON object a line for each snapshot."""

    def __init__(self, stream: TextIO, details: bool) -> None:
        self._stream = stream
        self._details = details

    def __call__(self, snapshot: Snapshot) -> None:
        detail = snapshot.detail if self._details else None
        self.print(snapshot, {detail.row.key: detail} if detail else {})

    def print(self, snapshot: Snapshot, details: dict[Key, Detail]) -> None:
        """Print with the details that are at hand."""
        self._stream.write(
            json.dumps(snapshot_json(snapshot, details), ensure_ascii=False, separators=(",", ":")) + "\n"
        )
        self._stream.flush()
