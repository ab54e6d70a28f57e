"""The one gate: every request and every connect of a run passes it, whatever the model, the way in or the HTTP version.

A gate keeps a rate by the generic cell rate algorithm (ITU-T I.371): the n-th passage is not before n / rate, except for
what `burst` seconds of standing still have left over. In any W seconds at most rate x (W + burst) + 1 pass.
"""

from __future__ import annotations

from hpatui.load.plan import LoadPlan
from hpatui.load.target import Target

PACED = 0.25  # seconds of its own standstill that even arrivals may catch up with: they keep the mean themselves
RANDOM = 1.0  # the same for Poisson arrivals, whose seconds differ by nature
CLOSED = 0.02  # the closed model has no plan: it passes evenly


class Gate:
    """Lets at most `rate` a second pass. Times are seconds of one clock."""

    __slots__ = ("_gap", "_next", "_slack", "held", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self._gap = 1.0 / rate
        self._slack = burst
        self._next = 0.0
        self.held = 0  # how often something had to wait here

    def take(self, now: float) -> bool:
        """Pass, if that is allowed now."""
        due = self._next
        if due < now:
            self._next = now + self._gap
            return True
        if due - self._slack <= now:
            self._next = due + self._gap
            return True
        self.held += 1
        return False

    def opens(self, now: float) -> float:
        """Seconds until the next may pass."""
        return max(0.0, self._next - self._slack - now)


def limit_of(plan: LoadPlan, target: Target) -> float:
    """The requests/s that are never exceeded: what the plan allows and what the way in may carry."""
    return min(plan.max_rate, target.cap if target.cap is not None else plan.max_rate)


def gate_of(plan: LoadPlan, target: Target) -> Gate:
    """The gate of a run's requests, or of its connects."""
    burst = CLOSED if plan.model == "closed" else RANDOM if plan.arrivals == "poisson" else PACED
    return Gate(limit_of(plan, target), burst)
