"""Panels on one time axis, drawn with plotext: pure functions of (data, width, height) -> lines of text.

plotext is imported when the first chart is drawn. Its cost follows the dots, so points are thinned to the columns first;
each panel is a figure of its own (plotext's module-level one is shared state).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.text import Text

from hpatui.clock import as_datetime

Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: points (epoch s, value; None is a gap). `step`: a value holds until the next. `right`: right-hand axis."""

    label: str
    points: tuple[Point, ...]
    colour: str
    step: bool = False
    right: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line: a target, a minimum, a maximum."""

    value: float
    colour: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: its curves, levels and marks (times), and how numbers of its left axis are written."""

    title: str
    curves: tuple[Curve, ...]
    levels: tuple[Level, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    whole: bool = False
    format: Callable[[float], str] = field(default=lambda value: f"{value:g}")


def draw(
    panels: Sequence[Panel],
    start: float,
    end: float,
    width: int,
    height: int,
    *,
    ascii: bool = False,
    clock: bool = False,
    cursor: float | None = None,
) -> list[Text]:
    """All panels under each other over the same time, exactly `height` lines.

    With a `cursor` (epoch s) a line stands there and the legends have the values of that moment instead of the newest.
    With `clock` the axis has times of day, else how long ago: then a picture in which nothing happens stays the same.
    """
    if width < 20 or height < 4 or not panels:
        return [Text("too small for a graph", end="")]
    each = max(4, height // len(panels))
    shown = panels[: max(1, height // each)]
    lines: list[Text] = []
    right = max((_right_width(panel) for panel in shown), default=0)  # the same for all, so that times line up
    for index, panel in enumerate(shown):
        last = index == len(shown) - 1
        rows = height - len(lines) if last else each
        room = width - right + _right_width(panel)
        lines += _panel(panel, start, end, room, rows, axis=last, ascii=ascii, clock=clock, cursor=cursor)
    return lines[:height]


def _right_top(panel: Panel) -> float | None:
    """The top of the right-hand axis, None where nothing is drawn against it."""
    values = [value for curve in panel.curves if curve.right for _, value in curve.points if value is not None]
    return max(max(values) * 1.05, 1.0) if values else None


def _right_width(panel: Panel) -> int:
    top = _right_top(panel)
    return 0 if top is None else 1 + max(len(f"{tick:g}") for tick in _ticks(0.0, top, 2, whole=True))


def _panel(
    panel: Panel,
    start: float,
    end: float,
    width: int,
    height: int,
    *,
    axis: bool,
    ascii: bool,
    clock: bool,
    cursor: float | None,
) -> list[Text]:
    legend = _legend(panel, cursor, ascii=ascii)
    legend.truncate(width)
    figure = _figure()
    figure.plot_size(width, height - 1)
    figure.theme("clear")
    figure.frame(False)
    figure.xaxes(False, False)
    figure.grid(False, False)
    marker = "*" if ascii else "braille"
    low, high = _range(panel)
    columns = max(10, width - 8)
    for level in panel.levels:
        figure.plot([0.0, end - start], [level.value, level.value], marker="." if ascii else "┈", color=level.colour)
    for curve in panel.curves:
        for run in _runs(curve, start, end, columns):
            xs, ys = [t - start for t, _ in run], [value for _, value in run]
            side = "right" if curve.right else "left"
            figure.plot(xs, ys, marker=marker, color=_plain(curve.colour), yside=side)
    for time, _text in panel.marks:
        if start <= time <= end:
            figure.plot([time - start] * 2, [low, high], marker="|" if ascii else "┆", color="white")
    if cursor is not None and start <= cursor <= end:
        figure.plot([cursor - start] * 2, [low, high], marker="|" if ascii else "│", color="yellow")
    figure.xlim(0, end - start)
    figure.ylim(low, high)
    ticks = _ticks(low, high, max(2, (height - 2) // 2), whole=panel.whole)
    figure.yticks(ticks, [panel.format(tick).rjust(5) for tick in ticks])
    top = _right_top(panel)
    if top is not None:
        figure.ylim(0, top, "right")
        marks = _ticks(0.0, top, 2, whole=True)
        # plotext puts a space before each label and cuts it to its own length: hence one after it
        figure.yticks(marks, [f"{mark:g} " for mark in marks], "right")
    if axis:
        times = [start + (end - start) * part / 4 for part in range(5)]
        figure.xticks([t - start for t in times], [_moment(t, end, clock=clock) for t in times])
    else:
        figure.xticks([], [])
    canvas = Text.from_ansi(figure.build())
    body = canvas.split("\n")
    return [legend, *(_bare(line) for line in body)][:height]


def _legend(panel: Panel, cursor: float | None, *, ascii: bool) -> Text:
    legend = Text(end="")
    legend.append(panel.title + "  ", style="bold")
    for curve in panel.curves:
        value = _value_at(curve, cursor)
        shown = "" if value is None else f" {value:g}" if panel.whole or curve.right else f" {panel.format(value)}"
        legend.append(f"{'-' if ascii else '━'} {curve.label}{shown}  ", style=curve.colour)
    return legend


def _value_at(curve: Curve, cursor: float | None) -> float | None:
    """The newest value, or the one in force at the cursor (None in a gap)."""
    if cursor is None:
        return next((value for _, value in reversed(curve.points) if value is not None), None)
    return next((value for time, value in reversed(curve.points) if time <= cursor), None)


def _moment(time: float, end: float, *, clock: bool) -> str:
    if clock:
        return as_datetime(time).astimezone().strftime("%H:%M:%S")
    ago = end - time
    if ago < 1:
        return "now"
    if ago < 120:
        return f"-{ago:.0f}s"
    return f"-{ago / 60:.3g}m" if ago < 3600 else f"-{ago / 3600:.3g}h"


def _bare(line: Text) -> Text:
    line.end = ""
    return line


def _figure() -> Any:
    # plotext 5 has no public name for a figure of one's own; textual-plotext takes the same one.
    from plotext._figure import _figure_class

    return _figure_class()


def _plain(colour: str) -> str:
    """A colour under plotext's name: its "orange" is the terminal's yellow, and "yellow" is none of its."""
    return {"yellow": "orange"}.get(colour, colour)


def _range(panel: Panel) -> tuple[float, float]:
    values = [v for curve in panel.curves if not curve.right for _, v in curve.points if v is not None]
    values += [level.value for level in panel.levels]
    if not values:
        return 0.0, 1.0
    low, high = min(0.0, *values), max(values)
    return low, high * 1.08 if high > low else low + 1.0


def _ticks(low: float, high: float, count: int, *, whole: bool) -> list[float]:
    """At most `count` + 1 round values between low and high."""
    span = high - low
    for step in (10.0**power * base for power in range(-6, 16) for base in (1, 2, 5)):
        if whole and step < 1:
            continue
        if span / step <= count:
            first = -(-low // step) * step
            ticks = []
            while first <= high:
                ticks.append(first)
                first += step
            return ticks
    return [low, high]


def _runs(curve: Curve, start: float, end: float, columns: int) -> list[list[tuple[float, float]]]:
    """The curve as runs without gaps, thinned to about two points a column."""
    runs: list[list[tuple[float, float]]] = []
    run: list[tuple[float, float]] = []
    for time, value in curve.points:
        if value is None:
            if run and curve.step:
                run.append((time, run[-1][1]))
            if run:
                runs.append(run)
            run = []
            continue
        if curve.step and run:
            run.append((time, run[-1][1]))
        run.append((time, value))
    if run:
        if curve.step:
            run.append((end, run[-1][1]))
        runs.append(run)
    return [_thin(item, start, end, columns) for item in runs]


def _thin(run: list[tuple[float, float]], start: float, end: float, columns: int) -> list[tuple[float, float]]:
    """Keep the first, lowest, highest and last point of each column."""
    if len(run) <= 2 * columns:
        return run
    width = (end - start) / columns
    kept: list[tuple[float, float]] = []
    bucket: list[tuple[float, float]] = []
    index = None
    for point in run:
        column = int((point[0] - start) / width)
        if column != index and bucket:
            kept += _extremes(bucket)
            bucket = []
        index = column
        bucket.append(point)
    return kept + _extremes(bucket)


def _extremes(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    chosen = {points[0], points[-1], min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])}
    return sorted(chosen)
