"""How fast the line to the terminal is, and when the next frame may go out. Pure: times (seconds) are arguments.

A frame of more than a few bytes is followed by a question that terminals answer at once; until the answer is back, later
changes gather in the next frame instead of queueing up behind this one. Where the terminal does not answer, the queue of
writes that nobody took yet tells the same.
"""

from __future__ import annotations

SMALL = 400  # bytes that need no question
PATIENCE = 2.0  # an answer that takes longer is given up
SLOW = 0.6  # an answer (or a write) that takes longer than this is one of a slow line
SLOW_FRAMES = 3  # in a row


class Pace:
    """`answers`: whether this terminal is known to answer."""

    def __init__(self) -> None:
        self.answers = False
        self.slow = False
        self._asked: float | None = None
        self._stuck: float | None = None
        self._late = 0

    def may_send(self, now: float, queued: int) -> bool:
        """Whether a frame may go out; `queued` is the number of writes that the terminal has not taken yet."""
        if queued > 0:
            if self._stuck is None:
                self._stuck = now
            return False
        if self._stuck is not None:
            self._count(now - self._stuck)
            self._stuck = None
        if self._asked is None:
            return True
        if now - self._asked < PATIENCE:
            return False
        self._count(now - self._asked)
        self._asked = None
        return True

    def sent(self, size: int, now: float) -> bool:
        """A frame of `size` bytes went out; whether to ask the terminal to answer behind it."""
        if self.answers and size > SMALL:
            self._asked = now
            return True
        return False

    def answered(self, now: float) -> bool:
        """The terminal answered; returns whether that was awaited."""
        self.answers = True
        if self._asked is None:
            return False
        self._count(now - self._asked)
        self._asked = None
        return True

    def _count(self, took: float) -> None:
        self._late = self._late + 1 if took > SLOW else 0
        if self._late >= SLOW_FRAMES:
            self.slow = True
