"""The shapes of what `hpatui explain --json` prints; see `shapes`."""

from __future__ import annotations

from typing import TypedDict

from hpatui.autoscaler.explanation import Tone
from hpatui.state.snapshot import HpaState


class ExplainLineJson(TypedDict):
    """One step of the decision.

    label: the metric, or stabilization, limits, result, ...
    text: a sentence with numbers
    tone: what it means to the reader
    """

    label: str
    text: str
    tone: Tone


class CountdownJson(TypedDict):
    """Something that is waited for.

    kind: scale-down, scale-up, sync or sample
    text: what
    until: until when
    """

    kind: str
    text: str
    until: str


class ExplanationJson(TypedDict):
    """Why an HPA has the size it has: `hpatui explain --json`.

    namespace: its namespace
    name: its name
    state: one word that a person can act on
    headline: the answer in a sentence
    lines: the decision, step by step
    countdowns: what is waited for
    would_change: what would change it, in sentences
    known_since: how far back the memory of the controller is known
    agreed: syncs that went as predicted
    compared: syncs that could be compared
    next_size: what the next sync will want; null where not known
    next_reason: the reason of its event; empty where nothing changes
    patterns: what goes on over time; label is the pattern's id
    tolerance: down and up, as fractions of the target
    rules: whose rules it was decided by
    assumed: part of the controller's memory that can still matter is assumed
    hints: what is inferred, e.g. other controller flags than assumed
    """

    namespace: str
    name: str
    state: HpaState
    headline: str
    lines: list[ExplainLineJson]
    countdowns: list[CountdownJson]
    would_change: list[str]
    known_since: str | None
    agreed: int
    compared: int
    next_size: int | None
    next_reason: str
    patterns: list[ExplainLineJson]
    tolerance: list[float] | None
    rules: str
    assumed: bool
    hints: list[str]
