"""The circuit breaker: when everything fails for some seconds, only a few probes go on."""

from __future__ import annotations

SECONDS = 5  # of nothing but failures open it
SHARE = 0.02  # of the rate goes on as probes


class Breaker:
    """Told of each second; asked before each request."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._failing = 0
        self._debt = 0.0

    @property
    def open(self) -> bool:
        """Whether everything has failed for some seconds."""
        return self._enabled and self._failing >= SECONDS

    def second(self, ok: int, failed: int) -> None:
        """A second had so many good and bad answers; one good answer closes it."""
        if ok:
            self._failing = 0
        elif failed:
            self._failing += 1

    def lets_pass(self) -> bool:
        """Whether the next request may go."""
        if not self.open:
            return True
        self._debt += SHARE
        if self._debt < 1.0:
            return False
        self._debt -= 1.0
        return True
