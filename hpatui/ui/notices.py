"""What is told in passing: one line at the bottom of the screen, where the keys stand otherwise. Nothing is ever covered.

The newest is shown, and a graver one that is still fresh with it. What does not fit in a row takes up to three, and the panes
move up for it. `M` shows all that was told, so nothing is lost by being cut or by coming too fast.
"""

from __future__ import annotations

import textwrap
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.notifications import Notification
from textual.widgets import Static

from hpatui.clock import as_datetime
from hpatui.text import printable
from hpatui.ui.marks import BAD, WAIT, WARN, to_ascii

MOST_ROWS = 3
KEPT = 200
_MARKS = {"information": ("●", WAIT), "warning": ("▲", WARN), "error": ("✖", BAD)}
_GRAVITY = {"information": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class Told:
    """One message, made safe to show. `time`: epoch seconds."""

    time: float
    severity: str
    title: str
    text: str

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        return f"{self.title}: {self.text}" if self.title and self.text else self.title or self.text


class Memory:
    """The last messages, oldest first; each identity once."""

    def __init__(self) -> None:
        self._told: deque[Told] = deque(maxlen=KEPT)
        self._known: deque[str] = deque(maxlen=KEPT)

    def take(self, notifications: Iterable[Notification]) -> None:
        """Keep those that are new."""
        for item in notifications:
            if item.identity not in self._known:
                self._known.append(item.identity)
                self._told.append(told(item))

    def text(self) -> str:
        """A line each, newest first."""
        lines = [f"{as_datetime(t.time).astimezone():%H:%M:%S}  {t.sentence}" for t in reversed(self._told)]
        return "\n".join(lines) or "Nothing was told yet."


def told(item: Notification) -> Told:
    """A notification of Textual as plain text."""
    return Told(item.raised_at, item.severity, printable(item.title).strip(), printable(item.message).strip())


def chosen(notifications: Iterable[Notification]) -> list[Notification]:
    """What to show: the newest, and under it one that is graver and still fresh."""
    items = sorted(notifications, key=lambda item: item.raised_at)
    if not items:
        return []
    graver = [item for item in items[:-1] if _GRAVITY[item.severity] > _GRAVITY[items[-1].severity]]
    return [items[-1], *graver[-1:]]


def rows_of(items: Sequence[Notification], width: int, most: int = MOST_ROWS) -> list[Text]:
    """Messages in rows of `width` cells, at most `most` in all; what does not fit ends with how to read it."""
    if len(items) == 1 or most == 1:
        return _rows(items[0], width, most)
    return [row for item in items[:most] for row in _rows(item, width, 1)]


def _rows(item: Notification, width: int, most: int) -> list[Text]:
    message = told(item)
    mark, style = _MARKS[item.severity]
    rows = _wrapped(message.sentence, width - 2)
    if len(rows) > most:
        end = "… (M: all of it)"
        rows = [*rows[: most - 1], rows[most - 1][: max(0, width - 2 - len(end))] + end]
    found = []
    left = len(message.title)
    for index, row in enumerate(rows):
        line = Text(end="").append(f"{mark} " if index == 0 else "  ", style=style)
        line.append(row[:left], style=f"bold {style}").append(row[left:])
        left = max(0, left - len(row) - 1)
        found.append(line)
    return found


def _wrapped(text: str, width: int) -> Sequence[str]:
    return textwrap.wrap(text, max(20, width), break_long_words=True, break_on_hyphens=False) or [""]


class NoticeLine(Static):
    """The line of a dialog: empty until something is told."""

    DEFAULT_CSS = """
    NoticeLine { dock: bottom; height: 1; padding: 0 1; background: transparent; }
    NoticeLine.told { background: $surface; }
    """

    def tell(self, items: Sequence[Notification], *, ascii: bool) -> None:
        """Show the first message, or nothing."""
        self.set_class(bool(items), "told")
        if not items:
            self.update("")
            return
        line = rows_of(items, self.app.size.width - 2, 1)[0]
        self.update(to_ascii(line) if ascii else line)
