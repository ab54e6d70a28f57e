"""A whole cluster without its HTTP server: store, controllers, kubelet, metrics, joined and ready to be stepped.

store --changes--> engine's queue --reconcile--> controllers --writes--> store
kubelet --orders--> data plane --usage--> metrics --samples--> autoscaler controller
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

from hpatui.clock import Clock
from hpatui.sandbox.apiserver.resources import RESOURCES, Resource, of_kind
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.controllers.autoscaler import Autoscalers
from hpatui.sandbox.controllers.context import make_context
from hpatui.sandbox.controllers.daemonset import DaemonSets
from hpatui.sandbox.controllers.deployment import Deployments
from hpatui.sandbox.controllers.disruption import Budgets
from hpatui.sandbox.controllers.endpoints import EndpointsController
from hpatui.sandbox.controllers.engine import Engine, Wound
from hpatui.sandbox.controllers.job import Jobs
from hpatui.sandbox.controllers.limits import LimitRanges
from hpatui.sandbox.controllers.nodes import Nodes
from hpatui.sandbox.controllers.quota import Quotas
from hpatui.sandbox.controllers.replicaset import OWNERS, Replicas
from hpatui.sandbox.controllers.scheduler import Scheduler
from hpatui.sandbox.controllers.statefulset import StatefulSets
from hpatui.sandbox.dataplane.messages import DropService, Order, SetEndpoints, SetTraffic
from hpatui.sandbox.dataplane.messages import Usage as UsageReport
from hpatui.sandbox.kubelet import Kubelet
from hpatui.sandbox.metrics import Metrics
from hpatui.sandbox.options import Timings
from hpatui.sandbox.pod_run import PodRun
from hpatui.sandbox.release import DEFAULT, Release
from hpatui.sandbox.scenarios.base import api_service
from hpatui.sandbox.scenarios.build import Manifest
from hpatui.sandbox.scenarios.fleet import populate
from hpatui.sandbox.scenarios.rehearsal import builder
from hpatui.sandbox.usage import Usage
from hpatui.sandbox.workload import PREFIX


def resource_of(manifest: Manifest) -> Resource:
    """The resource that a manifest is an object of."""
    resource = of_kind(manifest["apiVersion"].rpartition("/")[0], manifest["kind"])
    if resource is None:
        raise KeyError(manifest["kind"])
    return resource


class Cluster:
    """`order` takes the data plane's orders; `speed` is how fast the clock runs once the cluster is live."""

    def __init__(
        self,
        clock: Clock,
        timings: Timings,
        order: Callable[[Order], None],
        *,
        speed: float = 1.0,
        interval: float = 0.5,
        release: Release = DEFAULT,
    ) -> None:
        self.clock = clock
        self.release = release
        self.timings = timings
        self.speed = speed
        self._order = order
        self._traffic: list[SetTraffic] = []
        self.store = Store(clock)
        self.engine = Engine(clock)
        self.context = context = make_context(self.store, self.engine, timings)
        self.deployments = Deployments(context)
        self.replicas = [Replicas(context, owner) for owner in OWNERS]
        self.stateful_sets = StatefulSets(context)
        self.daemon_sets = DaemonSets(context)
        self.jobs = Jobs(context)
        self.scheduler = Scheduler(context)
        self.kubelet = Kubelet(context, order)
        self.nodes = Nodes(context, self.kubelet)
        self.quotas = Quotas(context)
        self.usage = Usage(timings.metrics_resolution, interval * speed, speed, self._siblings)
        self.kubelet.on_stop = self.usage.forget
        self.kubelet.memory_of = self.usage.memory
        self.budgets = Budgets(context)
        context.admission.extend([LimitRanges(context).admit, self.quotas.admit])
        self.metrics = Metrics(context, self.kubelet, self.usage)
        self.metrics.served_by = ("kube-system", "metrics-server")
        self.autoscalers = Autoscalers(context, self.metrics, release.rules)
        self.endpoints = EndpointsController(context, self._publish, lambda name: order(DropService(name)))

    def _publish(self, name: str, uids: list[str], sticky: bool) -> None:
        self._order(SetEndpoints(name, uids, sticky))

    def _siblings(self, run: PodRun) -> int:
        """Ready pods of the same owner."""
        runs = (self.kubelet.by_uid.get(pod["metadata"]["uid"]) for pod in self.context.pods_of.owned_by(run.owner))
        return sum(1 for other in runs if other is not None and other.stage == "ready")

    # World

    def apply(self, *manifests: Manifest) -> None:
        """Create objects."""
        for manifest in manifests:
            self.seed(manifest)

    def ensure(self, manifest: Manifest) -> None:
        """Create an object that may be there."""
        try:
            self.seed(manifest)
        except StatusError as refused:
            if refused.code != 409:
                raise

    def seed(self, manifest: Manifest) -> Manifest:
        """Create an object with its status."""
        if manifest["kind"] == "Node":
            manifest["status"]["nodeInfo"]["kubeletVersion"] = self.release.kubelet_version
        return self.store.create(resource_of(manifest), manifest)

    def patch(
        self, group: str, plural: str, namespace: str, name: str, change: Callable[[Manifest], Manifest],
        manager: str | None = None,
    ) -> None:  # fmt: skip
        """Replace an object by what `change` makes of it; `manager` is named in managedFields as the writer."""
        self.store.modify(RESOURCES[group, plural], namespace, name, change, manager=manager)

    def advance(self, seconds: float) -> None:
        """Let the cluster's time pass; only while its clock is wound by hand."""
        self.engine.advance(cast(Wound, self.clock), seconds)

    def traffic(self, name: str, service: str, stages: Sequence[tuple[float, float, float]]) -> None:
        """Requests inside the cluster; they begin with `open`."""
        scaled = [(seconds / self.speed, first, last) for seconds, first, last in stages]
        self._traffic.append(SetTraffic(name, service, scaled))

    def queue(self, namespace: str, name: str, stages: Sequence[tuple[float, float, float]]) -> None:
        """A message queue with its producers."""
        self.metrics.queues.add(namespace, name, tuple(stages))

    def metrics_down(self) -> None:
        """The metrics API does not answer."""
        self.metrics.down = True

    def metrics_stale(self) -> None:
        """The metrics API answers with the samples of now for ever."""
        self.metrics.frozen = self.clock.time()

    def controller_down(self) -> None:
        """Nobody looks at HPAs."""
        self.autoscalers.stopped = True

    # Life

    def build(self, scenario: str) -> None:
        """Make the objects of a scenario; its clock is wound on the way."""
        builder(scenario)(self)
        if self.release.serves("metrics.k8s.io", "v1"):
            self.ensure(api_service("metrics.k8s.io", "v1", "metrics-server"))

    def open(self, fleet: int = 0) -> None:
        """The cluster is live from now on: a fleet comes in, traffic begins."""
        if fleet:
            populate(self, fleet)
        for order in self._traffic:
            self._order(order)
        self._traffic.clear()
        self.autoscalers.prompt = self.release.new_hpas_at_once

    def service_listens(self, name: str, port: int) -> None:
        """The data plane serves a Service's port (`namespace/name:port`) here: its annotation tells clients."""
        namespace, _, rest = name.partition("/")
        service, _, number = rest.partition(":")
        found = self.endpoints.service((namespace, service))
        if found is None:
            return
        first = str(found["spec"]["ports"][0]["port"]) == number
        note = f"{PREFIX}url" if first else f"{PREFIX}url-{number}"

        def change(obj: Manifest) -> Manifest:
            meta = obj["metadata"]
            notes = {**(meta.get("annotations") or {}), note: f"http://127.0.0.1:{port}"}
            return {**obj, "metadata": {**meta, "annotations": notes}}

        self.store.modify(RESOURCES["", "services"], namespace, service, change)

    def take_usage(self, report: UsageReport, age: float) -> None:
        """Counters from the data plane, read `age` real seconds ago."""
        time = self.clock.time() - age * self.speed
        for uid, usage in report.pods.items():
            run = self.kubelet.by_uid.get(uid)
            if run is not None:
                self.usage.take(run, time, usage)
