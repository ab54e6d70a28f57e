"""The HPA list: thousands of rows, of which only those in view are ever drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from hpatui.model import Hpa, Key
from hpatui.state.history import metric_label
from hpatui.state.snapshot import PROBLEM_STATES, HpaRow, Snapshot
from hpatui.text import cell_width, fit, printable
from hpatui.ui.lines import LinePane, strip_of
from hpatui.ui.look import STATE_MARK, STATE_STYLE, sparkline, style
from hpatui.ui.marks import FAINT, begin, to_ascii
from hpatui.ui.names import cut_apart, padded
from hpatui.ui.panes.status import state_lines
from hpatui.ui.units import pair

SORTS: tuple[str, ...] = ("name", "state", "replicas", "ratio")
_TREND = 12


def _ratio(row: HpaRow) -> float:
    return max((metric.ratio for metric in row.hpa.metrics if metric.ratio is not None), default=-1.0)


def _lasts(row: HpaRow) -> float:
    """Until when what holds or limits it does so."""
    ends = (row.decision.held_until, row.decision.more_at) if row.decision is not None else ()
    return min((moment for moment in ends if moment is not None), default=math.inf)


_SORT_KEYS: dict[str, Callable[[HpaRow], object]] = {
    "state": lambda row: (row.state.value, _lasts(row), row.key),
    "replicas": lambda row: (-row.hpa.current_replicas, row.key),
    "ratio": lambda row: (-_ratio(row), row.key),
}


class HpaPane(LinePane):
    """Rows of HPAs under a header; the cursor stays on its HPA whatever happens around it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"hpas--cursor"}
    DEFAULT_CSS = """
    HpaPane > .hpas--cursor { background: $row-cursor; }
    """

    class Moved(Message):
        """The cursor is on another HPA."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    class Viewed(Message):
        """Other HPAs are on screen now."""

        def __init__(self, keys: frozenset[Key]) -> None:
            super().__init__()
            self.keys = keys

    def __init__(self, *, ascii: bool = False) -> None:
        super().__init__("HPAs", id="hpas", ascii=ascii)
        self._viewed: frozenset[Key] = frozenset()
        self._all: tuple[HpaRow, ...] = ()
        self._rows: list[HpaRow] = []
        self._key: Key | None = None
        self._filter = ""
        self._sort = 0
        self._problems = False
        self._message: list[Text] = []
        self._widths: tuple[int, ...] = ()
        self._names: dict[Key, str] = {}

    # In -------------------------------------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot's rows."""
        selected = snapshot.detail.row.key if snapshot.detail else None
        if self._key is None and selected is not None:
            self._key = selected
        message: list[Text] = []
        if not snapshot.rows:
            message = state_lines(snapshot.status, snapshot.time, "HPAs", _nowhere(snapshot), self.inner_width)
        if [line.plain for line in message] != [line.plain for line in self._message]:
            self.refresh()
        self._message = message
        if snapshot.rows is not self._all:
            begins = not self._all
            was_seen = self._in_view()
            self._all = snapshot.rows
            self._arrange()
            if begins or was_seen:
                self._bring_into_view()
        self.set_about(snapshot.observing if snapshot.observes_less else "")
        self._tell_view()

    def _arrange(self) -> None:
        """Filter and sort; repaint only rows that differ and are in view."""
        words = self._filter.lower().split()
        rows = [row for row in self._all if _matches(row, words)] if words else list(self._all)
        by = _SORT_KEYS.get(SORTS[self._sort])
        if by is not None:
            rows.sort(key=by)  # type: ignore[arg-type]  # all keys of one sort are comparable with each other
        if self._problems:
            rows.sort(key=lambda row: row.state not in PROBLEM_STATES)
        old, self._rows = self._rows, rows
        widths = self._measure()
        self._cut_names(widths[1], widths[0])
        title = f"HPAs {len(rows)}" + (f" of {len(self._all)}" if len(rows) != len(self._all) else "")
        extra = [f"filter {self._filter}"] if self._filter else []
        extra += [f"by {SORTS[self._sort]}"] if self._sort else []
        extra += ["problems first"] if self._problems else []
        self.set_title(" · ".join([title, *extra]))
        if widths != self._widths or len(rows) != len(old):
            self._widths = widths
            self.virtual_size = Size(self.inner_width, len(rows) + 1)
            self.refresh()
        else:
            top = self.scroll_offset.y
            for index in range(top, min(top + self.inner_height, len(rows))):
                if rows[index] is not old[index]:
                    self._repaint(index + 1 - top)
        if self._key is not None and rows and self.nothing_selected:
            self._move_to(0)

    def _cut_names(self, width: int, space: int) -> None:
        """Names that are too long for their column, cut so that no two of a namespace look the same."""
        self._names = {}
        by_space: dict[str, list[Key]] = {}
        for row in self._rows:
            if cell_width(row.key.name) > width:
                by_space.setdefault(row.key.namespace if space else "", []).append(row.key)
        for keys in by_space.values():
            names = [printable(key.name) for key in keys]
            self._names.update(zip(keys, cut_apart(names, width), strict=True))

    # Commands -------------------------------------------------------------------------------------------------

    def set_filter(self, text: str) -> None:
        """Show only rows with every word in namespace, name, target, label, state or what the row says of the next sync."""
        self._filter = text.strip()
        self._rearrange()

    def _rearrange(self) -> None:
        self._arrange()
        self._bring_into_view()
        self.refresh()
        self._tell_view()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are in view."""
        super().watch_scroll_y(old_value, new_value)
        self._tell_view()

    def _tell_view(self) -> None:
        top = self.scroll_offset.y
        keys = frozenset(row.key for row in self._rows[top : top + self.inner_height])
        if keys != self._viewed:
            self._viewed = keys
            self.post_message(self.Viewed(keys))

    @property
    def filter(self) -> str:
        """The filter's words."""
        return self._filter

    @property
    def filtered(self) -> bool:
        """Whether a filter is on."""
        return bool(self._filter)

    @property
    def nothing_selected(self) -> bool:
        """Whether the list has no row under the cursor: then nothing acts on an HPA that nobody sees."""
        return all(row.key != self._key for row in self._rows)

    def next_sort(self) -> str:
        """The next order; returns its name."""
        self._sort = (self._sort + 1) % len(SORTS)
        self._rearrange()
        return SORTS[self._sort]

    def toggle_problems(self) -> bool:
        """Problems first, on and off."""
        self._problems = not self._problems
        self._rearrange()
        return self._problems

    def move(self, step: int) -> None:
        """Move the cursor by rows."""
        if self._rows:
            index = 0 if self.nothing_selected else self._index() + step
            self._move_to(max(0, min(index, len(self._rows) - 1)))

    @property
    def key(self) -> Key | None:
        """The HPA under the cursor; None where the list has no such row."""
        return None if self.nothing_selected else self._key

    def _index(self) -> int:
        return next((i for i, row in enumerate(self._rows) if row.key == self._key), 0)

    def _move_to(self, index: int) -> None:
        before = self._index()
        self._key = self._rows[index].key
        self._bring_into_view()
        for changed in (before, index):
            self._repaint(changed + 1 - self.scroll_offset.y)
        self.call_next(self._moved)  # from this pane's own turn: Textual drops messages whose sender is the parent

    def _in_view(self) -> bool:
        top = self.scroll_offset.y
        return not self.nothing_selected and top <= self._index() < top + self.inner_height - 1

    def _bring_into_view(self) -> None:
        if not self.nothing_selected and not self._in_view():
            self.scroll_to(y=max(0, self._index() - (self.inner_height - 1) // 2), animate=False, force=True)

    def _moved(self) -> None:
        if self._key is not None:
            self.post_message(self.Moved(self._key))

    def on_click(self, event: events.Click) -> None:
        """Select the row under the mouse."""
        row = self.scroll_offset.y + event.get_content_offset_capture(self).y - 1
        if 0 <= row < len(self._rows):
            self._move_to(row)

    def on_resize(self) -> None:
        """Other columns may fit now."""
        self._widths = self._measure()
        self._cut_names(self._widths[1], self._widths[0])
        self.refresh()
        self.call_after_refresh(self._bring_into_view)
        self.call_after_refresh(self._tell_view)

    # Out ------------------------------------------------------------------------------------------------------

    def _measure(self) -> tuple[int, ...]:
        """Widths of namespace, name, reference, targets, trend, headline (0: hidden) for the pane's width."""
        sample = self._rows[:400]

        def widest(texts: Sequence[str], least: int, most: int) -> int:
            return min(most, max([least, *(cell_width(text) for text in texts)]))

        width = self.inner_width
        fixed = 2 + 10 + 13 + 11  # cursor, bounds, sizes, state
        space = widest([r.key.namespace for r in sample], 9, max(20, width // 6)) if width >= 90 else 0
        name = widest([r.key.name for r in sample], 4, max(20, width - fixed - space - 1 - 16))
        left = width - fixed - name - (space + 1 if space else 0)
        targets = widest([targets_text(r.hpa) for r in sample], 7, max(10, min(44, left)))
        left -= targets + 1
        reference = 0
        wanted = widest([str(r.hpa.reference) for r in sample], 9, 30)
        if left > wanted + 1:
            reference = wanted
            left -= reference + 1
        trend = _TREND if left > _TREND + 1 else 0
        left -= trend + 1 if trend else 0
        headline = left - 1 if left > 24 else 0
        return space, name, reference, targets, trend, headline

    def render_line(self, y: int) -> Strip:
        width = self.inner_width
        base = self.rich_style
        if self._message:
            text = self._message[y - 1] if 0 < y <= len(self._message) else Text()
        elif y == 0:
            text = self._header()
        else:
            index = self.scroll_offset.y + y - 1
            if index >= len(self._rows):
                return Strip.blank(width, base)
            text = self._row(self._rows[index])
        if self.ascii:
            text = to_ascii(text)
        return strip_of(self, text, width, base)

    def _header(self) -> Text:
        space, name, reference, targets, trend, headline = self._widths or self._measure()
        cells = ["  "]
        if space:
            cells.append(fit("NAMESPACE", space) + " ")
        cells.append(fit("NAME", name) + " ")
        if reference:
            cells.append(fit("REFERENCE", reference) + " ")
        cells.append(fit("TARGETS", targets) + " ")
        cells.append(" MIN  MAX   NOW  WANT  ")
        if trend:
            cells.append(fit("TREND", trend) + " ")
        cells.append(fit("STATE", 11))
        if headline:
            cells.append("HEADLINE")
        return Text("".join(cells), style=FAINT, end="")

    def _row(self, row: HpaRow) -> Text:
        space, name, reference, targets, trend, headline = self._widths or self._measure()
        hpa = row.hpa
        selected = row.key == self._key
        colour = STATE_STYLE[row.state]
        text = begin("> " if selected else "  ", "bold cyan" if selected else "")
        if space:
            text.append(padded(printable(hpa.key.namespace), space) + " ", style=FAINT if not selected else "")
        text.append(padded(self._names.get(row.key) or printable(hpa.key.name), name) + " ")
        if reference:
            text.append(padded(printable(str(hpa.reference)), reference) + " ", style=FAINT if not selected else "")
        text.append(fit(targets_text(hpa), targets) + " ", style=_targets_style(row))
        text.append(f"{hpa.min_replicas:>4} {hpa.max_replicas:>4} ", style=FAINT if not selected else "")
        moving = hpa.current_replicas != hpa.desired_replicas
        text.append(f"{hpa.current_replicas:>5} {_wanted(row):>5}  ", style="bold" if moving else "")
        if trend:
            text.append(fit(sparkline(row.trend, trend), trend) + " ", style="cyan")
        text.append(fit(f"{STATE_MARK[row.state]} {row.state.value}", 11), style=colour)
        if headline:
            text.append(fit(printable(row.headline), headline), style=FAINT if not selected else "")
        if selected:
            # the background only: colours of the text keep their meaning
            shade = (
                style("reverse")
                if self.ascii or getattr(self.app, "colourless", False)
                else Style(bgcolor=self.get_component_rich_style("hpas--cursor").bgcolor)
            )
            text.stylize(shade)
        return text


def _wanted(row: HpaRow) -> str:
    """The size that the controller wants; `-` where it never computed one (the API then says 0)."""
    hpa = row.hpa
    disabled = any(condition.reason == "ScalingDisabled" for condition in hpa.conditions)
    computed = hpa.desired_replicas > 0 or hpa.min_replicas == 0 or disabled
    return str(hpa.desired_replicas) if computed else "-"


def targets_text(hpa: Hpa) -> str:
    """Current and target of each metric in one unit, for people; kubectl's own text is in `describe`, `watch` and JSON."""
    found = []
    for metric in hpa.metrics:
        name = printable(metric_label(metric), 60)
        if metric.target is None:
            found.append(name)
        else:
            found.append(f"{name} {pair(metric.current, metric.target, metric.unit)}")
    return "  ".join(found) or printable(hpa.targets)


def _targets_style(row: HpaRow) -> str:
    ratio = _ratio(row)
    return "red" if ratio < 0 else "yellow" if ratio > 1.1 else ""


def _matches(row: HpaRow, words: Sequence[str]) -> bool:
    hpa = row.hpa
    labels = " ".join(f"{key}={value}" for key, value in hpa.labels.items())
    text = f"{hpa.key.namespace} {hpa.key.name} {hpa.reference} {labels} {row.state.value} {row.headline}".lower()
    return all(word in text for word in words)


def _nowhere(snapshot: Snapshot) -> str:
    where = f"namespace {snapshot.namespace}" if snapshot.namespace else "any namespace"
    return f"There is no HPA in {printable(where)}: press n for another namespace."
