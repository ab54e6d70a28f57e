"""Hints about the controller's flags and rules, looked for where its syncs keep going otherwise than predicted.

Rules that fit better are used from then on, so they are looked for at once; a hint about flags is only read, so it is
worked out when somebody asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hpatui.model import ControllerFlags
from hpatui.state.frames import Frame
from hpatui.state.inference import LEAST, LOOK_AT, infer_flags
from hpatui.state.rules_inference import InferredRules, Sizes, infer_rules
from hpatui.state.syncs import SyncClock

AGAIN = 3  # syncs more that went otherwise, after which it is looked again


class Hints:
    """Those of one HPA. `known` are the flags as known, `used` those with what was inferred."""

    def __init__(self) -> None:
        self.rules: InferredRules | None = None
        self._looked_at = 0
        self._asked: tuple[tuple[Frame, ...], ControllerFlags] | None = None
        self._hint = ""
        self._sizes = Sizes()

    def used(self, known: ControllerFlags, clock: SyncClock) -> ControllerFlags:
        """The flags in use: as known, with what was inferred."""
        flags = known if self.rules is None else replace(known, rules=self.rules.rules.name)
        return replace(flags, sync_period=clock.period) if clock.inferred else flags

    def look(self, wrong: int, frames: Sequence[Frame], known: ControllerFlags, clock: SyncClock) -> None:
        """`wrong` syncs of `frames` and before went otherwise than predicted."""
        if wrong < self._looked_at + AGAIN or len(frames) < LEAST:
            return
        self._looked_at = wrong
        newest = tuple(frames)[-LOOK_AT:]
        self.rules = self.rules or infer_rules(newest, known, self._sizes)
        self._asked = newest, self.used(known, clock)

    def lines(self, known: ControllerFlags, clock: SyncClock) -> tuple[str, ...]:
        """What there is to say."""
        if self._asked is not None:
            found = infer_flags(*self._asked)
            self._asked, self._hint = None, found.hint if found is not None else ""
        rules = self.rules.text if self.rules is not None else ""
        return tuple(hint for hint in (self._hint, rules, clock.hint(known.sync_period)) if hint)
