"""The main screen: a line on top, the panes, the keys at the bottom. It draws its frame before anything is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Static

from hpatui.text import cell_width, printable
from hpatui.ui.keys import KEYS, KeyEntry, shown_key
from hpatui.ui.marks import FAINT, begin, to_ascii
from hpatui.ui.notices import MOST_ROWS, rows_of

if TYPE_CHECKING:
    from textual.notifications import Notification

    from hpatui.session.past import Past
    from hpatui.state.snapshot import Snapshot
    from hpatui.ui.screens.body import Body

NARROW, SHORT, ROOMY = 100, 30, 160
_TOLD = ("connecting", "failed")  # states whose reason is in the header: no pane may have room for it


class MainScreen(Screen[None]):
    """Shows snapshots; knows nothing of the session."""

    def __init__(self, *, ascii: bool = False, find_context: Callable[[], str] = lambda: "") -> None:
        super().__init__()
        self._find_context = find_context
        self._asked_context: str | None = None
        self._ascii = ascii
        self._quiet = False
        self._body: Body | None = None
        self._head_text = Text()
        self._snapshot: Snapshot | None = None
        self._told: Sequence[Notification] = ()
        self._past: Past | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="too-small")
        yield Static(id="head")
        yield Static(id="timeline")
        yield Container(id="body")
        yield Static(id="foot")

    async def furnish(self, body: Body) -> None:
        """Put the panes in."""
        self._body = body
        await self.query_one("#body").mount(body)

    def on_resize(self, event: events.Resize) -> None:
        """Another size may mean another layout."""
        from hpatui.ui.screens.dialog import small_line, too_small

        small = too_small(*event.size)
        self.set_class(small, "small")
        if small:
            self.query_one("#too-small", Static).update(small_line(*event.size))
        self.set_class(event.size.width < NARROW or event.size.height < SHORT, "narrow")
        self.set_class(event.size.width >= ROOMY and event.size.height >= 40, "roomy")
        self._foot()
        self._head()
        self._timeline()

    def set_past(self, past: Past | None) -> None:
        """Where a replay is; None: what is shown is now."""
        if past != self._past:
            entered = (past is None) is not (self._past is None)
            self._past = past
            self._timeline()
            if entered and self._body is not None:
                self._body.set_past(past is not None)
            if entered:
                self.set_class(past is not None, "past")
                self._foot()

    def _timeline(self) -> None:
        if self._past is not None:
            from hpatui.ui.timemachine import timeline

            text = timeline(self._past, self.size.width - 2)
            self.query_one("#timeline", Static).update(to_ascii(text) if self._ascii else text)

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot."""
        self._snapshot = snapshot
        self._head()
        if self._body is not None:
            self._body.show(snapshot)

    def _head(self) -> None:
        snapshot = self._snapshot
        text = begin(" hpatui ", "bold reverse")
        if snapshot is None:
            text.append("  starting ...", style=FAINT)
        else:
            self._head_of(snapshot, text)
        text = to_ascii(text) if self._ascii else text
        if text.plain != self._head_text.plain or text.spans != self._head_text.spans:
            self._head_text = text
            self.query_one("#head", Static).update(text)

    def _head_of(self, snapshot: Snapshot, text: Text) -> None:
        """State, whom we impersonate, the namespace, the context, which is cut in the middle; the version where it fits."""
        from hpatui.ui.names import cut_middle
        from hpatui.ui.panes.status import source_text

        text.append("  ")
        if self._past is not None:
            text.append(f" {self._past.title} ", "bold reverse magenta")
        if self._past is None or snapshot.status.state.value != "live":
            text.append(" " if self._past is not None else "").append_text(source_text(snapshot.status, snapshot.time))
        if snapshot.acting_as:
            room = max(12, (self.size.width - text.cell_len) // 3)
            text.append(f"  as {cut_middle(printable(snapshot.acting_as), room)}", style="bold yellow")
        namespace = snapshot.namespace or ("all" if snapshot.status.state.value == "live" else "")
        left = self.size.width - 2 - text.cell_len
        if namespace:
            most = max(20, left // 2) if left > 30 else max(8, left - 5)
            text.append(f"  ns {cut_middle(printable(namespace), most)}", style="bold")
        status = snapshot.status
        left = self.size.width - 2 - text.cell_len
        told = printable(status.message) if status.state.value in _TOLD else ""
        told = cut_middle(told, max(0, min(left - 2, max(left * 3 // 5, left - 32))))
        left -= len("  ctx ") + (cell_width(told) + 2 if told else 0)
        context = printable(snapshot.context or self._before_contact())
        if context and left >= 8:
            text.append(f"  ctx {cut_middle(context, left)}")
        if told:
            text.append(f"  {told}", style="bold")
        version = printable(snapshot.server_version)
        if version and self.size.width - 2 - text.cell_len >= len(version) + 2:
            text.append(f"  {version}", style=FAINT)
        rules = printable(snapshot.rules).partition(" (")[0]  # the server's version stands beside it already
        if rules and self.size.width - 2 - text.cell_len >= cell_width(rules) + 2:
            text.append(f"  {rules}", style=FAINT)

    def _before_contact(self) -> str:
        """The context before the first contact: the one that was asked for, or the kubeconfig's own."""
        if self._asked_context is None:
            self._asked_context = self._find_context()
        return self._asked_context

    def tell(self, items: Sequence[Notification], *, quiet: bool) -> None:
        """Show what is told in the place of the keys (nothing: the keys). `quiet`: never move the panes for it."""
        self._told, self._quiet = items, quiet
        self._foot()

    def _foot(self) -> None:
        """What is told, else the most used keys."""
        items, foot = self._told, self.query_one("#foot", Static)
        if not items:
            foot.styles.height = 1
            foot.update(self._keys())
            return
        rows = rows_of(items, self.size.width - 2, 1 if self._quiet else MOST_ROWS)
        foot.styles.height = len(rows)
        text = Text("\n", end="").join(rows)
        foot.update(to_ascii(text) if self._ascii else text)

    def _keys(self) -> Text:
        """As many as fit; help and quit always."""
        groups = ("Load", "Cluster") if self._past is not None else ("Past",)  # what makes no sense there, and here
        shown = [entry for entry in KEYS if entry.footer and entry.group not in groups]
        if self._past is not None:
            shown.sort(key=lambda entry: entry.group != "Past")
        always = [entry for entry in shown if entry.group == "Program"]
        room = self.size.width - 2 - sum(_width(entry) for entry in always)
        text = Text(end="")
        for entry in shown:
            if entry not in always:
                room -= _width(entry)
                if room < 0:
                    break
                _append(text, entry)
        for entry in always:
            _append(text, entry)
        return text


def _width(entry: KeyEntry) -> int:
    return len(f"{shown_key(entry)} {entry.label}  ")


def _append(text: Text, entry: KeyEntry) -> None:
    text.append(shown_key(entry), style="bold cyan")
    text.append(f" {entry.label}  ")
