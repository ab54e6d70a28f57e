"""The answers of metrics.k8s.io, custom.metrics.k8s.io and external.metrics.k8s.io, from pods' usage and queues."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hpatui.sandbox.controllers.context import NODES, Context
from hpatui.sandbox.controllers.objects import Key, Object, stamp
from hpatui.sandbox.kubelet import Kubelet, PodRun
from hpatui.sandbox.usage import Sample, Usage

_NANO = 1e9
_KI = 1024.0


def cpu_text(cores: float) -> str:
    """Cores as the metrics server writes them: nanocores."""
    return f"{round(cores * _NANO)}n" if cores > 0 else "0"


def memory_text(size: float) -> str:
    """Bytes as the metrics server writes them: whole Ki."""
    return f"{round(size / _KI)}Ki"


def window_text(seconds: float) -> str:
    """A metav1.Duration, to the millisecond."""
    text = f"{seconds:.3f}".rstrip("0").rstrip(".")
    return f"{text}s"


class Metrics:
    """Answers for the three metrics APIs. `available` is asked before each answer of metrics.k8s.io."""

    def __init__(self, context: Context, kubelet: Kubelet, usage: Usage) -> None:
        self._c = context
        self._kubelet = kubelet
        self._usage = usage
        self.queues = Queues(kubelet, context.engine.clock.time)
        self.down = False  # a fault
        self.served_by: Key | None = None  # the Deployment that serves metrics.k8s.io; None: nobody needs to

    def available(self) -> bool:
        """Whether metrics.k8s.io answers: not broken, and a metrics server is ready."""
        if self.down:
            return False
        if self.served_by is None:
            return True
        namespace, name = self.served_by
        labels = {"matchLabels": {"k8s-app": name}}
        runs = (
            self._kubelet.runs.get((namespace, pod["metadata"]["name"]))
            for pod in self._c.pods.select(namespace, labels)
        )
        return any(run is not None and run.stage == "ready" for run in runs)

    def pod(self, pod: Object, now: float) -> Object | None:
        """The PodMetrics of one pod; None if there is no sample of it."""
        meta = pod["metadata"]
        run = self._kubelet.runs.get((meta["namespace"], meta["name"]))
        sample = self._usage.sample(run, now) if run is not None else None
        if sample is None:
            return None
        names = [container["name"] for container in pod["spec"]["containers"]]
        return {
            "metadata": {
                "name": meta["name"], "namespace": meta["namespace"], "creationTimestamp": stamp(now),
                **({"labels": meta["labels"]} if meta.get("labels") else {}),
            },
            "timestamp": stamp(sample.end),
            "window": window_text(sample.window),
            "containers": [
                # The first container does the work, the others are companions that idle.
                {"name": name, "usage": _usage(sample) if index == 0 else _usage(_COMPANION)}
                for index, name in enumerate(names)
            ],
        }  # fmt: skip

    def pods(self, pods: Iterable[Object], now: float) -> list[Object]:
        """The PodMetrics of those that have a sample."""
        return [entry for pod in pods if (entry := self.pod(pod, now)) is not None]

    def nodes(self, now: float) -> list[Object]:
        """The NodeMetrics of all nodes: their pods and a little for the system."""
        items, _ = self._c.store.list(NODES)
        result = []
        end = self._usage.window_end(now)
        for node in items:
            cpu, memory = 0.08, 600.0 * 1024 * 1024
            for pod in self._c.pods.on_node(node["metadata"]["name"]):
                run = self._kubelet.runs.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))
                sample = self._usage.sample(run, now) if run is not None else None
                if sample is not None:
                    cpu, memory = cpu + sample.cpu, memory + sample.memory
            meta = {"name": node["metadata"]["name"], "creationTimestamp": stamp(now)}
            if node["metadata"].get("labels"):
                meta["labels"] = node["metadata"]["labels"]
            usage = {"cpu": cpu_text(cpu), "memory": memory_text(memory)}
            result.append(
                {
                    "metadata": meta,
                    "timestamp": stamp(end),
                    "window": window_text(self._usage.resolution),
                    "usage": usage,
                }
            )
        return result

    def run_of(self, pod: Object) -> PodRun | None:
        """How a pod runs."""
        return self._kubelet.runs.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))

    def per_pod(self, pod: Object, metric: str, now: float) -> float | None:
        """A custom metric of a pod: `http_requests_per_second`, `http_requests_in_flight`; None if it has none."""
        run = self.run_of(pod)
        if run is None or run.stage not in ("running", "ready") or not run.profile.serves:
            return None
        if metric == "http_requests_per_second":
            return self._usage.request_rate(run, now)
        return None


_COMPANION = Sample(0.0, 0.0, 0.0005, 4.0 * 1024 * 1024)


def _usage(sample: Sample) -> Object:
    return {"cpu": cpu_text(sample.cpu), "memory": memory_text(sample.memory)}


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
