"""The graph: replicas, metrics and load on one time axis. Redrawn on new data, at most once in two seconds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil

from hpatui.clock import as_datetime
from hpatui.model import Key, MetricTarget
from hpatui.state.history import metric_label
from hpatui.state.snapshot import Detail, ShadowLine, Snapshot
from hpatui.text import printable
from hpatui.ui.charts.lanes import Area, Lane, Level, Line, Mark, Point, View, draw
from hpatui.ui.lines import LinePane
from hpatui.ui.marks import BAD, FAINT, GOOD
from hpatui.ui.panes.status import unselected_lines
from hpatui.ui.units import milliseconds, number, quantity

WINDOWS: tuple[tuple[str, float], ...] = (("5 m", 300.0), ("15 m", 900.0), ("1 h", 3600.0), ("6 h", 21600.0))
_BEGINNING: tuple[tuple[str, float], ...] = (("20 s", 20.0), ("40 s", 40.0), ("1 m", 60.0), ("2 m", 120.0))
_QUIET_STEPS = 12  # into how many steps a quiet graph divides its window
# One hue a subject, the same everywhere; red and yellow are for trouble only.
REPLICAS, METRIC, LOAD = "cyan", "blue", "green"


class GraphPane(LinePane):
    """Desired, current and ready replicas; each metric against its target; the load; rescales as marks."""

    def __init__(self, *, ascii: bool = False, interval: float = 2.0) -> None:
        super().__init__("Graph", id="graph", ascii=ascii)
        self._window = 0
        self._span_name, self._span = WINDOWS[0]
        self._frozen: float | None = None
        self._shift = 0.0
        self._drawn_at = -1e9
        self._snapshot: Snapshot | None = None
        self._drawn_size = (0, 0)
        self._drawn_key: Key | None = None
        self.interval = interval
        self.past = False  # its right edge is not now
        self._last_facts: object = None
        self._pending = False
        self._cursor: float | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot, unless one was drawn just now."""
        self._snapshot = snapshot
        size = (self.inner_width, self.inner_height)
        facts = (snapshot.detail.row if snapshot.detail else None, snapshot.load.last, snapshot.load.state)
        passed = abs(snapshot.time - self._drawn_at)  # a replay may go back
        due = passed >= self.interval
        key = snapshot.detail.row.key if snapshot.detail is not None else None
        if (
            size != self._drawn_size
            or key != self._drawn_key
            or (due and (facts != self._last_facts or passed >= max(self.interval, self._column())))
        ):
            self._last_facts = facts
            self.redraw()
        elif facts != self._last_facts and not self._pending:
            self._pending = True
            self.set_timer(self.interval, self._late)

    def _late(self) -> None:
        self._pending = False
        if self._snapshot is not None:
            self._drawn_at = -1e9
            self.show(self._snapshot)

    def _choose_span(self, snapshot: Snapshot) -> tuple[str, float]:
        """The window; the shortest one begins shorter still, as long as there is little to show."""
        if self._frozen is not None:
            return self._span_name, self._span
        name, span = WINDOWS[self._window]
        first = snapshot.detail.history.desired.first_time if snapshot.detail is not None else None
        if self._window == 0 and first is not None:
            known = snapshot.time - first
            name, span = next((pair for pair in _BEGINNING if known < pair[1]), (name, span))
        self._span_name, self._span = name, span
        return name, span

    def _column(self) -> float:
        """Seconds that one column stands for: without new data the picture moves on only by whole columns."""
        return self._span / max(20, self.inner_width)

    @property
    def span(self) -> float:
        """Seconds from the left edge to the right one."""
        return self._span

    def next_window(self) -> str:
        """The next time window; returns its name."""
        self._frozen = None
        self._window = (self._window + 1) % len(WINDOWS)
        self.redraw()
        return WINDOWS[self._window][0]

    def freeze(self) -> bool:
        """Freeze the picture, or follow again. Returns whether it is frozen now."""
        snapshot = self._snapshot
        self._frozen = snapshot.time if self._frozen is None and snapshot is not None else None
        self._shift = 0.0
        self._cursor = None
        self.redraw()
        return self._frozen is not None

    def scroll_time(self, direction: int) -> None:
        """Scroll by a quarter of the window; scrolling freezes."""
        if self._snapshot is None:
            return
        if self._frozen is None:
            self._frozen = self._snapshot.time
        self._cursor = None
        self._shift = min(0.0, self._shift + direction * self._span / 4)
        self.redraw()

    @property
    def has_cursor(self) -> bool:
        """Whether the value cursor is shown."""
        return self._cursor is not None

    def move_cursor(self, direction: int) -> None:
        """Move the value cursor by about two columns; it begins in the middle and freezes the picture."""
        if self._snapshot is None:
            return
        if self._frozen is None:
            self._frozen = self._snapshot.time
        span = self._span
        end = self._frozen + self._shift
        step = 2 * span / max(20, self.inner_width)
        self._cursor = end - span / 2 if self._cursor is None else self._cursor + direction * step
        self._cursor = min(end, max(end - span, self._cursor))
        self.redraw()

    def clear_cursor(self) -> None:
        """No cursor, and follow again."""
        self._cursor = self._frozen = None
        self._shift = 0.0
        self.redraw()

    def on_resize(self) -> None:
        """Another size, another picture."""
        if self._snapshot is not None:
            self.redraw()

    def redraw(self) -> None:
        """Draw now."""
        snapshot = self._snapshot
        if snapshot is None:
            return
        self._drawn_at = snapshot.time
        self._drawn_size = (self.inner_width, self.inner_height)
        detail = snapshot.detail
        name, span = self._choose_span(snapshot)
        self._drawn_key = detail.row.key if detail is not None else None
        self.set_title(f"Replicas, metrics and load · {name}{self._mode()}")
        if detail is None:
            self.set_lines(unselected_lines())
            return
        width, height = self._drawn_size
        end = self._right_edge(snapshot.time, span)
        view = View(
            end - span,
            end,
            width,
            height,
            ascii=self.ascii,
            mono=self.app.no_color,
            clock=self._frozen is not None or self.past,
            cursor=self._cursor,
        )
        self.set_lines(draw(lanes_of(snapshot, detail, view), marks_of(snapshot, detail), view))

    def _right_edge(self, now: float, span: float) -> float:
        """The time at the right-hand edge. It moves on in whole steps, so that most of the picture stays as it is."""
        if self._frozen is not None:
            return self._frozen + self._shift
        step = span / _QUIET_STEPS if self.interval > 5 else self._column()
        return ceil(now / step) * step

    def _mode(self) -> str:
        if self._cursor is not None:
            return f" · values at {as_datetime(self._cursor).astimezone():%H:%M:%S}"
        return " · frozen" if self._frozen is not None else ""


def lanes_of(snapshot: Snapshot, detail: Detail, view: View) -> list[Lane]:
    """In the order of their worth: replicas, the first metric, the load, the other metrics, latency."""
    metrics = [lane for metric in detail.row.hpa.metrics if (lane := _metric(detail, metric, view)) is not None]
    load = _load(snapshot, view)
    return [_replicas(detail, view, snapshot.shadows), *metrics[:1], *load[:1], *metrics[1:], *load[1:]]


def marks_of(snapshot: Snapshot, detail: Detail) -> list[Mark]:
    """Rescales, and what the load did."""
    found = []
    for rescale in detail.history.rescales:
        down = rescale.from_size is not None and rescale.to_size < rescale.from_size
        found.append(Mark(rescale.time, f"{'▼' if down else '▲'}{rescale.to_size}", REPLICAS))
    for time, text in snapshot.load_history.marks:
        word = text.removeprefix("load ")
        found.append(Mark(time, {"off": "■", "paused": "◆"}.get(word, f"▶{printable(word)[:12]}"), LOAD))
    return found


def _replicas(detail: Detail, view: View, shadows: Sequence[ShadowLine] = ()) -> Lane:
    history, hpa = detail.history, detail.row.hpa
    want, now, ready = (
        tuple(series.window(view.start, view.end)) for series in (history.desired, history.current, history.ready)
    )
    limits = [float(hpa.max_replicas), float(hpa.min_replicas)]
    if hpa.max_replicas > 8 * max(1, hpa.current_replicas, hpa.desired_replicas):
        limits = limits[1:]  # a far maximum would press everything else flat
    areas = [Area(now, REPLICAS, "now", "▒"), Area(ready, REPLICAS, "ready")] if ready else [Area(now, REPLICAS, "now")]

    def values(moment: float | None) -> Sequence[tuple[str, str]]:
        shown = [("█", "ready", _value(ready, moment)), ("▒" if ready else "█", "now", _value(now, moment))]
        shown.append(("─", "wanted", _value(want, moment)))
        glyphs = {"█": "#", "▒": ":", "─": "="} if view.ascii else {}
        others = [
            (f"┄ {_value(line.points, moment) or 0:.0f} {printable(line.name, 24)}", "magenta") for line in shadows
        ]
        return [
            (f"{glyphs.get(glyph, glyph)} {value:.0f} {name}", REPLICAS)
            for glyph, name, value in shown
            if value is not None
        ] + others

    return Lane(
        "replicas",
        REPLICAS,
        values,
        tuple(areas),
        (
            Line(_where_differs(want, now), "white", "wanted"),
            *(Line(s.points, "magenta", s.name, "┄") for s in shadows),
        ),
        tuple(Level(limit) for limit in limits if limit > 1),
        end=f"min {hpa.min_replicas}  max {hpa.max_replicas}",
        whole=True,
        format=lambda value: f"{value:.0f}",
    )


def _where_differs(points: tuple[Point, ...], others: tuple[Point, ...]) -> tuple[Point, ...]:
    """A step curve where it differs from another one; None (a gap) where both are the same."""
    times = sorted({time for time, _ in (*points, *others)})
    found: list[Point] = []
    for time in times:
        value = _value(points, time)
        found.append((time, None if value == _value(others, time) else value))
    return tuple(found)


def _value(points: tuple[Point, ...], moment: float | None) -> float | None:
    """The newest value, or the one in force at a moment (None in a gap)."""
    if moment is None:
        return next((value for _, value in reversed(points) if value is not None), None)
    index = bisect_right(points, moment, key=lambda point: point[0])
    return points[index - 1][1] if index else None


def _metric(detail: Detail, metric: MetricTarget, view: View) -> Lane | None:
    """A metric against its target; what lies above the target and its tolerance is in the alarm colour."""
    label = metric_label(metric)
    series = detail.history.metrics.get(label)
    if series is None:
        return None
    points, target = tuple(series.window(view.start, view.end)), metric.target
    tolerance = detail.explanation.tolerance if detail.explanation is not None else None
    levels = [Level(target, tick=True)] if target is not None else []
    limit = target if target is None or tolerance is None else target * (1 + tolerance[1])

    def values(moment: float | None) -> Sequence[tuple[str, str]]:
        value = _value(points, moment)
        goal = f" of {quantity(target, metric.unit)}" if target is not None else ""
        over = limit is not None and value is not None and value > limit
        text = "?" if value is None else quantity(value, metric.unit)
        return [(f"{text}{goal}", f"bold {BAD}" if over else "")]

    return Lane(
        printable(label, 60),
        METRIC,
        values,
        (Area(points, METRIC, limit=limit),),
        (),
        tuple(levels),
        format=partial(_tick, metric),
        least_top=(target or 1.0) * 1.2,
    )


def _tick(metric: MetricTarget, value: float) -> str:
    return quantity(value, metric.unit).replace(" ", "").removesuffix("cores")


def _load(snapshot: Snapshot, view: View) -> list[Lane]:
    """The load with failed and unserved requests on top in the alarm colour, and the 95th percentile on its own."""
    history = snapshot.load_history
    if not len(history.rate):
        return []
    rate, errors, p95 = (
        tuple(series.window(view.start, view.end)) for series in (history.rate, history.errors, history.p95)
    )
    lost = dict(errors)
    good = tuple((t, value if value is None else max(0.0, value - (lost.get(t) or 0.0))) for t, value in rate)

    def values(moment: float | None) -> Sequence[tuple[str, str]]:
        sent, failed, slow = _value(rate, moment), _value(errors, moment), _value(p95, moment)
        if sent is None or (moment is None and rate and rate[-1][1] is None):
            return [("off", FAINT)]
        texts = [(f"{number(sent)}/s", "")]
        if slow is not None:
            texts.append((f"p95 {milliseconds(slow)}", ""))
        texts.append((f"{number(failed or 0)} failed or unserved", BAD if failed else GOOD))
        return texts

    both = (
        (Area(rate, "red", step=False), Area(good, LOAD, step=False))
        if any(lost.values())
        else (Area(rate, LOAD, step=False),)
    )
    lanes = [Lane("load", LOAD, values, both, format=number)]
    if any(value is not None for _, value in p95):
        lanes.append(Lane("p95", LOAD, _one(p95, milliseconds), (Area(p95, LOAD, step=False),), format=_latency_tick))
    return lanes


def _latency_tick(value: float) -> str:
    return milliseconds(value).replace(" ", "")


def _one(
    points: tuple[Point, ...], text: Callable[[float], str]
) -> Callable[[float | None], Sequence[tuple[str, str]]]:
    def values(moment: float | None) -> Sequence[tuple[str, str]]:
        value = _value(points, moment)
        return [("-" if value is None else text(value), "")]

    return values
