"""The base of all panes: lines of text, drawn one by one, repainted only where a line changed.

Textual's own tables render whole regions anew; here a changed line costs that line.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.geometry import Region, Size
from textual.markup import escape
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from hpatui.text import printable
from hpatui.ui.marks import to_ascii


def _same(one: Text, other: Text) -> bool:
    return one.plain == other.plain and one.spans == other.spans and one.style == other.style


def strip_of(widget: Widget, line: Text, width: int, base: Style) -> Strip:
    """A line of exactly `width` cells on a ground. Rich drops the style of a text that has no spans: it is put back here."""
    console = widget.app.console
    own = console.get_style(line.style) if isinstance(line.style, str) else line.style
    strip = Strip(line.render(console), line.cell_len).apply_style(own)
    return strip.adjust_cell_length(width, base).apply_style(base)


class LinePane(ScrollView, can_focus=True):
    """A titled, scrollable pane of lines. Subclasses build lines and call `set_lines`."""

    DEFAULT_CSS = """
    LinePane { border: round $calm; border-title-color: $text-muted; border-subtitle-color: $text-muted; padding: 0 1;
               scrollbar-size: 1 1; overflow-x: hidden; background: $background; }
    LinePane.ascii { border: ascii $calm; }
    LinePane.ascii:focus { border: ascii $accent; }
    LinePane:focus { border: round $accent; border-title-color: $accent; }
    """

    def __init__(self, title: str, *, id: str, ascii: bool = False) -> None:
        super().__init__(id=id)
        self.ascii = ascii
        self._titled = ""
        self._about = ""
        self.set_title(title)
        self.set_class(ascii, "ascii")
        self._lines: list[Text] = []

    @property
    def lines(self) -> Sequence[Text]:
        """What is shown, top first."""
        return self._lines

    @property
    def inner_width(self) -> int:
        """Columns for text."""
        return max(1, self.scrollable_content_region.width)

    @property
    def inner_height(self) -> int:
        """Rows for text."""
        return max(1, self.scrollable_content_region.height)

    def set_title(self, title: str) -> None:
        """Change the title, if it differs."""
        shown = to_ascii(Text(title)).plain if self.ascii else title
        if shown != self._titled:
            self._titled = shown
            self.border_title = escape(shown)  # Textual reads titles as markup

    def set_about(self, what: str) -> None:
        """Name what the pane is about in its lower border (empty: the list beside it says so)."""
        shown = escape(printable(what, 200))
        if shown != self._about:
            self._about = shown
            self.border_subtitle = shown

    def set_lines(self, lines: Sequence[Text]) -> None:
        """Show these lines; only those that differ are repainted."""
        new = [to_ascii(line) for line in lines] if self.ascii else list(lines)
        old, self._lines = self._lines, new
        if len(new) != len(old):
            self.virtual_size = Size(self.inner_width, len(new))
        top = self.scroll_offset.y
        for index in range(max(len(new), len(old))):
            before = old[index] if index < len(old) else None
            after = new[index] if index < len(new) else None
            if before is None or after is None or not _same(before, after):
                self._repaint(index - top)

    def _repaint(self, y: int) -> None:
        if 0 <= y < self.scrollable_content_region.height:
            self.refresh(Region(0, y, self.inner_width, 1))  # relative to the content

    def render_line(self, y: int) -> Strip:
        """Textual: one line of the pane."""
        width = self.inner_width
        index = self.scroll_offset.y + y
        base = self.rich_style
        if index >= len(self._lines):
            return Strip.blank(width, base)
        return strip_of(self, self._lines[index], width, base)
