"""What was seen of a workload, as `learn` wants it: plain frozen data, made by session from frames or recorded facts."""

from __future__ import annotations

from dataclasses import dataclass

from hpatui.autoscaler.inputs import Memory


@dataclass(frozen=True, slots=True)
class Young:
    """A sample of a pod in its start: how long it had run at the end of the window (s), the window (s), its values, and in
    which part of the window it was ready (0 to 1).
    """

    pod: str
    age: float
    window: float
    values: tuple[float | None, ...]
    ready: float = 0.0


@dataclass(frozen=True, slots=True)
class Moment:
    """The samples of one window, which ended at `time` and took `window` seconds.

    `size`: what the scale asked for. `ready`: how many pods shared the load, on average over the window. `counted`: pods that
    were ready all of it and have a sample; `means`: what those used on average, by place in spec.metrics, in thousandths (for
    an Object or External metric its one value); `highest`: the most that one used. None where unknown. `young`: samples of
    pods in their start. `rate`: requests/s, where the load is known. `age`: how long the counted pods had run on average (s).
    """

    time: float
    window: float
    size: int
    ready: float
    counted: int
    means: tuple[float | None, ...]
    highest: tuple[float | None, ...] = ()
    young: tuple[Young, ...] = ()
    rate: float | None = None
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Start:
    """A pod that started after a change of the size at `asked`: when it ran and when it was ready (None: not seen)."""

    asked: float
    running: float | None
    ready: float | None


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was seen of one HPA's target, from `begin` to `end`.

    `requests` and `limits` of a pod by place in spec.metrics, in thousandths (None: none, or not a resource). `sizes`: (time,
    spec.replicas) from then on. `syncs`: times of the controller's syncs that were seen. `ages`: of the newest sample then.
    `blind`: (from, to) in which metrics could not be read. `memory`: what the controller remembered at the begin. `foreign`:
    (time, size) of changes of the size that were not the HPA's. `extra`: resources behind those of spec.metrics, of which
    values, requests and limits are known as well ("cpu" where no metric of the spec is on it). `restarts`: how often a
    pod was unready before and for how long it was this time (s), of those that came back. `totals`: (time of a sync, what the
    controller read of metrics that have one value for all pods, by place), where it changed.
    """

    begin: float
    end: float
    moments: tuple[Moment, ...]
    requests: tuple[int | None, ...]
    limits: tuple[int | None, ...]
    sizes: tuple[tuple[float, int], ...]
    starts: tuple[Start, ...] = ()
    syncs: tuple[float, ...] = ()
    ages: tuple[float, ...] = ()
    blind: tuple[tuple[float, float], ...] = ()
    memory: Memory | None = None
    foreign: tuple[tuple[float, int], ...] = ()
    extra: tuple[str, ...] = ()
    restarts: tuple[tuple[int, float], ...] = ()
    totals: tuple[tuple[float, tuple[float | None, ...]], ...] = ()
