"""Looks at a target's pods and their samples, one after the other -> `Observed`. Bounded by what it is given."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hpatui.autoscaler.inputs import Memory
from hpatui.tune.observed import Moment, Observed, Start, Young

_SETTLED = 2.0  # windows after it was ready: from then on a pod is an established one
_LOOK = 0.95  # of a window: how far apart samples of one look may end
_SOON = 120.0  # seconds after a change of the size within which a new pod belongs to it


@dataclass(frozen=True, slots=True)
class PodLook:
    """A pod at a look: when the kubelet took it, since when it is ready (None: it is not), and whether it counts at all (it
    has not ended and is not leaving). Epoch seconds.
    """

    name: str
    started: float | None
    ready_since: float | None
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Used:
    """A pod's sample: the end of its window and its length (s), and its values by place in spec.metrics, in thousandths."""

    name: str
    end: float
    window: float
    values: tuple[float | None, ...]


@dataclass(slots=True)
class _Life:
    started: float
    ready: float | None = None
    gone: float | None = None
    running: float | None = None
    down: float | None = None  # since when it is not ready any more
    downs: int = 0


_Window = tuple[dict[str, Used], tuple[float | None, ...], float | None]  # samples by pod, values for all, requests/s


class Watcher:
    """Takes looks in order of time. `whole`: which metrics have one value for all pods."""

    def __init__(self, whole: Sequence[bool]) -> None:
        self._whole = tuple(whole)
        self._lives: dict[str, _Life] = {}
        self._live: set[str] = set()  # pods of the last look that count
        self._windows: dict[float, _Window] = {}
        self._sizes: list[tuple[float, int]] = []
        self._grown: list[float] = []  # when the size rose
        self._syncs: list[float] = []
        self._ages: list[float] = []
        self._blind: list[tuple[float, float]] = []
        self._foreign: list[tuple[float, int]] = []
        self._restarts: list[tuple[int, float]] = []
        self._totals: list[tuple[float, tuple[float | None, ...]]] = []
        self._last = 0.0

    def size(self, time: float, size: int, *, foreign: bool = False) -> None:
        """What the scale asks for from `time` on."""
        if self._sizes and self._sizes[-1][1] == size:
            return
        if self._sizes:
            if foreign:
                self._foreign.append((time, size))
            if size > self._sizes[-1][1]:
                self._grown.append(time)
        self._sizes.append((time, size))

    def look(self, time: float, pods: Sequence[PodLook]) -> None:
        """The pods as they are."""
        self._last = max(self._last, time)
        live = set()
        for pod in pods:
            life = self._lives.get(pod.name)
            if life is None:
                life = self._lives[pod.name] = _Life(pod.started if pod.started is not None else time)
            if pod.ready_since is not None and life.ready is None:
                life.ready = max(pod.ready_since, life.started)
            self._up_or_down(life, pod, time)
            if pod.counts:
                live.add(pod.name)
        since = self._sizes[-1][0] if self._sizes else time
        for name in self._live - live:
            self._lives[name].gone = since if since > self._last - 2 * _SOON else time
        self._live = live

    def _up_or_down(self, life: _Life, pod: PodLook, time: float) -> None:
        if pod.ready_since is None and life.ready is not None and life.down is None and pod.counts:
            life.down = time
        elif pod.ready_since is not None and life.down is not None:
            self._restarts.append((life.downs, max(0.0, pod.ready_since - life.down)))
            life.down = None
            life.downs += 1

    def samples(
        self, used: Sequence[Used], totals: Mapping[int, float] | None = None, rate: float | None = None
    ) -> None:
        """The newest samples of pods; `totals`: one value for all, by place in spec.metrics."""
        for item in used:
            window = self._windows.get(item.end)
            if window is None:
                one = tuple((totals or {}).get(index) if whole else None for index, whole in enumerate(self._whole))
                window = self._windows[item.end] = ({}, one, rate)
            window[0][item.name] = item
            life = self._lives.get(item.name)
            if life is not None and life.running is None:
                life.running = min(item.end - item.window, life.ready if life.ready is not None else item.end)

    def total(self, time: float, totals: Mapping[int, float], window: float) -> None:
        """Values for all pods, where pods have no samples of their own."""
        one = tuple(totals.get(index) if whole else None for index, whole in enumerate(self._whole))
        self._windows[time] = ({"": Used("", time, window, ())}, one, None)

    def sync(self, time: float, newest: float | None) -> None:
        """A sync of the controller, and the end of the newest sample that it had."""
        self._syncs.append(time)
        if newest is not None:
            self._ages.append(time - newest)

    def told(self, time: float, totals: Mapping[int, float]) -> None:
        """What a sync read of metrics that have one value for all pods; nothing of it: as before."""
        before = self._totals[-1][1] if self._totals else (None,) * len(self._whole)
        values = tuple(totals.get(index, before[index]) if whole else None for index, whole in enumerate(self._whole))
        if totals and values != before:
            self._totals.append((time, values))

    def blind(self, begin: float, end: float) -> None:
        """Metrics could not be read."""
        if self._blind and begin <= self._blind[-1][1] + 1.0:
            self._blind[-1] = (self._blind[-1][0], max(end, self._blind[-1][1]))
        else:
            self._blind.append((begin, end))

    def observed(
        self,
        requests: Sequence[int | None],
        limits: Sequence[int | None],
        memory: Memory | None = None,
        end: float | None = None,
        extra: Sequence[str] = (),
    ) -> Observed:
        """All of it."""
        # Lives are looked at while they last: a flapping target has thousands of them.
        coming = deque(
            sorted(
                (life for life in self._lives.values() if life.ready is not None), key=lambda life: life.ready or 0.0
            )
        )
        around: list[_Life] = []
        found = []
        for time, window in _together(self._windows):
            while coming and (coming[0].ready or 0.0) < time:
                around.append(coming.popleft())
            moment = self._moment(time, window, around)
            around = [life for life in around if life.gone is None or life.gone > time]
            found.append(moment)
        moments = tuple(found)
        begin = moments[0].time - moments[0].window if moments else self._last
        return Observed(
            begin=begin,
            end=end if end is not None else max(self._last, begin),
            moments=moments,
            requests=tuple(requests),
            limits=tuple(limits),
            sizes=tuple(self._sizes),
            starts=tuple(self._starts()),
            syncs=tuple(self._syncs),
            ages=tuple(self._ages),
            blind=tuple(self._blind),
            memory=memory,
            foreign=tuple(self._foreign),
            extra=tuple(extra),
            restarts=tuple(self._restarts),
            totals=tuple(self._totals),
        )

    def _moment(self, time: float, found: _Window, around: Sequence[_Life]) -> Moment:
        samples, one, rate = found
        window = max(item.window for item in samples.values())
        begin = time - window
        ready = sum(_overlap(life, begin, time) for life in around) / window if window > 0 else 0.0
        counted: list[Used] = []
        young: list[Young] = []
        age = 0.0
        for item in samples.values():
            life = self._lives.get(item.name)
            if life is None or not item.values:
                continue
            ran = time - (life.running if life.running is not None else life.started)
            if life.ready is not None and life.ready <= begin + 1.0 and item.window >= 0.9 * window:
                counted.append(item)
                age += ran
            if life.ready is None or life.ready > begin - _SETTLED * window:
                part = _overlap(life, time - item.window, time) / item.window if item.window > 0 else 0.0
                young.append(Young(item.name, ran, item.window, item.values, part))
        known = [_known(counted, index) for index in range(len(self._whole))]
        return Moment(
            time=time,
            window=window,
            size=self._size_at(time),
            ready=ready,
            counted=len(counted),
            means=tuple(
                one[index] if whole else (sum(known[index]) / len(known[index]) if known[index] else None)
                for index, whole in enumerate(self._whole)
            ),
            highest=tuple(max(values) if values else None for values in known),
            young=tuple(young),
            rate=rate,
            age=age / len(counted) if counted else 0.0,
        )

    def _size_at(self, time: float) -> int:
        index = bisect_right(self._sizes, (time, 1 << 40)) - 1
        return self._sizes[max(index, 0)][1] if self._sizes else 0

    def _starts(self) -> list[Start]:
        found = []
        for life in self._lives.values():
            index = bisect_right(self._grown, life.started + 1.0) - 1
            if index >= 0 and life.started - self._grown[index] < _SOON:
                found.append(Start(self._grown[index], life.running, life.ready))
        return found


def _together(windows: Mapping[float, _Window]) -> Iterator[tuple[float, _Window]]:
    """(end, samples) of each look of the metrics server. Kubelets read their pods at moments of their own, so samples of one
    look end up to a window apart; a pod is in each look once.
    """
    known = sorted(windows.items())
    index = 0
    while index < len(known):
        first, (samples, one, rate) = known[index]
        whole, ends, length = dict(samples), [first] * len(samples), max(item.window for item in samples.values())
        index += 1
        while index < len(known):
            end, (more, totals, other) = known[index]
            if end - first >= _LOOK * length or any(name in whole for name in more):
                break
            whole.update(more)
            ends += [end] * len(more)
            one = tuple(b if b is not None else a for a, b in zip(one, totals, strict=True))
            rate = other if other is not None else rate
            index += 1
        yield sum(ends) / len(ends), (whole, one, rate)


def _overlap(life: _Life, begin: float, end: float) -> float:
    """Seconds of a window in which a pod was ready."""
    if life.ready is None:
        return 0.0
    until = end if life.gone is None else min(end, life.gone)
    return max(0.0, until - max(begin, life.ready))


def _known(used: Sequence[Used], index: int) -> list[float]:
    return [value for item in used if index < len(item.values) and (value := item.values[index]) is not None]
