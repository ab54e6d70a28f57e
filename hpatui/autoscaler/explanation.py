"""What an explanation consists of; `explain.py` makes one from a Decision."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """What a line means to the reader; the screen gives each a colour and a mark."""

    GOOD = "good"
    WAIT = "wait"
    WARN = "warn"
    BAD = "bad"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class ExplainLine:
    """One step: a short label (`cpu`, `memory`, `stabilization`, `limits`, `result`) and a sentence with numbers."""

    label: str
    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Countdown:
    """Something that is waited for. `until` is epoch seconds; `kind` is scale-down, scale-up, sync or sample."""

    kind: str
    text: str
    until: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an HPA has the size it has. `known_since` (epoch s): how far back the observer's memory of the controller
    reaches.
    """

    headline: str
    lines: tuple[ExplainLine, ...] = ()
    countdowns: tuple[Countdown, ...] = ()
    would_change: tuple[str, ...] = ()
    known_since: float | None = None
    agreed: int = 0  # syncs in which the prediction matched the controller
    compared: int = 0
    next_size: int | None = None  # what the next sync will want, as things stand; None where that is not known
    next_reason: str = ""  # why, in the words of the controller's event; empty where nothing changes
    patterns: tuple[ExplainLine, ...] = ()  # what goes on over time; label is the pattern's id, text has the advice
    tolerance: tuple[float, float] | None = None  # down and up, as fractions of the target
    rules: str = ""  # whose rules it was decided by: "rules of 1.32 (server 1.32.9)"
    assumed: bool = False  # part of the controller's memory that can still matter was before the observer's time
    hints: tuple[str, ...] = ()  # what the observer infers, e.g. other controller flags than assumed
