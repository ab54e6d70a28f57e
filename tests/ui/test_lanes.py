"""The lanes as text: filled steps, targets on the axis, gaps, events in a row of their own, any size, any terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from rich.text import Text

from hpatui.ui.charts import canvas
from hpatui.ui.charts.lanes import GUTTER, Area, Lane, Level, Line, Mark, View, draw, sample

NOW = ((0.0, 1.0), (150.0, 3.0))
CPU = ((0.0, 10.0), (150.0, 79.0))
MARKS = [Mark(120.0, "▶50/s", "green"), Mark(150.0, "▲3", "cyan")]


def named(text: str) -> Callable[[float | None], Sequence[tuple[str, str]]]:
    return lambda moment: [(text if moment is None else f"at {moment:.0f}", "")]


REPLICAS = Lane(
    "replicas", "cyan", named("3 now"), (Area(NOW, "cyan"),), levels=(Level(3.0),), end="min 1  max 3", whole=True,
    format=lambda value: f"{value:.0f}",
)  # fmt: skip
METRIC = Lane("cpu", "blue", named("79 of 30 %"), (Area(CPU, "blue", limit=30.0),), levels=(Level(30.0, tick=True),))
VIEW = View(0.0, 300.0, 67, 12)


def plain(lines: list[Text]) -> list[str]:
    return [line.plain for line in lines]


def test_filled_steps_with_integer_ticks() -> None:
    lines = plain(draw([REPLICAS], [], View(0.0, 300.0, 67, 6)))
    assert lines[0].startswith("replicas  3 now") and lines[0].endswith("min 1  max 3")
    assert [line[:GUTTER].strip(" ┤") for line in lines[1:4]] == ["3", "2", "1"]
    left, right = GUTTER + 10, GUTTER + 50
    assert [line[left] for line in lines[1:4]] == ["┈", " ", "█"], "1 of 3 is exactly the lowest row"
    assert [line[right] for line in lines[1:4]] == ["█", "█", "█"]


def test_what_lies_above_the_target_has_the_alarm_colour() -> None:
    lines = draw([METRIC], [], View(0.0, 300.0, 67, 9))
    reds = [row for row, line in enumerate(lines) if any("color(1)" in str(span.style) for span in line.spans)]
    blues = [row for row, line in enumerate(lines) if any("color(4)" in str(span.style) for span in line.spans)]
    target = next(row for row, line in enumerate(lines) if line.plain[:GUTTER].strip(" ┤") == "30")
    assert reds and max(reds) <= target
    assert blues and min(blues) >= target


def test_without_colour_it_has_a_texture_of_its_own() -> None:
    assert any("▒" in line for line in plain(draw([METRIC], [], View(0.0, 300.0, 67, 9, mono=True))))
    assert not any("▒" in line for line in plain(draw([METRIC], [], View(0.0, 300.0, 67, 9))))


def test_events_have_a_row_and_never_cross_the_curves() -> None:
    lines = plain(draw([REPLICAS, METRIC], MARKS, VIEW))
    row = lines[-2]
    assert row.startswith("events")
    assert row.index("▲3") == GUTTER + 30 and row.index("▶50/s") == GUTTER + 24
    assert not any("▲" in line or "▶" in line for line in lines[:-2])


def test_events_that_overlap_keep_their_glyph() -> None:
    lines = plain(draw([REPLICAS], [Mark(148.0, "▶50/s", ""), Mark(155.0, "▲3", "")], VIEW))
    assert "▶ ▲3" in lines[-2]


def test_lanes_share_the_height_and_the_last_go_first() -> None:
    lanes = [REPLICAS, METRIC, Lane("load", "green", named("50/s"), (Area(CPU, "green"),))]
    tall = plain(draw(lanes, [], View(0.0, 300.0, 60, 20)))
    assert len(tall) == 20 and any(line.startswith("load") for line in tall)
    low = plain(draw(lanes, [], View(0.0, 300.0, 60, 8)))
    assert len(low) == 8 and not any(line.startswith("load") for line in low)


def test_the_cursor_puts_its_values_into_the_names() -> None:
    lines = plain(draw([REPLICAS, METRIC], [], View(0.0, 300.0, 67, 12, cursor=120.0)))
    assert lines[0].startswith("replicas  at 120")
    assert sum(line[GUTTER + 24 : GUTTER + 25] == "│" for line in lines) >= 7


def test_a_gap_is_a_gap_and_zero_is_nothing() -> None:
    points = ((0.0, 5.0), (100.0, None), (200.0, 0.0), (250.0, 5.0))
    lines = plain(draw([Lane("x", "green", named(""), (Area(points, "green"),))], [], View(0.0, 300.0, 67, 6)))
    bottom = lines[3][GUTTER:]
    assert bottom[:19] == "█" * 19 and not bottom[21:49].strip() and bottom[51:] == "█" * 9


def test_a_line_is_drawn_over_the_areas() -> None:
    lane = Lane("x", "cyan", named(""), (Area(((0.0, 3.0),), "cyan"),), (Line(((0.0, 1.0),), "white"),), whole=True)
    assert plain(draw([lane], [], View(0.0, 300.0, 67, 6)))[3][GUTTER:] == "─" * 60


def test_samples_keep_the_largest_value_of_a_slot() -> None:
    points = [(float(t), 9.0 if t == 50 else 1.0) for t in range(100)]
    assert sample(points, 0.0, 100.0, 10, step=False) == [1.0] * 5 + [9.0] + [1.0] * 4


def test_points_of_a_series_that_is_no_step_do_not_hold_for_ever() -> None:
    assert sample([(0.0, 5.0), (50.0, 5.0)], 0.0, 100.0, 10, step=False) == [
        5.0,
        5.0,
        None,
        None,
        None,
        5.0,
        5.0,
        None,
        None,
        None,
    ]
    assert sample([(0.0, 5.0), (50.0, 6.0)], 0.0, 100.0, 10, step=True) == [5.0] * 5 + [6.0] * 5


@pytest.mark.parametrize("width", [10, 24, 40, 100, 250])
@pytest.mark.parametrize("height", [3, 4, 5, 9, 30, 70])
def test_any_size_is_filled_exactly(width: int, height: int) -> None:
    lines = draw([REPLICAS, METRIC], MARKS, View(0.0, 300.0, width, height))
    if width >= 24 and height >= 4:
        assert len(lines) == height
        assert all(line.cell_len <= width for line in lines)
    else:
        assert plain(lines) == ["too small for a graph"]


def test_without_plotexts_private_figure_it_still_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canvas, "_figure", lambda: None)
    lines = plain(draw([REPLICAS, METRIC], MARKS, VIEW))
    assert len(lines) == 12 and sum("█" in line for line in lines) >= 3
