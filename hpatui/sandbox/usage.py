"""What each pod used, window by window, as the metrics server samples it.

Windows end every `resolution` seconds of the cluster's clock. CPU is what the data plane charged within the window plus
what the profile uses without requests; a pod has its first sample when one whole second of a window is its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from hpatui.sandbox.dataplane.messages import PodUsage
from hpatui.sandbox.pod_run import PodRun
from hpatui.sandbox.workload import Profile, wave

_POINTS = 128  # counter readings kept of a pod


@dataclass(frozen=True, slots=True)
class Sample:
    """One pod in one window: `end` epoch seconds, `window` seconds, `cpu` cores, `memory` bytes."""

    end: float
    window: float
    cpu: float
    memory: float


@dataclass(slots=True)
class Counters:
    """Readings of one pod's counters: (cluster time, CPU seconds) and the memory that requests have left behind."""

    points: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_POINTS))
    served: int = 0
    in_flight: int = 0
    held: float = 0.0
    leaked: float = 0.0
    rate: float = 0.0  # requests per cluster second, of the newest reading

    def add(self, time: float, usage: PodUsage, profile: Profile, speed: float) -> None:
        """Take a reading made at `time`."""
        last = self.points[-1][0] if self.points else time
        fresh = usage.served - self.served
        kept = 0.5 ** ((time - last) / profile.held_for) if profile.held_for > 0 else 0.0
        # What happens in a real second counts `speed` times, so that rates by the cluster's clock are real ones.
        self.held = self.held * kept + fresh * speed * profile.held
        self.leaked += fresh * speed * profile.leak
        self.rate = fresh * speed / (time - last) if time > last else 0.0
        self.served, self.in_flight = usage.served, usage.in_flight
        self.points.append((time, usage.cpu * speed))

    def cpu_at(self, time: float) -> float:
        """CPU seconds used until `time`, between two readings along the straight line."""
        points = self.points
        if not points:
            return 0.0
        if time >= points[-1][0]:
            return points[-1][1]
        for index in range(len(points) - 1, 0, -1):
            (t0, c0), (t1, c1) = points[index - 1], points[index]
            if time >= t0:
                return c0 + (c1 - c0) * (time - t0) / (t1 - t0) if t1 > t0 else c1
        return points[0][1]


class Usage:
    """Counters of all pods, read every `interval` seconds of the cluster's clock while they move.

    A window is answered for when all its readings have come in, a little after its end.
    """

    def __init__(self, resolution: float, interval: float, speed: float, replicas: Callable[[PodRun], int]) -> None:
        self.resolution = resolution
        self._interval = interval
        self._lag = interval + 0.1 * speed
        self._speed = speed
        self._replicas = replicas
        self._counters: dict[str, Counters] = {}

    def take(self, run: PodRun, time: float, usage: PodUsage) -> None:
        """A reading of a pod's counters at cluster time `time`."""
        counters = self._counters.get(run.uid)
        if counters is None:
            counters = self._counters[run.uid] = Counters()
            counters.points.append((min(run.started, time), 0.0))
        last, used = counters.points[-1]
        if time - last > self._lag:
            counters.points.append((time - self._interval, used))  # silence: it stood still until shortly before
        counters.add(time, usage, run.profile, self._speed)

    def forget(self, run: PodRun) -> None:
        """The container is gone; a new one starts from zero."""
        self._counters.pop(run.uid, None)

    def window_end(self, now: float) -> float:
        """The end of the newest complete window."""
        return (now - self._lag) // self.resolution * self.resolution

    def sample(self, run: PodRun, now: float) -> Sample | None:
        """The pod in the newest complete window; None if it was not running then."""
        if run.stage not in ("running", "ready", "stopping") or not run.started:
            return None
        end = self.window_end(now)
        begin = max(end - self.resolution, run.started)
        if end - begin < min(1.0, self.resolution):
            return None
        counters = self._counters.get(run.uid)
        used = 0.0
        if counters is not None:
            used = max(0.0, counters.cpu_at(end) - counters.cpu_at(begin)) / (end - begin)
        profile = run.profile
        if profile.wave:
            used += wave(profile.wave, end) / max(1, self._replicas(run))
        return Sample(end, end - begin, used + profile.idle_cpu, self.memory(run, end))

    def memory(self, run: PodRun, now: float) -> float:
        """Bytes in use now."""
        profile, counters = run.profile, self._counters.get(run.uid)
        total = profile.memory + profile.leak_per_second * max(0.0, now - run.started)
        if counters is not None:
            last = counters.points[-1][0] if counters.points else now
            kept = 0.5 ** (max(0.0, now - last) / profile.held_for) if profile.held_for > 0 else 0.0
            total += counters.in_flight * profile.memory_per_request + counters.held * kept + counters.leaked
        return total

    def request_rate(self, run: PodRun, now: float) -> float:
        """Requests per second that the pod took lately."""
        counters = self._counters.get(run.uid)
        if counters is None or not counters.points or now - counters.points[-1][0] > self.resolution:
            return 0.0
        return counters.rate

    def in_flight(self, run: PodRun) -> int:
        """Requests that the pod has taken and not answered."""
        counters = self._counters.get(run.uid)
        return counters.in_flight if counters is not None else 0
