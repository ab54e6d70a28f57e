"""Bounded time series: rings of (time, value) that the store appends to and the charts read.

Times are epoch seconds and never go back. A value of None is a gap: drawn as a gap, never as zero. `Series` keeps full
detail for the newest points and merges older ones in pairs once it is full, so memory is bounded and an old spike
survives in min and max.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isnan, nan

_NAN = nan


class SeriesView:
    """Points (time, value), oldest first, that nobody changes any more. Step series hold a value until the next
    point.
    """

    __slots__ = ("_times", "_values", "step")

    def __init__(self, times: array[float], values: array[float], *, step: bool = False) -> None:
        self._times = times
        self._values = values
        self.step = step

    def __len__(self) -> int:
        return len(self._times)

    @property
    def last(self) -> tuple[float, float | None] | None:
        """The newest point, or None."""
        if not self._times:
            return None
        return self._times[-1], _or_none(self._values[-1])

    @property
    def first_time(self) -> float | None:
        """The oldest time still held."""
        return self._times[0] if self._times else None

    def at(self, time: float) -> float | None:
        """The value in force at `time` (the newest point not after it), or None."""
        index = bisect_right(self._times, time) - 1
        return _or_none(self._values[index]) if index >= 0 else None

    def window(self, start: float, end: float) -> list[tuple[float, float | None]]:
        """Points with start <= time <= end, and for a step series the value in force at `start` as a point there."""
        low = bisect_left(self._times, start)
        high = bisect_right(self._times, end)
        points: list[tuple[float, float | None]] = []
        if self.step and low > 0 and (low >= len(self._times) or self._times[low] > start):
            points.append((start, _or_none(self._values[low - 1])))
        points.extend((self._times[i], _or_none(self._values[i])) for i in range(low, high))
        return points

    def __iter__(self) -> Iterator[tuple[float, float | None]]:
        return ((t, _or_none(v)) for t, v in zip(self._times, self._values, strict=True))


class Series(SeriesView):
    """A series that is written to: at most `capacity` points; older ones are merged in pairs once it is full."""

    __slots__ = ("_capacity", "_frozen")

    def __init__(self, capacity: int = 4096, *, step: bool = False) -> None:
        if capacity < 16:
            raise ValueError("capacity must be at least 16")
        super().__init__(array("d"), array("d"), step=step)
        self._capacity = capacity
        self._frozen: SeriesView | None = None

    def frozen(self) -> SeriesView:
        """The points as they are now; the same object until the next change."""
        if self._frozen is None:
            self._frozen = SeriesView(self._times[:], self._values[:], step=self.step)
        return self._frozen

    def append(self, time: float, value: float | None) -> None:
        """Add a point. One at or before the newest time replaces that point's value (a clock that went back changes
        nothing else).

        In a step series, a value equal to the two before moves the last point instead of adding one.
        """
        self._frozen = None
        number = _NAN if value is None else float(value)
        times, values = self._times, self._values
        if times and time <= times[-1]:
            values[-1] = number
            return
        if self.step and len(times) >= 2 and _same(values[-1], number) and _same(values[-2], number):
            times[-1] = time
            return
        times.append(time)
        values.append(number)
        if len(times) > self._capacity:
            self._halve_old()

    def backfill(self, points: list[tuple[float, float]]) -> None:
        """Put points (oldest first) before what is held; those not older than the first point are ignored."""
        self._frozen = None
        first = self._times[0] if self._times else float("inf")
        known = [(time, value) for time, value in points if time < first]
        room = self._capacity - len(self._times)
        known = known[-room:] if room > 0 else []
        self._times = array("d", [time for time, _ in known]) + self._times
        self._values = array("d", [value for _, value in known]) + self._values

    def _halve_old(self) -> None:
        """Merge the older half in pairs, keeping of each pair the value that is farther from its neighbours' mean."""
        half = len(self._times) // 2
        times, values = array("d"), array("d")
        for index in range(0, half - 1, 2):
            first, second = self._values[index], self._values[index + 1]
            previous = values[-1] if values else first
            keep_first = (
                (not self.step)
                and not isnan(first)
                and (isnan(second) or abs(first - previous) > abs(second - previous))
            )
            chosen = index if keep_first else index + 1
            times.append(self._times[chosen])
            values.append(self._values[chosen])
        tail = half if half % 2 == 0 else half - 1
        times.extend(self._times[tail:])
        values.extend(self._values[tail:])
        self._times, self._values = times, values


def _or_none(value: float) -> float | None:
    return None if isnan(value) else value


def _same(a: float, b: float) -> bool:
    return a == b or (isnan(a) and isnan(b))


@dataclass(frozen=True, slots=True)
class Rescale:
    """A change of the desired size: seen live, or rebuilt from an event (`from_size` may then be unknown)."""

    time: float
    from_size: int | None
    to_size: int
    reason: str
    seen: bool


@dataclass(frozen=True, slots=True)
class HistoryView:
    """What happened to one HPA, as it was known when the view was made. Names as in `HpaHistory`."""

    desired: SeriesView
    current: SeriesView
    ready: SeriesView
    min: SeriesView
    max: SeriesView
    metrics: Mapping[str, SeriesView]
    targets: Mapping[str, SeriesView]
    rescales: tuple[Rescale, ...]


class HpaHistory:
    """What happened to one HPA: step series of replicas, a series per metric (in the metric's unit), and its
    rescales.
    """

    __slots__ = ("_view", "current", "desired", "max", "metrics", "min", "ready", "rescales", "targets")

    def __init__(self, capacity: int = 4096) -> None:
        self.desired = Series(capacity, step=True)
        self.current = Series(capacity, step=True)
        self.ready = Series(capacity, step=True)
        self.min = Series(256, step=True)
        self.max = Series(256, step=True)
        self.metrics: dict[str, Series] = {}  # metric label ("cpu", "memory", "queue_depth") -> value
        self.targets: dict[str, Series] = {}
        self.rescales: list[Rescale] = []  # oldest first, at most 256
        self._view: HistoryView | None = None

    def frozen(self) -> HistoryView:
        """All of it as it is now; the same object as last time if nothing changed since."""
        view = HistoryView(
            self.desired.frozen(),
            self.current.frozen(),
            self.ready.frozen(),
            self.min.frozen(),
            self.max.frozen(),
            {label: series.frozen() for label, series in self.metrics.items()},
            {label: series.frozen() for label, series in self.targets.items()},
            tuple(self.rescales),
        )
        if self._view is None or view != self._view:
            self._view = view
        return self._view


@dataclass(frozen=True, slots=True)
class LoadHistoryView:
    """The load of this session, as it was known when the view was made. Names as in `LoadHistory`."""

    offered: SeriesView
    rate: SeriesView
    errors: SeriesView
    p50: SeriesView
    p95: SeriesView
    p99: SeriesView
    marks: tuple[tuple[float, str], ...]


class LoadHistory:
    """The load of this session on the common time axis; each series one point a second."""

    __slots__ = ("_view", "errors", "marks", "offered", "p50", "p95", "p99", "rate")

    def __init__(self, capacity: int = 4096) -> None:
        self.offered = Series(capacity)
        self.rate = Series(capacity)
        self.errors = Series(capacity)
        self.p50 = Series(capacity)
        self.p95 = Series(capacity)
        self.p99 = Series(capacity)
        self.marks: list[tuple[float, str]] = []  # load started, stopped, rate or stage changed; at most 256
        self._view: LoadHistoryView | None = None

    def frozen(self) -> LoadHistoryView:
        """All of it as it is now; the same object as last time if nothing changed since."""
        view = LoadHistoryView(
            self.offered.frozen(),
            self.rate.frozen(),
            self.errors.frozen(),
            self.p50.frozen(),
            self.p95.frozen(),
            self.p99.frozen(),
            tuple(self.marks),
        )
        if self._view is None or view != self._view:
            self._view = view
        return self._view


AnyHistory = HpaHistory | HistoryView
AnyLoadHistory = LoadHistory | LoadHistoryView
