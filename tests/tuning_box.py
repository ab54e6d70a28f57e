"""A scenario of the sandbox on a clock that is stepped, with requests and CPU as its data plane has them, but none of the
real seconds: what a recording of it would have, and what each run cost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from hpatui.autoscaler.config import config_of
from hpatui.clock import ManualClock
from hpatui.model import ControllerFlags, Deleted, Hpa, Key, Kind, Pod, Seen, Upserted
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.cluster import Cluster
from hpatui.sandbox.cpu import VirtualCpu
from hpatui.sandbox.dataplane.messages import Order, PodUsage, SetEndpoints, SetTraffic, StartPod, StopPod, Usage
from hpatui.sandbox.options import QUICK, Timings
from hpatui.session.collecting import Collector
from hpatui.tune.learn import Learned, learn
from hpatui.tune.outcome import Outcome, Resize
from tests.conformance import trace_objects as objects

STEP = 0.5  # seconds: the data plane's reports
SLICES = 5  # of a step: how finely requests are dealt out
HPAS, PODS = RESOURCES["autoscaling", "horizontalpodautoscalers"], RESOURCES["", "pods"]
DEPLOYMENTS = RESOURCES["apps", "deployments"]


@dataclass(slots=True)
class _Traffic:
    service: str
    stages: list[tuple[float, float, float]]
    begun: float
    due: float = 0.0  # requests that have not been sent yet, a part of one

    def rate(self, now: float) -> float:
        """Requests/s."""
        whole = sum(seconds for seconds, _, _ in self.stages)
        at = (now - self.begun) % whole if whole else 0.0
        for seconds, first, last in self.stages:
            if at < seconds:
                return first + (last - first) * at / seconds
            at -= seconds
        return 0.0


class Box:
    """One scenario. `timings`: the cluster's; `spec`: the HPA's spec from the beginning on, instead of the scenario's."""

    def __init__(self, scenario: str, timings: Timings = QUICK, spec: Mapping[str, Any] | None = None) -> None:
        self.clock = ManualClock(1_700_000_010.0)
        self._cpus: dict[str, tuple[VirtualCpu, float]] = {}
        self._endpoints: dict[str, list[str]] = {}
        self._traffic: dict[str, _Traffic] = {}
        self._turn = 0
        self.asked = self.refused = 0
        self.cluster = Cluster(self.clock, timings, self._order)
        self.cluster.build(scenario)
        self.cluster.open()
        self.namespace = "shop"
        known, _ = self.cluster.store.list(HPAS)
        self.key = objects.key_of(next(iter(known)))
        if spec is not None:
            self.cluster.patch("autoscaling", "horizontalpodautoscalers", *self.key, lambda obj: {**obj, "spec": spec})
        self.flags = ControllerFlags(
            sync_period=timings.sync_period, tolerance=timings.tolerance, metrics_resolution=timings.metrics_resolution,
            downscale_stabilization=timings.downscale_stabilization, cpu_initialization=timings.cpu_initialization,
            initial_readiness_delay=timings.initial_readiness_delay, known=True, rules="1.37",
        )  # fmt: skip
        self._versions: dict[str, str] = {}
        self._sampled: dict[str, str] = {}

    # The data plane -------------------------------------------------------------------------------------------

    def _order(self, order: Order) -> None:
        if isinstance(order, StartPod):
            cpu = VirtualCpu(order.rate, order.backlog)
            self._cpus[order.uid] = (cpu, order.cost)
            if order.startup:
                cpu.spend(self.clock.time(), order.startup)
        elif isinstance(order, StopPod) and not order.drain:
            self._cpus.pop(order.uid, None)
        elif isinstance(order, SetEndpoints):
            self._endpoints[order.service] = list(order.uids)
        elif isinstance(order, SetTraffic):
            self._traffic[order.name] = _Traffic(order.service, list(order.stages), self.clock.time())

    def _send(self, now: float, seconds: float) -> None:
        for traffic in self._traffic.values():
            traffic.due += traffic.rate(now) * seconds
            pods = self._endpoints.get(traffic.service, [])
            while traffic.due >= 1.0:
                traffic.due -= 1.0
                self.asked += 1
                self._turn += 1
                found = self._cpus.get(pods[self._turn % len(pods)]) if pods else None
                if found is None or found[0].admit(now, found[1]) is None:
                    self.refused += 1

    def step(self) -> None:
        """Half a second."""
        now = self.clock.time()
        for number in range(SLICES):
            self._send(now + number * STEP / SLICES, STEP / SLICES)
        self.cluster.advance(STEP)
        now = self.clock.time()
        report = {
            uid: PodUsage(cpu.used(now), cpu.served, cpu.refused, cpu.in_flight(now))
            for uid, (cpu, _) in self._cpus.items()
        }
        self.cluster.take_usage(Usage(0.0, report), 0.0)

    # Facts ----------------------------------------------------------------------------------------------------

    @property
    def hpa(self) -> dict[str, Any]:
        """The HPA's JSON."""
        found: dict[str, Any] = dict(self.cluster.store.get(HPAS, *self.key))
        return json.loads(json.dumps(found))  # type: ignore[no-any-return]

    def facts(self) -> list[Seen]:
        """What changed since the last time."""
        now, scope = self.clock.time(), str(self.key)
        found: list[Seen] = []

        def new(obj: Mapping[str, Any]) -> bool:
            meta = obj["metadata"]
            if self._versions.get(meta["uid"]) == meta["resourceVersion"]:
                return False
            self._versions[meta["uid"]] = meta["resourceVersion"]
            return True

        deployment = self.cluster.store.get(DEPLOYMENTS, self.key.namespace, self.hpa["spec"]["scaleTargetRef"]["name"])
        if new(deployment):
            found.append(Seen(now, Upserted(Kind.SCALE, objects.scale(deployment), scope)))
        pods = {pod["metadata"]["name"]: pod for pod in self.cluster.store.list(PODS, self.key.namespace)[0]}
        found += [Seen(now, Upserted(Kind.POD, objects.pod(pod), scope)) for pod in pods.values() if new(pod)]
        for name in [name for name in self._sampled if name not in pods]:
            del self._sampled[name]
            found.append(Seen(now, Deleted(Kind.POD, Key(self.key.namespace, name), scope=scope)))
        for sample in self.cluster.metrics.pods(pods.values(), now):
            name = sample["metadata"]["name"]
            if self._sampled.get(name) != sample["timestamp"]:
                self._sampled[name] = sample["timestamp"]
                found.append(Seen(now, Upserted(Kind.POD_USAGE, objects.usage(sample), scope)))
        if new(self.hpa):
            found.append(Seen(now, Upserted(Kind.HPA, objects.hpa(self.hpa))))
        return found


@dataclass
class Run:
    """A run of a box: what was learned from it, and what it really cost."""

    hpa: dict[str, Any]
    learned: Learned
    outcome: Outcome
    sizes: list[tuple[float, int]] = field(default_factory=list)


def run(box: Box, seconds: float, over: Mapping[str, float], settle: float = 0.0) -> Run:
    """Run for `seconds`, after `settle` of which nothing counts. `over`: above which mean use of a pod (millicores of cpu,
    bytes of memory) a resource is above its target.
    """
    collector = Collector(box.key, box.flags, config_of(box.flags).rules)
    end = box.clock.time() + settle
    while box.clock.time() < end:
        box.step()
    begin, asked, refused = box.clock.time(), box.asked, box.refused
    restarts = _restarts(box)
    usages: dict[Key, Any] = {}
    pods: dict[Key, Pod] = {}
    sizes: list[tuple[float, int]] = []
    paid = above = 0.0
    while box.clock.time() < begin + seconds:
        for seen in box.facts():
            collector.take(seen)
            what = seen.what
            if isinstance(what, Upserted) and what.kind is Kind.POD_USAGE:
                usages[what.item.key] = what.item
            elif isinstance(what, Upserted) and isinstance(what.item, Pod):
                pods[what.item.key] = what.item
            elif isinstance(what, Upserted) and what.kind is Kind.SCALE:
                size = what.item.spec_replicas  # type: ignore[union-attr]
                if not sizes or sizes[-1][1] != size:
                    sizes.append((seen.time, size))
            elif isinstance(what, Deleted):
                usages.pop(what.key, None)
                pods.pop(what.key, None)
        paid += STEP * sizes[-1][1]
        above += STEP * _hot(usages, pods, over)
        box.step()
    assert isinstance(collector.hpa, Hpa)
    assert collector.parsed is not None
    observed = collector.observed(box.clock.time())
    resizes = tuple(Resize(time, a, b) for (_, a), (time, b) in pairwise(sizes))
    outcome = Outcome(
        begin, box.clock.time(), tuple(sizes), (), resizes, paid, above,
        float(box.refused - refused), float(box.asked - asked), _restarts(box) - restarts,
    )  # fmt: skip
    return Run(box.hpa, learn(collector.parsed, observed, box.flags), outcome, sizes)


def _hot(usages: Mapping[Key, Any], pods: Mapping[Key, Pod], over: Mapping[str, float]) -> bool:
    """Whether the ready pods use more than the target, on average."""
    known = [usage for key, usage in usages.items() if key in pods and pods[key].ready and pods[key].deleted is None]
    return any(known and sum(getattr(u, name) for u in known) / len(known) > limit for name, limit in over.items())


def _restarts(box: Box) -> int:
    pods = box.cluster.store.list(PODS, box.key.namespace)[0]
    return sum(entry.get("restartCount", 0) for pod in pods for entry in pod["status"].get("containerStatuses") or ())
