"""Where the application's capacity ends: steps of rate, judged, and what they say about the HPA. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from statistics import median

GROWTH = 1.5  # each step's rate over the one before
BEND, BEND_MS = 3.0, 50.0  # latency has bent at so many times the first step's p95, and so much above it
FAILED, SERVED = 0.01, 0.95  # shares of failed and of served requests at which it has


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the rate ordered, what was answered well per second, p95 (ms), the share that failed or stayed unserved.

    `pods` and `used` (the metric's share of its target, e.g. 0.8) are those of the HPA at the step's end, where known.
    """

    rate: float
    served: float
    p95: float | None
    failed: float
    limited: bool = False  # this machine was the bottleneck
    pods: int | None = None
    used: float | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """`knee`: the highest rate that was carried well; `why` it ended there. `per_pod`: requests/s a pod at the HPA's
    target, from the steps in which the metric was known; None where it was not.
    """

    knee: float
    why: str
    per_pod: float | None

    def replicas_for(self, rate: float) -> int | None:
        """The replicas that the HPA would want for a rate."""
        return max(1, ceil(rate / self.per_pod - 1e-9)) if self.per_pod else None


def verdict(step: Step, first: Step) -> str:
    """Why a step is one too many; empty where it was carried well."""
    if step.limited:
        return "this machine cannot send more"
    if step.failed > FAILED:
        return f"{step.failed * 100:.1f} % failed or stayed unserved"
    if step.served < SERVED * step.rate:
        return f"only {step.served:.0f} of {step.rate:g}/s were served"
    if step.p95 is not None and first.p95 is not None and step.p95 > max(BEND * first.p95, first.p95 + BEND_MS):
        return f"p95 rose from {first.p95:.0f} to {step.p95:.0f} ms"
    return ""


def judge(steps: list[Step]) -> Capacity:
    """The capacity that the steps show. ValueError for no steps."""
    first = steps[0]
    good = [step for step in steps if not verdict(step, first)]
    last = steps[-1]
    why = verdict(last, first) or "the limit of the rate (--max-rate) was reached"
    known = [s.served / s.pods / s.used for s in good if s.pods and s.used is not None and s.used > 0.1]
    return Capacity(good[-1].rate if good else 0.0, why, median(known[-3:]) if known else None)
