"""The sandbox's cluster without its server: the doctor looks straight into its store, and tests turn its clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hpatui.clock import ManualClock
from hpatui.doctor.look import Answer
from hpatui.doctor.report import Report
from hpatui.doctor.run import run_checks
from hpatui.sandbox.apiserver.discovery import Discovery
from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.cluster import Cluster
from hpatui.sandbox.controllers.objects import Object
from hpatui.sandbox.dataplane.messages import Order, PodUsage, Usage
from hpatui.sandbox.options import QUICK, Timings


class SandboxLook:
    """Implements Look over a stepped Cluster."""

    def __init__(self, scenario: str, timings: Timings = QUICK) -> None:
        self.clock = ManualClock(1_700_000_010.0)
        self.orders: list[Order] = []
        self.cluster = Cluster(self.clock, timings, self.orders.append)
        self.cluster.build(scenario)
        self.cluster.open()
        self._spent: dict[str, float] = {}

    # Load -----------------------------------------------------------------------------------------------------

    def load(
        self, cores: float, seconds: float, *, quota: float = 0.1, share: Callable[[str, int], float] | None = None
    ) -> None:
        """Spread CPU over the ready pods of all namespaces but kube-system; `share` gives a pod's part by name."""
        for _ in range(round(seconds * 2)):
            self.cluster.advance(0.5)
            runs = [r for r in self.cluster.kubelet.runs.values() if r.stage == "ready" and r.key[0] != "kube-system"]
            report = {}
            for run in sorted(runs, key=lambda run: run.key):
                part = 1 / len(runs) if share is None else share(run.key[1], len(runs))
                self._spent[run.uid] = self._spent.get(run.uid, 0.0) + 0.5 * min(quota, cores * part)
                report[run.uid] = PodUsage(self._spent[run.uid], 1, 0, 0)
            self.cluster.take_usage(Usage(0.0, report), 0.0)

    async def report(self) -> Report:
        """What the doctor says now."""
        return await run_checks(self, self.clock, None)

    # Looks ----------------------------------------------------------------------------------------------------

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        steps = path.strip("/").split("/")
        discovery = self._discovery()
        if steps == ["apis"]:
            return Answer(200, discovery.group_list())
        if steps == ["version"]:
            return Answer(200, self.cluster.release.version)
        group, version, rest = ("", steps[1], steps[2:]) if steps[0] == "api" else (steps[1], steps[2], steps[3:])
        if not rest:
            found = discovery.resource_list(group, version)
            return Answer(404, None, "not found") if found is None else Answer(200, found)
        namespace = None
        if rest[0] == "namespaces" and len(rest) > 2:
            namespace, rest = rest[1], rest[2:]
        if group == "metrics.k8s.io":
            return self._metrics(rest[0], namespace)
        resource = next((r for r in RESOURCES.values() if (r.group, r.plural) == (group, rest[0])), None)
        if resource is None or version not in resource.versions:
            return Answer(404, None, f"{path} not found")
        return self._stored(resource, namespace, rest[1] if len(rest) > 1 else None)

    async def get_text(self, path: str, params: Mapping[str, str] | None = None) -> Answer:
        steps = path.strip("/").split("/")
        run = self.cluster.kubelet.runs.get((steps[3], steps[5]))
        previous = (params or {}).get("previous") == "true"
        if run is None or (previous and run.log.previous is None):
            return Answer(404, error="no log")
        lines = [line.text for line in run.log.lines(previous=previous)]
        return Answer(200, text="\n".join(lines)) if lines else Answer(404, error="no log")

    def _discovery(self) -> Discovery:
        names = (
            ["queue_messages_ready"] if self.cluster.metrics.queues else sorted(self.cluster.metrics.sources.names())
        )
        external = {"external.metrics.k8s.io": names} if names else {}
        return Discovery(set(), set(), {"custom.metrics.k8s.io": ["pods/http_requests_per_second"], **external})

    def _metrics(self, plural: str, namespace: str | None) -> Answer:
        if not self.cluster.metrics.available():
            return Answer(503, None, "the server is currently unable to handle the request")
        now = self.clock.time()
        pods = self._list(RESOURCES["", "pods"], namespace)
        return Answer(200, {"items": self.cluster.metrics.pods(pods, now), "metadata": {}})

    def _stored(self, resource: Resource, namespace: str | None, name: str | None) -> Answer:
        if name is None:
            return Answer(200, {"items": self._list(resource, namespace), "metadata": {}})
        try:
            return Answer(200, self.cluster.store.get(resource, namespace or "", name))
        except StatusError as error:
            return Answer(error.code, None, str(error))

    def _list(self, resource: Resource, namespace: str | None) -> list[Object]:
        found: list[Any] = list(self.cluster.store.list(resource, namespace)[0])
        return found
