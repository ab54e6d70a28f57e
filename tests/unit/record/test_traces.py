"""Traces of a real control plane, written into a recording and read back, are the same to a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui.record.meta import Meta
from hpatui.record.reader import open_recording
from hpatui.record.writer import Recorder
from tests.unit.record.facts import SMALL, facts_of, snapshots


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name.partition(".")[0])
def test_snapshot_by_snapshot_it_is_what_was_seen(path: Path, tmp_path: Path) -> None:
    facts, flags, key = facts_of(path)
    recorder = Recorder(tmp_path / "trace.db", Meta(context="trace", flags=flags))
    for seen in facts:
        recorder.take(seen)
    recorder.close()
    assert recorder.problem == ""
    recording = open_recording(tmp_path / "trace.db")
    assert recording.meta.flags == flags
    assert recording.hpas() == [key]
    first, last = facts[0].time, facts[-1].time
    again = list(recording.facts(first - 1, last))
    assert [seen.time for seen in again] == [seen.time for seen in facts]
    expected, found = list(snapshots(facts, flags, key)), list(snapshots(again, flags, key))
    assert len(expected) > 20
    for before, after in zip(expected, found, strict=True):
        assert after == before
    recording.close()
