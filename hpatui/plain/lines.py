"""Snapshots as sentences: a table at first, then what changed. Nothing is redrawn, so it suits pipes and screen
readers.
"""

from __future__ import annotations

from typing import TextIO

from hpatui.clock import as_datetime
from hpatui.model import Key, LoadState, SourceState
from hpatui.state.snapshot import HpaRow, Snapshot
from hpatui.text import age, fit, printable


class LinePrinter:
    """A table at first, then a sentence for each change: short, in order of time, nothing redrawn."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._rows: dict[Key, HpaRow] | None = None
        self._events: set[tuple[str, int]] | None = None
        self._status = ""
        self._load = LoadState.IDLE

    def __call__(self, snapshot: Snapshot) -> None:
        if self._rows is None and snapshot.status.state is not SourceState.LIVE and not snapshot.rows:
            status = _status_text(snapshot)  # nothing to show yet, and this is why
            if status != self._status:
                self._status = status
                self._say(snapshot.time, status)
            self._stream.flush()
            return
        if self._rows is None:
            self._table(snapshot)
        else:
            self._changes(snapshot)
        self._rows = {row.key: row for row in snapshot.rows}
        self._stream.flush()

    def _say(self, now: float, text: str) -> None:
        self._stream.write(f"{as_datetime(now).astimezone().strftime('%H:%M:%S')}  {text}\n")

    def _table(self, snapshot: Snapshot) -> None:
        self._status = _status_text(snapshot)
        if not snapshot.rows:
            where = f"namespace {snapshot.namespace}" if snapshot.namespace else "any namespace"
            self._stream.write(f"There is no HPA in {printable(where)} of context {printable(snapshot.context)}.\n")
            return
        header = ("NAMESPACE", "NAME", "REFERENCE", "TARGETS", "MIN", "MAX", "NOW", "WANT", "AGE", "STATE")
        cells = [header, *(_cells(row, snapshot.time) for row in snapshot.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
        for line in cells:
            self._stream.write(
                "  ".join(fit(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
            )

    def _changes(self, snapshot: Snapshot) -> None:
        assert self._rows is not None
        status = _status_text(snapshot)
        if status != self._status:
            self._status = status
            self._say(snapshot.time, status)
        now_rows = {row.key: row for row in snapshot.rows}
        for key in self._rows.keys() - now_rows.keys():
            self._say(snapshot.time, f"{printable(str(key))} is gone")
        for key, row in now_rows.items():
            before = self._rows.get(key)
            if before is row:
                continue
            sentence = _sentence(before, row)
            if sentence:
                self._say(snapshot.time, f"{printable(str(key))}: {sentence}")
        if snapshot.load.state is not self._load:
            self._load = snapshot.load.state
            self._say(snapshot.time, f"load {self._load.value} {printable(snapshot.load.target)}".rstrip())


def _cells(row: HpaRow, now: float) -> tuple[str, ...]:
    hpa = row.hpa
    return (
        printable(hpa.key.namespace),
        printable(hpa.key.name),
        printable(str(hpa.reference)),
        printable(hpa.targets),
        str(hpa.min_replicas),
        str(hpa.max_replicas),
        str(hpa.current_replicas),
        str(hpa.desired_replicas),
        age(now - hpa.created) if hpa.created is not None else "<unknown>",
        row.state.value,
    )


def _status_text(snapshot: Snapshot) -> str:
    status = snapshot.status
    return f"the source is {status.state.value}" + (f": {printable(status.message)}" if status.message else "")


def _sentence(before: HpaRow | None, row: HpaRow) -> str:
    """What changed in an HPA, for a person; empty if nothing that matters."""
    hpa = row.hpa
    if before is None:
        return f"new, {hpa.current_replicas} replicas, {row.state.value}: {printable(row.headline)}"
    parts: list[str] = []
    old = before.hpa
    if hpa.desired_replicas != old.desired_replicas:
        parts.append(f"wants {hpa.desired_replicas} replicas (was {old.desired_replicas})")
    if hpa.current_replicas != old.current_replicas:
        parts.append(f"has {hpa.current_replicas} replicas (was {old.current_replicas})")
    if hpa.targets != old.targets:
        parts.append(printable(hpa.targets))
    if (hpa.min_replicas, hpa.max_replicas) != (old.min_replicas, old.max_replicas):
        parts.append(f"bounds {hpa.min_replicas} to {hpa.max_replicas}")
    if row.state is not before.state or (parts and row.headline != before.headline):
        parts.append(f"{row.state.value}: {printable(row.headline)}")
    return "; ".join(parts)
