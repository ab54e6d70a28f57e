"""A chart as inline SVG: no script, no font, no file beside it. Colours are classes, which the page gives for light and dark.

What is drawn is thinned to what a screen can show (`thinned`), so that an hour of seconds stays small; a peak survives it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from hpatui.report.axes import elapsed, time_ticks, value_text, value_ticks
from hpatui.report.page import Band, Chart, Line, Mark, Point
from hpatui.text import printable

WIDTH, HEIGHT = 960, 220
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 30, 24
MOST_POINTS = 1500
_ROWS = 3  # of words at marks
_LETTER = 6.2  # width of a letter at the size of marks


@dataclass(frozen=True, slots=True)
class _Scale:
    """Time and value -> the picture's units."""

    start: float
    end: float
    highest: float
    top: float

    def x(self, time: float) -> float:
        share = (time - self.start) / max(self.end - self.start, 1e-9)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = min(max(value / self.highest, 0.0), 1.0)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - self.top)


def svg(chart: Chart) -> Markup:
    """The picture. Every text in it is printable and escaped."""
    values = [value for line in chart.lines for _, value in line.points if value is not None]
    ticks = value_ticks(max([chart.bound, *values], default=0.0), chart.unit)
    marks = sorted((m for m in chart.marks if chart.start <= m.time <= chart.end), key=lambda mark: mark.time)
    rows = _rows(marks, chart)
    scale = _Scale(chart.start, chart.end, ticks[-1], TOP + 11 * max(0, max(rows, default=-1)))
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{_safe(chart.title)}">',
        *(_band(band, scale, chart) for band in chart.bands),
        *_grid(chart, scale, ticks),
        *(part for number, line in enumerate(chart.lines) for part in _line(line, number, scale, chart)),
        *(_mark(mark, row, scale, chart) for mark, row in zip(marks, rows, strict=True)),
        "</svg>",
    ]
    return Markup("".join(parts))


def _safe(text: str, limit: int = 80) -> str:
    return str(escape(printable(text, limit)))


def _grid(chart: Chart, scale: _Scale, ticks: Sequence[float]) -> list[str]:
    parts = []
    for value in ticks:
        y = scale.y(value)
        kind = "base" if value == 0 else "grid"
        parts.append(f'<line class="{kind}" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        words = _safe(value_text(value, chart.unit))
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{words}</text>')
    for time, text in time_ticks(chart.start, chart.end, chart.origin):
        x = scale.x(time)
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 4}"/>'
        )
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{_safe(text)}</text>')
    return parts


def _band(band: Band, scale: _Scale, chart: Chart) -> str:
    left, right = scale.x(max(band.start, chart.start)), scale.x(min(band.end, chart.end))
    if right <= left:
        return ""
    height = HEIGHT - BOTTOM - scale.top
    inside = f"<title>{_safe(band.text)}</title>"
    size = f'y="{scale.top:.1f}" width="{right - left:.1f}" height="{height:.1f}"'
    box = f'<rect class="band {band.kind}" x="{left:.1f}" {size}>'
    words = ""
    if (right - left) > _LETTER * (len(band.text) + 1):
        words = f'<text class="bandtext" x="{left + 5:.1f}" y="{scale.top + 12:.1f}">{_safe(band.text)}</text>'
    return f"<g>{box}{inside}</rect>{words}</g>"


def _rows(marks: Sequence[Mark], chart: Chart) -> list[int]:
    """In which row above the chart the words of each mark have room; -1 where in none (the line then stands alone)."""
    ends = [-1e9] * _ROWS
    rows = []
    span = max(chart.end - chart.start, 1e-9)
    for mark in marks:
        x = LEFT + (mark.time - chart.start) / span * (WIDTH - LEFT - RIGHT)
        width = _LETTER * min(len(mark.text), 28) + 8
        left = min(x, WIDTH - RIGHT - width)
        row = next((row for row in range(_ROWS) if ends[row] <= left), -1) if mark.text else -1
        if row >= 0:
            ends[row] = left + width
        rows.append(row)
    return rows


def _mark(mark: Mark, row: int, scale: _Scale, chart: Chart) -> str:
    x = scale.x(mark.time)
    when = elapsed(mark.time - (chart.origin if chart.origin is not None else chart.start))
    title = f"<title>{_safe(f'{when}: {mark.text}', 200)}</title>"
    words = ""
    if row >= 0:
        text = mark.text if len(mark.text) <= 28 else mark.text[:27] + "…"
        width = _LETTER * len(text) + 8
        left = min(x + 3, WIDTH - RIGHT - width)
        words = f'<text class="marktext {mark.kind}" x="{left:.1f}" y="{12 + 11 * row}">{_safe(text)}</text>'
    line = (
        f'<line class="mark {mark.kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{6 + 11 * max(row, 0)}" y2="{HEIGHT - BOTTOM}">'
    )
    return f"<g>{line}{title}</line>{words}</g>"


def _line(line: Line, number: int, scale: _Scale, chart: Chart) -> list[str]:
    path = _path(thinned(line.points, chart.start, chart.end, step=line.step), scale, chart, step=line.step)
    if not path:
        return []
    style = " dashed" if line.style == "dashed" else ""
    return [f'<path class="line s{number % 6}{style}" d="{path}"><title>{_safe(line.name)}</title></path>']


def thinned(points: Sequence[Point], start: float, end: float, *, step: bool, most: int = MOST_POINTS) -> list[Point]:
    """Those within the span (of a step line the one in force before it too); of many, the least and the greatest of each
    piece, and every beginning of a gap.
    """
    inside = [point for point in points if start <= point[0] <= end]
    before = [point for point in points if point[0] < start]
    if step and before and (not inside or inside[0][0] > start):
        inside.insert(0, (start, before[-1][1]))
    if len(inside) <= most:
        return inside
    size = -(-len(inside) // (most // 2))
    kept: list[Point] = []
    for at in range(0, len(inside), size):
        piece = inside[at : at + size]
        known = [point for point in piece if point[1] is not None]
        picked = (
            {*piece[:1], *(point for point in piece if point[1] is None)} if step or len(known) < len(piece) else set()
        )
        if known:
            picked |= {min(known, key=lambda p: p[1] or 0.0), max(known, key=lambda p: p[1] or 0.0)}
        kept += sorted(picked, key=lambda point: point[0])
    return kept


def _path(points: Sequence[Point], scale: _Scale, chart: Chart, *, step: bool) -> str:
    parts: list[str] = []
    y_before: float | None = None
    for time, value in points:
        x = scale.x(time)
        if step and y_before is not None:
            parts.append(f"H{x:.1f}")
        if value is None:
            y_before = None
            continue
        y = scale.y(value)
        if y_before is None:
            parts.append(f"M{x:.1f} {y:.1f}")
        elif step:
            parts.append(f"V{y:.1f}" if y != y_before else "")
        else:
            parts.append(f"L{x:.1f} {y:.1f}")
        y_before = y
    if step and y_before is not None:
        parts.append(f"H{scale.x(chart.end):.1f}")
    elif len(parts) == 1 and y_before is not None:
        parts.append("h0.1")  # a single point: a dot
    return "".join(parts)
