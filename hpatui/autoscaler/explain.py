"""A Decision in sentences: what the controller computes, why the size is what it is, what it waits for and what would
change it.
"""

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
    """One step: a short label (`cpu`, `memory`, `stabilization`, `limits`, `result`) and a sentence with its numbers.
    """

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
