"""What was seen of one run, in the cluster's time (epoch seconds), and the moments that expectations name. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hpatui.experiment.words import Anchor, Span
from hpatui.load.histogram import Histogram

Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class Second:
    """One second of load (of real time): when it began, what was ordered, what came of it, latencies in ms. `slots`: its
    response times as `load.histogram` counts them.
    """

    time: float
    offered: float
    sent: int
    ok: int
    failed: int
    unserved: int
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    stage: str = ""
    slots: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the load that began; `rate`: what it orders at most, requests/s."""

    name: str
    start: float
    rate: float


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault of the sandbox: in force from `start` to `end` (None: still)."""

    name: str
    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Rescaled:
    """The HPA changed the size."""

    time: float
    before: int | None
    after: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """The HPA's state from `time` on: its word and the line that explains it."""

    time: float
    state: str
    headline: str


class Steps:
    """A value that holds until the next: (time, value), oldest first. None: not known."""

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self.points: list[Point] = []
        for time, value in points:
            self.add(time, value)

    def add(self, time: float, value: float | None) -> None:
        """From `time` on; one that is not newer than the last replaces it."""
        if self.points and time <= self.points[-1][0]:
            self.points[-1] = (self.points[-1][0], value)
        elif not self.points or self.points[-1][1] != value:
            self.points.append((time, value))

    def at(self, time: float) -> float | None:
        """The value in force."""
        index = bisect_right(self.points, time, key=lambda point: point[0]) - 1
        return self.points[index][1] if index >= 0 else None

    def within(self, start: float, end: float) -> Iterator[tuple[float, float, float | None]]:
        """(from, to, value) of each piece between `start` and `end`."""
        for index, (time, value) in enumerate(self.points):
            until = self.points[index + 1][0] if index + 1 < len(self.points) else end
            left, right = max(time, start), min(until, end)
            if left < right or (left == right == start == end):
                yield left, right, value


@dataclass(slots=True)
class Facts:
    """One run so far. `began`, `ended`: of the load (None: not yet). `until`: up to when it was observed. `settle`: seconds
    without a change that count as stable. `agreed`, `compared`: syncs that went as computed, since the run began.
    """

    settle: float = 30.0
    speed: float = 1.0
    began: float | None = None
    ended: float | None = None
    until: float = 0.0
    current: Steps = field(default_factory=Steps)
    desired: Steps = field(default_factory=Steps)
    ready: Steps = field(default_factory=Steps)
    least: Steps = field(default_factory=Steps)
    most: Steps = field(default_factory=Steps)
    metrics: dict[str, list[Point]] = field(default_factory=dict)
    targets: dict[str, Steps] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)
    seconds: list[Second] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    faults: list[Struck] = field(default_factory=list)
    rescales: list[Rescaled] = field(default_factory=list)
    notes: list[tuple[float, str]] = field(default_factory=list)
    agreed: int = 0
    compared: int = 0
    load_error: str = ""  # why the load ended before its time

    def size(self, subject: str) -> Steps:
        """The series of replicas, ready or desired."""
        return {"replicas": self.current, "ready": self.ready, "desired": self.desired}[subject]

    # Moments --------------------------------------------------------------------------------------------------

    def moment(self, anchor: Anchor) -> float | None:
        """When it was; None: not yet, or never."""
        match anchor.kind:
            case "start" | "load":
                return self.ended if anchor.ends else self.began
            case "end":
                return self.ended
            case "stable":
                return self.stable_at()
            case "stage":
                spans = [span for span in self.stage_spans() if span[0] == anchor.name]
                return None if not spans else spans[0][2] if anchor.ends else spans[0][1]
            case "fault":
                struck = next((fault for fault in self.faults if fault.name == anchor.name), None)
                return None if struck is None else struck.end if anchor.ends else struck.start
        return None

    def stage_spans(self) -> list[tuple[str, float, float | None]]:
        """(name, start, end) of each stage that began; the end is None while it lasts."""
        ends = [*(stage.start for stage in self.stages[1:]), self.ended] if self.stages else []
        return [(stage.name, stage.start, end) for stage, end in zip(self.stages, ends, strict=True)]

    def peak(self) -> Stage | None:
        """The stage that orders most, the first of several: what the HPA has to answer."""
        return max(self.stages, key=lambda stage: stage.rate, default=None)

    def stable_at(self) -> float | None:
        """When the replicas had come to rest in the peak stage: `settle` seconds after their last change in it, as what was
        wanted. None where they did not, or while it lasts: what comes later in it may change that.
        """
        peak = self.peak()
        end = next((until for name, _, until in self.stage_spans() if peak is not None and name == peak.name), None)
        if peak is None or end is None:
            return None
        changes = [
            time for steps in (self.current, self.desired) for time, _ in steps.points if peak.start < time < end
        ]
        last = max(changes, default=peak.start)
        size = self.current.at(last)
        calm = size is not None and size == self.desired.at(last)
        return last + self.settle if calm and last + self.settle <= end else None

    def bounds(self, span: Span) -> tuple[float, float, bool] | None:
        """(from, to, whether `to` is over) of a span; None while it has not begun. Up to the load's end, where it begins
        before that and does not say otherwise; `run` goes to the end of what was observed.
        """
        now = self.until
        if self.began is None:
            return None
        if span.kind == "run":
            return self.began, now, False
        start = self.moment(span.anchor)
        if span.kind == "before":
            return self.began, now if start is None else start, start is not None
        if start is None:
            return None
        if span.kind == "within":
            end = start + span.seconds
        elif span.kind == "during":
            ending = self.moment(Anchor(span.anchor.kind, span.anchor.name, ends=True))
            end = now if ending is None else ending
            return start, end, ending is not None
        elif self.ended is None or start >= self.ended:
            return start, now, False
        else:
            return start, self.ended, True
        return start, min(end, now), now >= end

    def load_in(self, start: float, end: float) -> Sequence[Second]:
        """The seconds of load that lie within."""
        return [second for second in self.seconds if start - 1e-6 <= second.time < end]

    def look_at(self, time: float) -> Look | None:
        """The HPA's state in force."""
        index = bisect_right(self.looks, time, key=lambda look: look.time) - 1
        return self.looks[index] if index >= 0 else None


def latency(seconds: Iterable[Second], percentile: float) -> float | None:
    """Milliseconds at a percentile of all answers of these seconds; None where there was none."""
    histogram = Histogram()
    for second in seconds:
        histogram.merge(second.slots)
    return histogram.percentiles([percentile])[0]
