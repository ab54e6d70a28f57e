"""The main screen: a line on top, the HPA list, six panes about the selected one, the keys at the bottom."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.widgets import Static

from hpatui.settings import Settings
from hpatui.state.snapshot import Snapshot
from hpatui.text import printable
from hpatui.ui.keys import KEYS, shown_key
from hpatui.ui.lines import LinePane
from hpatui.ui.look import FAINT, begin, to_ascii
from hpatui.ui.panes.detail import ConditionsPane, EventsPane, PodsPane, WhyPane
from hpatui.ui.panes.graph import GraphPane
from hpatui.ui.panes.hpas import HpaPane
from hpatui.ui.panes.load import LoadPane
from hpatui.ui.panes.status import source_text

NARROW, SHORT, ROOMY = 100, 30, 160
PANES: tuple[str, ...] = ("graph", "why", "conditions", "load", "events", "pods")


class MainScreen(Screen[None]):
    """Shows snapshots; knows nothing of the session."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        quiet = settings.low_bandwidth
        plain = settings.ascii
        self.hpas = HpaPane(ascii=plain)
        self.graph = GraphPane(ascii=plain, interval=10.0 if quiet else 2.0)
        self.panes: dict[str, LinePane] = {
            "graph": self.graph,
            "why": WhyPane(ascii=plain),
            "conditions": ConditionsPane(ascii=plain),
            "load": LoadPane(ascii=plain, read_only=settings.read_only),
            "events": EventsPane(ascii=plain),
            "pods": PodsPane(ascii=plain),
        }
        self._ascii = plain
        self._shown = "graph"
        self._zoomed: str | None = None
        self._head_text = Text()
        self._snapshot: Snapshot | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="head")
        with Vertical(id="body"):
            yield self.hpas
            with Container(id="grid"):
                yield from self.panes.values()
        yield Static(id="foot")

    def on_mount(self) -> None:
        """The list has the keys first."""
        self.hpas.focus()
        self._arrange()

    def on_resize(self, event: events.Resize) -> None:
        """Another size may mean another layout."""
        self.set_class(event.size.width < NARROW or event.size.height < SHORT, "narrow")
        self.set_class(event.size.width >= ROOMY and event.size.height >= 40, "roomy")
        self._foot()
        self._head()

    # Content --------------------------------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot in every pane that is in view."""
        self._snapshot = snapshot
        self._head()
        self.hpas.show(snapshot)
        for pane in self.panes.values():
            if pane.display and pane.size.width:
                pane.show(snapshot)  # type: ignore[attr-defined]  # every pane of the table has it

    def _head(self) -> None:
        snapshot = self._snapshot
        text = begin(" hpatui ", "bold reverse")
        if snapshot is not None:
            namespace = snapshot.namespace or ("all" if snapshot.status.state.value == "live" else "")
            text.append(f"  ctx {printable(snapshot.context)}", style="bold")
            text.append(f"  ns {printable(namespace)}")
            text.append(f"  {printable(snapshot.server_version)}", style=FAINT)
            right = source_text(snapshot.status, snapshot.time)
            space = self.size.width - 2 - text.cell_len - right.cell_len
            if space > 0:
                text.append(" " * space)
                text.append_text(right)
        text = to_ascii(text) if self._ascii else text
        if text.plain != self._head_text.plain or text.spans != self._head_text.spans:
            self._head_text = text
            self.query_one("#head", Static).update(text)

    def _foot(self) -> None:
        text = Text(end="")
        room = self.size.width - 2
        for entry in KEYS:
            if entry.footer:
                piece = f"{shown_key(entry)} {entry.label}  "
                if text.cell_len + len(piece) > room:
                    break
                text.append(shown_key(entry), style="bold cyan")
                text.append(f" {entry.label}  ")
        self.query_one("#foot", Static).update(text)

    # Arrangement ----------------------------------------------------------------------------------------------

    def jump(self, name: str) -> None:
        """Go to a pane by its name; where only one fits, show that one."""
        if name == "hpas":
            if self._zoomed not in (None, "hpas"):
                self.zoom(None)
            self.hpas.focus()
            return
        self._shown = name
        if self._zoomed is not None:
            self._zoomed = name
        self._arrange()
        self.panes[name].focus()
        if self._snapshot is not None:
            self.call_after_refresh(self.show, self._snapshot)

    def toggle_zoom(self) -> None:
        """Zoom the pane with the focus, or go back."""
        if self._zoomed is not None:
            self.zoom(None)
            return
        focused = self.focused
        self.zoom(focused.id if isinstance(focused, LinePane) and focused.id else "hpas")

    def zoom(self, name: str | None) -> None:
        """One pane on the whole screen (None: all)."""
        self._zoomed = name
        self._arrange()
        if self._snapshot is not None:
            self.call_after_refresh(self.show, self._snapshot)

    def _arrange(self) -> None:
        zoomed = self._zoomed
        self.set_class(zoomed == "hpas", "zoomed-list")
        self.set_class(zoomed is not None and zoomed != "hpas", "zoomed")
        for name, pane in self.panes.items():
            pane.set_class(name == self._shown, "shown")
            pane.set_class(name == zoomed, "zoom")

    def pane_names(self) -> Sequence[str]:
        """The panes in the order of the number keys."""
        return ("hpas", *PANES)
