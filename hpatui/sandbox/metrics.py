"""The answers of metrics.k8s.io, custom.metrics.k8s.io and external.metrics.k8s.io, from pods' usage and queues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hpatui.sandbox.controllers.context import NODES, Context
from hpatui.sandbox.controllers.objects import Key, Object, stamp
from hpatui.sandbox.kubelet import Kubelet
from hpatui.sandbox.pod_init import init_containers, is_sidecar
from hpatui.sandbox.pod_run import PodRun
from hpatui.sandbox.queues import Queues
from hpatui.sandbox.sources import Sources
from hpatui.sandbox.usage import Sample, Usage

REQUESTS_PER_SECOND = "http_requests_per_second"
REQUESTS_IN_FLIGHT = "http_requests_in_flight"
QUEUE_LENGTH = "queue_messages_ready"
_CONSUMER_CPU = 0.12  # cores that a worker uses while it has messages
_NANO = 1e9
_KI = 1024.0


def cpu_text(cores: float) -> str:
    """Cores as the metrics server writes them: nanocores."""
    return f"{round(cores * _NANO)}n" if cores > 0 else "0"


def memory_text(size: float) -> str:
    """Bytes as the metrics server writes them: whole Ki."""
    return f"{round(size / _KI)}Ki"


def milli_text(value: float) -> str:
    """A number as custom metrics adapters write it: whole, or in thousandths."""
    thousandths = round(value * 1000)
    return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)


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
        self.sources = Sources(context.store)
        self.down = False  # a fault
        self.frozen: float | None = None  # a fault: samples stay those of this time
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
        sample, run = self._sample(pod, now), self.run_of(pod)
        if sample is None:
            return None
        names = [container["name"] for container in pod["spec"]["containers"]]
        names += [container["name"] for container in init_containers(pod) if is_sidecar(container)]
        if run is not None and run.profile.sidecar_fails:  # what is not running has no usage
            names = names[: len(pod["spec"]["containers"])]
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
                sample = self._sample(pod, now)
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

    def _sample(self, pod: Object, now: float) -> Sample | None:
        run = self.run_of(pod)
        if self.frozen is not None:
            now = min(now, self.frozen)
        sample = self._usage.sample(run, now) if run is not None else None
        if sample is None or run is None or not run.profile.consumes:
            return sample
        return replace(sample, cpu=sample.cpu + self.queues.busy(run) * _CONSUMER_CPU)

    def run_of(self, pod: Object) -> PodRun | None:
        """How a pod runs."""
        return self._kubelet.runs.get((pod["metadata"]["namespace"], pod["metadata"]["name"]))

    # Custom metrics

    def for_pods(self, pods: Iterable[Object], metric: str, now: float) -> list[Object]:
        """The custom metric of each pod that has it, as custom.metrics.k8s.io MetricValues."""
        result = []
        for pod in pods:
            value = self._per_pod(pod, metric, now)
            if value is not None:
                result.append(self._metric_value("Pod", "/v1", pod["metadata"], metric, value, now))
        return result

    def for_service(self, service: Object, pods: Iterable[Object], metric: str, now: float) -> Object | None:
        """The custom metric of a Service: the sum over its pods; None if there is none."""
        values = [value for pod in pods if (value := self._per_pod(pod, metric, now)) is not None]
        if not values:
            return None
        return self._metric_value("Service", "/v1", service["metadata"], metric, sum(values), now)

    def _per_pod(self, pod: Object, metric: str, now: float) -> float | None:
        run = self.run_of(pod)
        if run is None or run.stage not in ("running", "ready") or not run.profile.serves:
            return None
        if metric == REQUESTS_PER_SECOND:
            return self._usage.request_rate(run, now)
        return float(self._usage.in_flight(run)) if metric == REQUESTS_IN_FLIGHT else None

    def _metric_value(
        self, kind: str, version: str, meta: Mapping[str, Any], metric: str, value: float, now: float
    ) -> Object:
        described = {"kind": kind, "namespace": meta["namespace"], "name": meta["name"], "apiVersion": version}
        return {
            "describedObject": described, "metric": {"name": metric, "selector": None},
            "timestamp": stamp(self._usage.window_end(now)), "value": milli_text(value),
        }  # fmt: skip

    # External metrics

    def external(self, namespace: str, metric: str, now: float) -> list[Object]:
        """ExternalMetricValues of all series of a metric, none where there is no such metric.

        LookupError where nobody serves external.metrics.k8s.io: no queue, and no HPA with a source.
        """
        if not self.queues and not self.sources:
            raise LookupError(metric)
        found = [
            {"metricName": metric, "metricLabels": series.labels, "timestamp": stamp(now), "value": series.value}
            for series in self.sources.find(namespace, metric)
        ]
        queues = self.queues.in_namespace(namespace) if metric == QUEUE_LENGTH else []
        return found + [
            {
                "metricName": metric, "metricLabels": {"queue": name}, "timestamp": stamp(now),
                "value": milli_text(float(round(length))),
            }
            for name, length in queues
        ]  # fmt: skip


_COMPANION = Sample(0.0, 0.0, 0.0005, 4.0 * 1024 * 1024)


def _usage(sample: Sample) -> Object:
    return {"cpu": cpu_text(sample.cpu), "memory": memory_text(sample.memory)}
