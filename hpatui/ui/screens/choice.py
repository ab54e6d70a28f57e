"""Choose one of several: a list that shrinks while one types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual import events, on
from textual.binding import Binding
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, Static

from hpatui.text import printable
from hpatui.ui.lines import LinePane
from hpatui.ui.marks import FAINT
from hpatui.ui.names import cut_apart
from hpatui.ui.screens.dialog import Dialog

PAGE = 10


class ChoiceScreen(Dialog[str | None]):
    """`choices` are (value, text); each text is one line, cut in the middle where room ends. The answer is the value."""

    DEFAULT_CSS = """
    ChoiceScreen > .box { width: 76; }
    ChoiceScreen LinePane { border: none; padding: 0; height: auto; min-height: 1; background: $surface; }
    ChoiceScreen LinePane:focus { border: none; }
    ChoiceScreen Input { height: 1; border: none; padding: 0; background: $surface; }
    ChoiceScreen Input:focus { border: none; }
    ChoiceScreen .keys { color: $text-muted; height: 1; }
    """
    BINDINGS = [  # noqa: RUF012  Textual declares it so
        Binding("escape", "leave", "leave"),
        Binding("down", "step(1)", "next"),
        Binding("up", "step(-1)", "before"),
        Binding("pagedown", f"step({PAGE})", "page on"),
        Binding("pageup", f"step(-{PAGE})", "page back"),
    ]

    def __init__(self, title: str, choices: Sequence[tuple[str, str]], *, current: str | None = None) -> None:
        super().__init__()
        self._title = title
        self._choices = [(value, printable(text)) for value, text in choices]
        self._found = list(self._choices)
        self._at = next((i for i, (value, _) in enumerate(self._choices) if value == current), 0)
        self._list = LinePane("", id="choices")
        self._list.can_focus = False
        self._input = Input(placeholder="type to filter")

    def parts(self) -> Iterable[Widget]:
        """A title, the line for the filter, the list."""
        box = Vertical(
            Static(Text(self._title, style="bold")),
            self._input,
            self._list,
            Static(Text("↑ ↓ choose · enter takes it · esc leaves"), classes="keys"),
            classes="box",
        )
        return (box,)

    def on_mount(self) -> None:
        """Typing filters at once."""
        self._input.focus()
        self.call_after_refresh(self._show)

    def on_resize(self, event: events.Resize) -> None:
        """Other widths, other cuts."""
        self.call_after_refresh(self._show)

    @property
    def shown(self) -> list[str]:
        """The values that are left, in order."""
        return [value for value, _ in self._found]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        words = event.value.lower().split()
        self._found = [pair for pair in self._choices if all(word in pair[1].lower() for word in words)]
        self._at = 0
        self._show()

    def _show(self) -> None:
        room = max(1, self.app.size.height - 7)
        self._list.styles.height = max(1, min(len(self._found), room))
        width = max(1, self._list.size.width - 3)
        lines = [
            Text(f"{'> ' if index == self._at else '  '}{text}", "bold" if index == self._at else "", end="")
            for index, text in enumerate(cut_apart([text for _, text in self._found], width))
        ]
        self._list.set_lines(lines or [Text("nothing like it", FAINT, end="")])
        self.call_after_refresh(self._follow)  # the list may have got another height just now

    def _follow(self) -> None:
        """Bring the cursor into view."""
        top, height = self._list.scroll_offset.y, max(1, self._list.size.height)
        if not top <= self._at < top + height:
            self._list.scroll_to(y=max(0, self._at - height // 2), animate=False, force=True)

    def action_step(self, step: int) -> None:
        """Move the cursor."""
        self._at = max(0, min(self._at + step, len(self._found) - 1))
        self._show()

    @on(Input.Submitted)
    def _taken(self, event: Input.Submitted) -> None:
        event.stop()
        if self._found and not self.is_small:
            self.dismiss(self._found[self._at][0])

    def on_click(self, event: events.Click) -> None:
        """Take the line under the mouse."""
        if event.widget is self._list:
            row = self._list.scroll_offset.y + event.y
            if 0 <= row < len(self._found):
                self.dismiss(self._found[row][0])
