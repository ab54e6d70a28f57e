"""When to ask for samples again: they have no watch, but their own times tell when the next are due."""

from __future__ import annotations

RETRY = 5.0
SHORTEST, LONGEST = 1.0, 60.0
PUBLISHING = 0.3  # seconds that a sample needs to appear in the API


class UsagePace:
    """Seconds to wait after each answer. `resolution`: how far samples are apart, until they tell it themselves."""

    def __init__(self, resolution: float) -> None:
        self._period = resolution
        self._newest = 0.0
        self._pause = SHORTEST

    def next(self, latest: float, now: float) -> float:
        """After an answer whose newest sample is of `latest` (epoch seconds)."""
        if latest > self._newest:
            if self._newest:
                self._period = min(max(latest - self._newest, SHORTEST), LONGEST)
            self._newest = latest
            due = latest + self._period + PUBLISHING - now
            # By the period alone where the clocks disagree.
            self._pause = due if SHORTEST <= due <= self._period + PUBLISHING else self._period
        else:
            self._pause = min(max(self._period / 3, SHORTEST), LONGEST)
        return self._pause

    def failed(self) -> float:
        """After an error: longer each time."""
        self._pause = min(max(self._pause * 1.5, RETRY), LONGEST)
        return self._pause
