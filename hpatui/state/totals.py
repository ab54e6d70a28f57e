"""A fleet in a few numbers: HPAs by state, pods, and what was spent above the minimum since hpatui looks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hpatui.state.snapshot import HpaRow, HpaState


@dataclass(frozen=True, slots=True)
class Totals:
    """`pods` now, `wanted` by the controllers, `least` by all minReplicas; `above` are pod-minutes above those, of `seconds`.

    `unused` are pod-minutes below their maxReplicas in that time: what a fixed size of max would have cost more.
    """

    states: dict[HpaState, int] = field(default_factory=dict)
    pods: int = 0
    wanted: int = 0
    least: int = 0
    most: int = 0
    above: float = 0.0
    unused: float = 0.0
    seconds: float = 0.0


class Counting:
    """Adds up over time; one pass over the rows whenever they change."""

    def __init__(self) -> None:
        self._rows: Sequence[HpaRow] = ()
        self._time: float | None = None
        self._totals = Totals()

    def take(self, rows: Sequence[HpaRow], now: float) -> Totals:
        """The totals at `now`. A pause of more than a minute, or a clock that goes back, is not counted."""
        last, self._time = self._time, now
        spent = now - last if last is not None and 0 < now - last <= 60 else 0.0
        old = self._totals
        above = old.above + max(0, old.pods - old.least) * spent / 60
        unused = old.unused + max(0, old.most - old.pods) * spent / 60
        seconds = old.seconds + (spent if self._rows else 0.0)
        if rows is self._rows:
            self._totals = Totals(old.states, old.pods, old.wanted, old.least, old.most, above, unused, seconds)
            return self._totals
        self._rows = rows
        states = Counter(row.state for row in rows)
        hpas = [row.hpa for row in rows]
        self._totals = Totals(
            dict(states),
            sum(hpa.current_replicas for hpa in hpas),
            sum(hpa.desired_replicas or hpa.current_replicas for hpa in hpas),
            sum(hpa.min_replicas for hpa in hpas if hpa.current_replicas),  # one that is off costs nothing
            sum(hpa.max_replicas for hpa in hpas if hpa.current_replicas),
            above,
            unused,
            seconds,
        )
        return self._totals
