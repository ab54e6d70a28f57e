"""A container's CPU as its cgroup gives it: a quota a period, work served in order, no real CPU burnt.

Work is CPU seconds. A request's work runs at full speed while the quota of the running period (100 ms) lasts and at the
quota's rate once it is used up, so a lone request is quick and a saturated container has a queue. Requests are served
one after the other: with one worker the latency of a saturated container is that of its queue.
"""

from __future__ import annotations

from collections import deque

PERIOD = 0.1  # seconds; the kernel's cfs_period_us


class VirtualCpu:
    """The CPU of one container with `rate` cores of quota and at most `backlog` requests in it.

    Times are monotonic seconds and never go back. `served` requests were taken, `refused` ones were not.
    """

    __slots__ = ("_admitted", "_finish", "_finishes", "_speed", "_tat", "backlog", "rate", "refused", "served")

    def __init__(self, rate: float, backlog: int) -> None:
        self.rate = max(rate, 1e-6)
        self.backlog = backlog
        self.served = 0
        self.refused = 0
        self._speed = max(1.0, rate)
        self._admitted = 0.0  # CPU seconds of all work taken
        self._finish = 0.0  # when the last work taken ends
        self._tat = 0.0  # when the quota has paid for all work taken
        self._finishes: deque[float] = deque()

    def admit(self, now: float, cost: float) -> float | None:
        """Take a request that needs `cost` CPU seconds; when it will be done, or None if the queue is full."""
        finishes = self._finishes
        while finishes and finishes[0] <= now:
            finishes.popleft()
        if len(finishes) >= self.backlog:
            self.refused += 1
            return None
        self.served += 1
        if cost <= 0.0 and not finishes:
            return now
        finish = self.spend(now, cost)
        finishes.append(finish)
        return finish

    def spend(self, now: float, cost: float) -> float:
        """Work that is no request (start-up, a batch); when it will be done."""
        self._admitted += cost
        self._tat = max(self._tat, now) + cost / self.rate
        start = max(now, self._finish)
        self._finish = max(start + cost / self._speed, self._tat - PERIOD)
        return self._finish

    def used(self, now: float) -> float:
        """CPU seconds used until `now`: work taken less what is still to be done."""
        left = self._finish - now
        return self._admitted - left * min(self.rate, self._speed) if left > 0 else self._admitted

    def in_flight(self, now: float) -> int:
        """Requests taken and not done."""
        finishes = self._finishes
        while finishes and finishes[0] <= now:
            finishes.popleft()
        return len(finishes)

    def busy(self, now: float) -> bool:
        """Whether work is left."""
        return self._finish > now
