"""The pods pane filters as one types, its names stay apart; the header tells why; C copies in what if."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from hpatui.model import Kind, Listed, SourceState, SourceStatus, StatusChanged
from hpatui.ui.screens.whatif import WhatIfScreen
from tests.factories import NOW, pod
from tests.ui.fakes import KEY, FakeSession
from tests.ui.test_answers import _trial
from tests.ui.test_selection import _running, _text

LONG = "checkout-of-the-european-web-shop-with-a-long-name-5d8f7c9b4-"


def _with_pods(*names: str) -> FakeSession:
    session = FakeSession()
    session.apply(Listed(Kind.POD, tuple(pod(name) for name in names), str(KEY)))
    return session


def _names(app: object) -> list[str]:
    return [line.plain.split()[1] for line in app.body.pods.lines]  # type: ignore[attr-defined]


async def test_the_pods_pane_filters_while_one_types() -> None:
    session = _with_pods("web-aa1", "web-ab2", "web-bb3")
    async with _running(session) as (app, pilot):
        await pilot.press("7", "slash", "a")
        await pilot.pause(0.2)
        assert _names(app) == ["web-aa1", "web-ab2"]
        assert "2 match a" in _text(app)
        await pilot.press("b")
        await pilot.pause(0.2)
        assert _names(app) == ["web-ab2"]
        await pilot.press("enter")
        await pilot.pause(0.2)
        assert app.focused is app.body.pods
        assert not app.body.hpas.filtered, "the list of HPAs has its own filter"
        await pilot.press("slash", "z")
        await pilot.pause(0.2)
        assert app.body.pods.lines[0].plain.startswith("No pod matches")
        assert app.body.hpas.key == KEY
        await pilot.press("escape")
        await pilot.pause(0.2)
        assert len(_names(app)) == 3


async def test_the_two_filters_do_not_mix() -> None:
    session = _with_pods("web-aa1", "web-ab2")
    async with _running(session) as (app, pilot):
        await pilot.press("slash", *"php", "enter", "7", "slash", *"ab2", "enter", "1", "slash")
        await pilot.pause(0.2)
        assert app.body.filter.value == "php"
        assert app.body.pods.filter == "ab2"
        await pilot.press("escape")
        await pilot.pause(0.2)
        assert (app.body.hpas.filter, app.body.pods.filter) == ("", "ab2")
        await pilot.press("escape")
        await pilot.pause(0.2)
        assert app.body.pods.filter == ""


@pytest.mark.parametrize("width", [80, 100, 160])
async def test_names_of_pods_never_look_the_same(width: int) -> None:
    names = [f"{LONG}{end}" for end in ("aaaaa", "aaaab", "baaaa")] + [f"x{LONG}aaaaa"]
    async with _running(_with_pods(*names), (width, 36)) as (app, pilot):
        await pilot.press("7")
        await pilot.pause(0.2)
        shown = _names(app)
        assert len(set(shown)) == 4, shown


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("state", [SourceState.CONNECTING, SourceState.FAILED])
async def test_the_header_tells_what_is_waited_for_or_failed(state: SourceState, width: int) -> None:
    session = FakeSession(live=False)
    async with _running(session, (width, 30)) as (app, pilot):
        session.apply(StatusChanged(Kind.HPA, SourceStatus(state, NOW, "the sandbox has ended; press L")))
        await pilot.pause(0.2)
        head = _text(app).splitlines()[0]
        assert "the s" in head and "ess L" in head, head
        assert "ctx" in head or width < 80


async def test_capital_c_copies_in_what_if_wherever_the_cursor_is() -> None:
    async with _running(FakeSession()) as (app, pilot):
        app.push_screen(WhatIfScreen(_trial()))
        await pilot.pause(0.3)
        field = app.focused
        assert isinstance(field, Input)
        before = field.value
        await pilot.press("C")
        await pilot.pause(0.2)
        assert "maxReplicas" in app.clipboard
        assert field.value == before
