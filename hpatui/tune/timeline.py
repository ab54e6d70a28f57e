"""What one HPA went through, from recorded or live facts: its sizes, its metrics against their targets, what it said.

    Seen (facts of one HPA, in order of time) -> Collector.take -> Timeline -> findings

Only what changes is kept: a day of one HPA is a few thousand short tuples. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

from hpatui.model import (
    ControllerFlags,
    Deleted,
    Hpa,
    Key,
    Kind,
    Listed,
    Pod,
    Seen,
    SourceState,
    StatusChanged,
    Upserted,
)

MANY = 100_000  # points of one HPA: more are not kept (a day of syncs has 5,760)


class Point(NamedTuple):
    """From `time` on (epoch seconds) the HPA said this. `ratio` is the hottest metric's value by its target (None: no metric
    is known), `hot` its place in spec.metrics; `cpu` the cpu use in percent of the request, where a metric tells it.

    `limited` is the reason of a true ScalingLimited, `held` whether the scale-down window holds it, `blind` the reason of a
    false ScalingActive, `failing` that of a false AbleToScale. A gap, of which nothing is known, has `current` -1.
    """

    time: float
    current: int
    desired: int
    low: int
    high: int
    ratio: float | None
    hot: int
    cpu: float | None
    limited: str
    held: bool
    blind: str
    failing: str

    @property
    def known(self) -> bool:
        """Whether it is no gap."""
        return self.current >= 0

    def needed(self, tolerance: float) -> int:
        """How many pods the hottest metric asks for, at least one, whatever bounds and windows say."""
        if self.ratio is None or abs(self.ratio - 1) <= tolerance or self.current <= 0:
            return max(1, self.current)
        return max(1, ceil(self.current * self.ratio - 1e-9))


class Rescale(NamedTuple):
    """A change of the size by the HPA."""

    time: float
    before: int
    after: int


class Spread(NamedTuple):
    """From `time` on there were `pods` pods, `most` of them on `node`."""

    time: float
    pods: int
    most: int
    node: str


@dataclass(frozen=True, slots=True)
class PodSize:
    """What one pod requests and may use (millicores, bytes); None where a container has none."""

    cpu: float | None
    memory: float | None
    cpu_limit: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """All of one HPA from `begin` to `end` (epoch seconds). `hpa` is the newest; `pod` the newest pod's size (None: no pod
    was seen); `spreads` is empty where pods were not recorded. `starts`: seconds from creation to ready of pods that started.
    """

    key: Key
    begin: float
    end: float
    hpa: Hpa
    points: tuple[Point, ...]
    rescales: tuple[Rescale, ...]
    spreads: tuple[Spread, ...]
    pod: PodSize | None
    starts: tuple[float, ...]
    flags: ControllerFlags

    def spans(self) -> Iterator[tuple[float, float, Point]]:
        """(from, to, point) of all that is known, without gaps."""
        for index, point in enumerate(self.points):
            end = self.points[index + 1].time if index + 1 < len(self.points) else self.end
            if point.known and end > point.time:
                yield point.time, end, point

    @property
    def seconds(self) -> float:
        """For how long it was seen."""
        return sum(end - start for start, end, _ in self.spans())

    @property
    def pod_hours(self) -> float:
        """Pods times hours."""
        return sum((end - start) * max(0, point.current) for start, end, point in self.spans()) / 3600

    def over(self, value: Callable[[Point], float]) -> float:
        """The integral of a value over the seconds that are known."""
        return sum((end - start) * value(point) for start, end, point in self.spans())


_GAPS = (SourceState.RECONNECTING, SourceState.FAILED)


class Collector:
    """Takes the facts of one HPA in order of time; facts about others are passed over."""

    def __init__(self, key: Key, flags: ControllerFlags) -> None:
        self.key = key
        self._flags = flags
        self._hpa: Hpa | None = None
        self._points: list[Point] = []
        self._rescales: list[Rescale] = []
        self._spreads: list[Spread] = []
        self._pods: dict[Key, Pod] = {}
        self._started: dict[str, float] = {}
        self._size: PodSize | None = None

    def take(self, seen: Seen) -> None:
        """One fact."""
        what = seen.what
        if isinstance(what, Upserted):
            if what.kind is Kind.HPA:
                self.hpa(seen.time, what.item)
            elif what.kind is Kind.POD and isinstance(what.item, Pod):
                self._pod(what.item)
                self._spread(seen.time)
        elif isinstance(what, Listed):
            if what.kind is Kind.HPA:
                for item in what.items:
                    self.hpa(seen.time, item)
            elif what.kind is Kind.POD:
                self._pods.clear()
                for item in what.items:
                    if isinstance(item, Pod):
                        self._pod(item)
                self._spread(seen.time)
        elif isinstance(what, Deleted):
            if what.kind is Kind.POD:
                self._pods.pop(what.key, None)
                self._spread(seen.time)
            elif what.kind is Kind.HPA and what.key == self.key:
                self.gap(seen.time)
        elif isinstance(what, StatusChanged) and what.kind is Kind.HPA and what.status.state in _GAPS:
            self.gap(min(seen.time, what.status.since))

    def gap(self, time: float) -> None:
        """From `time` on nothing is known."""
        if self._points and self._points[-1].known:
            last = self._points[-1]
            self._points.append(last._replace(time=max(time, last.time), current=-1))

    def hpa(self, time: float, item: object) -> None:
        """The HPA as it is from `time` on."""
        if not isinstance(item, Hpa) or item.key != self.key:
            return
        before, self._hpa = self._hpa, item
        point = _point(time, item)
        if before is not None and item.last_scale_time is not None and item.last_scale_time != before.last_scale_time:
            was = self._rescales[-1].after if self._rescales else before.desired_replicas or before.current_replicas
            self._rescales.append(Rescale(item.last_scale_time, was, item.desired_replicas))
        last = self._points[-1] if self._points else None
        if len(self._points) < MANY and (last is None or last[1:] != point[1:]):
            self._points.append(point)

    def pods(self, time: float, pods: list[Pod]) -> None:
        """All its pods as they are from `time` on."""
        self._pods = {}
        for pod in pods:
            self._pod(pod)
        self._spread(time)

    def _pod(self, pod: Pod) -> None:
        self._pods[pod.key] = pod
        if pod.restarts == 0 and pod.created is not None and pod.ready_since is not None:
            self._started[pod.uid] = pod.ready_since - pod.created
        self._size = PodSize(pod.cpu_request, pod.memory_request, pod.cpu_limit)

    def _spread(self, time: float) -> None:
        nodes: dict[str, int] = {}
        for pod in self._pods.values():
            if pod.node and not pod.completed and pod.deleted is None:
                nodes[pod.node] = nodes.get(pod.node, 0) + 1
        if not nodes:
            return
        node, most = max(nodes.items(), key=lambda item: (item[1], item[0]))
        last = self._spreads[-1] if self._spreads else None
        found = Spread(time, sum(nodes.values()), most, node)
        if last is None or last[1:] != found[1:]:
            self._spreads.append(found)

    def timeline(self, begin: float, end: float) -> Timeline | None:
        """All that was seen in that time; None where the HPA was not."""
        if self._hpa is None or not self._points:
            return None
        return Timeline(
            self.key,
            max(begin, self._points[0].time),
            end,
            self._hpa,
            tuple(self._points),
            tuple(r for r in self._rescales if begin <= r.time <= end),
            tuple(self._spreads),
            self._size,
            tuple(self._started.values()),
            self._flags,
        )


def spec_of(hpa: Hpa) -> dict[str, Any]:
    """The spec as JSON; empty where the fact has none."""
    try:
        value = json.loads(hpa.raw)
    except ValueError:
        return {}
    spec = value.get("spec") if isinstance(value, dict) else None
    return dict(spec) if isinstance(spec, dict) else {}


def _point(time: float, hpa: Hpa) -> Point:
    ratio, hot, cpu = None, 0, None
    for metric in hpa.metrics:
        if metric.ratio is not None and (ratio is None or metric.ratio > ratio):
            ratio, hot = metric.ratio, metric.index
        if metric.name == "cpu" and metric.unit == "%":
            cpu = metric.current
    limited = blind = failing = ""
    held = False
    for condition in hpa.conditions:
        if condition.type == "ScalingLimited" and condition.status == "True":
            limited = condition.reason
        elif condition.type == "ScalingActive" and condition.status == "False":
            blind = condition.reason
        elif condition.type == "AbleToScale":
            held = condition.reason == "ScaleDownStabilized"
            failing = condition.reason if condition.status == "False" else ""
    if blind:
        ratio = None
    return Point(
        time, hpa.current_replicas, hpa.desired_replicas, hpa.min_replicas, hpa.max_replicas,
        ratio, hot, cpu, limited, held, blind, failing,
    )  # fmt: skip
