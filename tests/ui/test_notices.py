"""What is told stands in a line of its own, in every screen, and covers nothing."""

from __future__ import annotations

import pytest
from textual.notifications import Notification
from textual.widgets._toast import Toast

from hpatui.ui.notices import Memory, NoticeLine, chosen, rows_of
from hpatui.ui.screens.main import MainScreen
from tests.ui.fakes import FakeSession
from tests.ui.test_selection import _running


def _foot(main: MainScreen) -> str:
    return str(main.query_one("#foot").render())


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 20)])
async def test_it_takes_the_place_of_the_keys_and_covers_no_pane(size: tuple[int, int]) -> None:
    async with _running(FakeSession(), size=size) as (app, pilot):
        app.tell("php-apache-hpa scaled", "1 to 3 replicas")
        await pilot.pause(0.2)
        assert "1 to 3 replicas" in _foot(app.main)
        assert not app.main.query(Toast)
        app.tell("A long one", "word " * 60)
        await pilot.pause(0.2)
        foot = app.main.query_one("#foot")
        assert foot.region.height > 1
        panes = [pane for pane in (app.body.hpas, *app.body.panes.values()) if pane.display and pane.region.height]
        assert all(not pane.region.overlaps(foot.region) for pane in panes)
        app.clear_notifications()
        await pilot.pause(0.2)
        assert "quit" in _foot(app.main)
        assert foot.region.height == 1


async def test_a_dialog_has_the_line_too() -> None:
    async with _running(FakeSession()) as (app, pilot):
        await pilot.press("question_mark")
        app.tell("Told while reading", "the help")
        await pilot.pause(0.2)
        line = app.screen.query_one(NoticeLine)
        assert "Told while reading" in str(line.render())
        assert not app.screen.query(Toast)
        box = app.screen.query("HelpScreen > VerticalScroll").first()
        assert not box.region.overlaps(line.region)
        await pilot.press("escape")
        await pilot.pause(0.2)
        assert "Told while reading" in _foot(app.main)


async def test_all_that_was_told_can_be_read_again() -> None:
    async with _running(FakeSession()) as (app, pilot):
        app.tell("first", "one")
        app.tell("second", "two \x1b[31m")
        await pilot.pause(0.1)
        app.clear_notifications()
        await pilot.press("M")
        await pilot.pause(0.2)
        text = "\n".join(line.plain for line in app.screen.query_one("#text").lines)  # type: ignore[attr-defined]
        assert text.index("second: two") < text.index("first: one")
        assert "\x1b" not in text


def _item(title: str, severity: str, at: float) -> Notification:
    return Notification("text", title, severity, raised_at=at)  # type: ignore[arg-type]


def test_the_newest_is_shown_and_no_error_is_lost_to_it() -> None:
    items = [_item("a", "error", 1), _item("b", "error", 2), _item("c", "information", 3)]
    assert [item.title for item in chosen(items)] == ["c", "b"]
    assert [item.title for item in chosen([*items, _item("d", "error", 4)])] == ["d"]
    assert chosen([]) == []
    assert [row.plain[0] for row in rows_of(chosen(items), 60)] == ["●", "✖"]
    assert [row.plain[0] for row in rows_of(chosen(items), 60, 1)] == ["●"]


def test_what_is_cut_says_how_to_read_it() -> None:
    item = Notification("word " * 100, "long", "warning")
    rows = rows_of([item], 60)
    assert len(rows) == 3
    assert rows[-1].plain.endswith("(M: all of it)")
    assert all(row.cell_len <= 60 for row in rows)


def test_the_memory_of_messages_is_bounded() -> None:
    memory = Memory()
    memory.take([_item(str(number), "information", 1) for number in range(500)])
    assert memory.text().count("\n") == 199
