"""The screens with answers: what if on a recorded run, and the table of scaling runs."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

from textual.widgets import Input

from hpatui.model import Key
from hpatui.session.trial import Trial
from hpatui.settings import Settings
from hpatui.state.series import HpaHistory, Rescale
from hpatui.ui.app import HpatuiApp
from hpatui.ui.export import screen_text
from hpatui.ui.lines import LinePane
from hpatui.ui.screens.runs import run_lines
from hpatui.ui.screens.whatif import WhatIfScreen
from tests.conformance import traces
from tests.factories import NOW
from tests.ui.fakes import FakeSession

_TRACE = Path(__file__).parents[1] / "data" / "traces" / "a-walkthrough.jsonl.gz"


def _trial() -> Trial:
    frames = traces.frames_of(_TRACE)
    with gzip.open(_TRACE, "rt") as stream:
        hpa = [line["object"] for line in map(json.loads, stream) if line["source"] == "hpa"][-1]
    flags = traces.flags_of(json.loads(traces.facts_path(_TRACE).read_text()))
    return Trial(Key("heyongjia", "php-apache-hpa"), hpa, frames, flags, frames[-1].time + 5)


async def test_an_edit_replays_the_run_and_the_yaml_follows() -> None:
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.3)
        screen = WhatIfScreen(_trial())
        app.push_screen(screen)
        await pilot.pause(0.5)
        outcome = screen.query_one("#outcome", LinePane)

        def line(start: str) -> list[str]:
            return next(text.plain for text in outcome.lines if text.plain.startswith(start)).split()[-2:]

        was, would = line("pod-hours")
        assert was == would
        assert line("most replicas") == ["3", "3"]
        field = next(widget for widget in screen.query(Input) if widget.value == "3")
        field.value = "8"
        await pilot.pause(0.3)
        assert line("most replicas")[0] == "3"
        assert int(line("most replicas")[1]) > 3
        assert any("maxReplicas: 8" in text.plain for text in outcome.lines)
        field.value = "none"
        await pilot.pause(0.3)
        assert "maxReplicas is 'none'" in outcome.lines[0].plain
        await pilot.press("ctrl+r")
        await pilot.pause(0.3)
        assert line("most replicas") == ["3", "3"]
        await pilot.press("escape")
        await pilot.pause(0.2)
        assert app.screen is app.main
    assert "start" in session.commands


async def test_a_simulated_run_tells_how_sure_it_is_and_what_it_costs() -> None:
    app = HpatuiApp(FakeSession, Settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        screen = WhatIfScreen(_trial())
        app.push_screen(screen)
        await pilot.pause(0.5)
        field = next(widget for widget in screen.query(Input) if widget.value == "3")
        field.value = "6"
        await pilot.pause(0.3)
        lines = [text.plain for text in screen.query_one("#outcome", LinePane).lines]
        assert any(line.split() == ["seen", "simulated", "would", "be"] for line in lines)
        found = {line[:15].strip(): line[15:].split() for line in lines if line[:15].strip()}
        seen, simulated, would = (float(value) for value in found["pod-hours"])
        assert abs(seen - simulated) < 0.05 * seen
        assert would > 1.3 * seen
        assert found["% not served"] == ["0.0", "0.0"]
        assert "the simulation is 0 % off" in " ".join(lines)
        assert any(line.startswith("cpu target %") for line in lines)


async def test_too_little_to_learn_from_says_what_is_missing_and_decides_the_recorded_syncs_again() -> None:
    app = HpatuiApp(FakeSession, Settings())
    whole = _trial()
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(0.3)
        screen = WhatIfScreen(replace(whole, frames=whole.frames[:9], until=whole.frames[9].time, _learned=[]))
        app.push_screen(screen)
        await pilot.pause(0.5)
        lines = [text.plain for text in screen.query_one("#outcome", LinePane).lines]
        assert any(line.split() == ["was", "would", "be"] for line in lines)
        told = " ".join(lines)
        assert "not simulated: windows of samples" in told
        assert "record at least 8" in told


async def test_without_a_recorded_sync_what_if_says_so() -> None:
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await pilot.pause(0.4)
        await pilot.press("w")
        await pilot.pause(0.4)
        assert app.screen is app.main
        assert "no sync of the controller" in screen_text(app)


def test_the_table_of_runs_has_a_line_a_run_and_medians() -> None:
    session = FakeSession()
    assert session.snapshot.detail is not None
    history = HpaHistory()
    session.store.load_history.marks.append((NOW + 1, "load 50/s"))
    for start, (before, after) in enumerate([(1, 2), (2, 1), (1, 3)]):
        at = NOW + 10 + 200 * start
        history.rescales.append(Rescale(at, before, after, "cpu", True))
        history.ready.append(at + 4, after)
    detail = replace(session.snapshot.detail, history=history.frozen())
    snapshot = replace(session.snapshot, load_history=session.store.load_history.frozen())
    lines = [line.plain for line in run_lines(detail, snapshot, wide=True)]
    assert lines[0].split()[:2] == ["WHEN", "SIZE"]
    assert [line.split()[1:4] for line in lines[1:4]] == [["1", "→", "3"], ["2", "→", "1"], ["1", "→", "2"]]
    assert [line.split()[:2] for line in lines[4:]] == [["median", "up"], ["median", "down"]]
    assert "4.0 s" in lines[1]
