"""The panes of the main screen and their arrangement: the HPA list, six panes about the selected one, the filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Container, Vertical
from textual.widgets import Input

from hpatui.settings import Settings
from hpatui.state.snapshot import HpaState, Snapshot
from hpatui.ui.lines import LinePane
from hpatui.ui.panes.detail import ConditionsPane, EventsPane, PodsPane, WhyPane
from hpatui.ui.panes.fleet import FleetLine
from hpatui.ui.panes.graph import GraphPane
from hpatui.ui.panes.hpas import HpaPane
from hpatui.ui.panes.load import LoadPane

PANES: tuple[str, ...] = ("graph", "why", "conditions", "load", "events", "pods")
_OF_HPAS = "name, namespace, label=value or state; enter keeps it, escape drops it"
_OF_PODS = "pods by name, phase or reason; enter keeps it, escape drops it"
QUIET_INTERVAL, INTERVAL = 10.0, 2.0  # seconds between drawings of the graph


class FilterLine(Input):
    """The line in which the filter is typed; the list follows each letter."""

    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("escape", "app.step_back", "no filter", show=False),
        Binding("down", "app.cursor(1)", "next HPA", show=False),
        Binding("up", "app.cursor(-1)", "previous HPA", show=False),
    ]


class Body(Vertical):
    """See the module."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(id="panes")
        plain = settings.ascii
        self.hpas = HpaPane(ascii=plain)
        self.fleet = FleetLine(ascii=plain)
        self.graph = GraphPane(ascii=plain, interval=QUIET_INTERVAL if settings.low_bandwidth else INTERVAL)
        self.events = EventsPane(ascii=plain)
        self.panes: dict[str, LinePane] = {
            "graph": self.graph,
            "why": WhyPane(ascii=plain),
            "conditions": ConditionsPane(ascii=plain),
            "load": (load := LoadPane(ascii=plain, read_only=settings.read_only)),
            "events": self.events,
            "pods": (pods := PodsPane(ascii=plain)),
        }
        self.pods, self.load = pods, load
        self.filter = FilterLine(placeholder=_OF_HPAS)
        self._filtered: HpaPane | PodsPane = self.hpas  # what the filter line is about
        self._shown = "graph"
        self._zoomed: str | None = None
        self._hidden: set[str] = set()
        self._snapshot: Snapshot | None = None

    def compose(self) -> ComposeResult:
        yield self.fleet
        yield self.hpas
        with Container(id="grid"):
            yield from self.panes.values()
        yield self.filter

    def on_mount(self) -> None:
        """The list has the keys first."""
        self.hpas.focus()
        self._arrange()

    def on_resize(self) -> None:
        """Panes that were out of view may be in view now."""
        self._show_again()

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot in every pane that is in view."""
        self._snapshot = snapshot
        self.hpas.show(snapshot)
        self.fleet.show(snapshot, self.hpas.state)
        if snapshot.detail is not None and self.hpas.nothing_selected:
            snapshot = replace(snapshot, detail=None)  # an HPA that the filter hides is not what the panes are about
        about = snapshot.detail.row.key if snapshot.detail is not None else None
        for name, pane in self.panes.items():
            pane.set_about(str(about) if about is not None and name == self._zoomed else "")
            if pane.display and pane.size.width:
                pane.show(snapshot)  # type: ignore[attr-defined]  # every pane of the table has it

    def only(self, state: HpaState | None) -> None:
        """Show only HPAs of one state (None: all)."""
        self.hpas.only(state)
        self._show_newest()

    @on(FleetLine.Chosen)
    def _counted(self, event: FleetLine.Chosen) -> None:
        event.stop()
        self.only(event.state)

    def set_past(self, past: bool) -> None:
        """Whether what is shown is the past."""
        self.graph.past = self.load.past = past

    def set_quiet(self, quiet: bool) -> None:
        """Draw less often, for a slow line."""
        self.graph.interval = QUIET_INTERVAL if quiet else INTERVAL

    # Filter ---------------------------------------------------------------------------------------------------

    def open_filter(self) -> None:
        """Type a filter: of the pods where their pane has the keys, else of the HPAs."""
        pods = self.screen.focused is self.pods
        self._filtered = self.pods if pods else self.hpas
        self.filter.placeholder = _OF_PODS if pods else _OF_HPAS
        self.filter.value = self._filtered.filter
        self.filter.add_class("open")
        self.filter.focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._filtered.set_filter(event.value)
        self._show_newest()

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        self._close_filter()

    def _close_filter(self) -> None:
        self.filter.remove_class("open")
        self._filtered.focus()

    def _drop_filter(self, pane: HpaPane | PodsPane) -> None:
        self._filtered = pane
        self.filter.value = ""
        pane.set_filter("")
        self._close_filter()
        self._show_again()

    # Arrangement ----------------------------------------------------------------------------------------------

    def jump(self, name: str) -> None:
        """Go to a pane by its name; where only one fits, show that one."""
        if name == "hpas":
            if self._zoomed not in (None, "hpas"):
                self.zoom(None)
            self.hpas.focus()
            return
        self._hidden.discard(name)
        self._shown = name
        if self._zoomed is not None:
            self._zoomed = name
        self._arrange()
        self.panes[name].focus()
        self._show_again()

    @property
    def can_go_back(self) -> bool:
        """Whether there is anything that `back` would leave."""
        filtered = bool(self.filter.has_class("open") or self.pods.filter or self.hpas.filtered)
        return filtered or self.graph.has_cursor or self._zoomed is not None

    def back(self) -> None:
        """One step back: leave the filter, the value cursor, then the zoom."""
        if self.filter.has_class("open"):
            self._drop_filter(self._filtered)
        elif self.pods.filter and (self.screen.focused is self.pods or not self.hpas.filtered):
            self._drop_filter(self.pods)
        elif self.hpas.filtered:
            self._drop_filter(self.hpas)
        elif self.hpas.state is not None:
            self.only(None)
        elif self.graph.has_cursor:
            self.graph.clear_cursor()
        elif self._zoomed is not None:
            self.zoom(None)

    def toggle_zoom(self) -> None:
        """Zoom the pane with the focus, or go back."""
        if self._zoomed is not None:
            self.zoom(None)
            return
        focused = self.screen.focused
        self.zoom(focused.id if isinstance(focused, LinePane) and focused.id else "hpas")

    def toggle_hidden(self) -> None:
        """Hide the pane with the focus; on the list: show all again."""
        focused = self.screen.focused
        if isinstance(focused, LinePane) and focused.id in self.panes and len(self._hidden) < len(PANES) - 1:
            self._hidden.add(focused.id)
            self.hpas.focus()
        else:
            self._hidden.clear()
        self._arrange()
        self._show_again()

    def zoom(self, name: str | None) -> None:
        """One pane on the whole screen (None: all)."""
        self._zoomed = name
        self._arrange()
        self._show_again()

    def _show_again(self) -> None:
        self.call_after_refresh(self._show_newest)

    def _show_newest(self) -> None:
        if self._snapshot is not None:
            self.show(self._snapshot)

    def _arrange(self) -> None:
        zoomed = self._zoomed
        self.set_class(zoomed == "hpas", "zoomed-list")
        self.set_class(zoomed is not None and zoomed != "hpas", "zoomed")
        for name, pane in self.panes.items():
            pane.set_class(name == self._shown, "shown")
            pane.set_class(name == zoomed, "zoom")
            pane.set_class(name in self._hidden, "hidden")
        self._share_rows()

    def _share_rows(self) -> None:
        """A pane whose neighbour in the row is hidden takes the whole row; an empty row gives its place away."""
        grid = self.query_one("#grid")
        heights = ["1fr", "7", "7"]
        rows = [PANES[index : index + 2] for index in range(0, len(PANES), 2)]
        kept: list[str] = []
        for height, row in zip(heights, rows, strict=True):
            left = [name for name in row if name not in self._hidden]
            for name in row:
                self.panes[name].styles.column_span = 2 if len(left) == 1 else 1
            if left:
                kept.append(height if kept else "1fr")
        if self._hidden:
            grid.styles.grid_rows = " ".join(kept)
            grid.styles.grid_size_rows = len(kept)
        else:
            grid.styles.clear_rule("grid_rows")
            grid.styles.clear_rule("grid_size_rows")

    def pane_names(self) -> Sequence[str]:
        """The panes in the order of the number keys."""
        return ("hpas", *PANES)
