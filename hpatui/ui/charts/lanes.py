"""Lanes on one time axis: each has one meaning, one hue and one axis; its values stand beside its name.

    replicas  █ 3 ready · ▒ 4 now · ─ 6 wanted                min 1  max 8
    8 ┤                          ┈┈┈┈┈┈┈┈┈┈┈
    3 ┤              ▗▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄

Pure functions of (data, times, size) -> lines of text. plotext draws what is inside a lane (filled areas, levels); the
names, the ticks, the row of events and the time axis are set around it, because plotext clips labels to the canvas.
plotext is imported when the first chart is drawn. Its cost follows the dots: a lane is sampled at two points a column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from rich.text import Text

from hpatui.clock import as_datetime
from hpatui.text import cell_width
from hpatui.ui.charts.canvas import Dots, paint, row_of
from hpatui.ui.marks import FAINT

Point = tuple[float, float | None]

GUTTER = 7  # columns left of the drawing: a tick's label and the axis
LEAST_BODY, BODY = 1, 3  # rows of a lane's drawing: at least, and before the next lane gets one
_SAMPLES = 2  # a column; the markers have as many dots
_HOLD = (
    2.5  # seconds that a point of a series that is no step series holds, where points are further apart than columns
)


@dataclass(frozen=True, slots=True)
class Area:
    """A filled curve. `glyph` stands for it in the lane's name, and is its texture (`█`: by half blocks).

    `points`: (epoch s, value), None a gap; `step`: a value holds until the next. What lies above `limit` is drawn in the
    alarm colour. An area of value 0 is not drawn.
    """

    points: tuple[Point, ...]
    colour: str
    label: str = ""
    glyph: str = "█"
    step: bool = True
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A curve drawn as a line of single glyphs, at the height of its value."""

    points: tuple[Point, ...]
    colour: str
    label: str = ""
    glyph: str = "─"
    step: bool = True


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line behind the areas: a target, a limit. `tick`: its value stands on the axis."""

    value: float
    colour: str = FAINT
    glyph: str = "┈"
    tick: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane: later areas stand before earlier ones. `values`: the words after the name at a time (None: newest)."""

    name: str
    colour: str
    values: Callable[[float | None], Sequence[tuple[str, str]]]  # (text, style)
    areas: tuple[Area, ...] = ()
    lines: tuple[Line, ...] = ()
    levels: tuple[Level, ...] = ()
    end: str = ""  # at the right-hand end of the name's line
    whole: bool = False
    format: Callable[[float], str] = field(default=lambda value: f"{value:g}")
    least_top: float = 1.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: a glyph with a short word in the row of events."""

    time: float
    text: str
    style: str


@dataclass(frozen=True, slots=True)
class View:
    """What part of time is shown, how large, and how."""

    start: float
    end: float
    width: int
    height: int
    ascii: bool = False
    mono: bool = False  # no colours: what lies above a limit has a texture of its own
    clock: bool = False  # the axis has times of day, else how long ago
    cursor: float | None = None

    @property
    def columns(self) -> int:
        """Columns for the drawing."""
        return self.width - GUTTER

    def column(self, time: float) -> int | None:
        """The column of a time, None where it is not shown."""
        if not self.start <= time <= self.end:
            return None
        return min(self.columns - 1, int((time - self.start) / (self.end - self.start) * self.columns))


def draw(lanes: Sequence[Lane], marks: Sequence[Mark], view: View) -> list[Text]:
    """The lanes under each other, the row of events and the axis: exactly `view.height` lines.

    Lanes that do not fit are left out from the end.
    """
    if view.width < 24 or view.height < 4 or not lanes:
        return [Text("too small for a graph", end="")]
    room = view.height - 2
    shown = list(lanes[: max(1, room // (1 + min(BODY - 1, room - 1)))])
    lines: list[Text] = []
    for index, lane in enumerate(shown):
        rows = (room - len(lines)) // (len(shown) - index)
        rows += (room - len(lines)) % (len(shown) - index) > 0  # what is left over goes to the first lanes
        lines.append(_name(lane, view))
        lines += _body(lane, max(LEAST_BODY, rows - 1), view)
    lines.append(_events(marks, view))
    lines.append(_axis(view))
    return lines[: view.height]


# One lane -----------------------------------------------------------------------------------------------------------


def _name(lane: Lane, view: View) -> Text:
    line = Text(end="")
    line.append(lane.name, style=f"bold {lane.colour}")
    for index, (text, style) in enumerate(lane.values(view.cursor)):
        line.append(" · " if index else "  ", style=FAINT)
        line.append(text, style=style)
    end = Text(lane.end, style=FAINT, end="")
    free = view.width - line.cell_len - end.cell_len
    if lane.end and free >= 2:
        line.append(" " * free)
        line.append_text(end)
    line.truncate(view.width, overflow="ellipsis")
    return line


def _body(lane: Lane, rows: int, view: View) -> list[Text]:
    top = _top(lane)
    dots: list[Dots] = [
        Dots(((0.0, level.value), (1.0, level.value)), _glyph(level.glyph, view), level.colour, fill=False)
        for level in lane.levels
        if 0 < level.value <= top
    ]
    for area in lane.areas:
        dots += _area(area, view)
    for curve in lane.lines:
        glyph = _glyph(curve.glyph, view)
        dots += [Dots(run, glyph, curve.colour, fill=False) for run in _runs(curve.points, curve.step, view)]
    drawing = paint(dots, view.columns, rows, top)
    ticks = _ticks(lane, rows, top)
    cursor = view.column(view.cursor) if view.cursor is not None else None
    lines = []
    for row, inner in enumerate(drawing):
        line = Text(end="")
        label = ticks.get(row)
        line.append((label or "").rjust(GUTTER - 2)[-(GUTTER - 2) :] + (" ┤" if label else " │"), style=FAINT)
        line.append_text(_with_cursor(inner, cursor))
        lines.append(line)
    return lines


def _area(area: Area, view: View) -> list[Dots]:
    glyph = _glyph(area.glyph, view)
    found: list[Dots] = []
    for run in _runs(area.points, area.step, view):
        if area.limit is not None and any(value > area.limit for _, value in run):
            excess = ("!" if view.ascii else "▒") if view.mono or view.ascii else glyph
            found += [Dots(part, excess, "red") for part in _positive(_above(run, area.limit))]
            run = tuple((x, min(value, area.limit)) for x, value in run)
        found += [Dots(part, glyph, area.colour) for part in _positive(run)]
    return found


def _above(run: tuple[tuple[float, float], ...], limit: float) -> tuple[tuple[float, float], ...]:
    return tuple((x, value if value > limit else 0.0) for x, value in run)


def _positive(run: tuple[tuple[float, float], ...]) -> list[tuple[tuple[float, float], ...]]:
    """The parts of a run that are above 0."""
    parts: list[tuple[tuple[float, float], ...]] = []
    part: list[tuple[float, float]] = []
    for point in run:
        if point[1] > 0:
            part.append(point)
        elif part:
            parts.append(tuple(part))
            part = []
    return [*parts, tuple(part)] if part else parts


_ASCII_GLYPHS = {"█": "#", "▒": ":", "░": ".", "─": "=", "┈": ".", "╌": "-"}


def _glyph(glyph: str, view: View) -> str:
    return _ASCII_GLYPHS.get(glyph, glyph) if view.ascii else glyph


def _with_cursor(line: Text, column: int | None) -> Text:
    if column is None:
        return line
    return Text.assemble(line[:column], ("│", "bold yellow"), line[column + 1 :], end="")


def _top(lane: Lane) -> float:
    """The value at the upper edge of the drawing."""
    curves = [area.points for area in lane.areas] + [line.points for line in lane.lines]
    values = [value for points in curves for _, value in points if value is not None]
    values += [level.value for level in lane.levels]
    top = max([lane.least_top, *values])
    return top if lane.whole else top * 1.05


def _ticks(lane: Lane, rows: int, top: float) -> dict[int, str]:
    """Row -> label. Targets first, then the size of things: whole lanes all numbers up to 5, else top and middle."""
    wanted = [level.value for level in lane.levels if level.tick]
    if lane.whole:
        most = int(top)
        wanted += [most, *range(most - 1, 0, -1)] if most <= 5 else [most, round(most / 2), 1]
    elif not wanted:
        wanted += [top / 1.05]
    found: dict[int, str] = {}
    for value in wanted:
        row = rows - 1 - row_of(value, top, rows)
        if row not in found:
            found[row] = lane.format(value)
    return found


# Series -> samples ----------------------------------------------------------------------------------------------------


def _runs(points: tuple[Point, ...], step: bool, view: View) -> list[tuple[tuple[float, float], ...]]:
    """Samples at `_SAMPLES` a column as runs without gaps: x from 0 to 1, and the largest value within the sample."""
    count = view.columns * _SAMPLES
    values = sample(points, view.start, view.end, count, step=step)
    runs: list[tuple[tuple[float, float], ...]] = []
    run: list[tuple[float, float]] = []
    for index, value in enumerate(values):
        if value is not None:
            run.append(((index + 0.5) / count, value))
        elif run:
            runs.append(tuple(run))
            run = []
    return [*runs, tuple(run)] if run else runs


def sample(points: Sequence[Point], start: float, end: float, count: int, *, step: bool) -> list[float | None]:
    """`count` values over start to end: in each slot the largest point, else the value that still holds, else None."""
    width = (end - start) / count
    found: list[float | None] = [None] * count
    gaps: set[int] = set()
    for time, value in points:
        slot = int((time - start) / width)
        if not 0 <= slot < count:
            continue
        if value is None:
            gaps.add(slot)
        elif (known := found[slot]) is None or value > known:
            found[slot] = value
    for (time, value), (after, _) in pairwise([*points, (end, None)]):
        if value is None:
            continue
        until = after if step else min(after, time + max(_HOLD, 1.5 * width))
        first, last = max(0, int((time - start) / width) + 1), min(count, int((until - start) / width + 1e-9) + 1)
        for slot in range(first, last):
            if found[slot] is None and slot not in gaps:
                found[slot] = value
    return found


# Under the lanes ----------------------------------------------------------------------------------------------------------


def _events(marks: Sequence[Mark], view: View) -> Text:
    """The row of events: each mark at its column; one that would overlap a later one keeps its glyph, or goes."""
    cells: list[tuple[str, str]] = [(" ", "")] * view.columns
    free_until = view.columns
    for mark in sorted(marks, key=lambda m: m.time, reverse=True):
        column = view.column(mark.time)
        if column is None or column >= free_until:
            continue
        text = mark.text if column + cell_width(mark.text) < free_until or free_until == view.columns else mark.text[:1]
        column = min(column, max(0, view.columns - len(text)))
        for offset, char in enumerate(text[: free_until - column]):
            cells[column + offset] = (char, mark.style)
        free_until = column
    line = Text("events".ljust(GUTTER), style=FAINT, end="")
    for char, style in cells:
        line.append(char, style=style or None)
    line.rstrip()
    return line


def _axis(view: View) -> Text:
    line = Text(" " * (GUTTER - 1) + "└" + "─" * view.columns, style=FAINT, end="")
    parts = max(1, min(4, view.columns // 18))
    text = list(line.plain)
    for part in range(parts + 1):
        time = view.start + (view.end - view.start) * part / parts
        label = moment(time, view.end, clock=view.clock)
        at = GUTTER + round((view.columns - 1) * part / parts)
        at = min(max(GUTTER, at - len(label) // 2), view.width - len(label))
        text[at : at + len(label)] = label
    return Text("".join(text), style=FAINT, end="")


def moment(time: float, end: float, *, clock: bool) -> str:
    """A time on the axis: the time of day, or how long before `end`."""
    if clock:
        return as_datetime(time).astimezone().strftime("%H:%M:%S")
    ago = end - time
    if ago < 1:
        return "now"
    if ago < 120:
        return f"-{ago:.0f}s"
    return f"-{ago / 60:.3g}m" if ago < 3600 else f"-{ago / 3600:.3g}h"
