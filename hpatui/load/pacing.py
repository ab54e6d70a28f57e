"""When requests are due: the planned times of an open model, from the integral of the rate. Pure; time is an argument.

A change of rate rebases the plan at that moment: no jump, no burst.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from hpatui.load.plan import Stage

_ROUNDING = 1e-6  # seconds
_STEP = 0.005  # seconds over which a changing rate is taken as constant


class Pacer:
    """Planned times on the clock that `start` was read from. Yields each time once, in order."""

    def __init__(
        self,
        stages: tuple[Stage, ...],
        start: float,
        *,
        arrivals: str = "even",
        seed: int | None = None,
        cap: float = 1e9,
        phase: float = 0.0,
    ) -> None:
        """`cap`: never a higher rate. `phase` (0 to 1): how far into the first gap even arrivals begin."""
        self._stages = stages
        self._cap = cap
        self._index = 0
        self._stage_start = start
        self._at = start  # up to where the rate is integrated
        self._random = random.Random(seed) if arrivals == "poisson" else None
        self._gap = self._next_gap()
        # Expected requests since the last one that was given out; even arrivals begin with one at once.
        self._owed = 0.0 if self._random is not None else self._gap * (1.0 - phase)
        self.offset = 0.0  # pauses shift the plan

    def _next_gap(self) -> float:
        return self._random.expovariate(1.0) if self._random is not None else 1.0

    @property
    def stage(self) -> Stage | None:
        """The stage in force, None at the end of the plan."""
        return self._stages[self._index] if self._index < len(self._stages) else None

    @property
    def rate(self) -> float:
        """The rate ordered at the point reached."""
        stage = self.stage
        return 0.0 if stage is None else min(stage.rate_at(self._at - self._stage_start), self._cap)

    @property
    def gap(self) -> float:
        """Seconds between arrivals where that is the same for a while, else 0."""
        stage = self.stage
        if stage is None or self._random is not None or stage.shape != "ramp" or stage.start != stage.end:
            return 0.0
        rate = min(stage.end, self._cap)
        return 1.0 / rate if rate > 0 else 0.0

    def rebase(self, stages: tuple[Stage, ...], now: float) -> None:
        """Another plan from `now` on."""
        self._stages, self._index = stages, 0
        self._stage_start = self._at = now
        self._owed = min(self._owed, self._gap)

    def skip_stage(self, now: float) -> None:
        """The stage in force has met its condition: go on with the next."""
        self._index += 1
        self._stage_start = self._at = now

    def resume(self, now: float) -> None:
        """After a pause: go on from `now`, without the requests of the pause."""
        self._stage_start += now - self._at
        self._at = now

    def due(self, now: float) -> Iterator[float]:
        """The planned times up to `now`."""
        while self._at < now:
            stage = self.stage
            if stage is None:
                self._at = now
                return
            end = now
            if stage.duration is not None:
                end = min(end, self._stage_start + stage.duration)
            if end <= self._at:
                self._next_stage(end)
                continue
            steady = stage.shape == "ramp" and (stage.start == stage.end or stage.duration is None)
            step_end = end if steady else min(end, self._at + _STEP)
            rate = min(stage.rate_at((self._at + step_end) / 2 - self._stage_start), self._cap)
            yield from self._within(rate, step_end)
            if stage.duration is not None and self._at >= self._stage_start + stage.duration:
                self._next_stage(self._at)

    def _within(self, rate: float, end: float) -> Iterator[float]:
        """Times from here to before `end` at a constant rate."""
        while True:
            missing = max(self._gap - self._owed, 0.0)
            wait = missing / rate if rate > 0 else float("inf")
            if self._at + wait > end - _ROUNDING:  # what is due at the very end is the next stage's, or nobody's
                self._owed += (end - self._at) * rate
                self._at = end
                return
            self._at += wait
            self._owed = 0.0
            self._gap = self._next_gap()
            yield self._at

    def _next_stage(self, at: float) -> None:
        self._index += 1
        self._stage_start = self._at = at

    def next_due(self) -> float:
        """About when the next one is due; infinite when the plan is over or the rate is 0 for good."""
        stage = self.stage
        if stage is None:
            return float("inf")
        rate = self.rate
        wait = (self._gap - self._owed) / rate if rate > 0 else _STEP
        return self._at + min(wait, 0.05)
