"""The only file that draws with plotext: curves of samples on a bare canvas, as lines of styled text.

plotext 5 has no public name for a figure of one's own (its module-level one is shared state), so its class is taken from
a private module; `paint` falls back to bars of its own where a later plotext has it no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from rich.text import Text


@dataclass(frozen=True, slots=True)
class Dots:
    """A run of samples (x from 0 to 1, value), drawn with one glyph; `fill`: down to 0."""

    samples: Sequence[tuple[float, float]]
    glyph: str
    colour: str
    fill: bool = True


def paint(layers: Sequence[Dots], columns: int, rows: int, top: float) -> list[Text]:
    """`rows` lines of exactly `columns` cells; values from 0 to `top`. Later layers cover earlier ones."""
    figure = _figure()
    if figure is None:
        return _bars(layers, columns, rows, top)
    figure.plot_size(columns, rows)
    figure.theme("clear")
    figure.frame(False)
    figure.xaxes(False, False)
    figure.yaxes(False, False)
    figure.grid(False, False)
    for layer in layers:
        dots = rows * 2 if layer.glyph == "█" else rows
        xs, ys = (
            [x for x, _ in layer.samples],
            [_centred(value, top, dots, fill=layer.fill) for _, value in layer.samples],
        )
        if len(xs) == 1:  # plotext draws no line of one point
            xs, ys = [*xs, xs[0]], [*ys, ys[0]]
        marker = "hd" if layer.glyph == "█" else layer.glyph
        figure.plot(xs, ys, marker=marker, color=_named(layer.colour), fillx=layer.fill)
    figure.xlim(0, 1)
    figure.ylim(0, top)
    figure.xticks([], [])
    figure.yticks([], [])
    if not layers:
        return [Text(" " * columns, end="") for _ in range(rows)]
    lines = list(Text.from_ansi(figure.build()).split("\n"))[:rows]
    for line in lines:
        line.end = ""
        line.truncate(columns, pad=True)
    return [*lines, *(Text(" " * columns, end="") for _ in range(rows - len(lines)))]


def row_of(value: float, top: float, rows: int) -> int:
    """The row, from below, in which a line at `value` lies; one on the border of two is at the top of the lower one."""
    return min(rows - 1, max(0, ceil(value / top * rows - 1e-9) - 1))


def _centred(value: float, top: float, dots: int, *, fill: bool) -> float:
    """The value that makes plotext fill exactly the share value / top of its `dots` rows of dots (at least one)."""
    if dots == 1:
        return 0.0
    filled = min(dots, max(1, round(value / top * dots))) if fill else row_of(value, top, dots) + 1
    return top * (filled - 1) / (dots - 1)


def _figure() -> Any:
    try:
        from plotext._figure import _figure_class
    except ImportError:
        return None
    figure = _figure_class()
    unlimited = getattr(figure, "_limit_size", None)  # else it never gets wider than the terminal it believes to be in
    if unlimited is None:
        return None
    unlimited(False, False)
    return figure


def _named(colour: str) -> str:
    """A colour under plotext's name: its "orange" is the terminal's yellow, "gray+" its bright black."""
    return {"yellow": "orange", "bright_black": "gray"}.get(colour, colour)


def _bars(layers: Sequence[Dots], columns: int, rows: int, top: float) -> list[Text]:
    """Whole cells instead of plotext's dots."""
    cells = [[(" ", "")] * columns for _ in range(rows)]
    for layer in layers:
        for x, value in layer.samples:
            column = min(columns - 1, int(x * columns))
            high = min(rows, max(1, round(value / top * rows))) if layer.fill else row_of(value, top, rows) + 1
            for row in range(0 if layer.fill else high - 1, high):
                cells[rows - 1 - row][column] = (layer.glyph, layer.colour)
    return [Text.assemble(*row, end="") for row in cells]
