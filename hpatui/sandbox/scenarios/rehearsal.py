"""Finds a scenario's builder, and how much of the cluster's time it lets pass before the sandbox opens."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from hpatui.clock import Clock, ManualClock
from hpatui.sandbox.options import Timings
from hpatui.sandbox.scenarios.build import Manifest, Stages, World
from hpatui.sandbox.scenarios.catalog import CATALOG


def builder(scenario: str) -> Callable[[World], None]:
    """The function that makes the objects of a scenario."""
    entry = CATALOG[scenario]
    module = importlib.import_module(f"hpatui.sandbox.scenarios.{entry.module}")
    build: Callable[[World], None] = getattr(module, entry.function)
    return build


def age_of(scenario: str, timings: Timings) -> float:
    """How old the cluster will be, in seconds, when it opens."""
    rehearsal = _Rehearsal(timings)
    builder(scenario)(rehearsal)
    return rehearsal.passed


class _Rehearsal:
    """A world in which nothing happens but time."""

    def __init__(self, timings: Timings) -> None:
        self.timings = timings
        self.clock: Clock = ManualClock()
        self.passed = 0.0

    def apply(self, *manifests: Manifest) -> None:
        """Nothing."""

    def ensure(self, manifest: Manifest) -> None:
        """Nothing."""

    def advance(self, seconds: float) -> None:
        """Count it."""
        self.passed += seconds

    def traffic(self, name: str, service: str, stages: Stages) -> None:
        """Nothing."""

    def queue(self, namespace: str, name: str, stages: Stages) -> None:
        """Nothing."""

    def seed(self, manifest: Manifest) -> Manifest:
        """Nothing."""
        return manifest

    def patch(
        self, group: str, plural: str, namespace: str, name: str, change: Callable[[Manifest], Manifest],
        manager: str | None = None,
    ) -> None:  # fmt: skip
        """Nothing."""

    def metrics_down(self) -> None:
        """Nothing."""

    def metrics_stale(self) -> None:
        """Nothing."""

    def controller_down(self) -> None:
        """Nothing."""
