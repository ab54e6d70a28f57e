"""Numbers of a run, of several, and of several variants: medians, spread, and how sure it is which is best. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, comb
from statistics import median

from hpatui.experiment.facts import Facts, latency
from hpatui.experiment.judge import pod_minutes, scaled_at

UNITS = {
    "time_to_scale": "s", "pod_minutes": "", "p50": "ms", "p95": "ms", "p99": "ms", "errors": "%", "rescales": "",
    "replicas_max": "", "requests": "", "agreement": "%",
}  # fmt: skip
NAMES = {
    "time_to_scale": "time to scale", "pod_minutes": "pod-minutes", "p50": "p50", "p95": "p95", "p99": "p99",
    "errors": "errors", "rescales": "rescales", "replicas_max": "most replicas", "requests": "requests",
    "agreement": "agreement",
}  # fmt: skip
JUDGED = {"pod_minutes": "cost", "p95": "latency", "time_to_scale": "speed"}  # of variants: less is better
_DRAWS, _SURE = 4000, 95.0
Values = Mapping[str, float | None]


def measured(facts: Facts) -> dict[str, float | None]:
    """The numbers of one run, by the names of UNITS; None where there is none."""
    if facts.began is None:
        return dict.fromkeys(UNITS)
    end = facts.until
    peak = facts.peak()
    scaled = None
    if peak is not None:
        ending = next((until for name, _, until in facts.stage_spans() if name == peak.name), None)
        scaled = scaled_at(facts, peak.start, ending or end)
    bad = sum(second.failed + second.unserved for second in facts.seconds)
    good = sum(second.ok for second in facts.seconds)
    sizes = [value for _, _, value in facts.current.within(facts.began, end) if value is not None]
    p50, p95, p99 = (latency(facts.seconds, percentile) for percentile in (50.0, 95.0, 99.0))
    return {
        "time_to_scale": None if scaled is None or peak is None else scaled[0] - peak.start,
        "pod_minutes": pod_minutes(facts, facts.began, end),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "errors": 100.0 * bad / (good + bad) if good + bad else None,
        "rescales": float(sum(1 for rescale in facts.rescales if rescale.time >= facts.began - 1.0)),
        "replicas_max": max(sizes, default=None),
        "requests": float(good + bad),
        "agreement": 100.0 * facts.agreed / facts.compared if facts.compared else None,
    }


def percentile(values: Sequence[float], wanted: float) -> float:
    """The nearest rank: the smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, ceil(wanted / 100.0 * len(ordered)) - 1))]


@dataclass(frozen=True, slots=True)
class Spread:
    """Of a number over repetitions; `missing` runs had none."""

    median: float | None
    least: float | None
    most: float | None
    count: int
    missing: int = 0


def spread(values: Sequence[float | None]) -> Spread:
    """Median and range of those that are known."""
    known = [value for value in values if value is not None]
    missing = len(values) - len(known)
    if not known:
        return Spread(None, None, None, 0, missing)
    return Spread(median(known), min(known), max(known), len(known), missing)


@dataclass(frozen=True, slots=True)
class Winner:
    """Which of several variants has the least of a number. `sure`: percent of resampled runs in which its median is the
    least (None: one run each tells nothing of that). `text` says it with its limits.
    """

    measure: str
    name: str
    sure: float | None
    text: str


def winner(measure: str, runs: Mapping[str, Sequence[float | None]], seed: int = 0) -> Winner | None:
    """By medians; how sure by resampling the runs of each variant. None where fewer than two variants have the number."""
    known = {name: [v for v in values if v is not None] for name, values in runs.items()}
    known = {name: values for name, values in known.items() if values}
    if len(known) < 2:
        return None
    medians = {name: median(values) for name, values in known.items()}
    best = min(medians, key=lambda name: medians[name])
    others = [name for name in medians if name != best]
    second = min(others, key=lambda name: medians[name])
    unit = f" {UNITS[measure]}".rstrip()
    gap = f"{best}: {medians[best]:.4g}{unit} against {medians[second]:.4g}{unit} of {second}"
    least = min(len(values) for values in known.values())
    if medians[best] == medians[second]:
        return Winner(measure, "", None, f"no difference ({medians[best]:.4g}{unit})")
    if least < 2:
        return Winner(measure, best, None, f"{gap}; one run each tells nothing of chance: write repeat = 5")
    dice = random.Random(seed)
    won = 0.0
    for _ in range(_DRAWS):
        drawn = {name: median(dice.choices(values, k=len(values))) for name, values in known.items()}
        low = min(drawn.values())
        same = [name for name, value in drawn.items() if value == low]
        won += (best in same) / len(same)
    sure = 100.0 * won / _DRAWS
    # So few runs differ by chance only with that probability: every order of them is as likely.
    sure = min(sure, 100.0 * (1.0 - 1.0 / comb(len(known[best]) + len(known[second]), len(known[best]))))
    verdict = f"{sure:.0f} % sure" if sure >= _SURE else f"only {sure:.0f} % sure: no winner"
    return Winner(measure, best if sure >= _SURE else "", sure, f"{gap}; {verdict} ({least} runs each)")
