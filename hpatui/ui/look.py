"""How states look: one colour and one mark each. Colour repeats a word; it never replaces it."""

from __future__ import annotations

from rich.style import Style

from hpatui.autoscaler.explanation import Tone
from hpatui.model import LoadState, SourceState
from hpatui.state.snapshot import HpaState
from hpatui.ui.marks import BAD, FAINT, GOOD, WAIT, WARN

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


def style(name: str) -> Style:
    """A style by its name."""
    return Style.parse(name) if name else Style.null()
