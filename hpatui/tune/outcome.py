"""How a run went, simulated: plain frozen data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resize:
    """A change of the size by the HPA."""

    time: float
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run from `begin` to `end` (epoch seconds).

    `replicas`, `ready`: (time, number) from then on. `ratios` has a curve a metric, (time, value / target) at each sync,
    empty where not asked for. `pod_seconds` counts all pods that exist. `seconds_above_target`: in which a metric was over
    the reference's target by more than its tolerance. `unserved`: demand (unit x seconds) that the pods could not carry, of
    `asked` in all. `kills`: containers killed over their memory limit. `seconds_at_max`: at maxReplicas with more wanted.
    """

    begin: float
    end: float
    replicas: tuple[tuple[float, int], ...]
    ready: tuple[tuple[float, int], ...]
    resizes: tuple[Resize, ...]
    pod_seconds: float
    seconds_above_target: float
    unserved: float
    asked: float
    kills: int = 0
    seconds_at_max: float = 0.0
    ratios: tuple[tuple[tuple[float, float], ...], ...] = ()

    @property
    def pod_hours(self) -> float:
        """Hours of pods."""
        return self.pod_seconds / 3600

    @property
    def rescales(self) -> int:
        """How often the HPA changed the size."""
        return len(self.resizes)

    @property
    def unserved_share(self) -> float:
        """The part of the demand that was not carried, 0 to 1."""
        return self.unserved / self.asked if self.asked > 0 else 0.0
