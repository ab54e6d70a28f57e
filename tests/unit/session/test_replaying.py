"""A session in the past: the same snapshots as a live one, wherever and however one gets there."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from hpatui.errors import HpatuiError, UsageError
from hpatui.model import (
    EVERYTHING,
    Hpa,
    Key,
    Kind,
    Listed,
    LoadSample,
    LoadState,
    Pod,
    PodUsage,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Workload,
)
from hpatui.session.past import PastError, faster
from hpatui.session.player import Player
from hpatui.session.replaying import ReplaySession
from hpatui.settings import Settings
from tests.factories import NOW, hpa, pod, usage, workload
from tests.recordings import MemoryRecording
from tests.unit.record.facts import SMALL, facts_of, plain, snapshots

_T = TypeVar("_T", Pod, PodUsage, Workload)


def recording(path: Path = SMALL[0]) -> tuple[MemoryRecording, Key]:
    """A trace of a real control plane as a recording of an HPA that was selected."""
    facts, flags, key = facts_of(path)
    return MemoryRecording(facts, flags), key


@asynccontextmanager
async def replay(found: MemoryRecording, at: float | None = None, **settings: object) -> AsyncIterator[ReplaySession]:
    """A started session."""
    session = ReplaySession(found, Settings(**settings), at=at)  # type: ignore[arg-type]
    await session.start()
    try:
        yield session
    finally:
        await session.stop()
    assert found.closed


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.name.split(".")[0])
def test_a_replay_shows_what_a_store_showed_at_each_moment(path: Path) -> None:
    facts, flags, key = facts_of(path)
    live = list(snapshots(facts, flags, key))
    player = Player(MemoryRecording(facts, flags, context=""), key, facts[0].time)
    played = [plain(player.store.snapshot(facts[0].time))]
    for before in live[1:]:
        player.advance(before["time"])
        played.append(plain(player.store.snapshot(before["time"])))
    for then, now in zip(live[1:], played[1:], strict=True):
        for name in ("server_version", "sandbox", "observing", "notices", "status", "statuses"):
            then.pop(name), now.pop(name)  # what the recording knows beyond the trace; which is never said to be live
        assert now["detail"]["explanation"] == then["detail"]["explanation"]
        assert now["detail"]["pods"] == then["detail"]["pods"]
        assert now["detail"]["history"] == then["detail"]["history"]
        assert now["detail"]["events"] == then["detail"]["events"]
        assert now["load"] == then["load"]


async def test_a_jump_shows_what_playing_there_shows() -> None:
    found, key = recording()
    first, last = found.meta.first, found.meta.last
    middle = first + (last - first) * 0.6
    played = Player(found, key, first)
    played.advance(middle)
    async with replay(found, at=middle) as session:
        shown, expected = plain(session.snapshot), plain(played.store.snapshot(middle))
        assert {**shown, "notices": ()} == {**expected, "notices": ()}
        assert session.snapshot.time == middle


async def test_back_and_forth_comes_to_the_same() -> None:
    found, _ = recording()
    first, last = found.meta.first, found.meta.last
    async with replay(found, at=first + 100) as session:
        before = plain(session.snapshot)
        for moment in (last, first, first + 100):
            session.seek(moment)
            await _arrived(session, moment)
        assert plain(session.snapshot) == before


async def _arrived(session: ReplaySession, moment: float) -> None:
    while session.snapshot.time != moment:
        await asyncio.sleep(0.005)


async def test_of_many_orders_the_last_counts() -> None:
    found, _ = recording()
    async with replay(found) as session:
        seen: list[float] = []
        session.subscribe(lambda snapshot: seen.append(snapshot.time))
        for step in range(50):
            session.seek(found.meta.first + step)
        await _arrived(session, found.meta.first + 49)
        assert len({time for time in seen if time != found.meta.last}) == 1


async def test_a_moment_outside_is_the_nearest_inside() -> None:
    found, _ = recording()
    async with replay(found) as session:
        session.seek(0.0)
        await _arrived(session, found.meta.first)
        session.seek(1e12)
        await _arrived(session, found.meta.last)


async def test_brackets_go_from_rescale_to_rescale() -> None:
    found, _ = recording(next(path for path in SMALL if path.name.startswith(("a-", "b-"))))
    async with replay(found) as session:
        times = []
        while session.step(-1):
            await _arrived(session, session.past.now)
            times.append(session.snapshot.time)
        rescales = [rescale.time for rescale in session.past.rescales]
        assert len(times) >= 2
        assert times == sorted(rescales, reverse=True)
        assert session.step(1)
        await _arrived(session, rescales[1])
        assert any(rescale.reason for rescale in session.past.rescales)


async def test_playing_goes_on_and_stops_at_the_end() -> None:
    found, _ = recording()
    async with replay(found, at=found.meta.first + 50) as session:
        assert session.play_on(20.0)
        assert session.snapshot.time == found.meta.first + 70
        while session.play_on(500.0):
            pass
        assert session.snapshot.time == found.meta.last
        assert not session.play_on(1.0)


async def test_versions_go_up_whatever_is_shown() -> None:
    found, _ = recording()
    async with replay(found) as session:
        versions = [session.snapshot.version]
        for moment in (found.meta.first, found.meta.first + 30, found.meta.last):
            session.seek(moment)
            await _arrived(session, moment)
            versions.append(session.snapshot.version)
        assert versions == sorted(set(versions))


async def test_nothing_acts_on_a_cluster_from_the_past() -> None:
    found, _ = recording()
    async with replay(found) as session:
        load = session.load
        assert load.question() is None
        for order in (load.start(confirmed=True), load.set_rate(5), load.nudge(1), load.set_shape("ramp"), load.pause(),
                      session.switch_context("two"), session.reconnect()):  # fmt: skip
            with pytest.raises(PastError, match=r"this is the past \(..:..:..\).*; q quits"):
                await order
        with pytest.raises(PastError):
            session.contexts()
        await load.stop()
        assert not load.active


async def test_what_if_works_on_the_chosen_range() -> None:
    found, _ = recording()
    first, last = found.meta.first, found.meta.last
    async with replay(found, at=first + 60) as session:
        assert session.mark() == (first, first + 60) or session.range[1] == first + 60
        session.seek(last)
        await _arrived(session, last)
        assert session.range == (first + 60, last)
        trial = session.what_if()
        assert trial.frames
        assert all(first + 60 <= frame.time <= last for frame in trial.frames)
        assert trial.until == last
        assert trial.compare({}).then == trial.compare({}).now
        assert session.past.begins_at_mark


async def test_a_range_without_a_sync_says_so() -> None:
    found, _ = recording()
    async with replay(found, at=found.meta.first) as session:
        with pytest.raises(UsageError, match=r"no sync was recorded from|no HPA is selected"):
            session.what_if()


async def test_yaml_describe_and_doctor_are_of_that_moment() -> None:
    found, key = recording()
    async with replay(found) as session:
        text = await session.object_yaml("HorizontalPodAutoscaler", key)
        assert text.startswith("# as recorded")
        assert f"name: {key.name}" in text
        assert f"Name:{' ' * 10}" in await session.describe(key)
        with pytest.raises(HpatuiError, match="Pod x/y was not recorded; a recording has only what decisions need"):
            await session.object_yaml("Pod", Key("x", "y"))
        report = await session.examine()
        assert report.time == found.meta.last
        skipped = {check.id for check in report.checks if check.outcome.value == "skipped"}
        assert {"metrics-server", "requests"} <= skipped
        assert not any(check.command for check in report.checks)


async def test_the_doctor_says_what_the_controller_said_then() -> None:
    path = next(path for path in SMALL if path.name.startswith(("d-", "e-")))
    found, _ = recording(path)
    moments = (found.meta.first + 90, found.meta.last)
    failed: list[set[str]] = []
    for moment in moments:
        async with replay(found, at=moment) as session:
            report = await session.examine()
            failed.append({check.id for check in report.findings if check.outcome.value == "failed"})
        found.closed = False
    assert failed == [{"metrics"}, set()]


# Facts that are not of the selected HPA -----------------------------------------------------------------------------------


def fleet(*, selected: str = "one") -> MemoryRecording:
    """Two HPAs; `selected` was looked at."""
    one, two = hpa("one", "shop"), hpa("two", "shop")
    facts = [
        Seen(NOW, Listed(Kind.HPA, (one, two))),
        Seen(NOW, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW, "", NOW))),
        Seen(NOW + 1, Listed(Kind.WORKLOAD, (_moved(workload()),), EVERYTHING, "Deployment")),
        Seen(NOW + 1, Listed(Kind.POD, (_moved(pod("php-apache-1")), _moved(pod("php-apache-2"))), EVERYTHING)),
        Seen(NOW + 1, Listed(Kind.POD_USAGE, (_moved(usage("php-apache-1")),), EVERYTHING)),
        Seen(NOW + 2, Listed(Kind.POD, (_moved(pod("php-apache-1")),), f"shop/{selected}")),
        Seen(NOW + 30, StatusChanged(Kind.HPA, SourceStatus(SourceState.RECONNECTING, NOW + 30, "gone"))),
        Seen(NOW + 40, StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW + 40, "", NOW + 40))),
        Seen(NOW + 60, LoadSample(NOW + 60, 20.0, 20, 20, 0, 0, 1, 1.0, 2.0, 3.0)),
        Seen(NOW + 70, Listed(Kind.HPA, (one, two))),
    ]
    return MemoryRecording(facts)


def _moved(item: _T) -> _T:
    return dataclasses.replace(item, key=Key("shop", item.key.name))


def test_details_of_an_hpa_that_nobody_had_selected_are_those_of_all() -> None:
    player = Player(fleet(), Key("shop", "two"), NOW + 20)
    detail = player.store.snapshot(NOW + 20).detail
    assert detail is not None
    assert [row.pod.key.name for row in detail.pods] == ["php-apache-1", "php-apache-2"]
    assert detail.workload is not None


def test_of_many_hpas_the_selected_one_has_its_history_and_all_are_in_the_list() -> None:
    player = Player(fleet(), Key("shop", "two"), NOW + 20, few=1)
    snapshot = player.store.snapshot(NOW + 20)
    assert [row.key.name for row in snapshot.rows] == ["one", "two"]
    assert snapshot.detail is not None
    assert snapshot.detail.row.key.name == "two"
    assert len(snapshot.detail.pods) == 2


async def test_another_namespace_is_another_list() -> None:
    async with replay(fleet(), at=NOW + 20, all_namespaces=True) as session:
        sizes = []
        for namespace in ("elsewhere", "shop", None):
            session.set_namespace(namespace)
            sizes.append(len(session.snapshot.rows))
        assert sizes == [0, 2, 2]
        assert await session.namespaces() == ["shop"]


async def test_another_hpa_is_looked_at_as_of_the_same_moment() -> None:
    async with replay(fleet(), at=NOW + 20) as session:
        session.select(Key("shop", "two"))
        assert session.snapshot.time == NOW + 20
        assert session.snapshot.detail is not None
        assert session.snapshot.detail.row.key.name == "two"


async def test_what_nobody_saw_is_a_gap_on_the_slider() -> None:
    async with replay(fleet()) as session:
        while session.past.known_from > NOW:
            await asyncio.sleep(0.005)
        assert session.past.gaps == ((NOW + 30, NOW + 40),)


def test_samples_without_a_state_mean_a_load_that_runs_and_ends() -> None:
    player = Player(fleet(), None, NOW + 61)
    states = [player.store.load.state]
    player.advance(NOW + 70)
    states.append(player.store.load.state)
    assert states == [LoadState.RUNNING, LoadState.IDLE]
    assert [mark for _, mark in player.store.load_history.marks] == ["load 20/s", "load off"]


async def test_an_unknown_hpa_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"there is no HPA oen .*near: shop/one"):
        ReplaySession(fleet(), Settings(hpa="oen"))


@pytest.mark.parametrize(
    ("speed", "up", "down"), [(1.0, 2.0, 1.0), (10.0, 30.0, 5.0), (7.0, 10.0, 5.0), (3600.0, 3600.0, 900.0)]
)
def test_speeds(speed: float, up: float, down: float) -> None:
    assert (faster(speed, 1), faster(speed, -1)) == (up, down)


def test_an_hpa_that_is_created_anew_stays_the_selected_one() -> None:
    facts = [
        Seen(NOW, Listed(Kind.HPA, (hpa("one", "shop"),))),
        Seen(NOW + 5, Listed(Kind.HPA, ())),
        Seen(NOW + 10, Listed(Kind.HPA, (hpa("one", "shop", uid="another", version="9"),))),
        Seen(NOW + 20, Listed(Kind.HPA, (hpa("one", "shop", uid="another", version="9"),))),
    ]
    player = Player(MemoryRecording(facts), None, NOW + 7)
    assert player.store.snapshot(NOW + 7).detail is None
    player.advance(NOW + 15)
    detail = player.store.snapshot(NOW + 15).detail
    assert detail is not None
    assert isinstance(detail.row.hpa, Hpa)
    assert detail.row.hpa.uid == "another"


@pytest.mark.parametrize("path", SMALL[:2], ids=lambda path: path.name.split(".")[0])
def test_a_jump_shows_what_each_second_on_the_way_shows(path: Path) -> None:
    """On the way of a jump nothing is explained; the word at its end is the same all the same."""
    found, key = recording(path)
    first, last = found.meta.first, found.meta.last
    walked = Player(found, key, first)
    for part in range(1, 9):
        moment = first + (last - first) * part / 9
        while walked.time + 1.0 < moment:
            walked.advance(walked.time + 1.0)
        walked.advance(moment)
        jumped = Player(found, key, moment, since=first)
        then, now = plain(walked.store.snapshot(moment)), plain(jumped.store.snapshot(moment))
        for shown in (then, now):
            shown.pop("notices")
            shown.pop("time")  # of the last change
        assert now == then
