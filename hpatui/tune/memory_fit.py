"""How a pod's memory (or another value of its own) comes about: does it follow the load, stay, grow for ever, or none?

Looked at pod by pod in the mean of established ones, between changes of the size:

    m' = cost * share + growth - (m - idle) / hold        share: of the demand that another metric (cpu) carries

`hold` infinite is a leak. Where that explains little, the value is the pod's own (Kind.POD), whatever the size; where more
pods make it smaller at once, it is shared (Kind.SHARED).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import exp, inf, log

from hpatui.tune.fit import explained, least_squares, middle
from hpatui.tune.observed import Moment
from hpatui.tune.workload import Kind, MetricModel

_LEAST = 6  # moments to learn from
_FLAT = 0.03  # relative spread of a value that simply stays
_GOOD = 0.5  # the part of the variance that a fit must explain
_NEVER = 0.985  # of what is held is still there a window later: it never goes
_FALL = 0.25  # a pod's memory that falls by that much from one window to the next was given back by a restart

Step = tuple[float, float, float, float]  # value before, value after, share of the driver, seconds


def fit(index: int, moments: Sequence[Moment], driver: int | None, idle: float, limit: float | None) -> MetricModel:
    """The model of a pod's own metric at `index`; `driver`: the metric (shared, its use without load `idle`) that tells the
    demand.
    """
    plain = MetricModel(index, Kind.POD, limit=None)
    values = [value for moment in moments if (value := moment.means[index]) is not None]
    if len(values) < _LEAST:
        return plain
    low, high = min(values), max(values)
    if high - low <= _FLAT * max(high, 1.0):
        return replace(plain, idle=sum(values) / len(values), cost=0.0)
    shared = _shared(index, moments)
    if driver is not None:
        held = _held(index, moments, driver, idle, limit)
        if held is not None:
            return held
    return shared or plain


def steps_of(index: int, moments: Sequence[Moment], driver: int, idle: float) -> list[list[Step]]:
    """Runs of moments in which the pods were the same."""
    runs: list[list[Step]] = [[]]
    for before, after in pairwise(moments):
        m, n, use = before.means[index], after.means[index], after.means[driver]
        same = (
            before.counted == after.counted
            and before.size == after.size
            and after.time - before.time < 3 * after.window
        )
        if m is None or n is None or use is None or not same or n < (1 - _FALL) * m:
            if runs[-1]:
                runs.append([])
            continue
        runs[-1].append((m, n, max(0.0, use - idle), after.time - before.time))
    return [run for run in runs if run]


def _held(index: int, moments: Sequence[Moment], driver: int, idle: float, limit: float | None) -> MetricModel | None:
    runs = steps_of(index, moments, driver, idle)
    steps = [step for run in runs for step in run]
    if len(steps) < _LEAST:
        return None
    seconds = middle(step[3] for step in steps)
    usual = [step for step in steps if abs(step[3] - seconds) < 0.2 * seconds]
    found = least_squares([(m, share, 1.0) for m, _, share, _ in usual], [n for _, n, _, _ in usual])
    if found is None:
        return None
    kept, brought, more = found
    floor = min(step[0] for step in steps)
    if kept >= _NEVER:
        return _leak(index, usual, floor, limit)
    if not 0.0 < kept < _NEVER or brought <= 0:
        return None
    hold = -seconds / log(kept)
    # In the recursion m(t+1) = kept m(t) + brought share + more, the fixed point without load is the idle use.
    rest = max(0.0, min(more / (1.0 - kept), floor))
    model = MetricModel(index, Kind.HELD, brought / (hold * (1.0 - kept)), rest, limit=limit, hold=hold)
    return model if _tells(runs, model) >= _GOOD else None


def _leak(index: int, steps: Sequence[Step], floor: float, limit: float | None) -> MetricModel | None:
    rising = [step for step in steps if step[1] >= step[0]]
    if len(rising) < 0.8 * len(steps):
        return None
    found = least_squares([(share * s, s) for _, _, share, s in rising], [n - m for m, n, _, _ in rising])
    speed = middle((n - m) / s for m, n, _, s in rising)
    if speed <= 0:
        return None
    cost, growth = found if found is not None else (0.0, speed)
    if cost < 0 or growth < 0:
        mean = middle(share for _, _, share, _ in rising)
        cost, growth = (speed / mean, 0.0) if growth < 0 and mean > 0 else (0.0, speed)
    return MetricModel(index, Kind.HELD, cost, floor, limit=limit, growth=growth, hold=inf)


def _tells(runs: Sequence[Sequence[Step]], model: MetricModel) -> float:
    """How much of the values' variance the model tells when it is let run by itself from the begin of each run."""
    values: list[float] = []
    told: list[float] = []
    for run in runs:
        m = run[0][0]
        for _, after, share, seconds in run:
            kept = exp(-seconds / model.hold)
            full = model.idle + model.cost * share * model.hold
            m = full + (m - full) * kept
            values.append(after)
            told.append(m)
    return explained(values, told)


def _shared(index: int, moments: Sequence[Moment]) -> MetricModel | None:
    """Where more pods made the value of each smaller at once: what stays is idle use, the rest is shared."""
    idles = []
    for a, b, c in zip(moments, moments[1:], moments[2:], strict=False):
        m, n = a.means[index], c.means[index]
        if m is None or n is None or not a.counted or a.counted == c.counted or b.time - a.time > 3 * b.window:
            continue
        idle = (m * a.counted - n * c.counted) / (a.counted - c.counted)
        idles.append(idle / m if m else 1.0)
    if not idles:
        return None
    part = middle(idles)
    if part > 0.8:
        return None
    lowest = min(value for moment in moments if (value := moment.means[index]) is not None)
    return MetricModel(index, Kind.SHARED, 1.0, max(0.0, min(part * lowest, lowest)))
