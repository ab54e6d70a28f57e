"""The only place that reads time.

Everything else takes a `Clock`, or a time as an argument. Two kinds of time are used:

* wall time: seconds since the epoch (`float`, UTC), or an aware `datetime`; comparable with what the API server writes;
* monotonic time: seconds from an arbitrary start; for durations, pacing and timeouts.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of time that tests can step."""

    def time(self) -> float:
        """Wall time in seconds since the epoch."""

    def monotonic(self) -> float:
        """Monotonic time in seconds."""


class SystemClock:
    """The machine's clocks."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock that moves only when told; for tests and for replays."""

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._wall = start
        self._mono = 0.0

    def time(self) -> float:
        return self._wall

    def monotonic(self) -> float:
        return self._mono

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds` (not negative)."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._wall += seconds
        self._mono += seconds


class ScaledClock:
    """Runs `speed` times faster than `base` from the moment it was made, when it shows `wall` (None: as `base`)."""

    def __init__(self, speed: float, base: Clock | None = None, wall: float | None = None) -> None:
        if speed <= 0:
            raise ValueError("speed must be positive")
        self.speed = speed
        self._base: Clock = base or SystemClock()
        self._wall0 = self._base.time() if wall is None else wall
        self._mono0 = self._base.monotonic()

    def time(self) -> float:
        return self._wall0 + self.monotonic_elapsed()

    def monotonic(self) -> float:
        return self._mono0 + self.monotonic_elapsed()

    def monotonic_elapsed(self) -> float:
        """Scaled seconds since this clock was made."""
        return (self._base.monotonic() - self._mono0) * self.speed


def as_datetime(seconds: float) -> datetime:
    """Epoch seconds -> aware UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def parse_rfc3339(text: str) -> datetime:
    """An RFC 3339 time as Kubernetes writes it (`Z` or offset, up to nine fractional digits; cut to microseconds).

    Raises ValueError when the text is not one.
    """
    if "." in text:
        head, _, tail = text.partition(".")
        digits = 0
        while digits < len(tail) and tail[digits].isdigit():
            digits += 1
        text = f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"time without zone: {text!r}")
    return parsed.astimezone(UTC)


def format_rfc3339(moment: datetime, *, micro: bool = False) -> str:
    """As metav1.Time (whole seconds) or, with `micro`, metav1.MicroTime (six digits)."""
    moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")
