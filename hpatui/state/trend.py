"""The short trends of rows: their last sizes, one each 15 s."""

from __future__ import annotations

from hpatui.model import Key
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


class Trends:
    """Which rows' trends are no flat line, so that they move on with time alone."""

    def __init__(self, now: float) -> None:
        self.at = now
        self._moving: set[Key] = set()

    def of(self, key: Key, series: Series, now: float) -> tuple[int, ...]:
        """The trend of an HPA from its current sizes."""
        trend = trend_of(series, now)
        if len(set(trend)) > 1:
            self._moving.add(key)
        else:
            self._moving.discard(key)
        return trend

    def due(self, now: float) -> tuple[Key, ...]:
        """Those whose trend has moved on since the last time."""
        if now - self.at < TREND_STEP:
            return ()
        self.at = now
        return tuple(self._moving)

    def forget(self, key: Key) -> None:
        """An HPA is gone."""
        self._moving.discard(key)

    def clear(self) -> None:
        """All are."""
        self._moving.clear()
