"""What fails on the screen is one line and closes one screen; three failures within ten seconds are an orderly end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.geometry import Region
from textual.strip import Strip

from hpatui import logs
from hpatui.settings import Settings
from hpatui.ui import textual_private
from hpatui.ui.app import HpatuiApp
from hpatui.ui.guard import LIMIT, WITHIN, TooMany
from hpatui.ui.lines import LinePane
from hpatui.ui.panes.detail import WhyPane
from hpatui.ui.screens.dialogs import HelpScreen
from hpatui.ui.screens.runs import RunsScreen
from tests.ui.fakes import FakeSession

SECRET = "an-object-of-the-cluster"


@pytest.fixture(autouse=True)
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "hpatui.log"
    logs.start(path)
    yield path
    logs.start(None)


def _boom(*_: object, **__: object) -> None:
    local = SECRET  # a local variable, which no output may show
    raise RuntimeError("boom" + local[:0])


async def _settled(app: HpatuiApp, session: FakeSession) -> None:
    for _ in range(200):
        await asyncio.sleep(0.02)
        if app.started and "start" in session.commands:
            return


def _in_handler(app: HpatuiApp) -> None:
    app.main.call_later(_boom)


def _in_widget(app: HpatuiApp) -> None:
    assert app.body is not None
    app.body.hpas.call_later(_boom)


def _in_timer(app: HpatuiApp) -> None:
    app.set_timer(0.01, _boom)


def _in_worker(app: HpatuiApp) -> None:
    async def work() -> None:
        _boom()

    app.run_worker(work())


def _in_thread_worker(app: HpatuiApp) -> None:
    app.run_worker(_boom, thread=True)


def _in_callback(app: HpatuiApp) -> None:
    asyncio.get_running_loop().call_soon(_boom)


def _in_command(app: HpatuiApp) -> None:
    async def work() -> None:
        _boom()

    app.do(work())


_PLACES = [_in_handler, _in_widget, _in_timer, _in_worker, _in_thread_worker, _in_callback, _in_command]


@pytest.mark.parametrize("fail", _PLACES)
async def test_one_failure_is_one_line_and_the_rest_goes_on(fail: Callable[[HpatuiApp], None], log: Path) -> None:
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await _settled(app, session)
        fail(app)
        await pilot.pause(0.2)
        assert len(app.failures) == 1
        assert str(log) in app.failures[0], "the line says where the log is"
        assert app.ended is None
        await pilot.press("question_mark")
        await pilot.pause(0.1)
        assert isinstance(app.screen, HelpScreen), "keys still work"
    text = log.read_text()
    assert "RuntimeError: boom" in text
    assert "_boom" in text, "the traceback"
    assert SECRET not in text.replace(f'local = "{SECRET}"', ""), "no local variables"


@pytest.mark.parametrize("fail", _PLACES)
async def test_three_failures_end_it_with_code_2_and_the_load_stopped(fail: Callable[[HpatuiApp], None]) -> None:
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await _settled(app, session)
        for _ in range(LIMIT):
            fail(app)
            await pilot.pause(0.1)
    assert app.ended == 2
    assert app.return_code == 2
    assert "too much went wrong" in app.farewell
    assert "stop" in session.commands


async def test_a_failing_screen_closes_and_the_one_below_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunsScreen, "_show", _boom)
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await _settled(app, session)
        await pilot.press("u")
        await pilot.pause(0.3)
        assert app.screen is app.main
        assert len(app.failures) == 1
        await pilot.press("question_mark")
        await pilot.pause(0.1)
        assert isinstance(app.screen, HelpScreen)


async def test_a_screen_that_cannot_be_built_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HelpScreen, "compose", _boom)
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await _settled(app, session)
        await pilot.press("question_mark")
        await pilot.pause(0.3)
        assert app.screen is app.main
        assert len(app.failures) == 1
        assert app.ended is None


async def test_a_render_that_fails_once_leaves_the_pane_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {"left": 1}
    real = LinePane.render_line

    def render(self: LinePane, y: int) -> Strip:
        if isinstance(self, WhyPane) and calls["left"]:
            calls["left"] -= 1
            _boom()
        return real(self, y)

    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        await _settled(app, session)
        await pilot.pause(0.2)
        monkeypatch.setattr(LinePane, "render_line", render)
        assert app.body is not None
        app.body.panes["why"].refresh()
        await pilot.pause(0.2)
        assert len(app.failures) == 1
        app.body.panes["why"].refresh()
        await pilot.pause(0.2)
        assert len(app.failures) == 1
        strips = app.body.panes["why"].render_lines(Region(0, 0, 30, 3))
        assert any(strip.text.strip() for strip in strips), "it draws again"


async def test_a_start_that_fails_is_one_line_and_code_2() -> None:
    def make() -> FakeSession:
        raise RuntimeError("no session")

    app = HpatuiApp(make, Settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
    assert app.ended == 2
    assert "RuntimeError" in app.farewell


async def test_an_end_that_fails_is_told_and_not_code_0(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await _settled(app, session)
        monkeypatch.setattr(session, "stop", _boom)
        await pilot.press("q")
        await pilot.pause(0.2)
    assert app.finish() == 2
    assert "stopping" in app.farewell


def test_failures_that_lie_apart_are_not_too_many() -> None:
    count = TooMany()
    assert not any(count.failed(step * (WITHIN / (LIMIT - 1) + 1)) for step in range(20))


def test_failures_close_together_are() -> None:
    count = TooMany()
    assert [count.failed(step * 0.1) for step in range(LIMIT)] == [False] * (LIMIT - 1) + [True]


def test_this_textual_has_every_private_part_that_is_used() -> None:
    assert textual_private.missing() == []
