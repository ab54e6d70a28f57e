"""Small screens over the main one: a question, a choice from a list, a line to type, a text to read, the help."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.markup import escape
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from hpatui.text import printable
from hpatui.ui.keys import KEYS, shown_key

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
    """A text to read: YAML, a description."""

    DEFAULT_CSS = """
    TextScreen { align: center middle; background: $background 60%; }
    TextScreen > VerticalScroll { width: 95%; height: 90%; border: round $accent; padding: 0 1; background: $surface; }
    """
    BINDINGS = [Binding("escape,q,y,d,enter", "leave", "close")]  # noqa: RUF012  Textual declares it so

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        box = VerticalScroll(Static(Text("\n".join(printable(line, 10_000) for line in self._text.split("\n")))))
        box.border_title = escape(printable(self._title, 200))
        yield box

    def on_mount(self) -> None:
        """Keys scroll at once."""
        self.query_one(VerticalScroll).focus()

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
