"""The time machine on the screen: a slider, rescales, play and speed, the moment asked for, and the way back to now."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from hpatui.errors import RecordingError
from hpatui.session import recordings
from hpatui.session.past import Past
from hpatui.session.replaying import ReplaySession
from hpatui.settings import Settings
from hpatui.state.series import Rescale
from hpatui.ui.app import HpatuiApp
from hpatui.ui.screens.doctor import DoctorScreen
from hpatui.ui.screens.runs import RunsScreen
from hpatui.ui.screens.whatif import WhatIfScreen
from hpatui.ui.timemachine import timeline
from tests.recordings import MemoryRecording
from tests.ui.fakes import FakeSession
from tests.unit.record.facts import TRACES, facts_of

Pilots = Pilot[None]


def past_of_a_trace(at: float | None = None) -> ReplaySession:
    """A trace of a real control plane."""
    facts, flags, _ = facts_of(TRACES / "b-behavior.jsonl.gz")
    found = MemoryRecording(facts, flags)
    return ReplaySession(found, Settings(), at=None if at is None else found.meta.first + at)


def text_of(app: HpatuiApp, part: str) -> str:
    """What a line of the screen shows."""
    return str(app.main.query_one(part).render())


async def until(pilot: Pilots, look: Callable[[], bool]) -> None:
    """Wait for something that is about to come."""
    for _ in range(200):
        if look():
            return
        await pilot.pause(0.02)
    raise AssertionError("it did not come")


async def test_the_screen_says_that_it_is_the_past() -> None:
    session = past_of_a_trace()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "PAST" in text_of(app, "#head"))
        assert re.search(r"PAST \d\d:\d\d:\d\d", text_of(app, "#head"))
        assert " live" not in text_of(app, "#head")
        assert app.main.query_one("#timeline").display
        assert "█" in text_of(app, "#timeline")
        assert "rescale before" in text_of(app, "#foot")
        assert "load" not in text_of(app, "#foot")


async def test_brackets_go_to_the_rescale_before_and_after() -> None:
    session = past_of_a_trace()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: session.past.known_from <= session.past.first)
        rescales = [rescale.time for rescale in session.past.rescales]
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: session.snapshot.time == rescales[-1])
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: session.snapshot.time == rescales[-2])
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: session.snapshot.time == rescales[-1])
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "No rescale after" in text_of(app, "#foot"))


async def test_arrows_play_and_speed_move_in_time() -> None:
    session = past_of_a_trace(60.0)
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.started)
        began = session.snapshot.time
        await pilot.press("right")
        await until(pilot, lambda: session.snapshot.time > began)
        await pilot.press("left")
        await until(pilot, lambda: session.snapshot.time <= began + 1)
        await pilot.press("plus", "plus")
        assert session.past.speed == 5.0
        await pilot.press("minus")
        assert session.past.speed == 2.0
        await pilot.press("p")
        assert session.past.playing
        assert text_of(app, "#timeline").startswith("▶ 2x")
        await until(pilot, lambda: session.snapshot.time > began + 1)
        await pilot.press("p")
        assert not session.past.playing


async def test_a_time_is_typed() -> None:
    session = past_of_a_trace()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.started)
        for typed, shown in (("-1m", None), ("noon", "is no time")):
            await pilot.press("G")
            await pilot.press("ctrl+u", *typed.replace("-", "-"), "enter")
            if shown is None:
                await until(pilot, lambda: session.snapshot.time == session.past.last - 60)
            else:
                await until(pilot, lambda shown=shown: shown in text_of(app, "#foot"))  # type: ignore[misc]


@pytest.mark.parametrize("key", ["l", "r", "S", "c", "L"])
async def test_nothing_acts_on_a_cluster(key: str) -> None:
    session = past_of_a_trace()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.started)
        await pilot.press(key)
        await until(pilot, lambda: "this is the past" in text_of(app, "#foot"))


@pytest.mark.parametrize(("key", "screen"), [("w", WhatIfScreen), ("u", RunsScreen), ("D", DoctorScreen)])
async def test_answers_are_of_that_moment(key: str, screen: type) -> None:
    session = past_of_a_trace(150.0)
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.started and session.snapshot.detail is not None)
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, screen))


async def test_every_pane_has_that_moment_and_no_axis_says_now() -> None:
    session = past_of_a_trace(150.0)
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(140, 44)) as pilot:
        await until(pilot, lambda: bool(app.started and app.body.panes["why"].lines))
        await until(pilot, lambda: bool(app.body.graph.lines))
        shown = {name: "\n".join(line.plain for line in pane.lines) for name, pane in app.body.panes.items()}
        assert "memory known since" in shown["why"]
        assert not shown["graph"].endswith("now")
        assert "press l" not in shown["load"]
        assert shown["pods"]


# From now and back --------------------------------------------------------------------------------------------------------


async def _live(pilot: Pilots, app: HpatuiApp, session: FakeSession) -> None:
    await until(pilot, lambda: app.started and "start" in session.commands)


async def test_t_goes_into_the_past_and_esc_back(monkeypatch: pytest.MonkeyPatch) -> None:
    past, live = past_of_a_trace(), FakeSession()
    monkeypatch.setattr(recordings, "open_replay_of", lambda session, way_back: past)
    app = HpatuiApp(lambda: live, live.settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await _live(pilot, app, live)
        assert "live" in text_of(app, "#head")
        await pilot.press("T")
        await until(pilot, lambda: "PAST" in text_of(app, "#head"))
        await pilot.press("escape")
        await until(pilot, lambda: "PAST" not in text_of(app, "#head"))
        assert "live" in text_of(app, "#head")
        assert not app.main.query_one("#timeline").display
        assert "stop" not in live.commands
        assert app.session is live
    assert live.commands[-1] == "stop"


async def test_esc_leaves_a_zoom_before_it_leaves_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    past, live = past_of_a_trace(), FakeSession()
    monkeypatch.setattr(recordings, "open_replay_of", lambda session, way_back: past)
    app = HpatuiApp(lambda: live, live.settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await _live(pilot, app, live)
        await pilot.press("T")
        await until(pilot, lambda: "PAST" in text_of(app, "#head"))
        await pilot.press("enter", "escape")
        assert "PAST" in text_of(app, "#head")
        await pilot.press("escape")
        await until(pilot, lambda: "PAST" not in text_of(app, "#head"))


async def test_q_in_the_past_stops_the_live_session(monkeypatch: pytest.MonkeyPatch) -> None:
    past, live = past_of_a_trace(), FakeSession()
    monkeypatch.setattr(recordings, "open_replay_of", lambda session, way_back: past)
    app = HpatuiApp(lambda: live, live.settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await _live(pilot, app, live)
        await pilot.press("T")
        await until(pilot, lambda: "PAST" in text_of(app, "#head"))
        await pilot.press("q")
    assert live.commands[-1] == "stop"


async def test_where_nothing_is_recorded_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    live = FakeSession()

    def none(session: object, way_back: str) -> ReplaySession:
        raise RecordingError("there is no recording of context test", hint="hpatui records while its screen is open")

    monkeypatch.setattr(recordings, "open_replay_of", none)
    app = HpatuiApp(lambda: live, live.settings)
    async with app.run_test(size=(120, 36)) as pilot:
        await _live(pilot, app, live)
        await pilot.press("T")
        await until(pilot, lambda: "there is no recording of context test" in text_of(app, "#foot"))
        assert app.session is live


async def test_a_recording_has_no_now() -> None:
    session = past_of_a_trace()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: app.started)
        await pilot.press("escape")
        await until(pilot, lambda: "This is a recording" in text_of(app, "#foot"))


# The slider ---------------------------------------------------------------------------------------------------------------

T = 1_780_000_000.0
_RESCALES = (Rescale(T + 100, 1, 3, "", True), Rescale(T + 900, 3, 1, "", True))
WHERE = Past(T, T + 1000, T + 500, False, 1.0, (T + 400, T + 500), _RESCALES, ((T + 200, T + 250),), T)


def _slider(past: Past, width: int = 120) -> str:
    return timeline(past, width).plain


def test_the_slider_has_marks_gaps_range_and_moment_in_their_places() -> None:
    line = _slider(WHERE)
    assert len(line) == 120
    places = {mark: line.index(mark) for mark in "▲╌━█▼"}
    assert sorted(places, key=lambda mark: places[mark]) == ["▲", "╌", "━", "█", "▼"]
    assert "▶" in _slider(replace(WHERE, playing=True))


@pytest.mark.parametrize("width", [20, 38, 40, 78, 120, 200])
@pytest.mark.parametrize("now", [T, T + 500, T + 1000])
def test_the_slider_fits_any_width(width: int, now: float) -> None:
    line = _slider(
        replace(WHERE, now=now, anonymized=True, source="from Prometheus, every 30 s", last=T + 700_000), width
    )
    assert len(line) <= width
    assert "█" in line


def test_where_it_is_from_is_said() -> None:
    line = _slider(replace(WHERE, source="from Prometheus, every 30 s", anonymized=True))
    assert "from Prometheus, every 30 s  names replaced" in line


def test_a_recording_of_a_moment_has_a_slider_too() -> None:
    assert "█" in _slider(replace(WHERE, first=T, last=T, now=T, range=(T, T), rescales=(), gaps=()))
