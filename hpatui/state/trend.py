"""The short trend of a row: its last sizes, one each 15 s."""

from __future__ import annotations

from hpatui.state.series import Series

TREND_STEP = 15.0
TREND_LENGTH = 32


def trend_of(series: Series, now: float) -> tuple[int, ...]:
    """At most TREND_LENGTH sizes, oldest first."""
    first = series.first_time
    if first is None or len(series) < 2:
        last = series.last
        return (int(last[1]),) if last and last[1] is not None else ()
    steps = min(TREND_LENGTH, int((now - first) / TREND_STEP) + 1)
    values = [series.at(now - TREND_STEP * step) for step in range(steps - 1, -1, -1)]
    return tuple(int(value) for value in values if value is not None)
