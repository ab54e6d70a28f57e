"""What the API server needs of a cluster in which nothing runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from hpatui.sandbox.apiserver.runtime import Address, JsonObject, LogOptions


class QuietRuntime:
    """A cluster in which nothing runs: no metrics, logs or addresses."""

    def metrics_available(self) -> bool:
        return True

    def pod_metrics(self, pods: list[JsonObject]) -> list[JsonObject]:
        return []

    def node_metrics(self) -> list[JsonObject]:
        return []

    def custom_metrics(self, namespace: str, objects: list[JsonObject], plural: str, metric: str) -> list[JsonObject]:
        return []

    def external_metrics(self, namespace: str, metric: str) -> list[JsonObject]:
        return []

    def custom_metric_names(self) -> list[str]:
        return []

    def external_metric_names(self) -> list[str]:
        return []

    async def pod_logs(self, namespace: str, name: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        nothing: tuple[bytes, ...] = ()
        for line in nothing:
            yield line

    def pod_address(self, namespace: str, name: str, port: int) -> Address | None:
        return None

    def service_endpoints(self, namespace: str, name: str, port: str) -> list[tuple[str, int]]:
        return []

    def admit_pod(self, pod: JsonObject) -> JsonObject:
        return pod

    def request_delay(self) -> float:
        return 0.0

    def api_down(self) -> bool:
        return False

    def sandbox_request(self, method: str, path: str, query: Mapping[str, str], body: Any) -> Any:
        return {}
