"""What is selected is what is seen; what does not fit cannot be answered; names stay apart; the header keeps what matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from hpatui.model import (
    Key,
    Kind,
    Listed,
    LoadState,
    LoadView,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
)
from hpatui.session.port import unknown_hpa
from hpatui.settings import Settings
from hpatui.text import cell_width
from hpatui.ui.app import HpatuiApp
from hpatui.ui.names import cut_apart, cut_middle, padded
from hpatui.ui.screens.dialogs import ChoiceScreen, QuestionScreen
from hpatui.ui.textual_private import screen_lines
from tests.factories import NOW, hpa
from tests.ui.fakes import FakeSession


@asynccontextmanager
async def _running(
    session: FakeSession, size: tuple[int, int] = (120, 36), settings: Settings | None = None
) -> AsyncIterator[tuple[HpatuiApp, Pilot[None]]]:
    app = HpatuiApp(lambda: session, settings or Settings())
    async with app.run_test(size=size, notifications=True) as pilot:
        for _ in range(200):
            await asyncio.sleep(0.02)
            if app.started and "start" in session.commands:
                break
        await pilot.pause(0.2)
        yield app, pilot
    assert app.failures == []


def _text(app: HpatuiApp) -> str:
    return "\n".join(screen_lines(app.screen))


# Nothing selected, nothing done ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["l", "w", "u", "y", "d", "C"])
async def test_a_filter_without_hits_leaves_nothing_to_act_on(key: str) -> None:
    session = FakeSession()
    async with _running(session) as (app, pilot):
        await pilot.press("slash", *"nope", "enter")
        await pilot.pause(0.2)
        text = _text(app)
        assert text.count("No HPA is selected") >= 5, text
        before = list(session.commands)
        await pilot.press(key)
        await pilot.pause(0.3)
        assert session.commands == before
        assert app.screen is app.main


async def test_load_that_runs_is_stopped_whatever_is_selected() -> None:
    session = FakeSession()
    async with _running(session) as (_, pilot):
        await pilot.press("l")
        await pilot.press("slash", *"nope", "enter")
        await pilot.press("l")
        await pilot.pause(0.2)
        assert session.commands[-1] == "load off"


async def test_load_goes_to_the_hpa_under_the_cursor_however_short_it_is_there() -> None:
    session = FakeSession()
    async with _running(session) as (_, pilot):
        await pilot.press("j", "l")
        await pilot.pause(0.2)
        assert session.commands.index("select shop/other") < session.commands.index("load on")


async def test_the_selected_row_is_in_view_after_start_and_each_sort() -> None:
    session = FakeSession()
    many = tuple(hpa(f"hpa-{i:03}", "heyongjia", current=i % 7) for i in range(200))
    session.store.take(Seen(NOW, Listed(Kind.HPA, many)))
    session.store.focus(Key("heyongjia", "hpa-150"), NOW)
    session.publish()
    async with _running(session, (80, 24)) as (app, pilot):
        assert "> hpa-150" in _text(app)
        for _ in range(4):
            await pilot.press("s")
            await pilot.pause(0.1)
            assert "> hpa-150" in _text(app)


async def test_a_zoomed_pane_names_its_hpa() -> None:
    async with _running(FakeSession()) as (app, pilot):
        for number in "234567":
            await pilot.press(number, "enter")
            await pilot.pause(0.2)
            assert "heyongjia/php-apache-hpa" in _text(app), number
            await pilot.press("enter")


def test_an_unknown_hpa_is_answered_with_near_ones() -> None:
    keys = [Key("a", "frontend"), Key("a", "backend"), Key("b", "frontier")]
    assert "near: a/frontend" in str(unknown_hpa(Key("", "frontnd"), keys, None))
    assert "there are: a/frontend" in str(unknown_hpa(Key("", "zzz"), keys, "a"))
    assert "-A" in str(unknown_hpa(Key("", "zzz"), [], "a"))


# Small windows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(20, 5), (30, 6), (39, 30), (100, 9), (1, 1)])
async def test_a_question_that_is_not_seen_cannot_be_answered(size: tuple[int, int]) -> None:
    session = FakeSession()
    session.question = "Send load to https://production.example.com, 50 requests/s, from this machine?"
    async with _running(session, size) as (app, pilot):
        await pilot.press("l", "y")
        await pilot.pause(0.2)
        assert "load confirmed" not in session.commands
        if size[0] >= 20:
            assert "too small" in _text(app)
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.3)
        assert "production.example.com" in _text(app)
        await pilot.press("y")
        await pilot.pause(0.2)
        assert "load confirmed" in session.commands


async def test_a_long_question_is_read_before_it_is_answered() -> None:
    session = FakeSession()
    session.question = "word " * 200 + "END"
    async with _running(session, (60, 14)) as (app, pilot):
        await pilot.press("l", "y")
        await pilot.pause(0.2)
        assert isinstance(app.screen, QuestionScreen)
        await pilot.press(*["down"] * 60)
        await pilot.pause(0.2)
        assert "END" in _text(app)
        await pilot.press("y")
        await pilot.pause(0.2)
        assert "load confirmed" in session.commands


async def test_a_confirmation_is_asked_and_no_is_no() -> None:
    session = FakeSession()
    session.question = "Send load to production?"
    async with _running(session) as (app, pilot):
        for no in ("n", "escape", "enter", "q"):
            await pilot.press("l")
            await pilot.pause(0.2)
            assert isinstance(app.screen, QuestionScreen)
            await pilot.press(no)
            await pilot.pause(0.1)
            assert not [c for c in session.commands if c.startswith("load")]


# Lists that filter ----------------------------------------------------------------------------------------------------


async def test_a_long_list_filters_as_one_types_and_takes_what_is_seen() -> None:
    taken: list[str | None] = []
    names = [f"team-{i:03}-namespace" for i in range(300)]
    async with _running(FakeSession(), (80, 24)) as (app, pilot):
        screen = ChoiceScreen("Namespace", [(n, n) for n in names], current="team-250-namespace")
        app.push_screen(screen, taken.append)
        await pilot.pause(0.2)
        assert "> team-250-namespace" in _text(app)
        await pilot.press(*"team-12")
        await pilot.pause(0.1)
        assert screen.shown == [f"team-12{i}-namespace" for i in range(10)]
        await pilot.press("down", "enter")
        await pilot.pause(0.1)
    assert taken == ["team-121-namespace"]


async def test_all_commands_by_name_at_any_width() -> None:
    session = FakeSession()
    async with _running(session, (80, 24)) as (app, pilot):
        for size in ((80, 24), (41, 12), (20, 6), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.press("ctrl+p", *"pause")
            await pilot.pause(0.1)
            await pilot.press("escape")
            await pilot.pause(0.1)
        await pilot.press("ctrl+p", *"pause", "enter")
        await pilot.pause(0.2)
        assert session.commands[-1] == "pause"
        assert app.screen is app.main


_NAMES = st.lists(st.text("abc-日", min_size=1, max_size=40), min_size=1, max_size=12, unique=True)


@given(_NAMES, st.integers(6, 30))
def test_two_names_never_look_the_same(names: list[str], width: int) -> None:
    shown = cut_apart(names, width)
    assert len(set(shown)) == len(names)
    assert all(cell_width(text) <= width for text in shown)


def test_names_are_cut_in_the_middle_and_only_where_room_ends() -> None:
    assert cut_middle("short", 5) == "short"
    assert cut_middle("arn:aws:eks:eu-west-1:123456789012:cluster/prod", 20).endswith("cluster/prod")
    assert padded("日本", 6) == "日本  "


# The header -----------------------------------------------------------------------------------------------------------

_ARN = "arn:aws:eks:eu-central-1:123456789012:cluster/a-rather-long-name-of-a-cluster-in-production"


@pytest.mark.parametrize("width", [60, 80, 100, 120])
async def test_a_long_context_hides_neither_state_nor_namespace(width: int) -> None:
    session = FakeSession()
    session.store.context = _ARN
    session.apply(StatusChanged(Kind.HPA, SourceStatus(SourceState.RECONNECTING, NOW, "refused")))
    async with _running(session, (width, 24)) as (app, _):
        head = _text(app).splitlines()[0]
        assert "reconnecting" in head
        assert "ns heyongjia" in head
        if width >= 80:
            assert "ctx arn:" in head
            assert head.rstrip().endswith("duction")


async def test_the_context_is_named_before_the_first_contact() -> None:
    session = FakeSession(live=False)
    session.store.context = ""
    session.publish()
    async with _running(session) as (app, _):
        assert "ctx test" in _text(app).splitlines()[0]


# Words ----------------------------------------------------------------------------------------------------------------


async def test_a_rate_is_a_plain_number_and_what_is_ordered_while_idle_is_told() -> None:
    session = FakeSession()
    async with _running(session) as (app, pilot):
        for text in ("1_0", "٣", "nan", "inf", "-1", "1e3", "0x10", "５"):
            app.action_ask_rate()
            await pilot.pause(0.1)
            screen = app.screen
            screen.dismiss(text)
            await pilot.pause(0.1)
        assert not [c for c in session.commands if c.startswith("rate")]
        app.action_ask_rate()
        await pilot.pause(0.1)
        app.screen.dismiss("25/s")
        await pilot.pause(0.2)
        assert session.commands[-1] == "rate 25"
        assert "The next load starts at" in _text(app)


async def test_a_size_that_was_never_computed_is_no_zero() -> None:
    session = FakeSession()
    session.store.take(Seen(NOW, Listed(Kind.HPA, (hpa(current=1, desired=0, version="9"),))))
    session.publish()
    async with _running(session) as (app, _):
        row = next(line for line in _text(app).splitlines() if "> " in line)
        assert " 1     -  " in row


async def test_read_only_offers_no_load_on_the_screen() -> None:
    session = FakeSession(Settings(read_only=True))
    async with _running(session, settings=Settings(read_only=True)) as (app, _):
        assert "read-only" in _text(app)
        session.store.set_load(replace(LoadView(), state=LoadState.IDLE), NOW, "")
