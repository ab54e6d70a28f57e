"""What is known at any moment, and what comes after it, is the same read from a recording as folded from the facts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpatui.model import (
    EVERYTHING,
    Deleted,
    Key,
    Kind,
    Listed,
    Pod,
    PodUsage,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Upserted,
)
from hpatui.record import keeper
from hpatui.record.known import Known
from hpatui.record.meta import Meta
from hpatui.record.reader import Recording, open_recording
from hpatui.record.writer import Recorder
from tests.unit.record.facts import SMALL, facts_of, fleet, plain


def written(path: Path, facts: list[Seen], end: bool = True) -> Recording:
    recorder = Recorder(path, Meta(context="test"))
    for place, seen in enumerate(facts):
        recorder.take(seen)
        if place % 50 == 0:
            recorder.flush()
    recorder.close() if end else recorder.flush()
    assert recorder.problem == ""
    return open_recording(path)


def known_at(facts: list[Seen], time: float) -> Known:
    known = Known()
    for seen in facts:
        if seen.time <= time:
            known.take(seen.what)
    return known


def content(known: Known) -> Any:
    lists = {
        tuple(map(str, channel)): sorted((plain(item) for item in items.values()), key=repr)
        for channel, items in known.channels.items()
    }
    statuses = {(kind.value, scope): plain(status.status) for (kind, scope), status in known.statuses.items()}
    return lists, statuses


def folded(facts: list[Seen]) -> Known:
    known = Known()
    for seen in facts:
        known.take(seen.what)
    return known


@pytest.mark.parametrize("source", ["trace", "fleet"])
@pytest.mark.parametrize("end", [True, False], ids=["closed", "while written"])
def test_any_moment_and_what_follows(tmp_path: Path, source: str, end: bool) -> None:
    facts = facts_of(SMALL[1])[0] if source == "trace" else list(fleet(hpas=40, rounds=20))
    recording = written(tmp_path / "r.db", facts, end)
    first, last = facts[0].time, facts[-1].time
    for part in range(0, 13):
        moment = first + (last - first) * part / 12
        assert content(folded(list(recording.facts(moment, moment)))) == content(known_at(facts, moment)), part
    moment = first + (last - first) * 0.37
    following = list(recording.facts(moment, last))
    after = [seen for seen in facts if seen.time > moment]
    assert [plain(seen) for seen in following[-len(after) :]] == [plain(seen) for seen in after]
    assert content(folded(following)) == content(known_at(facts, last))


def test_one_hpa_of_a_fleet_as_if_it_had_been_in_focus(tmp_path: Path) -> None:
    facts = list(fleet(hpas=70, rounds=15))
    recording = written(tmp_path / "r.db", facts)
    key = Key("ns-1", "app-31")
    mine = list(recording.facts(hpa=key))
    assert {getattr(seen.what, "scope", "") for seen in mine} == {"", str(key)}
    known = folded(mine)
    whole = known_at(facts, facts[-1].time)
    pods = [pod for pod in whole.channels[Kind.POD, EVERYTHING, ""].values() if pod.key.name.startswith("app-31-")]
    assert pods and list(known.channels[Kind.POD, str(key), ""].values()) == pods
    names = {pod.key for pod in pods}
    usages = [u for u in whole.channels[Kind.POD_USAGE, EVERYTHING, ""].values() if u.key in names]
    assert list(known.channels[Kind.POD_USAGE, str(key), ""].values()) == usages
    assert [item.key for item in known.channels[Kind.HPA, "", ""].values()] == [key]
    assert len(recording.hpas()) == 70


def test_a_killed_writer_leaves_all_that_was_flushed(tmp_path: Path) -> None:
    facts = list(fleet(hpas=5, rounds=30))
    recorder = Recorder(tmp_path / "r.db", Meta())
    for seen in facts[:150]:
        recorder.take(seen)
    recorder.flush()
    assert recorder._lock is not None
    recorder._lock.release()  # the process is gone: nothing is closed
    again = Recorder(tmp_path / "r.db", Meta())
    for seen in facts[150:]:
        again.take(seen)
    again.close()
    assert again.problem == ""
    recording = open_recording(tmp_path / "r.db")
    got = list(recording.facts())
    breaks = [s for s in got if isinstance(s.what, StatusChanged) and "nothing was recorded" in s.what.status.message]
    assert len(breaks) == 1 and breaks[0].what.status.state is SourceState.RECONNECTING  # type: ignore[union-attr]
    assert content(known_at(got, facts[149].time - 0.5)) == content(known_at(facts, facts[149].time - 0.5))


def test_packing_and_merging_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = list(fleet(hpas=34, rounds=20))
    monkeypatch.setattr(keeper, "PACK", 30.0)
    monkeypatch.setattr(keeper, "MERGE", 3)
    packed = [plain(seen) for seen in written(tmp_path / "a.db", facts).facts()]
    monkeypatch.setattr(keeper, "PACK", 1e9)
    loose = [plain(seen) for seen in written(tmp_path / "b.db", facts, end=False).facts()]
    assert packed == loose == [plain(seen) for seen in facts]


def test_the_time_that_comes_again_after_a_clock_was_set_back_counts_as_it_came_last(tmp_path: Path) -> None:
    facts = list(fleet(hpas=3, rounds=200))
    half = len(facts) // 2
    back = [replace(seen, time=seen.time - 3600.0) for seen in facts[half:]]
    recorder = Recorder(tmp_path / "r.db", Meta())
    for seen in [*facts[:half], *back]:
        recorder.take(seen)
    recorder.close()
    assert recorder.problem == "" and "set back by" in recorder.said[0]
    got = list(open_recording(tmp_path / "r.db").facts())
    times = [seen.time for seen in got]
    assert times == sorted(times)
    tail = [seen for seen in got if seen.time > back[0].time + 0.001]
    assert [plain(s) for s in tail] == [plain(s) for s in back if s.time > back[0].time + 0.001]


def test_every_kind_of_fact_comes_back_as_it_was(tmp_path: Path) -> None:
    facts = list(fleet(hpas=2, rounds=2))
    pod = next(i for s in facts if isinstance(s.what, Listed) for i in s.what.items if isinstance(i, Pod))
    odd = [
        Seen(
            1_800_000_100.123456, Upserted(Kind.POD, replace(pod, labels={"100%": "%d 007 %s", "ü": "٣"}), EVERYTHING)
        ),
        Seen(1_800_000_100.2, Deleted(Kind.POD, pod.key, "other uid", EVERYTHING)),
        Seen(1_800_000_100.3, Deleted(Kind.POD, Key("no", "body"), "", EVERYTHING)),
        Seen(
            1_800_000_101.0, StatusChanged(Kind.HPA, SourceStatus(SourceState.FAILED, 1.5, "x" * 5000, None, 7, True))
        ),
        Seen(1_800_000_102.0, Listed(Kind.POD_USAGE, (PodUsage(pod.key, 5.25, 30.0, 0.1, 3.0),), EVERYTHING)),
        Seen(1_800_000_103.0, Listed(Kind.POD_USAGE, (), EVERYTHING)),
    ]
    got = list(written(tmp_path / "r.db", [*facts, *odd]).facts())
    assert [plain(seen) for seen in got] == [plain(seen) for seen in [*facts, *odd]]
