"""Where the application's capacity ends: steps of rate, judged, and what they say about the HPA. Pure.

Search.rate -> a step -> verdict -> Search.take -> the next rate: up by half, then halving the interval to 10 %
steps that were carried well -> fit: metric = base x pods + k x rate -> replicas for any rate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt

GROWTH = 1.5  # each step's rate over the one before, while all goes well
NEAR = 1.1  # the search ends when the lowest bad rate is so many times the highest good one
LOWEST = 0.5  # requests/s; below it there is no capacity
BEND, BEND_MS = 3.0, 50.0  # latency has bent at so many times the first step's p95, and so much above it
FAILED, SERVED = 0.01, 0.95  # shares of failed and of served requests at which it has
OVERWHELMED = 0.2  # from this share of failures a step is not tried again: that is no chance
FOLLOWS = 0.8  # correlation with the rate from which a metric follows the load
_SHARE = 0.3  # of a metric's total that the load must explain at the highest rate


@dataclass(frozen=True, slots=True)
class Limits:
    """What the user calls well: the p95 (ms) and the share of failed requests at most; None: as above."""

    p95: float | None = None
    failed: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the rate ordered, what was answered well per second, p95 (ms), the share that failed or stayed unserved.

    `offered` is what was really ordered per second (poisson arrivals vary; 0: as `rate`). `pods` are those of the HPA at
    the step's end, `used` the highest share of a metric's target (0.8), `ratios` that of each metric by its label;
    `most` maxReplicas. None and empty where unknown.
    """

    rate: float
    served: float
    p95: float | None
    failed: float
    limited: bool = False  # this machine was the bottleneck
    pods: int | None = None
    used: float | None = None
    offered: float = 0.0
    seconds: float = 10.0
    ratios: Mapping[str, float] = field(default_factory=dict)
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """What a metric costs, in shares of its target: `base` a pod without load, `each` per request/s; `error` is the
    standard error of `each`, None where there were too few steps to tell.
    """

    base: float
    each: float
    error: float | None

    @property
    def per_pod(self) -> float:
        """Requests/s of a pod at the metric's target."""
        return max(1.0 - self.base, 0.0) / self.each


@dataclass(frozen=True, slots=True)
class Capacity:
    """`knee`: the highest rate that was carried well; `beyond`: the lowest that was not (None: there was none); `why` it
    ended there. `served`: the most that was ever answered per second. `per_pod`: requests/s a pod at the HPA's target, by
    the metric `metric`, give or take `error`; None where no metric followed the load. `most`: maxReplicas.
    """

    knee: float
    why: str
    per_pod: float | None
    beyond: float | None = None
    served: float = 0.0
    metric: str = ""
    error: float | None = None
    most: int | None = None

    def replicas_for(self, rate: float) -> int | None:
        """The replicas that the HPA would want for a rate, whatever maxReplicas says."""
        return max(1, ceil(rate / self.per_pod - 1e-9)) if self.per_pod else None


def verdict(step: Step, first: Step, limits: Limits | None = None) -> str:
    """Why a step is one too many; empty where it was carried well."""
    most = limits or Limits()
    offered = step.offered or step.rate
    if step.limited:
        return "this machine cannot send more"
    if step.failed > (FAILED if most.failed is None else most.failed):
        return f"{step.failed * 100:.1f} % failed or stayed unserved"
    # What is under way at both ends of a step is some requests more or less, however few there were.
    if (offered - step.served) * step.seconds > max((1 - SERVED) * offered * step.seconds, 2.0):
        return f"only {step.served:.0f} of {offered:g}/s were served"
    if most.p95 is not None:
        return "" if step.p95 is None or step.p95 <= most.p95 else f"p95 is {step.p95:.0f} ms, more than {most.p95:g}"
    if step.p95 is not None and first.p95 is not None and step.p95 > max(BEND * first.p95, first.p95 + BEND_MS):
        return f"p95 rose from {first.p95:.0f} to {step.p95:.0f} ms"
    return ""


class Search:
    """Which rate to try next. `rate` is the one in force, None when all is known."""

    def __init__(self, first: float, most: float, limits: Limits | None = None) -> None:
        self.rate: float | None = min(first, most)
        self.steps: list[Step] = []
        self._most, self._limits = most, limits
        self._low = self._high = 0.0
        self._doubted: float | None = None  # was bad once, which may have been chance

    def take(self, step: Step) -> str:
        """A step is over: what was wrong with it, and `rate` is the next one."""
        self.steps.append(step)
        why = verdict(step, self.reference, self._limits)
        if step.limited:
            self.rate = None
        elif not why:
            self._doubted = None
            self._low = max(self._low, step.rate)
            self.rate = self._above()
        elif self._doubted != step.rate and step.failed < OVERWHELMED:
            self._doubted = step.rate
        else:
            self._high = min(self._high, step.rate) if self._high else step.rate
            self.rate = self._between() if self._low else self._below()
        return why

    @property
    def reference(self) -> Step:
        """The step with the lowest rate: how it is without much load."""
        return min(self.steps, key=lambda step: step.rate)

    def _above(self) -> float | None:
        if self._high:
            return self._between()
        return None if self._low >= self._most else min(self._low * GROWTH, self._most)

    def _between(self) -> float | None:
        return sqrt(self._low * self._high) if self._high > self._low * NEAR else None

    def _below(self) -> float | None:
        lower = self._high / 2
        return lower if lower >= LOWEST else None

    def result(self) -> Capacity:
        """What the steps so far show. ValueError for none."""
        return judge(self.steps, self._limits)


def judge(steps: Sequence[Step], limits: Limits | None = None) -> Capacity:
    """The capacity that the steps show. ValueError for no steps. A rate that was bad once and then good was good."""
    first = min(steps, key=lambda step: step.rate)
    outcomes: dict[float, str] = {}
    for step in steps:
        outcomes[step.rate] = verdict(step, first, limits)
    knee = max((rate for rate, why in outcomes.items() if not why), default=0.0)
    bad = sorted(rate for rate, why in outcomes.items() if why and rate > knee)
    why = outcomes[bad[0]] if bad else "the limit of the rate (--max-rate) was reached"
    good = [step for step in steps if not verdict(step, first, limits)]
    fits = _fits(good)
    slowest = min(fits.items(), key=lambda item: item[1].per_pod, default=None)
    served, most = max(step.served for step in steps), steps[-1].most
    beyond = bad[0] if bad else None
    if slowest is None:
        return Capacity(knee, why, None, beyond, served, most=most)
    name, found = slowest
    error = None if found.error is None else found.per_pod * found.error / found.each
    return Capacity(knee, why, found.per_pod, beyond, served, name, error, most)


def _fits(steps: Sequence[Step]) -> dict[str, Fit]:
    """The metrics that follow the load, by their labels."""
    points: dict[str, list[tuple[float, float, float]]] = {}
    for step in steps:
        ratios = step.ratios or ({} if step.used is None else {"": step.used})
        for name, ratio in ratios.items():
            if step.pods:
                points.setdefault(name, []).append((float(step.pods), step.served, ratio * step.pods))
    fits = {name: found for name, data in points.items() if (found := fit(data)) is not None}
    return {name: found for name, found in fits.items() if found.per_pod > 0}


def fit(points: Sequence[tuple[float, float, float]]) -> Fit | None:
    """(pods, rate, metric x pods) of some steps -> total = base x pods + each x rate, by least squares. None where the
    metric does not follow the load: memory that pods hold without any request, a metric of something else.
    """
    count = len(points)
    pp = sum(p * p for p, _, _ in points)
    pr = sum(p * r for p, r, _ in points)
    rr = sum(r * r for _, r, _ in points)
    pt = sum(p * t for p, _, t in points)
    rt = sum(r * t for _, r, t in points)
    determinant = pp * rr - pr * pr
    if rr <= 0:
        return None
    if count < 2 or determinant < 1e-4 * pp * rr:  # pods grew with the rate: a base cannot be told apart
        base, each, free = 0.0, rt / rr, count - 1
        spread = 1.0 / rr
    else:
        base, each, free = (rr * pt - pr * rt) / determinant, (pp * rt - pr * pt) / determinant, count - 2
        spread = pp / determinant
        if base < 0:  # no pod costs less than nothing
            base, each, free, spread = 0.0, rt / rr, count - 1, 1.0 / rr
    rest = sum((t - base * p - each * r) ** 2 for p, r, t in points)
    error = sqrt(rest / free * spread) if free > 0 else None
    highest = max(points, key=lambda point: point[1])
    if each <= 0 or highest[2] <= 0 or each * highest[1] < _SHARE * highest[2]:
        return None
    if count >= 3 and _correlation([r for _, r, _ in points], [t for _, _, t in points]) < FOLLOWS:
        return None
    return Fit(base, each, error)


def _correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Pearson's; 0 where one of them does not change."""
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    both = sum((x - mx) * (y - my) for x, y in zip(xs, ys, strict=True))
    own = sqrt(sum((x - mx) ** 2 for x in xs) * sum((y - my) ** 2 for y in ys))
    return both / own if own > 0 else 0.0
