"""The cluster's clock: first wound by hand, so that a sandbox opens with pods that have been up a while, then live."""

from __future__ import annotations

from hpatui.clock import Clock, ScaledClock, SystemClock


class WarpClock:
    """Stands at `age` seconds before now and moves by `advance`; after `go` it runs at `speed`, from now on."""

    def __init__(self, age: float, speed: float = 1.0, base: Clock | None = None) -> None:
        self._base = base or SystemClock()
        self._speed = speed
        self._offset = -age
        self._wall0 = self._base.time()
        self._live: ScaledClock | None = None

    def time(self) -> float:
        """Wall time of the cluster."""
        return self._live.time() if self._live is not None else self._wall0 + self._offset

    def monotonic(self) -> float:
        """The same flow of time, from an arbitrary start."""
        return self._live.monotonic() if self._live is not None else self._base.monotonic() + self._offset

    def advance(self, seconds: float) -> None:
        """Wind it forward, not beyond the moment it was made."""
        if self._live is None:
            self._offset = min(0.0, self._offset + seconds)

    def go(self) -> None:
        """Run from now on (not from before, should it have been wound as far as that)."""
        self._live = ScaledClock(self._speed, self._base)
