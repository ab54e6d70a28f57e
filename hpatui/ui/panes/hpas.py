"""The HPA list: thousands of rows, of which only those in view are ever drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from hpatui.model import Key
from hpatui.state.heat import STEP
from hpatui.state.snapshot import HpaRow, HpaState, Snapshot
from hpatui.text import cell_width, printable
from hpatui.ui.lines import LinePane, strip_of
from hpatui.ui.look import style
from hpatui.ui.marks import to_ascii
from hpatui.ui.names import cut_apart
from hpatui.ui.panes.columns import Widths, header, measure, row_text
from hpatui.ui.panes.groups import GROUPS, SORTS, Heading, View
from hpatui.ui.panes.status import state_lines


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
        self._shown: list[HpaRow | Heading] = []  # rows, and headings between groups of them
        self._key: Key | None = None
        self._view = View()
        self._hidden: frozenset[str] = frozenset()
        self._now = 0.0
        self._slot = 0
        self._message: list[Text] = []
        self._widths: Widths | None = None
        self._names: dict[Key, str] = {}

    # In -------------------------------------------------------------------------------------------------------

    def show(self, snapshot: Snapshot) -> None:
        """Show a snapshot's rows."""
        self._now = snapshot.time
        if int(self._now // STEP) != self._slot:  # the strips move on
            self._slot = int(self._now // STEP)
            self.refresh()
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
        rows = self._view.rows(self._all)
        self._rows = rows
        old, self._shown = self._shown, self._view.lines(rows)
        widths = measure(rows, self.inner_width, self._hidden)
        self._cut_names(widths)
        title = f"HPAs {len(rows)}" + (f" of {len(self._all)}" if len(rows) != len(self._all) else "")
        self.set_title(" · ".join([title, *self._view.words()]))
        if widths != self._widths or len(self._shown) != len(old):
            self._widths = widths
            self.virtual_size = Size(self.inner_width, len(self._shown) + 1)
            self.refresh()
        else:
            top = self.scroll_offset.y
            for index in range(top, min(top + self.inner_height, len(self._shown))):
                if self._shown[index] is not old[index]:
                    self._repaint(index + 1 - top)
        if self._key is not None and rows and self.nothing_selected:
            self._move_to(self._first())

    def _cut_names(self, widths: Widths) -> None:
        """Names that are too long for their column, cut so that no two of a namespace look the same."""
        self._names = {}
        by_space: dict[str, list[Key]] = {}
        for row in self._rows:
            if cell_width(row.key.name) > widths.name:
                by_space.setdefault(row.key.namespace if widths.space else "", []).append(row.key)
        for keys in by_space.values():
            names = [printable(key.name) for key in keys]
            self._names.update(zip(keys, cut_apart(names, widths.name), strict=True))

    # Commands -------------------------------------------------------------------------------------------------

    def set_filter(self, text: str) -> None:
        """Show only rows with every word in namespace, name, target, label, state or what the row says of the next sync."""
        self._change(filter=text.strip())

    def only(self, state: HpaState | None) -> None:
        """Show only HPAs of one state; again: all."""
        self._change(state=None if state is self._view.state else state)

    def _change(self, **what: object) -> None:
        self._view = replace(self._view, **what)  # type: ignore[arg-type]
        self._rearrange()

    def hide_columns(self, hidden: Iterable[str]) -> None:
        """Show all columns that fit but these (`columns.CHOICES`)."""
        self._hidden = frozenset(hidden)
        self._rearrange()

    @property
    def hidden_columns(self) -> frozenset[str]:
        """Columns that are not wanted."""
        return self._hidden

    @property
    def state(self) -> HpaState | None:
        """The only state that is shown, None: all."""
        return self._view.state

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
        lines = self._shown[top : top + self.inner_height]
        keys = frozenset(line.key for line in lines if isinstance(line, HpaRow))
        if keys != self._viewed:
            self._viewed = keys
            self.post_message(self.Viewed(keys))

    @property
    def filter(self) -> str:
        """The filter's words."""
        return self._view.filter

    @property
    def filtered(self) -> bool:
        """Whether a filter is on."""
        return bool(self._view.filter)

    @property
    def nothing_selected(self) -> bool:
        """Whether the list has no row under the cursor: then nothing acts on an HPA that nobody sees."""
        return all(row.key != self._key for row in self._rows)

    def next_sort(self) -> str:
        """The next order; returns its name."""
        self._change(sort=SORTS[(SORTS.index(self._view.sort) + 1) % len(SORTS)])
        return self._view.sort

    def next_group(self) -> str:
        """Group by namespace, by state, or not at all; returns which."""
        self._change(group=GROUPS[(GROUPS.index(self._view.group) + 1) % len(GROUPS)])
        return self._view.group

    def toggle_problems(self) -> bool:
        """Problems first, on and off."""
        self._change(problems=not self._view.problems)
        return self._view.problems

    def move(self, step: int) -> None:
        """Move the cursor by rows."""
        if not self._rows:
            return
        if self.nothing_selected:
            self._move_to(self._first())
            return
        index, way = self._index(), 1 if step > 0 else -1
        for _ in range(abs(step)):
            after = index + way
            while 0 <= after < len(self._shown) and isinstance(self._shown[after], Heading):
                after += way
            if not 0 <= after < len(self._shown):
                break
            index = after
        self._move_to(index)

    @property
    def key(self) -> Key | None:
        """The HPA under the cursor; None where the list has no such row."""
        return None if self.nothing_selected else self._key

    def _index(self) -> int:
        """The place of the cursor among what is shown."""
        key = self._key
        return next((i for i, line in enumerate(self._shown) if isinstance(line, HpaRow) and line.key == key), 0)

    def _first(self) -> int:
        return 1 if isinstance(self._shown[0], Heading) else 0

    def _move_to(self, index: int) -> None:
        line = self._shown[index]
        if isinstance(line, Heading):
            return
        before = self._index()
        self._key = line.key
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
        if 0 <= row < len(self._shown):
            self._move_to(row)

    def on_resize(self) -> None:
        """Other columns may fit now."""
        self._widths = measure(self._rows, self.inner_width, self._hidden)
        self._cut_names(self._widths)
        self.refresh()
        self.call_after_refresh(self._bring_into_view)
        self.call_after_refresh(self._tell_view)

    # Out ------------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        width = self.inner_width
        base = self.rich_style
        if self._message:
            text = self._message[y - 1] if 0 < y <= len(self._message) else Text()
        elif y == 0:
            text = header(self._widths or Widths())
        else:
            index = self.scroll_offset.y + y - 1
            if index >= len(self._shown):
                return Strip.blank(width, base)
            text = self._line(self._shown[index])
        if self.ascii:
            text = to_ascii(text)
        return strip_of(self, text, width, base)

    def _line(self, line: HpaRow | Heading) -> Text:
        if isinstance(line, Heading):
            return line.text()
        selected = line.key == self._key
        name = self._names.get(line.key) or printable(line.key.name)
        text = row_text(line, self._widths or Widths(), name, selected=selected, now=self._now)
        if selected:
            # the background only: colours of the text keep their meaning
            shade = (
                style("reverse")
                if self.ascii or getattr(self.app, "colourless", False)
                else Style(bgcolor=self.get_component_rich_style("hpas--cursor").bgcolor)
            )
            text.stylize(shade)
        return text


def _nowhere(snapshot: Snapshot) -> str:
    where = f"namespace {snapshot.namespace}" if snapshot.namespace else "any namespace"
    return f"There is no HPA in {printable(where)}: press n for another namespace."
