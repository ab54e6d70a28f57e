"""The screen with a fake session: every key, every state of the source, hostile text, any size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from hpatui.model import Key, Kind, Listed, SourceState, SourceStatus, StatusChanged, Upserted
from hpatui.settings import Settings
from hpatui.ui.app import HpatuiApp
from hpatui.ui.keys import KEYS, KeyEntry
from hpatui.ui.screens.body import Body
from hpatui.ui.screens.dialogs import ChoiceScreen, HelpScreen, LineScreen, QuestionScreen, TextScreen
from hpatui.ui.screens.doctor import DoctorScreen
from hpatui.ui.screens.runs import RunsScreen
from tests.factories import NOW, event, hpa, metric, pod
from tests.ui.fakes import KEY, FakeSession


@asynccontextmanager
async def _running(
    session: FakeSession, size: tuple[int, int] = (120, 36), settings: Settings | None = None
) -> AsyncIterator[tuple[HpatuiApp, Pilot[None]]]:
    app = HpatuiApp(lambda: session, settings or Settings())
    async with app.run_test(size=size, notifications=True) as pilot:
        before = ""
        for _ in range(100):  # the panes come after the first frame
            await pilot.pause(0.05)
            now = _text(app)
            if "start" in session.commands and now == before:
                break
            before = now
        yield app, pilot


def _body(app: HpatuiApp) -> Body:
    assert app.body is not None
    return app.body


def _text(app: HpatuiApp) -> str:
    """What is on the screen, as text."""
    width, height = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines[:height])[: width * height * 2]


async def test_the_first_screen_says_what_matters() -> None:
    async with _running(FakeSession()) as (app, _):
        text = _text(app)
        assert "php-apache-hpa" in text
        assert "cpu 45/30 %" in text
        assert "ValidMetricFound" in text
        assert "SuccessfulRescale" in text
        assert "45m/100m" in text
        assert "press l to send load" in text


async def test_a_change_shows_and_the_cursor_stays() -> None:
    session = FakeSession()
    async with _running(session) as (app, pilot):
        await pilot.press("j")
        await pilot.pause(0.3)
        assert session.commands[-1] == "select shop/other"
        session.apply(Upserted(Kind.HPA, hpa(desired=3, metrics=[metric(90)], version="2")))
        await pilot.pause(0.1)
        text = _text(app)
        assert "cpu 90/30 %" in text
        assert any(line.lstrip("│ ").startswith("> ") and "other" in line for line in text.splitlines())


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 36), (200, 50), (50, 12), (20, 6), (1, 1)])
async def test_any_size_works(size: tuple[int, int]) -> None:
    session = FakeSession()
    async with _running(session, size) as (app, pilot):
        session.apply(Upserted(Kind.HPA, hpa(current=2, version="2")))
        for key in ("1", "2", "3", "4", "5", "6", "7", "enter", "enter"):
            await pilot.press(key)
        await pilot.pause(0.1)
        if size[0] >= 80:
            assert "php-apache-hpa" in _text(app)


async def test_resizing_back_and_forth() -> None:
    async with _running(FakeSession()) as (app, pilot):
        for size in ((80, 24), (1, 1), (250, 70), (120, 36)):
            await pilot.resize_terminal(*size)
        await pilot.pause(0.2)
        assert "php-apache-hpa" in _text(app)


# What has to be pressed before, for a key to have something to do.
_FIRST: dict[str, tuple[str, ...]] = {"step_back": ("enter",), "hide": ("2",)}


@pytest.mark.parametrize("entry", KEYS, ids=lambda entry: entry.action)
async def test_every_key_does_something_and_nothing_breaks(
    entry: KeyEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the picture that x saves
    session = FakeSession()
    async with _running(session) as (app, pilot):
        await pilot.press(*_FIRST.get(entry.action, ()))
        await pilot.pause(0.1)
        before = (_text(app), len(session.commands), app.screen, app.focused)
        await pilot.press(entry.key.split(",")[0])
        await pilot.pause(0.35)
        quiet = ("jump('hpas')", "cursor(-1)", "redraw")
        changed = (_text(app), len(session.commands), app.screen, app.focused) != before
        assert changed or entry.action in quiet or app.return_code is not None


@pytest.mark.parametrize(
    ("key", "screen"),
    [
        ("question_mark", HelpScreen),
        ("r", LineScreen),
        ("n", ChoiceScreen),
        ("c", ChoiceScreen),
        ("y", ChoiceScreen),
        ("x", ChoiceScreen),
        ("D", DoctorScreen),
        ("u", RunsScreen),
        ("d", TextScreen),
    ],
)
async def test_dialogs_open_and_close(key: str, screen: type) -> None:
    async with _running(FakeSession()) as (app, pilot):
        await pilot.press(key)
        await pilot.pause(0.2)
        assert isinstance(app.screen, screen)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert app.screen is app.main


async def test_load_is_started_and_stopped_by_l() -> None:
    session = FakeSession()
    async with _running(session) as (app, pilot):
        await pilot.press("l")
        await pilot.pause(0.1)
        assert "load on" in session.commands
        assert "running" in _text(app)
        await pilot.press("plus", "minus", "p", "l")
        await pilot.pause(0.1)
        assert session.commands[-4:] == ["nudge 1", "nudge -1", "pause", "load off"]


@pytest.mark.parametrize(("answer", "started"), [("y", True), ("n", False), ("enter", False), ("escape", False)])
async def test_load_on_a_real_cluster_asks_first(answer: str, started: bool) -> None:
    session = FakeSession()
    session.question = "Send 50 requests/s to it?"
    async with _running(session) as (app, pilot):
        await pilot.press("l")
        await pilot.pause(0.1)
        assert isinstance(app.screen, QuestionScreen)
        assert "Send 50 requests/s" in _text(app)
        await pilot.press(answer)
        await pilot.pause(0.1)
        assert ("load confirmed" in session.commands) is started


async def test_a_failed_command_is_one_line() -> None:
    session = FakeSession()
    session.fail = "no Service selects the pods"
    async with _running(session) as (app, pilot):
        await pilot.press("l")
        await pilot.pause(0.3)
        assert "no Service selects the pods" in _text(app)


@pytest.mark.parametrize(
    ("state", "message", "words"),
    [
        (SourceState.CONNECTING, "starting the sandbox", "starting the sandbox"),
        (SourceState.FORBIDDEN, "cannot list resource hpas", "cannot list resource hpas"),
        (SourceState.FAILED, "credentials have expired", "credentials have expired"),
        (SourceState.RECONNECTING, "cannot connect to x", "reconnecting"),
        (SourceState.LIVE, "", "There is no HPA in namespace heyongjia"),
        (SourceState.NOT_SERVED, "no autoscaling", "not served"),
    ],
)
async def test_each_state_of_the_source_is_said(state: SourceState, message: str, words: str) -> None:
    session = FakeSession(live=False)
    async with _running(session) as (app, pilot):
        session.apply(StatusChanged(Kind.HPA, SourceStatus(state, NOW, message)))
        await pilot.pause(0.1)
        assert words in _text(app)


async def test_the_filter_keeps_matching_rows() -> None:
    session = FakeSession()
    async with _running(session) as (app, pilot):
        await pilot.press("slash", *"shop", "enter")
        await pilot.pause(0.2)
        text = _text(app)
        assert "HPAs 1 of 2" in text
        assert session.commands[-1] == "select shop/other"


async def test_hostile_text_is_shown_literally() -> None:
    session = FakeSession()
    evil = "a\x1b[31m\x07[bold]b[/bold]\u202ec\u200b" + "x" * 5000
    async with _running(session) as (app, pilot):
        session.apply(
            Listed(Kind.HPA, (hpa(evil, "heyongjia"), hpa("日本語テスト", "heyongjia"), hpa())),
            Listed(Kind.POD, (pod(evil),), str(KEY)),
        )
        await pilot.pause(0.2)
        text = _text(app)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[31m" in text
        assert "日本語" in text


async def test_ascii_mode_has_nothing_but_ascii_in_the_panes() -> None:
    session = FakeSession()
    async with _running(session, settings=Settings(ascii=True)) as (app, _):
        for pane in _body(app).panes.values():
            for line in pane.lines:
                assert line.plain.isascii(), line.plain


async def test_five_thousand_rows_draw_only_those_in_view() -> None:
    session = FakeSession(live=False)
    rows = tuple(hpa(f"hpa-{i:04}", f"ns-{i % 50:02}") for i in range(5000))
    async with _running(session) as (app, pilot):
        session.apply(Listed(Kind.HPA, rows), StatusChanged(Kind.HPA, SourceStatus(SourceState.LIVE, NOW)))
        await pilot.pause(0.3)
        assert "HPAs 5000" in _text(app)
        await pilot.press(*["j"] * 30)
        await pilot.pause(0.3)
        assert any(c.startswith("select ns-00/") for c in session.commands)


async def test_the_session_is_stopped_at_the_end() -> None:
    session = FakeSession()
    async with _running(session) as (_, pilot):
        await pilot.press("q")
    assert session.commands[-1] == "stop"
    assert Key("heyongjia", "php-apache-hpa") == KEY


async def test_escape_steps_back_one_thing_at_a_time() -> None:
    async with _running(FakeSession()) as (app, pilot):
        body = _body(app)
        seen: list[tuple[bool, bool]] = []
        for keys in (("2", "comma"), ("1", "slash", *"cart"), ("escape",), ("escape",)):
            await pilot.press(*keys)
            await pilot.pause(0.1)
            seen.append((body.graph.has_cursor, body.hpas.filtered))
        assert seen == [(True, False), (True, True), (True, False), (False, False)]


async def test_a_hidden_pane_gives_its_place_away_and_comes_back() -> None:
    async with _running(FakeSession()) as (app, pilot):
        body = _body(app)
        seen: list[tuple[bool, int]] = []
        for keys in ((), ("7", "h"), ("h",)):
            await pilot.press(*keys)
            await pilot.pause(0.2)
            seen.append((body.panes["pods"].display, body.panes["events"].size.width))
        before, hidden, after = seen
        assert before == after
        assert not hidden[0]
        assert hidden[1] > before[1]


async def test_the_doctor_says_what_is_wrong_and_what_mends_it() -> None:
    async with _running(FakeSession()) as (app, pilot):
        await pilot.press("D")
        await pilot.pause(0.3)
        text = _text(app)
        assert "1 failed" in text
        assert "the metrics API answers" in text
        assert "it is down" in text
        assert "kubectl x" in text


@pytest.mark.parametrize(("kind", "needle"), [(0, "<svg"), (1, "php-apache-hpa"), (2, "desired,1")])
async def test_what_is_looked_at_can_be_saved(
    kind: int, needle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with _running(FakeSession()) as (_, pilot):
        await pilot.press("x", *["down"] * kind, "enter")
        await pilot.pause(0.3)
    (file,) = tmp_path.iterdir()
    assert needle in file.read_text(encoding="utf-8")


async def test_titles_are_no_markup() -> None:
    async with _running(FakeSession()) as (app, pilot):
        await pilot.press("slash", *"[bold]x", "enter")
        await pilot.pause(0.2)
        assert "filter [bold]x" in _text(app)
        app.push_screen(TextScreen("Pod [red]evil[/red]\x1b[31m", "text"))
        await pilot.pause(0.2)
        assert "Pod [red]evil[/red]\\x1b[31m" in _text(app)


async def test_a_text_can_be_searched() -> None:
    session = FakeSession()
    async with _running(session) as (app, pilot):
        screen = TextScreen(
            "Long", "\n".join(f"line {number} {'needle' if number % 40 == 7 else ''}" for number in range(200))
        )
        app.push_screen(screen)
        await pilot.pause(0.2)
        seen = []
        for keys in (("slash", *"NEEDLE", "enter"), ("n",), ("N",), ("N",)):
            await pilot.press(*keys)
            await pilot.pause(0.2)
            seen.append((str(screen.query_one("#text").border_subtitle).split(" ·")[0], "needle" in _text(app)))
        assert seen == [("1 of 5", True), ("2 of 5", True), ("1 of 5", True), ("5 of 5", True)]
        await pilot.press("slash", *"nowhere", "enter")
        await pilot.pause(0.3)
        assert "nothing like it" in _text(app)


async def test_other_events_are_a_key_away() -> None:
    session = FakeSession()
    warning = event("FailedScheduling", "0/3 nodes are available", at=NOW - 10)
    async with _running(session) as (app, pilot):
        pods = replace(warning, type="Warning", about_kind="Pod", uid="w")
        session.apply(Upserted(Kind.EVENT, pods, str(KEY)))
        await pilot.pause(0.2)
        seen = []
        for _ in range(4):
            seen.append(("SuccessfulRescale" in _text(app), "FailedScheduling" in _text(app)))
            await pilot.press("e")
            await pilot.pause(0.2)
        assert seen == [(True, True), (True, False), (False, True), (True, True)]
