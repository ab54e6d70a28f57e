"""The charts as text: panels line up on one time axis, labels are whole, gaps are gaps."""

from __future__ import annotations

import pytest

from hpatui.ui.charts.timeline import Curve, Level, Panel, draw

_LOAD = Curve("load", tuple((float(t), 50.0) for t in range(100, 300)), "magenta", right=True)
_WANT = Curve("want", ((0.0, 1.0), (150.0, 3.0)), "cyan", step=True)
_CPU = Curve("cpu", ((0.0, 10.0), (150.0, 79.0)), "yellow", step=True)
_MARK = ((150.0, "3"),)


def _panels() -> list[Panel]:
    replicas = Panel("replicas", (_WANT, _LOAD), (Level(3, "gray"),), _MARK, whole=True, format=lambda v: f"{v:.0f}")
    return [replicas, Panel("cpu", (_CPU,), (), _MARK, format=lambda v: f"{v:.0f}%")]


def test_marks_of_one_time_stand_in_one_column() -> None:
    lines = [line.plain for line in draw(_panels(), 0, 300, 50, 14)]
    columns = {line.index("┆") for line in lines if "┆" in line}
    assert len(columns) == 1
    assert len(lines) == 14


def test_labels_of_the_right_axis_are_whole() -> None:
    lines = [line.plain for line in draw(_panels(), 0, 300, 50, 14)]
    assert lines[1].endswith(" 50")
    assert all(len(line) <= 50 for line in lines)


def test_each_curve_has_its_colour() -> None:
    lines = draw(_panels(), 0, 300, 50, 14)
    assert {str(span.style) for line in lines for span in line.spans} >= {"color(3)", "color(5)", "color(6)"}


def test_the_cursor_puts_its_values_into_the_legends() -> None:
    lines = [line.plain for line in draw(_panels(), 0, 300, 50, 14, cursor=120.0)]
    assert "want 1" in lines[0]
    assert "load 50" in lines[0]
    assert "cpu 10%" in lines[7]
    assert sum("│" in line for line in lines) >= 8


def test_a_gap_is_drawn_as_a_gap() -> None:
    points = ((0.0, 5.0), (100.0, None), (200.0, 5.0))
    lines = [line.plain for line in draw([Panel("x", (Curve("x", points, "green", step=True),))], 0, 300, 40, 8)]
    drawn = next(line for line in lines[1:] if "⠒" in line or "⠉" in line or "⣀" in line or "⠤" in line)
    body = drawn[5:]
    assert body[: len(body) // 4].strip()
    assert not body[len(body) * 5 // 12 : len(body) * 7 // 12].strip()
    assert body[len(body) * 3 // 4 :].strip()


@pytest.mark.parametrize("size", [(10, 3), (20, 4), (200, 50)])
def test_any_size_works(size: tuple[int, int]) -> None:
    lines = draw(_panels(), 0, 300, *size)
    assert 1 <= len(lines) <= size[1] or size[1] < 4


def test_ascii_has_nothing_else() -> None:
    assert all(line.plain.isascii() for line in draw(_panels(), 0, 300, 60, 16, ascii=True))
