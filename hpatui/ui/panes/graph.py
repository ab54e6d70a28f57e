"""The graph: replicas, metrics and load on one time axis. Redrawn on new data, at most once in two seconds."""

from __future__ import annotations

from functools import partial

from rich.text import Text

from hpatui.model import MetricTarget
from hpatui.state.history import metric_label
from hpatui.state.snapshot import Detail, Snapshot
from hpatui.text import printable
from hpatui.ui.charts.timeline import Curve, Level, Panel, draw
from hpatui.ui.lines import LinePane
from hpatui.ui.look import FAINT

WINDOWS: tuple[tuple[str, float], ...] = (("5 m", 300.0), ("15 m", 900.0), ("1 h", 3600.0), ("6 h", 21600.0))
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
        self._frozen: float | None = None
        self._shift = 0.0
        self._drawn_at = -1e9
        self._snapshot: Snapshot | None = None
        self._drawn_size = (0, 0)
        self._interval = interval
        self._last_facts: object = None
        self._pending = False

    def show(self, snapshot: Snapshot) -> None:
        """Draw a snapshot, unless one was drawn just now."""
        self._snapshot = snapshot
        size = (self.inner_width, self.inner_height)
        facts = (snapshot.detail.row if snapshot.detail else None, snapshot.load.last, snapshot.load.state)
        due = snapshot.time - self._drawn_at >= self._interval
        if size != self._drawn_size or (
            due and (facts != self._last_facts or snapshot.time - self._drawn_at >= self._column())
        ):
            self._last_facts = facts
            self.redraw()
        elif facts != self._last_facts and not self._pending:
            self._pending = True
            self.set_timer(self._interval, self._late)

    def _late(self) -> None:
        self._pending = False
        if self._snapshot is not None:
            self._drawn_at = -1e9
            self.show(self._snapshot)

    def _column(self) -> float:
        """Seconds that one column stands for: without new data the picture moves on only by whole columns."""
        return max(self._interval, WINDOWS[self._window][1] / max(20, self.inner_width))

    def next_window(self) -> str:
        """The next time window; returns its name."""
        self._window = (self._window + 1) % len(WINDOWS)
        self.redraw()
        return WINDOWS[self._window][0]

    def freeze(self) -> bool:
        """Freeze the picture, or follow again. Returns whether it is frozen now."""
        snapshot = self._snapshot
        self._frozen = snapshot.time if self._frozen is None and snapshot is not None else None
        self._shift = 0.0
        self.redraw()
        return self._frozen is not None

    def scroll_time(self, direction: int) -> None:
        """Scroll by a quarter of the window; scrolling freezes."""
        if self._snapshot is None:
            return
        if self._frozen is None:
            self._frozen = self._snapshot.time
        self._shift = min(0.0, self._shift + direction * WINDOWS[self._window][1] / 4)
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
        name, span = WINDOWS[self._window]
        state = " · frozen" if self._frozen is not None else ""
        detail = snapshot.detail
        self.set_title(f"Replicas, metrics and load · {name}{state}")
        if detail is None:
            self.set_lines([Text("Select an HPA.", style=FAINT, end="")])
            return
        end = (self._frozen if self._frozen is not None else snapshot.time) + self._shift
        width, height = self._drawn_size
        panels = self._panels(snapshot, detail, end - span, end, height)
        self.set_lines(draw(panels, end - span, end, width, height, ascii=self.ascii, clock=self._frozen is not None))

    def _panels(self, snapshot: Snapshot, detail: Detail, start: float, end: float, height: int) -> list[Panel]:
        history, load = detail.history, snapshot.load_history
        marks = tuple((r.time, str(r.to_size)) for r in history.rescales)
        curves = [
            Curve("want", tuple(history.desired.window(start, end)), "cyan", step=True),
            Curve("now", tuple(history.current.window(start, end)), "green", step=True),
        ]
        ready = tuple(history.ready.window(start, end))
        if ready and height >= 14:
            curves.append(Curve("ready", ready, "blue", step=True))
        rate = tuple(load.rate.window(start, end))
        if rate:
            curves.append(Curve("load req/s", rate, "magenta", right=True))
        hpa = detail.row.hpa
        levels: tuple[Level, ...] = (Level(float(hpa.max_replicas), "gray"), Level(float(hpa.min_replicas), "gray"))
        if hpa.max_replicas > 8 * max(1, hpa.current_replicas, hpa.desired_replicas):
            levels = levels[1:]  # a far maximum would press everything else flat
        panels = [Panel("replicas", tuple(curves), levels, marks, whole=True, format=lambda value: f"{value:.0f}")]
        room = max(0, height // 6 - 1)
        for index, metric in enumerate(hpa.metrics[: max(1, room)]):
            series = history.metrics.get(metric_label(metric))
            if series is None:
                continue
            label = printable(metric_label(metric))
            curve = Curve(label, tuple(series.window(start, end)), _COLOURS[(index + 1) % 4], step=True)
            targets = (Level(metric.target, "red"),) if metric.target is not None else ()
            title = f"{label} of {printable(metric.target_text)}"
            panels.append(Panel(title, (curve,), targets, marks, format=partial(_unit, metric)))
        return panels
