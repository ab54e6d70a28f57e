"""Watches one HPA as the controller would and explains what it sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpatui.autoscaler.explain import Explanation
from hpatui.model import ControllerFlags, Event, Hpa, Key, Pod, PodUsage, SourceStatus, Workload


class Observer:
    """One per HPA in focus. All times are epoch seconds."""

    def __init__(self, key: Key, flags: ControllerFlags) -> None:
        self.key = key
        self._flags = flags

    def set_flags(self, flags: ControllerFlags) -> None:
        """The controller's flags became known."""
        self._flags = flags

    def hpa_changed(self, hpa: Hpa, now: float) -> None:
        """A new version of the HPA."""

    def facts(
        self,
        workload: Workload | None,
        pods: Mapping[Key, Pod],
        usages: Mapping[Key, PodUsage],
        usage_status: SourceStatus,
        now: float,
    ) -> None:
        """What is known about its target now."""

    def events(self, events: Sequence[Event], now: float) -> None:
        """The HPA's events, all that are known."""

    def explanation(self, now: float) -> Explanation | None:
        """Why it has the size it has; equal to the one before as long as nothing changed."""
        return None
