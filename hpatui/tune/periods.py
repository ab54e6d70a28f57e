"""The period of a load that comes and goes, from what the HPA's metrics asked for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hpatui.tune.timeline import Timeline

LEAST = 3  # rises to speak of a period
_REGULAR = 0.5  # how far the shortest and the longest may lie apart, by the middle one


@dataclass(frozen=True, slots=True)
class Period:
    """Seconds from one rise to the next (the middle one), how many were seen, and the part of it in which it is high."""

    seconds: float
    seen: int
    high_share: float


def period_of(line: Timeline) -> Period | None:
    """The period of what was needed; None where it does not come and go regularly."""
    tolerance = line.flags.tolerance
    spans = [(start, end, point.needed(tolerance)) for start, end, point in line.spans() if point.ratio is not None]
    if not spans:
        return None
    values = sorted(value for _, _, value in spans)
    low, high = values[len(values) // 20], values[-1 - len(values) // 20]
    if high < 1.5 * low or high - low < 1:
        return None
    up, down = low + 0.6 * (high - low), low + 0.4 * (high - low)
    rises: list[float] = []
    above, hot = spans[0][2] >= up, 0.0
    for start, end, value in spans:
        if not above and value >= up:
            above = True
            rises.append(start)
        elif above and value <= down:
            above = False
        hot += (end - start) if above else 0.0
    if len(rises) < LEAST:
        return None
    gaps = sorted(after - before for before, after in pairwise(rises))
    middle = gaps[len(gaps) // 2]
    if gaps[-1] - gaps[0] > _REGULAR * middle:
        return None
    return Period(middle, len(rises), hot / sum(end - start for start, end, _ in spans))
