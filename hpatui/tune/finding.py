"""A finding: waste (pods that nobody asked for) or risk (what will hurt), with its evidence; and what rules share. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hpatui.tune.timeline import Point, Timeline

MOST_EVIDENCE = 5


class Side(StrEnum):
    """What a finding costs."""

    WASTE = "waste"
    RISK = "risk"


class Level(StrEnum):
    """How much it matters."""

    PROBLEM = "problem"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A moment or a time in which it showed (epoch seconds), with the numbers in words."""

    time: float
    until: float
    text: str

    @property
    def seconds(self) -> float:
        return self.until - self.time


@dataclass(frozen=True, slots=True)
class Finding:
    """`share`: of the seconds that were seen, 0 to 1; `pod_hours`: of waste in it."""

    rule: str
    side: Side
    level: Level
    text: str
    evidence: tuple[Evidence, ...]
    share: float
    pod_hours: float = 0.0


# Times in which something holds ---------------------------------------------------------------------------------------


def episodes(line: Timeline, holds: Callable[[Point], bool]) -> list[tuple[float, float, list[Point]]]:
    """(from, to, points) of each time in which it holds without a break."""
    found: list[tuple[float, float, list[Point]]] = []
    for start, end, point in line.spans():
        if not holds(point):
            continue
        if found and found[-1][1] == start:
            begin, _, points = found[-1]
            points.append(point)
            found[-1] = (begin, end, points)
        else:
            found.append((start, end, [point]))
    return found


def evidence(
    times: Sequence[tuple[float, float, list[Point]]], words: Callable[[list[Point]], str]
) -> tuple[Evidence, ...]:
    """The longest of them, in order of time."""
    longest = sorted(times, key=lambda item: item[0] - item[1])[:MOST_EVIDENCE]
    return tuple(
        Evidence(start, end, words(points)) for start, end, points in sorted(longest, key=lambda item: item[0])
    )


def seconds_of(times: Sequence[tuple[float, float, list[Point]]]) -> float:
    return sum((end - start for start, end, _ in times), 0.0)


def lasting(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 7200 else f"{seconds / 3600:.1f} hours"


def hottest(points: list[Point]) -> float:
    return max((point.ratio for point in points if point.ratio is not None), default=0.0)


def hot(line: Timeline, point: Point) -> bool:
    return point.ratio is not None and point.ratio > 1 + line.flags.tolerance


def metric(line: Timeline, index: int) -> str:
    names = [metric.label or metric.name for metric in line.hpa.metrics if metric.index == index]
    return names[0] if names else "its metric"


def excess(line: Timeline) -> float:
    """Pod-hours beyond what the hottest metric asked for at each moment."""
    return line.over(lambda p: max(0, p.current - p.needed(line.flags.tolerance)) if p.ratio is not None else 0) / 3600
