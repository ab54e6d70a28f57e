"""What was seen of a target -> how it behaves, and what was asked of it.

    Observed  ->  per metric: how its value comes about (MetricModel)
              ->  Demand: what all pods together had to carry, window by window
              ->  Setup: when the controller looks, how old its samples are
              ->  a run of the recorded spec with all of that, against what really happened: the error of the model

Where pods were at their limit more may have been asked for than was seen: such windows count as doubtful, and take the
demand that was seen as soon as there was room. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf

from hpatui.autoscaler.inputs import HpaObject, Memory
from hpatui.errors import HpatuiError
from hpatui.model import ControllerFlags
from hpatui.tune import memory_fit
from hpatui.tune.compare import Fit, compare
from hpatui.tune.control import PER_POD
from hpatui.tune.fit import middle
from hpatui.tune.observed import Moment, Observed
from hpatui.tune.simulate import Setup, simulate
from hpatui.tune.workload import Demand, Kind, MetricModel, WorkloadModel

LEAST = 8  # windows to learn anything from
_FULL = 0.95  # of its limit: a pod that uses as much is saturated
_BEFORE = 1.0  # seconds: so long before its sync a value that the controller read is taken to be there
_GAP = 2.5  # windows: a longer pause is a gap
_STEADY = 0.1  # relative: how much the total use may move beside a change of the size to learn the idle use from it
_PAUSE = 10.0  # seconds: the kubelet's first back-off
_DEFAULT_START = (2.0, 3.0)  # seconds until a pod runs, and from there until it is ready, where none was seen to start


class TooLittle(HpatuiError):
    """There is too little to learn from; the message says what is missing, the hint what it takes."""


@dataclass(frozen=True, slots=True)
class Learned:
    """All that a simulation needs, and how well it tells what really happened (`fit`)."""

    model: WorkloadModel
    demand: Demand
    setup: Setup
    size: int
    memory: Memory | None
    fit: Fit

    @property
    def missing(self) -> tuple[str, ...]:
        """What could not be learned, and what it would take."""
        return self.model.missing


def learn(hpa: HpaObject, observed: Observed, flags: ControllerFlags) -> Learned:
    """Learn from what was seen under the spec of `hpa`. Raises TooLittle."""
    moments = [moment for moment in observed.moments if any(mean is not None for mean in moment.means)]
    if len(moments) < LEAST:
        raise TooLittle(
            f"windows of samples that were seen: only {len(moments)}",
            hint=f"record at least {LEAST} ({LEAST * flags.metrics_resolution:.0f} s), better a whole day",
        )
    if not observed.sizes:
        raise TooLittle("the size of the target was not seen", hint="record the HPA's target, too")
    missing: list[str] = []
    metrics = _metrics(hpa, observed, moments, missing)
    start_delay, ready_delay = _delays(observed, missing)
    metrics, startup_time = _startup(metrics, moments, ready_delay)
    if not any(limit is not None for limit in observed.limits):
        missing.append(
            "no limit is known, so that saturation is not simulated: set cpu limits, or read latencies instead"
        )
    if observed.foreign:
        missing.append(
            f"{len(observed.foreign)} changes of the size were not the HPA's: they are taken to come whatever its spec is"
        )
    model = WorkloadModel(
        tuple(metrics), start_delay, ready_delay, startup_time, _restart_delay(observed, ready_delay),
        tuple(missing), len(moments),
    )  # fmt: skip
    demand = _demand(model, moments, observed)
    setup = _setup(observed, moments, flags)
    size = _size_at(observed, demand.begin)
    outcome = simulate(hpa, model, demand, setup, size=size, memory=observed.memory)
    return Learned(model, demand, setup, size, observed.memory, compare(outcome, observed.sizes, flags.sync_period))


# Metrics --------------------------------------------------------------------------------------------------------------


def _metrics(hpa: HpaObject, observed: Observed, moments: Sequence[Moment], missing: list[str]) -> list[MetricModel]:
    found: list[MetricModel | None] = []
    kinds = [(spec.type, spec.name) for spec in hpa.metrics] + [("Resource", name) for name in observed.extra]
    for index, (type_, name) in enumerate(kinds):
        if all(moment.means[index] is None for moment in moments):
            found.append(MetricModel(index, Kind.UNREAD, 0.0))
            missing.append(f"{name}: no value of it was ever seen; the controller does not scale down without it")
        elif type_ not in PER_POD:
            found.append(MetricModel(index, Kind.TOTAL))
        elif name == "memory" and type_ != "Pods":
            found.append(None)
        else:
            limit = observed.limits[index]
            idle = _idle(index, moments, limit)
            if idle is None and index < len(hpa.metrics):
                missing.append(
                    f"{name}: what a pod uses without load is not known (the size never changed under a steady load); "
                    "taken as nothing"
                )
            found.append(
                MetricModel(
                    index, Kind.SHARED, 1.0, idle or 0.0, observed.requests[index], None if limit is None else limit
                )
            )
    driver = next((m for m in found if m is not None and m.kind is Kind.SHARED), None)
    for index, (_, name) in enumerate(kinds):
        if found[index] is None:
            at = None if driver is None else driver.index
            fitted = memory_fit.fit(index, moments, at, driver.idle if driver else 0.0, observed.limits[index])
            found[index] = replace(fitted, request=observed.requests[index], ceiling=observed.limits[index])
            if fitted.kind is Kind.HELD and fitted.hold == inf:
                missing.append(f"{name}: it only ever grows; an HPA can put off the end, only mending the leak ends it")
            if fitted.kind is Kind.POD and fitted.cost:
                missing.append(
                    f"{name}: how it follows the load or the number of pods could not be told; taken as each pod's own"
                )
    return [metric for metric in found if metric is not None]


def _idle(index: int, moments: Sequence[Moment], limit: int | None) -> float | None:
    """What a pod uses without load: what more pods used in all, where the size changed and the load did not."""
    known = [moment.means[index] for moment in moments]
    lowest = min((value for value in known if value is not None), default=None)
    if lowest is None:
        return None
    idles: list[float] = []
    for before, between, after in zip(moments, moments[1:], moments[2:], strict=False):
        m, n = before.means[index], after.means[index]
        if m is None or n is None or before.counted == after.counted or not before.counted or not after.counted:
            continue
        if after.time - before.time > 2 * _GAP * after.window or between.counted < min(before.counted, after.counted):
            continue
        if limit is not None and max(m, n) >= _FULL * limit:
            continue
        one, other = m * before.counted, n * after.counted
        if abs(one - other) > _STEADY * max(one, other) + abs(after.counted - before.counted) * 0.1 * max(m, n):
            continue
        idles.append((other - one) / (after.counted - before.counted))
    if lowest <= 0.02 * max((value for value in known if value is not None), default=0.0):
        return lowest  # next to nothing: it hardly matters
    if not idles:
        return None
    return max(0.0, min(middle(idles), lowest))


def _delays(observed: Observed, missing: list[str]) -> tuple[float, float]:
    whole = [start.ready - start.asked for start in observed.starts if start.ready is not None]
    if not whole:
        missing.append("how long a pod takes to be ready is not known (none was seen to start); taken as 5 s")
        return _DEFAULT_START
    running = [
        start.ready - start.running
        for start in observed.starts
        if start.ready is not None and start.running is not None and start.running >= start.asked
    ]
    ready = max(middle(whole), 0.1)
    lasts = min(max(middle(running), 0.0), ready)
    return ready - lasts, lasts


def _restart_delay(observed: Observed, ready_delay: float) -> float:
    """The first pause before a container that was killed again starts: the kubelet doubles it each time."""
    pauses = [(seconds - ready_delay) / 2 ** (before - 1) for before, seconds in observed.restarts if 1 <= before <= 4]
    return max(middle(pauses), 0.1) if len(pauses) >= 2 else _PAUSE


def _startup(
    metrics: Sequence[MetricModel], moments: Sequence[Moment], ready_delay: float
) -> tuple[list[MetricModel], float]:
    """What pods use in their start beyond their part of the load, and how long that lasts."""
    primary = next((m for m in metrics if m.kind is Kind.SHARED), None)
    if primary is None:
        return list(metrics), 0.0
    burnt: dict[str, float] = {}
    until: dict[str, float] = {}
    for moment in moments:
        usual = moment.means[primary.index]
        for young in moment.young:
            value = young.values[primary.index]
            if value is None or young.age > 10 * moment.window + ready_delay:
                continue
            share = max(0.0, (usual or 0.0) - primary.idle) * young.ready
            extra = value - primary.idle - share
            if usual is None and young.ready > 0:
                continue
            burnt[young.pod] = burnt.get(young.pod, 0.0) + extra * young.window
            if extra > 0.2 * max(value, 1.0):
                until[young.pod] = max(until.get(young.pod, 0.0), young.age)
    cost, lasts = middle(burnt.values()), middle(until.values())
    scale = max((m for moment in moments if (m := moment.means[primary.index]) is not None), default=0.0)
    window = middle(moment.window for moment in moments)
    if cost <= 0.5 * scale * window or lasts <= 0:
        return list(metrics), 0.0
    return [replace(m, startup=cost / lasts) if m is primary else m for m in metrics], lasts


# Demand ---------------------------------------------------------------------------------------------------------------


def _demand(model: WorkloadModel, moments: Sequence[Moment], observed: Observed) -> Demand:
    """What was asked for in each window, from its begin on."""
    moments, gaps = _bridged(moments)
    times: list[float] = []
    for moment in moments:
        times.append(max(moment.time - moment.window, times[-1] + 1e-3 if times else -inf))
    curves: list[tuple[float, ...]] = []
    doubtful = 0.0
    for metric in model.metrics:
        if metric.kind is Kind.HELD:
            curves.append(())
            continue
        if metric.kind is Kind.UNREAD:
            curves.append((0.0,) * len(times))
            continue
        loads, full = _loads(metric, moments)
        doubtful = max(doubtful, sum(m.window for m, yes in zip(moments, full, strict=True) if yes))
        curves.append(tuple(loads))
    driver = next((m.index for m in model.metrics if m.kind is Kind.SHARED), None)
    for metric in model.metrics:
        if metric.kind is Kind.HELD:
            curves[metric.index] = curves[driver] if driver is not None else (1.0,) * len(times)
    end = max(observed.end, moments[-1].time)
    return _as_told(model, Demand(tuple(times), tuple(curves), end, "", doubtful + gaps), observed)


def _as_told(model: WorkloadModel, demand: Demand, observed: Observed) -> Demand:
    """Of a metric that has one value for all pods the values are known as the controller read them: they hold from just
    before that sync on.
    """
    told = [metric.index for metric in model.metrics if metric.kind is Kind.TOTAL]
    points = [(time - _BEFORE, values) for time, values in observed.totals]
    if not told or not points:
        return demand
    begin = demand.begin
    times = tuple(sorted({*demand.times, *(time for time, _ in points if begin < time < demand.end)}))
    own = [max(0, bisect_right(demand.times, time) - 1) for time in times]
    since = [time for time, _ in points]
    read = [points[max(0, bisect_right(since, time) - 1)][1] for time in times]
    curves = tuple(
        tuple(values[index] or 0.0 for values in read) if index in told else tuple(curve[place] for place in own)
        for index, curve in enumerate(demand.curves)
    )
    return replace(demand, times=times, curves=curves)


def _bridged(moments: Sequence[Moment]) -> tuple[list[Moment], float]:
    """In a gap nobody knows: its first half is taken to be as before, its second half as after. Also how long gaps are."""
    bridged: list[Moment] = []
    gaps = 0.0
    for moment in moments:
        begin = moment.time - moment.window
        gap = begin - bridged[-1].time if bridged else 0.0
        if gap > 0.5 * moment.window:
            gaps += gap
            bridged.append(replace(moment, time=begin, window=gap / 2))
        bridged.append(moment)
    return bridged, gaps


def _loads(metric: MetricModel, moments: Sequence[Moment]) -> tuple[list[float], list[bool]]:
    """The load in each window, and in which of them pods were saturated."""
    loads: list[float | None] = []
    full: list[bool] = []
    for moment in moments:
        mean = moment.means[metric.index]
        if mean is None:
            mean = _of_young(metric, moment)
        saturated = mean is not None and metric.limit is not None and mean >= _FULL * metric.limit
        full.append(saturated)
        if mean is None:
            loads.append(None)
        elif metric.kind is Kind.SHARED:
            loads.append(max(0.0, mean - metric.idle) * max(moment.ready, moment.counted, 1e-9) / metric.cost)
        else:
            loads.append(max(0.0, mean - metric.idle) if metric.cost else 0.0)
    known = _filled(loads)
    if metric.kind is Kind.TOTAL:
        # A value that was read at a sync is not older than the one before; of windows, which begin earlier, it is the next.
        known = [known[0], *known[:-1]]
    return _mended(known, full), full


def _of_young(metric: MetricModel, moment: Moment) -> float | None:
    """Where no established pod has a sample: what one uses that was ready for a part of it."""
    if metric.kind is not Kind.SHARED:
        return None
    values = [(young.values[metric.index], young.ready) for young in moment.young if young.ready > 0.5]
    known = [value / ready for value, ready in values if value is not None]
    return sum(known) / len(known) if known else None


def _filled(loads: Sequence[float | None]) -> list[float]:
    """Unknown ones as the one before (at the begin: as the first known)."""
    last = next((load for load in loads if load is not None), 0.0)
    filled = []
    for load in loads:
        last = last if load is None else load
        filled.append(last)
    return filled


def _mended(loads: list[float], full: Sequence[bool]) -> list[float]:
    """In a run of saturated windows at least what was seen as soon as there was room: the load that comes to light when
    pods are added was there before.
    """
    mended = list(loads)
    index = len(mended) - 2
    while index >= 0:
        if full[index] and mended[index + 1] > mended[index]:
            mended[index] = mended[index + 1]
        index -= 1
    return mended


# Surroundings ---------------------------------------------------------------------------------------------------------


def _setup(observed: Observed, moments: Sequence[Moment], flags: ControllerFlags) -> Setup:
    period, resolution = flags.sync_period, flags.metrics_resolution
    gaps = [b - a for a, b in pairwise(observed.syncs) if 0.7 * period < b - a < 1.3 * period]
    drift = middle(gaps, period + 0.01) - period
    delay = 0.0
    if observed.ages:
        delay = min(max(max(observed.ages) - resolution, 0.0), max(min(observed.ages), 0.0))
    shortest = min((young.window for moment in moments for young in moment.young), default=1.0)
    return Setup(
        flags,
        sync_at=observed.syncs[0] if observed.syncs else None,
        drift=min(max(drift, 0.0), 0.1 * period),
        sample_at=moments[0].time,
        sample_delay=delay,
        first_sample=min(max(shortest, 1.0), resolution),
        blind=observed.blind,
        writes=observed.foreign,
    )


def _size_at(observed: Observed, time: float) -> int:
    size = observed.sizes[0][1]
    for moment, value in observed.sizes:
        if moment <= time:
            size = value
    return size
