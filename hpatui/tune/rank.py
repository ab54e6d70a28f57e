"""All HPAs by what they waste and what they risk, with money where prices and requests are known. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hpatui.model import Hpa, Key
from hpatui.tune.advice import Advice, advise
from hpatui.tune.finding import Finding, Level, Side, excess
from hpatui.tune.findings import Findings, find
from hpatui.tune.timeline import PodSize, Timeline

_WEIGHT = {Level.PROBLEM: 10.0, Level.WARNING: 3.0, Level.HINT: 1.0}
_GIB = 2.0**30


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a core and of a GiB of memory, for an hour; None: not told."""

    cpu: float | None = None
    memory: float | None = None

    @property
    def told(self) -> bool:
        """Whether there is any price."""
        return self.cpu is not None or self.memory is not None

    def of(self, pod_hours: float, pod: PodSize | None) -> float | None:
        """What so many hours of such a pod cost; None where what has a price is not requested, or no pod was seen."""
        if pod is None or not self.told:
            return None
        total = 0.0
        if self.cpu is not None:
            if pod.cpu is None:
                return None
            total += pod.cpu / 1000 * self.cpu
        if self.memory is not None:
            if pod.memory is None:
                return None
            total += pod.memory / _GIB * self.memory
        return total * pod_hours


@dataclass(frozen=True, slots=True)
class Judged:
    """One HPA: what was seen of it and what it comes to. `wasted`: pod-hours beyond what its metrics asked for. `cost` and
    `wasted_cost` are None where prices or requests are not known. `risk` has no unit: the higher the worse.
    """

    key: Key
    hpa: Hpa
    begin: float
    end: float
    seconds: float
    pod_hours: float
    wasted: float
    cost: float | None
    wasted_cost: float | None
    risk: float
    findings: Findings
    advice: Advice | None
    sizes: tuple[tuple[float, int], ...] = ()
    asked: tuple[tuple[float, int], ...] = ()
    pod: PodSize | None = None

    @property
    def worst(self) -> Finding | None:
        """The worst finding."""
        return self.findings.found[0] if self.findings.found else None

    @property
    def healthy(self) -> bool:
        """Nothing but hints: leave it."""
        return all(finding.level is Level.HINT for finding in self.findings.found)


def judge(line: Timeline, prices: Prices, goal: str = "balanced", *, keep_curves: bool = False) -> Judged:
    """Judge one HPA. `keep_curves`: with its sizes and what was asked for over time, for a chart."""
    findings = find(line)
    hours, wasted = line.pod_hours, excess(line)
    risk = sum(
        _WEIGHT[f.level] * (0.2 + min(1.0, f.share)) for f in findings.found if f.side is Side.RISK
    )  # fmt: skip
    tolerance = line.flags.tolerance
    sizes = _thin((start, max(0, p.current)) for start, _, p in line.spans()) if keep_curves else ()
    asked = (
        _thin((start, p.needed(tolerance)) for start, _, p in line.spans() if p.ratio is not None)
        if keep_curves
        else ()
    )
    return Judged(
        line.key, line.hpa, line.begin, line.end, line.seconds, hours, wasted, prices.of(hours, line.pod),
        prices.of(wasted, line.pod), risk, findings, advise(line, findings.found, goal), sizes, asked, line.pod,
    )  # fmt: skip


def _thin(points: Iterable[tuple[float, int]]) -> tuple[tuple[float, int], ...]:
    found: list[tuple[float, int]] = []
    for time, value in points:
        if not found or found[-1][1] != value:
            found.append((time, value))
    return tuple(found)


def ranked(judged: Iterable[Judged]) -> list[Judged]:
    """The worst first: by risk and by waste alike, each as its share of the worst one's."""
    items = list(judged)
    most_risk = max((item.risk for item in items), default=0.0) or 1.0
    most_waste = max((_waste(item) for item in items), default=0.0) or 1.0
    return sorted(items, key=lambda i: (-(i.risk / most_risk + _waste(i) / most_waste), i.key))


def _waste(item: Judged) -> float:
    return item.wasted_cost if item.wasted_cost is not None else item.wasted
