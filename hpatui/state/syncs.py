"""When the controller looks at an HPA: inferred from when its status changes, because a sync that changes nothing
leaves no trace.

The controller puts an HPA back into its queue one sync period after the end of each sync, so syncs come a period and a
few milliseconds apart. A status write fixes the phase; the syncs between two writes are counted out. Epoch seconds.
"""

from __future__ import annotations

from collections import deque
from statistics import median

SLACK = 0.25  # of a period: a sync this much late has still come; later, it is taken as one that changed nothing
_DRIFT_WEIGHT = 0.2
_SEEN = 32


class SyncClock:
    """The controller's sync times for one HPA, as far as they can be told."""

    def __init__(self, period: float) -> None:
        self.period = period  # as configured, or inferred where the writes contradict it
        self.inferred = False
        self._step = period  # the measured distance of two syncs, a little more than the period
        self._last: float | None = None  # the last sync, seen or counted out
        self._intervals: deque[float] = deque(maxlen=_SEEN)
        self._written: float | None = None
        self._hurried: float | None = None  # when a sync is due off the beat, because the spec changed

    def set_period(self, period: float) -> None:
        """The flag became known."""
        self.period = self._step = period
        self.inferred = False

    @property
    def step(self) -> float:
        """Seconds from one sync to the next, as measured."""
        return self._step

    @property
    def last(self) -> float | None:
        """The last sync, seen or counted out."""
        return self._last

    def hint(self, assumed: float) -> str:
        """That its period is another than the one that was assumed (seconds); empty where it is not."""
        return (
            f"the controller looks every {self.period:g} s, not every {assumed:g} s as assumed" if self.inferred else ""
        )

    def start(self, created: float, *, at_once: bool = False) -> None:
        """The HPA is brand-new: its first sync comes one period after its creation, or (from 1.37 on) at once."""
        self._last = created - self._step if at_once else created

    def hurry(self, now: float) -> None:
        """The spec changed at `now` and the controller reconciles that at once (1.37, gate HPAGeneration)."""
        self._hurried = now

    def wrote(self, now: float) -> None:
        """The controller wrote the status at `now`: that was a sync."""
        if self._written is not None and now > self._written and self._hurried is None:
            self._measure(now - self._written)
        self._written = self._last = now
        self._hurried = None

    def _measure(self, interval: float) -> None:
        count = round(interval / self._step)
        if count >= 1:
            step = interval / count
            if count <= 20 and abs(step - self._step) <= 0.1 * self._step:
                self._step += _DRIFT_WEIGHT * (step - self._step)
        self._intervals.append(interval)
        self._infer_period()

    def _infer_period(self) -> None:
        """Writes that come again and again faster than the period: the period is shorter than believed."""
        short = [i for i in self._intervals if 1.0 <= i < 0.8 * self.period]
        if len(short) < 3:
            return
        least = min(short)
        alike = [i for i in short if i <= 1.15 * least]
        if len(alike) >= 3:
            self._step = median(alike)
            self.period = round(self._step)
            self.inferred = True
            self._intervals.clear()

    def follows_write(self, sync: float) -> bool:
        """Whether that sync is the first after one that wrote."""
        return self._written is not None and sync - self._written < 1.5 * self._step

    def passed(self, now: float) -> list[float]:
        """The syncs since the last one that must have come without a write by `now`; they count as come from here on.

        At most 240 (an hour at 15 s): after a longer silence only the newest matter.
        """
        found: list[float] = []
        if self._hurried is not None and self._hurried + SLACK * self._step <= now:
            self._hurried = None  # it would have written the generation: this controller does not do so
        if self._last is None:
            return found
        missed = int((now - self._last) / self._step)
        if missed > 240:
            self._last += (missed - 240) * self._step
        while self._last + self._step * (1 + SLACK) <= now:
            self._last += self._step
            found.append(self._last)
        return found

    @property
    def due(self) -> float:
        """From when on `passed` finds a sync; for ever where none is known."""
        return float("inf") if self._last is None else self._last + self._step * (1 + SLACK)

    def next(self, now: float) -> float | None:
        """The next sync, not before `now`; None before the first is known."""
        if self._last is None:
            return None
        return now if self._hurried is not None else max(now, self._last + self._step)

    def after(self, moment: float) -> float | None:
        """The first sync that comes strictly after `moment`, by the phase known now."""
        if self._last is None:
            return None
        steps = max(1, int((moment - self._last) / self._step) + 1)
        return self._last + steps * self._step
