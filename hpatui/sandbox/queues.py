"""Message queues for the scenario with workers: their length is worked out when somebody asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hpatui.sandbox.controllers.objects import Key
from hpatui.sandbox.kubelet import Kubelet
from hpatui.sandbox.pod_run import PodRun


@dataclass(slots=True)
class Queue:
    """Messages that wait; `arrivals`: (seconds, rate at the start, rate at the end) in a circle."""

    namespace: str
    name: str
    arrivals: tuple[tuple[float, float, float], ...]
    since: float
    length: float = 0.0
    at: float = 0.0

    def arrival_rate(self, now: float) -> float:
        """Messages per second that come in."""
        total = sum(stage[0] for stage in self.arrivals)
        at = (now - self.since) % total if total > 0 else 0.0
        for seconds, first, last in self.arrivals:
            if at < seconds:
                return first + (last - first) * at / seconds
            at -= seconds
        return 0.0


class Queues:
    """Message queues and their consumers; a queue's length is worked out when somebody asks."""

    def __init__(self, kubelet: Kubelet, time: Callable[[], float]) -> None:
        self._kubelet = kubelet
        self._time = time
        self._queues: dict[Key, Queue] = {}

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._queues)

    def add(self, namespace: str, name: str, arrivals: tuple[tuple[float, float, float], ...]) -> None:
        """A queue with its producers."""
        now = self._time()
        self._queues[namespace, name] = Queue(namespace, name, arrivals, now, 0.0, now)

    def in_namespace(self, namespace: str) -> list[tuple[str, float]]:
        """Name and length of each queue now."""
        return [(name, self._advance(queue)) for (space, name), queue in self._queues.items() if space == namespace]

    def busy(self, run: PodRun) -> float:
        """How busy a consumer is, 0 to 1."""
        queue = self._queues.get((run.key[0], run.profile.queue))
        if queue is None:
            return 0.0
        if self._advance(queue) > 1.0:
            return 1.0
        drain = self._drain(queue)
        return min(1.0, queue.arrival_rate(self._time()) / drain) if drain else 0.0

    def _drain(self, queue: Queue) -> float:
        return sum(
            run.profile.consumes
            for run in self._kubelet.runs.values()
            if run.stage == "ready" and run.profile.queue == queue.name and run.key[0] == queue.namespace
        )

    def _advance(self, queue: Queue) -> float:
        now = self._time()
        drain = self._drain(queue)
        while queue.at < now:
            step = min(0.5, now - queue.at)
            queue.length = max(0.0, queue.length + (queue.arrival_rate(queue.at) - drain) * step)
            queue.at += step
        return queue.length
