"""Small screens over the main one: a question, a choice from a list, a line to type, a text to read, the help."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from hpatui.text import printable
from hpatui.ui.keys import KEYS, shown_key
from hpatui.ui.lines import LinePane

_BOX = """
{name} {{ align: center middle; background: $background 60%; }}
{name} > .box {{ width: {width}; max-width: 95%; height: auto; max-height: 90%; border: round $accent;
                padding: 1 2; background: $surface; }}
"""


class QuestionScreen(ModalScreen[bool]):
    """A yes or no; no is the answer to everything but y."""

    DEFAULT_CSS = _BOX.format(name="QuestionScreen", width="70")
    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape,q,enter", "answer(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(Text(printable(self._question)))
            yield Static(Text("\ny yes    n no", style="bold"))

    def action_answer(self, answer: bool) -> None:
        """Close with the answer."""
        self.dismiss(answer)


class ChoiceScreen(ModalScreen[str | None]):
    """Choose one of several names."""

    DEFAULT_CSS = (
        _BOX.format(name="ChoiceScreen", width="60") + "ChoiceScreen OptionList { height: auto; max-height: 20; }"
    )
    BINDINGS = [Binding("escape,q", "leave", "leave")]  # noqa: RUF012  Textual declares it so

    def __init__(self, title: str, choices: Sequence[tuple[str, str]]) -> None:
        """`choices` are (value, text)."""
        super().__init__()
        self._title = title
        self._choices = list(choices)

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(Text(self._title, style="bold"))
            yield OptionList(*(Option(Text(printable(text))) for _, text in self._choices))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Close with the choice."""
        self.dismiss(self._choices[event.option_index][0])

    def action_leave(self) -> None:
        """Close without one."""
        self.dismiss(None)


class LineScreen(ModalScreen[str | None]):
    """Type one line."""

    DEFAULT_CSS = _BOX.format(name="LineScreen", width="60")
    BINDINGS = [Binding("escape", "leave", "leave")]  # noqa: RUF012  Textual declares it so

    def __init__(self, title: str, value: str = "") -> None:
        super().__init__()
        self._title = title
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical(classes="box"):
            yield Static(Text(self._title, style="bold"))
            yield Input(value=self._value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Close with the line."""
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Close without one."""
        self.dismiss(None)


class TextScreen(ModalScreen[None]):
    """A text to read: YAML, a description. `/` searches, n and N go to the next and the one before."""

    DEFAULT_CSS = """
    TextScreen { align: center middle; background: $background 60%; }
    TextScreen > LinePane { width: 95%; height: 90%; background: $surface; }
    """
    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("escape,q,y,d,enter", "leave", "close"),
        Binding("slash", "search", "search"),
        Binding("n", "step(1)", "next"),
        Binding("N", "step(-1)", "before"),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._rows = [printable(line, 10_000) for line in text.rstrip("\n").split("\n")]
        self._pane = LinePane(printable(title, 200), id="text")
        self._found: list[int] = []
        self._at = 0

    def compose(self) -> ComposeResult:
        yield self._pane

    def on_mount(self) -> None:
        """Keys scroll at once."""
        self._pane.border_subtitle = "/ search · esc close"
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

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)


class HelpScreen(ModalScreen[None]):
    """All keys, by group."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $background 60%; }
    HelpScreen > VerticalScroll { width: 76; max-width: 95%; height: 90%; border: round $accent; padding: 1 2;
                                  background: $surface; }
    """
    BINDINGS = [Binding("escape,q,question_mark,enter", "leave", "close")]  # noqa: RUF012  Textual declares it so

    def compose(self) -> ComposeResult:
        box = VerticalScroll(Static(self._text()))
        box.border_title = "Keys"
        yield box

    def _text(self) -> Text:
        text = Text()
        for group in dict.fromkeys(entry.group for entry in KEYS):
            text.append(f"{group}\n", style="bold magenta")
            for entry in KEYS:
                if entry.group == group:
                    text.append(f"  {shown_key(entry):<8}", style="bold cyan")
                    text.append(f"{entry.help}\n")
            text.append("\n")
        text.append("ctrl+p opens the command palette; the mouse works too.", style="bright_black")
        return text

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
