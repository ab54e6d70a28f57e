"""What changed, as JSON Lines: `watch --json --changes` (README.md, "JSON").

{"type": "status", ...}     at first and whenever the source's state or message changes
{"type": "hpa", ...}        each HPA once, then again whenever anything in it changes, always as a whole
{"type": "deleted", ...}    an HPA that is gone
{"type": "load", ...}       whenever the state of this session's load changes
{"type": "heartbeat", ...}  after `HEARTBEAT` seconds without another line
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from hpatui.model import Key
from hpatui.plain.as_json import hpa_json, load_json, status_json, time_json
from hpatui.state.snapshot import Detail, HpaRow, Snapshot

HEARTBEAT = 10.0  # seconds


class ChangesPrinter:
    """Writes one line for each change between the snapshots it is given."""

    def __init__(self, stream: TextIO, details: bool = False) -> None:
        self._stream = stream
        self._details = details
        self._rows: dict[Key, HpaRow] = {}
        self._texts: dict[Key, str] = {}
        self._source: dict[str, Any] = {}
        self._load: dict[str, Any] = {}
        self._said = False

    def __call__(self, snapshot: Snapshot) -> None:
        self._said = False
        self._status(snapshot)
        detail = snapshot.detail if self._details else None
        rows = {row.key: row for row in snapshot.rows}
        for key in sorted(self._rows.keys() - rows.keys()):
            self._texts.pop(key, None)
            self._say(snapshot, "deleted", {"namespace": key.namespace, "name": key.name})
        for key, row in rows.items():
            if row is not self._rows.get(key) or (detail is not None and detail.row.key == key):
                self._hpa(snapshot, row, detail if detail is not None and detail.row.key == key else None)
        self._rows = rows
        load = load_json(snapshot)
        if (load["state"], load["target"], load["message"]) != tuple(
            self._load.get(name) for name in ("state", "target", "message")
        ) and (self._load or load["state"] != "idle"):
            self._say(snapshot, "load", load)
        self._load = load
        if self._said:
            self._stream.flush()

    def beat(self, snapshot: Snapshot, now: float) -> None:
        """Nothing was said for a while: say that we are still there, and how far the source can be trusted."""
        self._write({"type": "heartbeat", "time": time_json(now), "source": status_json(snapshot.status)})
        self._stream.flush()

    def _status(self, snapshot: Snapshot) -> None:
        source = status_json(snapshot.status)
        source.pop("last_contact")  # alone it is no change
        shown = {**source, "context": snapshot.context, "namespace": snapshot.namespace}
        if shown != self._source:
            self._source = shown
            where = {"context": snapshot.context, "namespace": snapshot.namespace}
            self._say(snapshot, "status", {**where, "source": status_json(snapshot.status)})

    def _hpa(self, snapshot: Snapshot, row: HpaRow, detail: Detail | None) -> None:
        value = hpa_json(row, detail)
        # That one more sync came and went as predicted is no change.
        lasting = {
            **value,
            "agreement": None,
            "decision": value["decision"] and {**value["decision"], "next_sync": None},
        }
        text = json.dumps(lasting, ensure_ascii=False, separators=(",", ":"))
        if self._texts.get(row.key) != text:
            self._texts[row.key] = text
            self._say(snapshot, "hpa", {"hpa": value})

    def _say(self, snapshot: Snapshot, kind: str, what: Mapping[str, Any]) -> None:
        self._write({"type": kind, "time": time_json(snapshot.time), **what})
        self._said = True

    def _write(self, value: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
