"""How fast the line to the terminal is, and when the next frame may go out. Pure: times (seconds) are arguments.

A frame of more than a few bytes is followed by a question that terminals answer at once; until the answer is back, later
changes gather in the next frame instead of queueing up behind this one. Where the terminal does not answer, what the
kernel still holds tells the same, and the time it took to go tells the line's rate.
"""

from __future__ import annotations

SMALL = 400  # bytes that need no question
PATIENCE = 2.0  # an answer that takes longer is given up
SLOW = 0.6  # an answer (or a write) that takes longer than this is one of a slow line
SLOW_FRAMES = 3  # in a row
QUICK = 0.15  # an answer within this is one of a line on which bytes do not matter
LARGE = 2000  # bytes: behind such a frame a terminal that never answered gets a pause, for nobody knows its line
UNKNOWN_RATE = 8000.0  # bytes per second that such a line is trusted to take
MOST_PAUSE = 2.0  # seconds
LEARN = 0.1  # a write that took so long to leave tells a rate


class Pace:
    """`answers`: whether this terminal is known to answer. `rate`: bytes per second where the line was seen to be busy."""

    def __init__(self) -> None:
        self.answers = False
        self.slow = False
        self.latency: float | None = None  # seconds from a frame to the answer behind it, the newest
        self.rate: float | None = None
        self._asked: float | None = None
        self._stuck: float | None = None
        self._late = 0
        self._sent = (0, 0.0)  # size and time of the last frame
        self._free_at = 0.0

    @property
    def quick(self) -> bool:
        """Whether the line is known to be quick: the terminal answers, and soon."""
        return self.answers and not self.slow and self.latency is not None and self.latency <= QUICK

    def told(self) -> str:
        """What was measured, for people."""
        parts = []
        if self.latency is not None:
            parts.append(f"the terminal answers within {self.latency * 1000:.0f} ms")
        elif not self.answers:
            parts.append("the terminal does not answer")
        if self.rate is not None:
            parts.append(f"about {self.rate / 1000:.1f} KB/s")
        if self.slow:
            parts.append("slow: drawn less often")
        return ", ".join(parts) or "not measured yet"

    def measured(self, rate: float | None) -> None:
        """What the kernel's full queue told of the line: bytes per second, None where it was never full."""
        if rate is not None:
            self.rate = rate

    def may_send(self, now: float, queued: int) -> bool:
        """Whether a frame may go out; `queued` is the number of bytes that the line has not taken yet."""
        if queued > 0:
            if self._stuck is None:
                self._stuck = now
            return False
        if self._stuck is not None:
            size, since = self._sent
            if size > SMALL and now - since > LEARN:
                self._learn(size / (now - since))
            self._count(now - self._stuck)
            self._stuck = None
        if now < self._free_at:
            return False
        if self._asked is None:
            return True
        if now - self._asked < PATIENCE:
            return False
        self._count(now - self._asked)
        self._asked = None
        return True

    def sent(self, size: int, now: float) -> bool:
        """A frame of `size` bytes went out; whether to ask the terminal to answer behind it."""
        self._sent = (size, now)
        if not self.answers and (self.rate is not None or size > LARGE):
            self._free_at = now + min(MOST_PAUSE, size / (self.rate or UNKNOWN_RATE))
        if self.answers and size > SMALL:
            self._asked = now
            return True
        return False

    def answered(self, now: float) -> bool:
        """The terminal answered; returns whether that was awaited."""
        self.answers = True
        self._free_at = 0.0
        if self._asked is None:
            return False
        took = now - self._asked
        self.latency = took
        if took > LEARN and self._sent[0] > SMALL:
            self._learn(self._sent[0] / took)
        self._count(took)
        self._asked = None
        return True

    def _learn(self, rate: float) -> None:
        self.rate = rate if self.rate is None else 0.7 * self.rate + 0.3 * rate

    def _count(self, took: float) -> None:
        self._late = self._late + 1 if took > SLOW else 0
        if self._late >= SLOW_FRAMES:
            self.slow = True
