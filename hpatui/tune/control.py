"""The controller's decision for pods that are alike, fast: what `decide` comes to, without its sentences.

Pods of one age use the same, so a metric is a sum over few groups instead of a walk over pods, and the recommendations
within a window are a queue instead of a list of slots. The arithmetic is that of the autoscaler's rooms (replicas.py,
utilization.py, behavior.py), integer by integer; tests/unit/tune/test_control.py holds it against `decide`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from math import ceil

from hpatui.autoscaler.inputs import Behavior, ControllerConfig, HpaObject, Memory, MetricSpec, ScalingRules
from hpatui.autoscaler.times import SECOND, seconds_to_ns
from hpatui.autoscaler.utilization import Tolerance, tolerance_of

PER_POD = ("Resource", "ContainerResource", "Pods")


class Reading:
    """One metric at a sync: of pods that count, how many and the sum of their values (thousandths, whole); how many have no
    sample, and how many are not ready. For a metric of the whole workload `total` is its value.
    """

    __slots__ = ("counted", "missing", "total", "unready")

    def __init__(self, counted: int = 0, total: int = 0, missing: int = 0, unready: int = 0) -> None:
        self.counted, self.total, self.missing, self.unready = counted, total, missing, unready


Propose = Callable[[Reading, int, int, int], int | None]  # reading, size, pods that exist, pods that are ready


class Control:
    """One HPA's controller: its rules and what it remembers. Times are nanoseconds since the epoch."""

    def __init__(
        self, hpa: HpaObject, config: ControllerConfig, requests: Sequence[int | None], memory: Memory | None = None
    ) -> None:
        """`requests`: of a pod in thousandths, by place in spec.metrics (None: there is none, or it does not matter)."""
        known = memory or Memory()
        self.hpa = hpa
        self._low, self._high = hpa.min_replicas, hpa.max_replicas
        self._sleeps = config.rules.scale_to_zero and hpa.min_replicas == 0
        tolerance = tolerance_of(hpa.behavior, config)
        self._proposals = [_proposal(spec, requests[i], tolerance) for i, spec in enumerate(hpa.metrics)]
        self._windows = _Windows(hpa.behavior, config, known)
        self._rates = _Rates(hpa.behavior, hpa, known) if hpa.behavior is not None else None
        self.wanted: int | None = None  # by the last sync; None: it was blind

    def sync(self, now: int, current: int, readings: Sequence[Reading | None] | None, exist: int, ready: int) -> int:
        """The size after a sync at `now`. `readings` None: no metric could be read (one of them
        None: that one). `exist`: pods that the scale's status
        counts, `ready`: those that are ready.
        """
        self._windows.begin(now, current)
        self.wanted = None
        if current == 0 and not self._sleeps:
            return 0
        if current > self._high:
            size = self._high
        elif 0 < current < self._low:
            size = self._low
        else:
            wanted = self._compute(current, readings, exist, ready)
            if wanted is None:
                return current
            self.wanted = wanted
            size = self._limited(now, current, self._windows.stabilized(now, current, wanted))
        if size != current and self._rates is not None:
            self._rates.remember(now, size - current)
        return size

    def _compute(self, current: int, readings: Sequence[Reading | None] | None, exist: int, ready: int) -> int | None:
        if readings is None:
            return None
        best = failed = 0
        for propose, reading in zip(self._proposals, readings, strict=True):
            size = None if reading is None else propose(reading, current, exist, ready)
            if size is None:
                failed += 1
            elif size > best:
                best = size
        if failed and (failed == len(self._proposals) or best < current):
            return None
        return best

    def _limited(self, now: int, current: int, wanted: int) -> int:
        if self._rates is not None:
            return self._rates.limited(now, current, wanted)
        if wanted < self._low:
            return self._low
        return min(wanted, self._high, max(2 * current, 4))


# Metrics --------------------------------------------------------------------------------------------------------------


def _proposal(spec: MetricSpec, request: int | None, tolerance: Tolerance) -> Propose:
    """How a metric of the spec proposes a size; it gives None where it fails."""
    target = spec.target
    if spec.type in PER_POD:
        if target.average_value is not None:
            return _by_average(target.average_value.milli_value(), tolerance)
        if spec.type == "Pods" or target.average_utilization is None or request is None:
            return _never
        return _by_utilization(target.average_utilization, request, tolerance)
    per_pod = target.type == "AverageValue" if spec.type == "Object" else target.average_value is not None
    goal = target.average_value if per_pod else target.value
    if goal is None:
        return _never
    return _by_share(goal.milli_value(), tolerance) if per_pod else _by_value(goal.milli_value(), tolerance)


def _never(_reading: Reading, _current: int, _exist: int, _ready: int) -> int | None:
    return None


def _by_utilization(target: int, request: int, tolerance: Tolerance) -> Propose:
    assumed = request * max(100, target) // 100

    def ratio(total: int, pods: int) -> float:
        return float(total * 100 // (request * pods)) / target

    return _per_pod(ratio, assumed, tolerance)


def _by_average(target: int, tolerance: Tolerance) -> Propose:
    def ratio(total: int, pods: int) -> float:
        return float(total // pods) / target

    return _per_pod(ratio, target, tolerance)


def _per_pod(ratio_of: Callable[[int, int], float], assumed: int, tolerance: Tolerance) -> Propose:
    within = tolerance.within

    def propose(reading: Reading, current: int, _exist: int, _ready: int) -> int | None:
        counted = reading.counted
        if counted <= 0:
            return None
        ratio = ratio_of(reading.total, counted)
        missing, unready = reading.missing, reading.unready
        if not missing and not (unready and ratio > 1.0):
            return current if within(ratio) else ceil(ratio * counted)
        total, pods = reading.total, counted
        if ratio < 1.0:
            total, pods = total + assumed * missing, counted + missing
        elif ratio > 1.0:
            pods = counted + missing + unready
        adjusted = ratio_of(total, pods)
        if within(adjusted) or (ratio < 1.0 < adjusted) or (adjusted < 1.0 < ratio):
            return current
        size = ceil(adjusted * pods)
        if (adjusted < 1.0 and size > current) or (adjusted > 1.0 and size < current):
            return current
        return size

    return propose


def _by_value(target: int, tolerance: Tolerance) -> Propose:
    """One value against one target; the pods that are ready count."""

    def propose(reading: Reading, current: int, _exist: int, ready: int) -> int | None:
        ratio = reading.total / target
        if current == 0:
            return ceil(ratio)
        return current if tolerance.within(ratio) else ceil(ratio * ready)

    return propose


def _by_share(target: int, tolerance: Tolerance) -> Propose:
    """One value that all pods that exist share."""

    def propose(reading: Reading, _current: int, exist: int, _ready: int) -> int | None:
        if exist and tolerance.within(reading.total / (target * exist)):
            return exist
        return ceil(reading.total / target)

    return propose


# Windows --------------------------------------------------------------------------------------------------------------


class _Windows:
    """Recommendations within the stabilization windows: the highest of one, the lowest of the other."""

    def __init__(self, behavior: Behavior | None, config: ControllerConfig, memory: Memory) -> None:
        down = config.downscale_stabilization
        if behavior is not None and behavior.down.window is not None:
            down = behavior.down.window
        self._down = seconds_to_ns(down)
        self._up = (behavior.up.window or 0) * SECOND if behavior is not None else 0
        # Without behavior a recommendation exactly at the window's begin still counts, with it no more.
        self._edge = 0 if behavior is None else 1
        self._highs: deque[tuple[int, int]] = deque()  # (time, size), sizes falling
        self._lows: deque[tuple[int, int]] = deque()  # (time, size), sizes rising
        self._empty = not memory.recommendations
        known = [(item.time - 1 if item.initial else item.time, item.replicas) for item in memory.recommendations]
        for time, size in sorted(known):
            self._add(time, size)

    def begin(self, now: int, current: int) -> None:
        """At the first look the current size counts as a recommendation, a moment older than that look."""
        if self._empty:
            self._empty = False
            self._add(now - 1, current)

    def stabilized(self, now: int, current: int, wanted: int) -> int:
        """What the windows make of the wanted size, which is remembered."""
        highs, lows = self._highs, self._lows
        oldest = now - self._down + self._edge
        while highs and highs[0][0] < oldest:
            highs.popleft()
        highest = highs[0][1] if highs and highs[0][1] > wanted else wanted
        if not self._edge:
            size = highest
        else:
            oldest = now - self._up + 1
            while lows and lows[0][0] < oldest:
                lows.popleft()
            lowest = lows[0][1] if lows and lows[0][1] < wanted else wanted
            size = min(max(current, lowest), highest)
        self._add(now, wanted)
        return size

    def _add(self, time: int, size: int) -> None:
        highs = self._highs
        while highs and highs[-1][1] <= size:
            highs.pop()
        highs.append((time, size))
        if self._up:
            lows = self._lows
            while lows and lows[-1][1] >= size:
                lows.pop()
            lows.append((time, size))


# Rates ----------------------------------------------------------------------------------------------------------------


class _Rates:
    """The rate policies of spec.behavior and the changes of size that they count."""

    def __init__(self, behavior: Behavior, hpa: HpaObject, memory: Memory) -> None:
        self._low, self._high = hpa.min_replicas, hpa.max_replicas
        self._up, self._down = behavior.up, behavior.down
        self._ups = deque(sorted((event.time, event.change) for event in memory.scale_up))
        self._downs = deque(sorted((event.time, event.change) for event in memory.scale_down))
        periods = [policy.period for rules in (behavior.up, behavior.down) for policy in rules.policies]
        self._longest = max(periods, default=0) * SECOND

    def remember(self, now: int, change: int) -> None:
        """A change of the size: more or fewer pods."""
        for events in (self._ups, self._downs):
            while events and events[0][0] < now - self._longest:
                events.popleft()
        (self._ups if change > 0 else self._downs).append((now, abs(change)))

    def limited(self, now: int, current: int, wanted: int) -> int:
        """The size that policies, minimum and maximum allow."""
        if wanted > current:
            rate = max(self._allowed(self._up, now, current, up=True), current)
            return min(wanted, rate, self._high)
        if wanted < current:
            rate = min(self._allowed(self._down, now, current, up=False), current)
            return max(wanted, rate, self._low)
        return wanted

    def _allowed(self, rules: ScalingRules, now: int, current: int, *, up: bool) -> int:
        if rules.select == "Disabled" or not rules.policies:
            return current
        sizes = []
        for policy in rules.policies:
            since = now - policy.period * SECOND
            added = sum(change for time, change in self._ups if time > since)
            removed = sum(change for time, change in self._downs if time > since)
            start = current - added + removed
            if policy.type == "Pods":
                sizes.append(start + policy.value if up else start - policy.value)
            elif policy.type == "Percent":
                part = policy.value / 100.0
                sizes.append(ceil(start * (1.0 + part)) if up else int(start * (1.0 - part)))
            else:
                sizes.append(0)
        most = rules.select != "Min"
        return max(sizes) if most == up else min(sizes)
