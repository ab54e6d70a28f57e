"""What was seen of a workload, as `learn` wants it: plain frozen data, made by session from frames or recorded facts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Young:
    """A sample of a pod in its start: how long it had run at the end of the window (s), the window (s), its values."""

    age: float
    window: float
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """The samples of one window, which ended at `time`.

    `size`: what the scale asked for. `ready`: pods that were ready (all that share the load). `counted`: those whose
    samples are in `totals`, by place in spec.metrics: their sum in thousandths, or for an Object or External metric its one
    value; None where unknown. `highest`: the largest value of one pod. `rate`: requests/s, where the load is known.
    """

    time: float
    window: float
    size: int
    ready: int
    counted: int
    totals: tuple[float | None, ...]
    highest: tuple[float | None, ...] = ()
    young: tuple[Young, ...] = ()
    rate: float | None = None
    ages: float = 0.0  # mean age of the counted pods


@dataclass(frozen=True, slots=True)
class Start:
    """A pod that started: when it was created, ran and became ready (None: not seen)."""

    created: float
    running: float | None
    ready: float | None


@dataclass(frozen=True, slots=True)
class Observed:
    """All of one HPA's target. `requests` and `limits` of a pod by place in spec.metrics, in thousandths (None: none, or
    not a resource). `sizes`: (time, spec.replicas). `syncs`: times of the controller's syncs that were seen. `kills`: when
    containers were killed over their memory limit. `blind`: (from, to) in which metrics were not readable.
    """

    moments: tuple[Moment, ...]
    requests: tuple[int | None, ...]
    limits: tuple[int | None, ...]
    starts: tuple[Start, ...] = ()
    sizes: tuple[tuple[float, int], ...] = ()
    syncs: tuple[float, ...] = ()
    kills: tuple[float, ...] = ()
    blind: tuple[tuple[float, float], ...] = field(default=())
