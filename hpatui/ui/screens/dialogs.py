"""Small screens over the main one: a question, a line to type, a text to read, the help."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from hpatui.text import printable
from hpatui.ui.keys import KEYS, shown_key
from hpatui.ui.lines import LinePane
from hpatui.ui.screens.choice import ChoiceScreen
from hpatui.ui.screens.dialog import Dialog

__all__ = ["ChoiceScreen", "HelpScreen", "LineScreen", "QuestionScreen", "TextScreen"]

COPIED = "if it is not there, this terminal does not allow it (OSC 52): x saves to a file"


class QuestionScreen(Dialog[bool]):
    """A yes or no; no is the answer to everything but y, and y counts only when all of the question was to be seen."""

    DEFAULT_CSS = """
    QuestionScreen > .box { width: 70; }
    QuestionScreen VerticalScroll { height: auto; max-height: 70%; background: $surface; }
    QuestionScreen .answers { height: 2; text-style: bold; }
    """
    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("y", "yes", "yes"),
        Binding("n,escape,q,enter", "no", "no"),
        Binding("down", "scroll(1)", "on"),
        Binding("up", "scroll(-1)", "back"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question
        self._text = VerticalScroll(Static(Text(printable(question))), can_focus=False)
        self._answers = Static(classes="answers")
        self._read = False

    def parts(self) -> Iterable[Widget]:
        """The question, which scrolls, and what can be answered, which does not."""
        return (Vertical(self._text, self._answers, classes="box"),)

    def on_mount(self) -> None:
        """Look whether it fits."""
        self.call_after_refresh(self._look)

    def on_resize(self, event: events.Resize) -> None:
        """Another size may hide a part of it."""
        self._read = False
        self.call_after_refresh(self._look)

    def _look(self) -> None:
        seen = self._text.region.height > 0 and self._text.scroll_offset.y >= self._text.max_scroll_y
        self._read = self._read or (seen and not self.is_small)
        words = "y yes    n no" if self._read else "↓ read on first    n no"
        self._answers.update(Text(f"\n{words}"))

    def action_scroll(self, step: int) -> None:
        """Read on."""
        self._text.scroll_to(y=self._text.scroll_offset.y + step, animate=False)
        self.call_after_refresh(self._look)

    def action_yes(self) -> None:
        """Yes, if all of it was to be seen."""
        self._look()
        if self._read and not self.is_small:
            self.dismiss(True)
        elif not self.is_small:
            self.notify("scroll down with the arrow key, or make the window larger", title="Not all of it was shown")

    def action_no(self) -> None:
        """No."""
        self.dismiss(False)


class LineScreen(Dialog[str | None]):
    """Type one line."""

    BINDINGS = [Binding("escape", "leave", "leave")]  # noqa: RUF012  Textual declares it so

    def __init__(self, title: str, value: str = "") -> None:
        super().__init__()
        self._title = title
        self._value = value

    def parts(self) -> Iterable[Widget]:
        """A title and the line."""
        return (Vertical(Static(Text(self._title, style="bold")), Input(value=self._value), classes="box"),)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the line."""
        if not self.is_small:
            self.dismiss(event.value)


class TextScreen(Dialog[None]):
    """A text to read: YAML, a description. `/` searches, n and N go to the next and the one before, C copies it."""

    DEFAULT_CSS = """
    TextScreen > LinePane { width: 95%; height: 90%; background: $surface; }
    """
    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("escape,q,y,d,enter", "leave", "close"),
        Binding("slash", "search", "search"),
        Binding("n", "step(1)", "next"),
        Binding("N", "step(-1)", "before"),
        Binding("C", "copy", "copy"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._whole = text
        self._rows = [printable(line, 10_000) for line in text.rstrip("\n").split("\n")]
        self._pane = LinePane(printable(title, 200), id="text")
        self._found: list[int] = []
        self._at = 0

    def parts(self) -> Iterable[Widget]:
        """The text."""
        return (self._pane,)

    def on_mount(self) -> None:
        """Keys scroll at once."""
        self._pane.border_subtitle = "/ search · C copy · esc close"
        self._pane.focus()
        self.call_after_refresh(self._show, "")

    def _show(self, word: str) -> None:
        lines = [Text(row, end="") for row in self._rows]
        if word:
            for line in lines:
                line.highlight_regex(f"(?i){re.escape(word)}", "reverse")
        self._pane.set_lines(lines)

    def action_search(self) -> None:
        """Ask for a word."""
        self.app.push_screen(LineScreen("Search"), self._search)

    def _search(self, word: str | None) -> None:
        if word is None:
            return
        self._found = [index for index, row in enumerate(self._rows) if word and word.lower() in row.lower()]
        self._at = -1
        self._show(word)
        if word and not self._found:
            self.notify("nothing like it in this text", title=printable(word), severity="warning", markup=False)
        self.action_step(1)

    def action_step(self, direction: int) -> None:
        """To the next place found, or the one before."""
        if self._found:
            self._at = (self._at + direction) % len(self._found)
            self._pane.scroll_to(y=max(0, self._found[self._at] - 3), animate=False)
            self._pane.border_subtitle = f"{self._at + 1} of {len(self._found)} · n next · N before"

    def action_copy(self) -> None:
        """Hand the whole text to the terminal's clipboard."""
        self.app.copy_to_clipboard(self._whole)
        self.notify(COPIED, title="Handed to the terminal's clipboard", markup=False)


class HelpScreen(Dialog[None]):
    """All keys, by group, and what is known of this terminal. `notes`: (name, value) to show below."""

    DEFAULT_CSS = """
    HelpScreen > VerticalScroll { width: 76; max-width: 95%; height: 90%; border: round $accent; padding: 1 2;
                                  background: $surface; }
    """
    BINDINGS = [Binding("escape,q,question_mark,enter", "leave", "close")]  # noqa: RUF012  Textual declares it so

    def __init__(self, notes: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__()
        self._notes = tuple(notes)

    def parts(self) -> Iterable[Widget]:
        """One text that scrolls."""
        box = VerticalScroll(Static(self._text()))
        box.border_title = "Keys"
        return (box,)

    def on_mount(self) -> None:
        """Keys scroll at once."""
        self.query_one(VerticalScroll).focus()

    def _text(self) -> Text:
        text = Text()
        for group in dict.fromkeys(entry.group for entry in KEYS):
            text.append(f"{group}\n", style="bold magenta")
            for entry in KEYS:
                if entry.group == group:
                    text.append(f"  {shown_key(entry):<8}", style="bold cyan")
                    text.append(f"{entry.help}\n")
            text.append("\n")
        text.append("ctrl+p lists all commands; the mouse works too.\n", style="bright_black")
        for name, value in self._notes:
            text.append(f"{name:<10}", style="bold")
            text.append(f"{printable(value)}\n")
        return text
