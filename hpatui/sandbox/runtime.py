"""What the API server asks of the running cluster: metrics, logs, addresses of pods and Services, faults."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from hpatui.sandbox.apiserver.runtime import Address, LogOptions
from hpatui.sandbox.apiserver.status import StatusError, bad_request, method_not_allowed, path_not_found
from hpatui.sandbox.cluster import Cluster
from hpatui.sandbox.containers import Containers
from hpatui.sandbox.controllers.objects import Object, micro_stamp
from hpatui.sandbox.dataplane.client import DataPlaneProcess
from hpatui.sandbox.fault_state import Faults
from hpatui.sandbox.metrics import QUEUE_LENGTH, REQUESTS_IN_FLIGHT, REQUESTS_PER_SECOND
from hpatui.sandbox.pod_log import Line

_HOST = "127.0.0.1"
_LOG_LOOK = 0.5  # seconds between looks at a log that is followed


class SandboxRuntime:
    """Implements hpatui.sandbox.apiserver.runtime.Runtime."""

    def __init__(
        self, cluster: Cluster, dataplane: DataPlaneProcess, containers: Containers,
        hang_up: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`hang_up` closes all connections to the API server."""
        self._cluster = cluster
        self._dataplane = dataplane
        self._containers = containers
        self.faults = Faults(cluster, hang_up)

    # Metrics

    def metrics_available(self) -> bool:
        """Whether metrics.k8s.io answers."""
        return self._cluster.metrics.available()

    def pod_metrics(self, pods: list[Object]) -> list[Object]:
        """PodMetrics of those that have a sample."""
        return self._cluster.metrics.pods(pods, self._cluster.clock.time())

    def node_metrics(self) -> list[Object]:
        """NodeMetrics of all nodes."""
        return self._cluster.metrics.nodes(self._cluster.clock.time())

    def custom_metrics(self, namespace: str, objects: list[Object], plural: str, metric: str) -> list[Object]:
        """MetricValues of pods or Services; 404 where there is no such metric."""
        now, metrics = self._cluster.clock.time(), self._cluster.metrics
        values: list[Object] = []
        if plural == "pods":
            values = metrics.for_pods(objects, metric, now)
        elif plural == "services":
            for service in objects:
                selector = {"matchLabels": service["spec"].get("selector") or {}}
                pods = self._cluster.context.pods.select(namespace, selector)
                value = metrics.for_service(service, pods, metric, now)
                values += [value] if value is not None else []
        if not values:
            raise StatusError(404, "NotFound", f"the server could not find the metric {metric} for {plural}")
        return values

    def external_metrics(self, namespace: str, metric: str) -> list[Object]:
        """ExternalMetricValues; 404 where nobody serves them."""
        try:
            return self._cluster.metrics.external(namespace, metric, self._cluster.clock.time())
        except LookupError:
            raise path_not_found() from None

    def custom_metric_names(self) -> list[str]:
        """Pods' and Services' requests."""
        return [f"{kind}/{name}" for kind in ("pods", "services") for name in (REQUESTS_PER_SECOND, REQUESTS_IN_FLIGHT)]

    def external_metric_names(self) -> list[str]:
        """Those of queues and of HPAs that bring a source."""
        metrics = self._cluster.metrics
        return sorted(metrics.sources.names() | ({QUEUE_LENGTH} if metrics.queues else set()))

    # Logs and addresses

    async def pod_logs(self, namespace: str, name: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """The log's lines, and as they come with `follow` until the pod is gone."""
        key = (namespace, name)
        run = self._cluster.kubelet.runs.get(key)
        if run is None:
            return
        why = {
            "creating": "ContainerCreating",
            "image": "trying and failing to pull image",
            "config": "CreateContainerConfigError",
        }.get(run.stage)
        if options.previous and run.log.previous is None:
            raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
        if why is not None:
            raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {why}')
        mark = run.log.end
        for line in run.log.lines(since=options.since, tail=options.tail, previous=options.previous):
            yield _written(line, options)
        follow = options.follow and not options.previous
        while follow and self._cluster.kubelet.runs.get(key) is run and run.stage != "ended":
            await asyncio.sleep(_LOG_LOOK)
            for line in run.log.after(mark):
                yield _written(line, options)
            mark = run.log.end

    def pod_address(self, namespace: str, name: str, port: int) -> Address | None:
        """Every port of a pod that serves leads to its one listener; a process has its own."""
        run = self._cluster.kubelet.runs.get((namespace, name))
        if run is None or run.stage not in ("running", "ready"):
            return None
        local = self._dataplane.pod_ports.get(run.uid)
        return (_HOST, local) if local is not None else self._containers.address(run.uid, port)

    def service_endpoints(self, namespace: str, name: str, port: str) -> list[tuple[str, int]]:
        """The ready pods' listeners, in random order."""
        service = self._cluster.endpoints.service((namespace, name))
        if service is None or not any(port in _names(entry) for entry in service["spec"].get("ports") or ()):
            return []
        runs = (
            self._cluster.kubelet.runs.get((namespace, pod["metadata"]["name"]))
            for pod in self._cluster.endpoints.ready_pods((namespace, name))
        )
        ports = [self._dataplane.pod_ports.get(run.uid) for run in runs if run is not None]
        found = [(_HOST, local) for local in ports if local is not None]
        random.shuffle(found)
        return found

    def admit_pod(self, pod: Object) -> Object:
        """LimitRanges add to it, they and quotas may refuse it."""
        return self._cluster.context.admit(pod)

    # Faults

    def request_delay(self) -> float:
        """Seconds by which every answer comes late."""
        return self.faults.delay

    def api_down(self) -> bool:
        """Whether connections are closed without an answer."""
        return self.faults.api_down

    def sandbox_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """/sandbox/v1/faults: see hpatui.sandbox.faults; /sandbox/v1/clock: {"time", "speed"}, the cluster's."""
        head, _, name = path.strip("/").partition("/")
        if head == "clock" and method == "GET" and not name:
            return {"time": self._cluster.clock.time(), "speed": self._cluster.speed}
        if head != "faults":
            raise path_not_found()
        if method == "GET" and not name:
            return {"faults": self.faults.in_force()}
        if method == "POST" and not name:
            if not isinstance(body, dict):
                raise bad_request("the body must be a JSON object")
            return {"message": self.faults.begin(body)}
        if method == "DELETE":
            return {"ended": self.faults.clear(name)}
        raise method_not_allowed()


def _written(line: Line, options: LogOptions) -> bytes:
    text = f"{micro_stamp(line.time)} {line.text}" if options.timestamps else line.text
    return text.encode() + b"\n"


def _names(port: Object) -> tuple[str, ...]:
    """How a Service's port may be named: by number, by name; empty where it is the only one."""
    return (str(port["port"]), port.get("name") or "", "")
