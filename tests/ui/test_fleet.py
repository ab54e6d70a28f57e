"""A fleet at a glance: counts that filter by click and key, groups, columns, the last hour."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hpatui.model import Key, Kind, Listed, Seen
from hpatui.state.heat import STEP, Heat
from hpatui.state.snapshot import HpaRow, HpaState
from hpatui.state.totals import Totals
from hpatui.text import cell_width
from hpatui.ui.panes.columns import CHOICES, Widths, header, measure, row_text, strip, targets_cell
from hpatui.ui.panes.fleet import counts
from tests.factories import NOW, hpa, metric
from tests.ui.fakes import FakeSession
from tests.ui.test_selection import _running, _text


def _fleet() -> FakeSession:
    session = FakeSession()
    many = [hpa(f"cart-{i}", f"shop-{i % 3}", current=i, desired=i, metrics=[metric(20)]) for i in range(1, 10)]
    blind = [hpa(f"blind-{i}", "shop-0", metrics=[metric(None)]) for i in range(3)]
    session.store.take(Seen(NOW, Listed(Kind.HPA, (*many, *blind))))
    session.publish()
    return session


def _shown(app: object) -> list[Key]:
    return [row.key for row in app.body.hpas._rows]  # type: ignore[attr-defined]


async def test_a_count_filters_by_click_and_again_shows_all() -> None:
    async with _running(_fleet()) as (app, pilot):
        states = app.body.fleet.totals.states
        assert sum(states.values()) == 12
        state, count = min(states.items(), key=lambda pair: pair[1])
        place = next(start for start, _, s in app.body.fleet._places if s is state)
        assert await pilot.click("#fleet", offset=(place + 3, 0))
        await pilot.pause(0.2)
        assert len(_shown(app)) == count
        assert f"only {state.value}" in str(app.body.hpas.border_title)
        await pilot.click("#fleet", offset=(place + 3, 0))
        await pilot.pause(0.2)
        assert len(_shown(app)) == 12


async def test_a_count_filters_by_key_and_escape_drops_it() -> None:
    async with _running(_fleet()) as (app, pilot):
        state = next(iter(app.body.fleet.totals.states))
        await pilot.press("f")
        await pilot.pause(0.1)
        await pilot.press(*state.value, "enter")
        await pilot.pause(0.2)
        assert app.body.hpas.state is state
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert app.body.hpas.state is None


async def test_groups_have_headings_that_the_cursor_passes_over() -> None:
    async with _running(_fleet(), (120, 50)) as (app, pilot):
        app.body.zoom("hpas")
        await pilot.press("g")
        await pilot.pause(0.3)
        text = _text(app)
        assert "shop-0  6 HPAs" in text and "shop-2  3 HPAs" in text
        assert text.index("shop-0  6 HPAs") < text.index("shop-1  3 HPAs")
        for _ in range(20):
            await pilot.press("k")
        seen = [app.body.hpas.key]
        for _ in range(20):
            await pilot.press("j")
            seen.append(app.body.hpas.key)
        assert list(dict.fromkeys(seen)) == _shown(app)
        for _ in range(30):
            await pilot.press("k")
        assert app.body.hpas.key == _shown(app)[0]
        await pilot.press("g")
        await pilot.pause(0.2)
        assert "grouped by state" in str(app.body.hpas.border_title)


async def test_columns_can_be_hidden_and_stay_hidden() -> None:
    async with _running(_fleet()) as (app, pilot):
        assert "MIN  MAX" in _text(app)
        await pilot.press("v")
        await pilot.pause(0.1)
        await pilot.press(*"bounds", "enter")
        await pilot.pause(0.1)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert "MIN  MAX" not in _text(app)
    async with _running(_fleet()) as (app, pilot):
        assert "MIN  MAX" not in _text(app)


@pytest.mark.parametrize("width", range(60, 260, 7))
def test_rows_and_header_are_as_wide_as_the_pane_and_aligned(width: int) -> None:
    row = HpaRow(hpa("checkout", "a-namespace", metrics=[metric(45)]), HpaState.STEADY, "1 replica; all is well")
    for hidden in (frozenset(), frozenset({"bounds", "trend"}), frozenset(name for name, _ in CHOICES)):
        widths = measure([row], width, hidden)
        line, head = row_text(row, widths, "checkout", selected=False, now=NOW), header(widths)
        assert line.cell_len <= width
        assert line.plain.index("● steady") == head.plain.index("STATE")


def test_each_metric_has_the_colour_of_its_own_trouble_and_none_is_cut() -> None:
    found = hpa(metrics=[metric(90, name="cpu"), metric(10, name="memory"), metric(None, name="queue")])
    whole = targets_cell(found, 80)
    styles = {whole.plain[span.start : span.end].split()[0]: span.style for span in whole.spans if span.style}
    assert styles["cpu"] == "yellow" and styles["queue"] == "red"
    for width in range(12, 80):
        cell = targets_cell(found, width)
        assert cell.cell_len == width
        if "+" in cell.plain:
            assert f"+{3 - cell.plain.count(' %')}" in cell.plain


def test_the_line_of_counts_leaves_out_but_never_cuts() -> None:
    totals = Totals(dict.fromkeys(HpaState, 100), 3000, 3010, 100, 9000, 320.0, 12_000.0, 600.0)
    for width in range(20, 300, 3):
        text, places = counts(totals, 1200, None, width)
        assert cell_width(text.plain) <= width
        assert text.plain.startswith("1,200 HPAs")
        for start, end, state in places:
            if state is not None:
                assert "100" in text.plain[start:end]
    assert "320 pod-min above min · 12k saved below max" in text.plain


def test_the_last_hour_is_right_aligned_and_its_halves_keep_the_peaks() -> None:
    row = replace(HpaRow(hpa(), HpaState.STEADY, ""), heat=Heat(1000, bytes([1, 5, 8])))
    now = 1000 * STEP
    assert strip(row, 30, now).plain == " " * 27 + "▁▅█"
    assert strip(row, 15, now).plain == " " * 13 + "▁█"
    assert strip(row, 30, now + STEP).plain == " " * 26 + "▁▅██"
    assert Widths().headline == 0
