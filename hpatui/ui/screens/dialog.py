"""The base of all screens over the main one: too small a window says so, and the picture below keeps its colours where the
line is slow (to dim it costs a repaint of every cell, twice).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from hpatui.ui.notices import NoticeLine

Answer = TypeVar("Answer")
LEAST = (40, 10)  # columns and rows below which nothing is shown but a line that says so


def too_small(width: int, height: int) -> bool:
    """Whether a window of this size has no room for what the screen says."""
    return width < LEAST[0] or height < LEAST[1]


def small_line(width: int, height: int) -> Text:
    """The line for a window that is too small."""
    return Text(f"too small: {width}x{height}, needs {LEAST[0]}x{LEAST[1]}", end="")


class Dialog(ModalScreen[Answer]):
    """Subclasses give their widgets in `parts`."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: transparent; }
    Dialog.dimmed { background: $background 60%; }
    Dialog > .too-small { display: none; }
    Dialog.small > * { display: none; }
    Dialog.small > .too-small { display: block; width: 100%; height: 1; dock: top; }
    Dialog > .box { width: 60; max-width: 96%; height: auto; max-height: 96%; border: round $accent; padding: 0 1;
                    background: $surface; }
    """

    def parts(self) -> Iterable[Widget]:
        """The widgets of this dialog."""
        return ()

    def compose(self) -> ComposeResult:
        yield from self.parts()
        yield Static(classes="too-small")
        yield NoticeLine()

    def on_mount(self) -> None:
        """Dim what is below where that costs nothing."""
        self.set_class(bool(getattr(self.app, "may_dim", False)), "dimmed")

    def on_resize(self, event: events.Resize) -> None:
        """Say so where there is no room."""
        self.set_class(self.is_small, "small")
        if self.is_small:
            self.query_one(".too-small", Static).update(small_line(*self.app.size))

    @property
    def is_small(self) -> bool:
        """Whether the window is too small to show anything."""
        return too_small(*self.app.size)

    def action_leave(self) -> None:
        """Close without an answer."""
        self.dismiss(None)
