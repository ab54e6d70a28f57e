"""What the API server asks of the cluster behind it. The sandbox implements it; tests have a silent one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

JsonObject = dict[str, Any]
Address = tuple[str, int] | str  # host and port, or the path of a Unix socket


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a log: v1.PodLogOptions. `since` is epoch seconds of the cluster's clock, None from the beginning."""

    previous: bool = False
    tail: int | None = None
    since: float | None = None
    timestamps: bool = False
    follow: bool = False


class Runtime(Protocol):
    """Metrics, logs, addresses and faults of a running cluster. Methods raise StatusError where Kubernetes refuses."""

    def metrics_available(self) -> bool:
        """Whether metrics.k8s.io answers. False: its APIService is not Available and requests get 503."""

    def pod_metrics(self, pods: list[JsonObject]) -> list[JsonObject]:
        """PodMetrics (without apiVersion and kind) of those of `pods` that have a sample."""

    def node_metrics(self) -> list[JsonObject]:
        """NodeMetrics (without apiVersion and kind) of all nodes."""

    def custom_metrics(self, namespace: str, objects: list[JsonObject], plural: str, metric: str) -> list[JsonObject]:
        """MetricValues of custom.metrics.k8s.io for `objects` (of resource `plural`, e.g. pods, services)."""

    def external_metrics(self, namespace: str, metric: str) -> list[JsonObject]:
        """ExternalMetricValues of all its series; StatusError 404 where nobody serves any."""

    def custom_metric_names(self) -> list[str]:
        """What discovery of custom.metrics.k8s.io lists, as `pods/NAME`; [] if the group is not served."""

    def external_metric_names(self) -> list[str]:
        """What discovery of external.metrics.k8s.io lists; [] if the group is not served."""

    def pod_logs(self, namespace: str, name: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """The log's lines (each with its newline), and as they come with `follow`. StatusError 400 if there is none."""

    def pod_address(self, namespace: str, name: str, port: int) -> Address | None:
        """Where the pod's container port really listens; None if it does not."""

    def service_endpoints(self, namespace: str, name: str, port: str) -> list[tuple[str, int]]:
        """Where a Service's port (by name or number) leads for a new connection; [] without ready endpoints."""

    def admit_pod(self, pod: JsonObject) -> JsonObject:
        """A new pod with what LimitRanges add; StatusError 403 if one of them or a quota does not let it in."""

    def request_delay(self) -> float:
        """Seconds by which every answer comes late (a fault)."""

    def api_down(self) -> bool:
        """Whether connections are closed without an answer (a fault)."""

    def sandbox_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        """The JSON answer to a request below /sandbox/v1/ (`path` is what follows); StatusError if there is none."""
