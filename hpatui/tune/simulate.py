"""An HPA in its closed loop: demand -> pods -> samples -> the controller -> pods.

    Plant (pods of one age together)  --samples-->  Control (the controller's rules)  --size-->  Plant

Between two moments at which something changes (a sync, the end of a sample's window, another demand, a pod that runs or is
ready) all is constant, so the run goes from one to the next. Nothing is random: the same arguments give the same run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, inf

from hpatui.autoscaler.amounts import goal_of, is_percent
from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.inputs import HpaObject, Memory
from hpatui.autoscaler.times import seconds_to_ns
from hpatui.autoscaler.utilization import tolerance_of
from hpatui.model import ControllerFlags
from hpatui.tune.control import PER_POD, Control, Reading
from hpatui.tune.outcome import Outcome, Resize
from hpatui.tune.plant import Plant
from hpatui.tune.workload import Demand, WorkloadModel

EVERY = 256  # syncs between two questions whether to go on


class Cancelled(Exception):
    """The run was asked to end."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The surroundings of a run: the controller's flags and when things happen.

    `sync_at`: a time at which the controller looks at the HPA; each look comes `drift` later than its period. `sample_at`: a
    time at which a sample's window ends; the metrics API has it `sample_delay` later. `first_sample`: how
    long a pod must have run to have one. `blind`: (from, to) in which no metric can be read. `writes`: (time, size) that
    somebody else writes to the scale, whatever the HPA does. `settle`: of the
    demand, so long at its begin does not count: a spec is not judged by how it comes from the size that another one had left.
    In seconds; None: at the begin.
    """

    flags: ControllerFlags
    sync_at: float | None = None
    drift: float = 0.01
    sample_at: float | None = None
    sample_delay: float = 0.0
    first_sample: float = 1.0
    blind: tuple[tuple[float, float], ...] = ()
    writes: tuple[tuple[float, int], ...] = ()
    settle: float = 0.0


def never() -> bool:
    """Nobody asks to end."""
    return False


def reference_of(hpa: HpaObject, model: WorkloadModel, flags: ControllerFlags) -> tuple[float, ...]:
    """For each metric the value (thousandths; a pod's, or of the whole) over which it is above its target: the target and
    the tolerance on the way up.
    """
    up = 1.0 + tolerance_of(hpa.behavior, config_of(flags)).up
    found = []
    for metric in model.metrics:
        spec = hpa.metrics[metric.index] if metric.index < len(hpa.metrics) else None
        goal = inf if spec is None else float(goal_of(spec) or inf)
        if spec is not None and is_percent(spec):
            goal = goal * metric.request / 100 if metric.request else inf
        found.append(goal * up)
    return tuple(found)


def simulate(
    hpa: HpaObject,
    model: WorkloadModel,
    demand: Demand,
    setup: Setup,
    *,
    size: int,
    memory: Memory | None = None,
    reference: Sequence[float] | None = None,
    columns: Sequence[int] | None = None,
    keep: bool = False,
    cancelled: Callable[[], bool] = never,
) -> Outcome:
    """Run the HPA's spec over the demand, from `size` pods that have run for long.

    `memory`: what the controller remembers at the begin. `reference`: what "above target" means (`reference_of`; None: the
    spec's own targets). `columns`: of which metric of the model each of spec.metrics is (None: in order). `keep`: also the
    ratio of each metric at each sync. Raises Cancelled.
    """
    run = _Run(hpa, model, demand, setup, size, memory, reference, columns, keep)
    return run.go(cancelled)


class _Run:
    """One run while it runs."""

    def __init__(
        self,
        hpa: HpaObject,
        model: WorkloadModel,
        demand: Demand,
        setup: Setup,
        size: int,
        memory: Memory | None,
        reference: Sequence[float] | None,
        columns: Sequence[int] | None,
        keep: bool,
    ) -> None:
        flags = setup.flags
        self._columns = tuple(range(len(hpa.metrics)) if columns is None else columns)
        requests = [model.metrics[column].request for column in self._columns]
        self._control = Control(hpa, config_of(flags), requests, memory)
        limits = reference_of(hpa, model, flags) if reference is None else reference
        per_pod = [spec.type in PER_POD for spec in hpa.metrics]
        whole, cpu = [False] * len(model.metrics), [False] * len(model.metrics)
        for index, column in enumerate(self._columns):
            whole[column] = not per_pod[index] and goal_is_shared(hpa, index)
            cpu[column] = hpa.metrics[index].name == "cpu" and hpa.metrics[index].type != "Pods"
        self._plant = Plant(model, demand, setup, size, list(limits), whole, cpu, self._columns)
        self._demand, self._setup, self._size, self._most = demand, setup, size, hpa.max_replicas
        self._per_pod, self._keep = per_pod, keep
        self._goals = reference_of(hpa, model, flags) if keep else ()
        self._up = 1.0 + tolerance_of(hpa.behavior, config_of(flags)).up
        self._ratios: list[list[tuple[float, float]]] = [[] for _ in hpa.metrics]
        self._replicas = [(demand.begin, size)]
        self._resizes: list[Resize] = []
        self._at_max = 0.0

    def go(self, cancelled: Callable[[], bool]) -> Outcome:
        """From the begin to the end."""
        setup, plant, end = self._setup, self._plant, self._demand.end
        begin = self._demand.begin
        settling = setup.settle > 0
        period = setup.flags.sync_period + setup.drift
        next_sync = _first(setup.sync_at, period, begin)
        resolution = setup.flags.metrics_resolution
        next_sample = _first(setup.sample_at, resolution, begin)
        delay = min(max(setup.sample_delay, 0.0), 0.99 * resolution)
        published = inf
        writes = [(time, size) for time, size in setup.writes if begin < time < end]
        syncs = 0
        while True:
            moment = min(next_sync, next_sample, published, end)
            if writes and writes[0][0] <= moment:
                moment = writes[0][0]
            if settling and moment >= begin + setup.settle:
                settling = False
                begin += setup.settle
                self._count_from(begin)
            plant.advance(moment)
            if moment >= end:
                break
            if next_sample <= moment:
                plant.sample(moment)
                published = moment + delay
                next_sample += resolution
            if writes and writes[0][0] <= moment:
                self._resize(*writes.pop(0))
            if published <= moment:
                plant.publish()
                published = inf
            if next_sync <= moment:
                self._sync(moment, period)
                next_sync += period
                syncs += 1
                if syncs % EVERY == 0 and cancelled():
                    raise Cancelled
        return Outcome(
            begin=begin,
            end=end,
            replicas=tuple(self._replicas),
            ready=tuple(plant.ready_series),
            resizes=tuple(self._resizes),
            pod_seconds=plant.pod_seconds,
            seconds_above_target=plant.above,
            unserved=plant.unserved,
            asked=plant.asked,
            kills=plant.kills,
            seconds_at_max=self._at_max,
            ratios=tuple(tuple(points) for points in self._ratios) if self._keep else (),
        )

    def _count_from(self, begin: float) -> None:
        """It has settled: the run begins."""
        self._plant.advance(begin)
        self._plant.count_from_here()
        self._replicas = [(begin, self._size)]
        self._resizes.clear()
        for points in self._ratios:
            points.clear()
        self._at_max = 0.0

    def _sync(self, now: float, period: float) -> None:
        plant, size = self._plant, self._size
        readings = None if _within(now, self._setup.blind) else plant.readings(now)
        if self._keep and readings is not None:
            self._keep_ratios(now, readings)
        new = self._control.sync(seconds_to_ns(now), size, readings, plant.exist, plant.ready)
        wanted = self._control.wanted
        if new == self._most and wanted is not None and wanted > new:
            self._at_max += period
        if new != size:
            self._resizes.append(Resize(now, size, new))
            self._resize(now, new)

    def _resize(self, now: float, size: int) -> None:
        self._replicas.append((now, size))
        self._size = size
        self._plant.resize(now, size)

    def _keep_ratios(self, now: float, readings: Sequence[Reading | None]) -> None:
        for index, reading in enumerate(readings):
            if reading is None:
                continue
            goal = self._goals[index] / self._up
            count = reading.counted if self._per_pod[index] else self._plant.divisor(self._columns[index])
            if count > 0 and 0 < goal < inf:
                self._ratios[index].append((now, reading.total / count / goal))


def goal_is_shared(hpa: HpaObject, index: int) -> bool:
    """Whether a metric's one value is divided by the pods that exist."""
    spec = hpa.metrics[index]
    if spec.type == "Object":
        return spec.target.type == "AverageValue"
    return spec.type == "External" and spec.target.average_value is not None


def _first(at: float | None, every: float, begin: float) -> float:
    """The first time after the begin that is a whole number of steps from `at`."""
    if at is None:
        return begin + every
    return at + (floor((begin - at) / every) + 1) * every


def _within(now: float, spans: Sequence[tuple[float, float]]) -> bool:
    return any(start <= now < end for start, end in spans)
