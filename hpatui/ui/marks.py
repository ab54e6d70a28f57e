"""Colours by meaning, and lines of text. Imports nothing of the program, so the first frame can use it."""

from __future__ import annotations

from rich.text import Text

GOOD, WAIT, WARN, BAD, FAINT = "green", "cyan", "yellow", "red", "bright_black"

_ASCII = str.maketrans(
    {
        "●": "*", "○": "o", "▲": "^", "▼": "v", "◆": "#", "✖": "x", "✔": "+", "…": "~", "→": ">", "·": "-", "×": "x",
        "▁": ".", "▂": ".", "▃": ":", "▄": ":", "▅": "|", "▆": "|", "▇": "#", "█": "#", "↓": "v", "↑": "^", "←": "<",
        "│": "|", "─": "-", "┆": "|", "╌": "-", "≥": ">", "–": "-", "┤": "|", "┴": "+", "└": "+", "┼": "+",
    }
)  # fmt: skip


def to_ascii(text: Text) -> Text:
    """The same text without characters beyond ASCII; widths stay."""
    if text.plain.isascii():
        return text
    plain = "".join(c if ord(c) < 128 else "?" for c in text.plain.translate(_ASCII))
    return Text(plain, style=text.style, spans=list(text.spans), end="")


def begin(text: str, style: str = "") -> Text:
    """A line that begins with styled text; what is appended has its own style."""
    return Text(end="").append(text, style=style)


def coarse_age(seconds: float) -> str:
    """An age in steps that change rarely, so that an idle screen writes nothing: 5s, 10s, 15s, 30s, 1m, ..., 1h, ..."""
    if seconds < 5:
        return "now"
    if seconds < 60:
        step = 5 if seconds < 15 else 15
        return f"{int(seconds // step * step)}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m"
    if seconds < 172_800:
        return f"{int(seconds // 3600)}h"
    return f"{int(seconds // 86400)}d"
