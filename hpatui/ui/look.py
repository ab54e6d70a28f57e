"""How meanings look: one colour and one mark each. Colour repeats a word; it never replaces it."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from hpatui.autoscaler.explain import Tone
from hpatui.model import LoadState, SourceState
from hpatui.state.snapshot import HpaState

GOOD, WAIT, WARN, BAD, ACCENT, FAINT, HEAD = "green", "cyan", "yellow", "red", "magenta", "bright_black", "bold"

STATE_STYLE: dict[HpaState, str] = {
    HpaState.STEADY: GOOD,
    HpaState.UP: "bold cyan",
    HpaState.DOWN: "bold cyan",
    HpaState.HELD: WARN,
    HpaState.LIMITED: WARN,
    HpaState.CAPPED: "bold yellow",
    HpaState.FLOOR: "blue",
    HpaState.BLIND: "bold red",
    HpaState.OFF: FAINT,
    HpaState.AMBIGUOUS: "bold red",
    HpaState.FAILING: "bold red",
    HpaState.NEW: FAINT,
}

STATE_MARK: dict[HpaState, str] = {
    HpaState.STEADY: "●",
    HpaState.UP: "▲",
    HpaState.DOWN: "▼",
    HpaState.HELD: "◆",
    HpaState.LIMITED: "◆",
    HpaState.CAPPED: "▲",
    HpaState.FLOOR: "▼",
    HpaState.BLIND: "✖",
    HpaState.OFF: "○",
    HpaState.AMBIGUOUS: "✖",
    HpaState.FAILING: "✖",
    HpaState.NEW: "○",
}

TONE_STYLE: dict[Tone, str] = {
    Tone.GOOD: GOOD,
    Tone.WAIT: WAIT,
    Tone.WARN: WARN,
    Tone.BAD: BAD,
    Tone.PLAIN: "",
}

LOAD_STYLE: dict[LoadState, str] = {
    LoadState.IDLE: FAINT,
    LoadState.STARTING: WAIT,
    LoadState.RUNNING: "bold green",
    LoadState.PAUSED: WARN,
    LoadState.STOPPING: WAIT,
    LoadState.FINISHED: GOOD,
    LoadState.FAILED: "bold red",
}

SOURCE_STYLE: dict[SourceState, str] = {
    SourceState.IDLE: FAINT,
    SourceState.CONNECTING: WAIT,
    SourceState.LISTING: WAIT,
    SourceState.LIVE: GOOD,
    SourceState.RECONNECTING: "bold yellow",
    SourceState.FORBIDDEN: BAD,
    SourceState.NOT_SERVED: BAD,
    SourceState.FAILED: "bold red",
}

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


_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: tuple[int, ...], width: int) -> str:
    """The last `width` values as bars, scaled to their own range; flat values are low bars."""
    shown = values[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high == low:
        return _BARS[1] * len(shown)
    return "".join(_BARS[1 + round((value - low) / (high - low) * 6)] for value in shown)


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


def begin(text: str, style: str = "") -> Text:
    """A line that begins with styled text; what is appended has its own style."""
    return Text(end="").append(text, style=style)


def style(name: str) -> Style:
    """A style by its name."""
    return Style.parse(name) if name else Style.null()
