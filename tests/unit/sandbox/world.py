"""A cluster on a clock that tests step, with nothing behind the data plane's orders."""

from __future__ import annotations

from typing import Any

from hpatui.clock import ManualClock
from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.cluster import Cluster
from hpatui.sandbox.dataplane.messages import Order, PodUsage, SetEndpoints, Usage
from hpatui.sandbox.options import QUICK, Timings
from hpatui.sandbox.release import release_of
from hpatui.sandbox.scenarios import build as b
from hpatui.sandbox.scenarios.base import base

SPACE = "shop"
Object = dict[str, Any]


class TestWorld:
    """The cluster under test, short ways to look at it, and load as the data plane would report it."""

    __test__ = False

    def __init__(self, timings: Timings = QUICK, *, nodes: int = 2, cpu: str = "4", kubernetes: str = "") -> None:
        self.clock = ManualClock(1_700_000_010.0)
        self.orders: list[Order] = []
        self.cluster = Cluster(self.clock, timings, self.orders.append, release=release_of(kubernetes))
        base(self.cluster, nodes=nodes, cpu=cpu)
        self.cluster.apply(b.namespace(SPACE))
        self._spent: dict[str, float] = {}
        self._served: dict[str, int] = {}

    def apply(self, *manifests: Object) -> None:
        """Create objects and let controllers see them."""
        self.cluster.apply(*manifests)
        self.cluster.engine.settle()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.cluster.advance(seconds)

    def load(self, cores: float, seconds: float, *, namespace: str = SPACE) -> None:
        """Spread CPU over the ready pods of the namespace, a reading every half second, like the data plane."""
        for _ in range(round(seconds * 2)):
            self.advance(0.5)
            runs = [r for r in self.cluster.kubelet.runs.values() if r.stage == "ready" and r.key[0] == namespace]
            report = {}
            for run in runs:
                self._spent[run.uid] = self._spent.get(run.uid, 0.0) + 0.5 * min(0.1, cores / len(runs))
                self._served[run.uid] = self._served.get(run.uid, 0) + 1
                report[run.uid] = PodUsage(self._spent[run.uid], self._served[run.uid], 0, 0)
            self.cluster.take_usage(Usage(0.0, report), 0.0)

    @staticmethod
    def resource(group: str, plural: str) -> Resource:
        """A resource by its names."""
        return RESOURCES[group, plural]

    def get(self, group: str, plural: str, name: str, namespace: str = SPACE) -> Object:
        """One object."""
        return self.cluster.store.get(RESOURCES[group, plural], namespace, name)

    def all(self, group: str, plural: str, namespace: str | None = SPACE) -> list[Object]:
        """All objects, oldest first."""
        items, _ = self.cluster.store.list(RESOURCES[group, plural], namespace)
        return list(items)

    def exists(self, group: str, plural: str, name: str, namespace: str = SPACE) -> bool:
        """Whether there is such an object."""
        try:
            self.get(group, plural, name, namespace)
        except StatusError:
            return False
        return True

    def pods(self) -> list[Object]:
        """The pods that are not being deleted."""
        return [pod for pod in self.all("", "pods") if not pod["metadata"].get("deletionTimestamp")]

    def ready(self) -> int:
        """How many pods are ready."""
        return sum(1 for pod in self.pods() if self.condition(pod, "Ready")["status"] == "True")

    @staticmethod
    def condition(obj: Object, kind: str) -> Object:
        """A condition of the status; {} if there is none."""
        return next((c for c in (obj.get("status") or {}).get("conditions") or () if c["type"] == kind), {"status": ""})

    def events(self, reason: str, namespace: str = SPACE) -> list[str]:
        """Messages of the events with that reason, with their count if it is above 1."""
        found = [event for event in self.all("", "events", namespace) if event["reason"] == reason]
        return [event["message"] + (f" (x{event['count']})" if event["count"] > 1 else "") for event in found]

    def change(self, group: str, plural: str, name: str, **spec: Any) -> None:
        """Change fields of the spec."""
        self.cluster.patch(group, plural, SPACE, name, lambda obj: {**obj, "spec": {**obj["spec"], **spec}})
        self.cluster.engine.settle()

    def endpoints(self, name: str) -> list[str]:
        """The pods that the data plane was last told to send to."""
        orders = [order for order in self.orders if isinstance(order, SetEndpoints) and order.service == name]
        return orders[-1].uids
