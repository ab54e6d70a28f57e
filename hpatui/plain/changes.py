"""What changed, as JSON Lines: `watch --json --changes` (`hpatui schema watch-changes`).

{"type": "status", ...}     at first and whenever the source's state or message changes
{"type": "hpa", ...}        each HPA once, then again whenever anything in it changes, always as a whole
{"type": "deleted", ...}    an HPA that is gone
{"type": "load", ...}       whenever the state of this session's load changes
{"type": "heartbeat", ...}  after `HEARTBEAT` seconds without another line
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TextIO

from hpatui.api.as_json import hpa_json, load_json, status_json, time_json
from hpatui.api.shapes import DeletedLine, HeartbeatLine, HpaLine, LoadJson, LoadLine, SourceJson, StatusLine
from hpatui.model import Key
from hpatui.state.snapshot import Detail, HpaRow, Snapshot
from hpatui.text import printable

HEARTBEAT = 10.0  # seconds


class ChangesPrinter:
    """Writes one line for each change between the snapshots it is given."""

    def __init__(self, stream: TextIO, details: bool = False) -> None:
        self._stream = stream
        self._details = details
        self._rows: dict[Key, HpaRow] = {}
        self._texts: dict[Key, str] = {}
        self._source: tuple[object, ...] = ()
        self._load: LoadJson | None = None
        self._said = False

    def __call__(self, snapshot: Snapshot) -> None:
        self._said = False
        self._status(snapshot)
        detail = snapshot.detail if self._details else None
        rows = {row.key: row for row in snapshot.rows}
        for key in sorted(self._rows.keys() - rows.keys()):
            self._texts.pop(key, None)
            gone: DeletedLine = {
                "type": "deleted",
                "time": time_json(snapshot.time),
                "namespace": key.namespace,
                "name": key.name,
            }
            self._say(gone)
        for key, row in rows.items():
            if row is not self._rows.get(key) or (detail is not None and detail.row.key == key):
                self._hpa(snapshot, row, detail if detail is not None and detail.row.key == key else None)
        self._rows = rows
        self._of_load(snapshot)
        if self._said:
            self._stream.flush()

    def beat(self, snapshot: Snapshot, now: float) -> None:
        """Nothing was said for a while: say that we are still there, and how far the source can be trusted."""
        line: HeartbeatLine = {"type": "heartbeat", "time": time_json(now), "source": status_json(snapshot.status)}
        self._write(line)
        self._stream.flush()

    def _status(self, snapshot: Snapshot) -> None:
        source: SourceJson = status_json(snapshot.status)
        # The last contact alone is no change.
        shown = (source["state"], source["since"], source["message"], snapshot.context, snapshot.namespace)
        if shown != self._source:
            self._source = shown
            line: StatusLine = {
                "type": "status",
                "time": time_json(snapshot.time),
                "context": printable(snapshot.context),
                "namespace": snapshot.namespace,
                "source": source,
            }
            self._say(line)

    def _of_load(self, snapshot: Snapshot) -> None:
        load, before = load_json(snapshot), self._load
        self._load = load
        if before is None and load["state"] == "idle":
            return
        if before is None or any(load[name] != before[name] for name in ("state", "target", "message")):
            line: LoadLine = {"type": "load", "time": time_json(snapshot.time), **load}
            self._say(line)

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
            line: HpaLine = {"type": "hpa", "time": time_json(snapshot.time), "hpa": value}
            self._say(line)

    def _say(self, line: Mapping[str, object]) -> None:
        self._write(line)
        self._said = True

    def _write(self, value: Mapping[str, object]) -> None:
        self._stream.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
