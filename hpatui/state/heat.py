"""How hot an HPA ran lately: the largest ratio of a metric to its target in each two minutes of the last hour.

Each step costs the same whatever was before, so that 5,000 rows cost nothing: a row's heat is made from the one before it.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from hpatui.model import Hpa

STEP = 120.0  # seconds of one place
LENGTH = 30  # places
COLD = 4  # up to this level a metric is below its target; one more: at it
_BOUNDS = (0.25, 0.5, 0.75, 0.9, 1.1, 1.5, 2.0)  # ratios at which the next level begins; 0: nothing is known


class Heat(NamedTuple):
    """Levels 0 to 8, oldest first, of which the last is of the two minutes that begin at `slot` * STEP."""

    slot: int = 0
    levels: bytes = b""

    def until(self, slot: int) -> bytes:
        """The levels up to a later slot, in which nothing new was seen: the last one goes on."""
        gone = slot - self.slot
        if gone <= 0 or not self.levels:
            return self.levels
        return (self.levels + self.levels[-1:] * min(gone, LENGTH))[-LENGTH:]


def level_of(hpa: Hpa) -> int:
    """The level of the hottest metric now."""
    ratio = max((metric.ratio for metric in hpa.metrics if metric.ratio is not None), default=None)
    return 0 if ratio is None else 1 + bisect_right(_BOUNDS, ratio)


def heat_of(before: Heat | None, hpa: Hpa, now: float) -> Heat:
    """The heat with what the HPA says at `now`."""
    slot, level = int(now // STEP), level_of(hpa)
    if before is None or not before.levels or slot < before.slot:
        return Heat(slot, bytes([level]))
    levels = before.until(slot)
    if slot == before.slot:
        last = max(levels[-1], level)
        return before if last == levels[-1] else Heat(slot, levels[:-1] + bytes([last]))
    return Heat(slot, levels[:-1] + bytes([level]))
