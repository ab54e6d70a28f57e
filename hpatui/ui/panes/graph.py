"""The graph: replicas, metrics and load on one time axis. Redrawn on new data, at most once in two seconds."""

from __future__ import annotations

from functools import partial
from math import ceil

from rich.text import Text

from hpatui.clock import as_datetime
from hpatui.model import Key, MetricTarget
from hpatui.state.history import metric_label
from hpatui.state.snapshot import Detail, Snapshot
from hpatui.text import printable
from hpatui.ui.charts.timeline import Curve, Level, Panel, draw
from hpatui.ui.lines import LinePane
from hpatui.ui.marks import FAINT

WINDOWS: tuple[tuple[str, float], ...] = (("5 m", 300.0), ("15 m", 900.0), ("1 h", 3600.0), ("6 h", 21600.0))
_BEGINNING: tuple[tuple[str, float], ...] = (("1 m", 60.0), ("2 m", 120.0))
_QUIET_STEPS = 12  # into how many steps a quiet graph divides its window
OWN_LOAD = 22  # rows from which the load has a panel of its own
_COLOURS = ("green", "yellow", "blue", "magenta")


def _unit(metric: MetricTarget, value: float) -> str:
    if metric.unit == "B":
        return f"{value / 2**20:.0f}Mi"
    return f"{value:.0f}{metric.unit}" if abs(value) >= 10 or metric.unit else f"{value:g}"


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
        self._last_facts: object = None
        self._pending = False
        self._cursor: float | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot, unless one was drawn just now."""
        self._snapshot = snapshot
        size = (self.inner_width, self.inner_height)
        facts = (snapshot.detail.row if snapshot.detail else None, snapshot.load.last, snapshot.load.state)
        due = snapshot.time - self._drawn_at >= self.interval
        key = snapshot.detail.row.key if snapshot.detail is not None else None
        if (
            size != self._drawn_size
            or key != self._drawn_key
            or (
                due
                and (facts != self._last_facts or snapshot.time - self._drawn_at >= max(self.interval, self._column()))
            )
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
            self.set_lines([Text("Select an HPA.", style=FAINT, end="")])
            return
        width, height = self._drawn_size
        end = self._right_edge(snapshot.time, span)
        panels = panels_of(snapshot, detail, end - span, end, height)
        clock = self._frozen is not None
        self.set_lines(draw(panels, end - span, end, width, height, ascii=self.ascii, clock=clock, cursor=self._cursor))

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


def panels_of(snapshot: Snapshot, detail: Detail, start: float, end: float, height: int) -> list[Panel]:
    """Replicas first, then as many metrics as `height` (rows) has room for, and the load where it has room of its own."""
    load = snapshot.load_history
    marks = tuple((r.time, str(r.to_size)) for r in detail.history.rescales)
    own_load = height >= OWN_LOAD and len(load.rate) > 0
    panels = [_replicas(snapshot, detail, start, end, marks, height, with_load=not own_load)]
    room = max(1, height // 6 - 1 - own_load)
    tolerance = detail.explanation.tolerance if detail.explanation is not None else None
    for index, metric in enumerate(detail.row.hpa.metrics[:room]):
        panel = _metric(detail, metric, start, end, marks, _COLOURS[(index + 1) % 4], tolerance)
        if panel is not None:
            panels.append(panel)
    if own_load:
        panels.append(_load(snapshot, start, end))
    return panels


def _replicas(
    snapshot: Snapshot,
    detail: Detail,
    start: float,
    end: float,
    marks: tuple[tuple[float, str], ...],
    height: int,
    *,
    with_load: bool,
) -> Panel:
    history = detail.history
    curves = [
        Curve("want", tuple(history.desired.window(start, end)), "cyan", step=True),
        Curve("now", tuple(history.current.window(start, end)), "green", step=True),
    ]
    ready = tuple(history.ready.window(start, end))
    if ready and height >= 14:
        curves.append(Curve("ready", ready, "blue", step=True))
    rate = tuple(snapshot.load_history.rate.window(start, end))
    if rate and with_load:
        curves.append(Curve("load req/s", rate, "magenta", right=True))
    hpa = detail.row.hpa
    levels: tuple[Level, ...] = (Level(float(hpa.max_replicas), "gray"), Level(float(hpa.min_replicas), "gray"))
    if hpa.max_replicas > 8 * max(1, hpa.current_replicas, hpa.desired_replicas):
        levels = levels[1:]  # a far maximum would press everything else flat
    return Panel("replicas", tuple(curves), levels, marks, whole=True, format=lambda value: f"{value:.0f}")


def _metric(
    detail: Detail,
    metric: MetricTarget,
    start: float,
    end: float,
    marks: tuple[tuple[float, str], ...],
    colour: str,
    tolerance: tuple[float, float] | None,
) -> Panel | None:
    """A metric against its target, with the band in which the controller leaves the size alone."""
    series = detail.history.metrics.get(metric_label(metric))
    if series is None:
        return None
    label = printable(metric_label(metric))
    curve = Curve(label, tuple(series.window(start, end)), colour, step=True)
    levels: list[Level] = []
    if metric.target is not None:
        if tolerance is not None:
            down, up = tolerance
            levels += [Level(metric.target * (1 + up), "gray"), Level(metric.target * (1 - down), "gray")]
        levels.append(Level(metric.target, "red"))
    title = f"{label} of {printable(metric.target_text)}"
    return Panel(title, (curve,), tuple(levels), marks, format=partial(_unit, metric))


def _load(snapshot: Snapshot, start: float, end: float) -> Panel:
    load = snapshot.load_history
    curves = [
        Curve("ordered", tuple(load.offered.window(start, end)), "gray"),
        Curve("sent", tuple(load.rate.window(start, end)), "magenta"),
    ]
    errors = tuple(load.errors.window(start, end))
    if any(value for _, value in errors):
        curves.append(Curve("errors", errors, "red"))
    curves.append(Curve("p95 ms", tuple(load.p95.window(start, end)), "yellow", right=True))
    return Panel("load req/s", tuple(curves), (), tuple(load.marks), format=lambda value: f"{value:.0f}")
