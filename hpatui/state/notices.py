"""What just happened and deserves a toast, kept until everybody was told."""

from __future__ import annotations

from collections.abc import Iterable

from hpatui.model import Hpa, Key
from hpatui.state.series import Rescale
from hpatui.state.snapshot import Notice
from hpatui.text import printable

MOST = 5  # a burst of rescales in a fleet is no reason for a hundred toasts


class Notices:
    """At most MOST at a time; more are dropped."""

    def __init__(self) -> None:
        self._waiting: list[Notice] = []

    def add(self, title: str, text: str, severity: str, now: float, key: Key | None = None) -> None:
        """Something happened."""
        if len(self._waiting) < MOST:
            self._waiting.append(Notice(now, title, text, severity, key))

    def rescaled(self, hpa: Hpa, rescale: Rescale, now: float) -> None:
        """An HPA changed the size."""
        condition = hpa.condition("AbleToScale")
        text = printable(condition.message) if condition and condition.reason == "SucceededRescale" else ""
        size = f"{rescale.from_size} → {rescale.to_size}" if rescale.from_size is not None else str(rescale.to_size)
        self.add(f"{printable(str(hpa.key))}: {size} replicas", text, "information", now, hpa.key)

    def waiting(self) -> tuple[Notice, ...]:
        """Those that were not told yet."""
        return tuple(self._waiting)

    def told(self, notices: Iterable[Notice]) -> None:
        """These were told."""
        known = set(map(id, notices))
        self._waiting = [notice for notice in self._waiting if id(notice) not in known]
