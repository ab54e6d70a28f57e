"""The HPA controller: reads what it needs, lets hpatui.autoscaler decide, and carries the decision out.

One sync of one HPA, every sync period: target and pods from the store, metrics from the metrics APIs, then `decide`;
the events are recorded, the scale is written, the status is written if anything in it changed.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import (
    ControllerConfig,
    HpaObject,
    Memory,
    MetricAnswer,
    MetricsInput,
    OtherHpa,
    PodInput,
    ScaleInput,
)
from hpatui.autoscaler.parse import parse_hpa, parse_metric_item, parse_pod, parse_pod_metrics, parse_scale
from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.scale import set_replicas
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import PODS, Context
from hpatui.sandbox.controllers.inputs import Answer, MetricsReader, Target, find_target
from hpatui.sandbox.controllers.objects import Key, Object, key_of
from hpatui.sandbox.metrics import Metrics

HPAS = RESOURCES["autoscaling", "horizontalpodautoscalers"]
_SOURCE = "horizontal-pod-autoscaler"
_VERSION = "autoscaling/v2"
_NOBODY: frozenset[Key] = frozenset()
Anchor = tuple[str, str, str]  # namespace, a label's name and value (both empty: a selector without such a label)


@dataclass(slots=True)
class _Known:
    """What is remembered of an HPA between its syncs."""

    uid: str
    version: str = ""
    parsed: HpaObject | None = None
    memory: Memory = field(default_factory=Memory)
    target: Target = field(default_factory=Target)


class Autoscalers:
    """Keys are HPAs."""

    def __init__(self, context: Context, metrics: Metrics, rules: Rules = RECORDED) -> None:
        self._c = context
        self._reader = MetricsReader(context, metrics)
        timings = context.timings
        self._config = ControllerConfig(
            timings.tolerance,
            timings.downscale_stabilization,
            timings.cpu_initialization,
            timings.initial_readiness_delay,
            rules=rules,
        )
        self._known: dict[Key, _Known] = {}
        self._anchored: dict[Anchor, set[Key]] = {}
        self._pods: dict[str, tuple[str, PodInput]] = {}
        self.period = timings.sync_period
        self.stopped = False  # a fault: the controller does not run
        self.prompt = False  # from 1.37 on a new HPA is synced at once; what is there when the controller starts is not
        context.store.add_listener(HPAS, self._changed)
        context.store.add_listener(PODS, self._pod_changed)

    def _changed(self, type_: str, hpa: Object, old: Object | None) -> None:
        key = key_of(hpa)
        if type_ == "DELETED":
            gone = self._known.pop(key, None)
            if gone is not None:
                self._anchored.get(_anchor(key[0], gone.target), set()).discard(key)
            self._c.engine.forget(self, key)
        elif type_ == "ADDED":
            self._known[key] = _Known(hpa["metadata"]["uid"])
            # As the controller's queue: the first sync comes within a period, spread so that not all come at once.
            part = 0.0 if self.prompt else zlib.crc32(hpa["metadata"]["uid"].encode()) % 1000 / 1000
            self._c.engine.enqueue_at(self, key, self._c.engine.clock.time() + self.period * part)

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        if type_ == "DELETED":
            self._pods.pop(pod["metadata"]["uid"], None)

    def reconcile(self, key: Key, now: float) -> None:
        """One sync."""
        hpa, known = self._c.find(HPAS, *key), self._known.get(key)
        if hpa is None or known is None:
            return
        self._c.engine.enqueue_at(self, key, now + self.period)
        if self.stopped:
            return
        if known.version != hpa["metadata"]["resourceVersion"] or known.parsed is None:
            known.parsed, known.version = parse_hpa(hpa), hpa["metadata"]["resourceVersion"]
        target = find_target(self._c, hpa)
        self._aim(key, known, target)
        pods = self._c.pods.select(key[0], target.selector)
        pods.sort(key=lambda pod: pod["metadata"]["name"])
        decision = decide(
            known.parsed,
            self._scale(target),
            tuple(self._pod(pod) for pod in pods),
            self._metrics(hpa, pods, now),
            known.memory,
            self._config,
            round(now * 1e9),
            others=self._others(key, pods),
        )
        known.memory = decision.memory
        self._carry_out(hpa, key, target, decision)

    # What it reads

    @staticmethod
    def _scale(target: Target) -> ScaleInput:
        if target.scale is not None:
            return parse_scale(target.scale)
        return ScaleInput(mapper_error=target.mapper_error, get_error=target.scale_error)

    def _pod(self, pod: Object) -> PodInput:
        meta = pod["metadata"]
        known = self._pods.get(meta["uid"])
        if known is not None and known[0] == meta["resourceVersion"]:
            return known[1]
        parsed = parse_pod(pod)
        self._pods[meta["uid"]] = (meta["resourceVersion"], parsed)
        return parsed

    def _metrics(self, hpa: Object, pods: list[Object], now: float) -> MetricsInput:
        """The answers to all queries that the HPA's metrics need."""
        space = hpa["metadata"]["namespace"]
        by_index: dict[int, MetricAnswer] = {}  # two metrics of one name are two
        resource = Answer()
        for index, spec in enumerate(hpa["spec"].get("metrics") or ()):
            kind = spec["type"]
            if kind in ("Resource", "ContainerResource"):
                resource = resource if resource.items or resource.error else self._reader.pods(pods, now)
            elif kind == "Pods":
                name = spec["pods"]["metric"]["name"]
                by_index[index] = _answer(self._reader.custom_pods(pods, name, now))
            elif kind == "Object":
                name, described = spec["object"]["metric"]["name"], spec["object"]["describedObject"]
                by_index[index] = _answer(self._reader.custom_object(space, described, name, now))
            elif kind == "External":
                metric = spec["external"]["metric"]
                by_index[index] = _answer(self._reader.external(space, metric, now))
        parsed = tuple(parse_pod_metrics(item) for item in resource.items)
        return MetricsInput(parsed, resource.error, by_index=by_index)

    def _aim(self, key: Key, known: _Known, target: Target) -> None:
        """Remember the target; its selector's first label leads from a pod to the HPAs that may select it."""
        if target.selector is not known.target.selector:
            self._anchored.get(_anchor(key[0], known.target), set()).discard(key)
            self._anchored.setdefault(_anchor(key[0], target), set()).add(key)
        known.target = target

    def _others(self, key: Key, pods: list[Object]) -> tuple[OtherHpa, ...]:
        """Other HPAs of the namespace whose target's pods include one of these."""
        candidates = set(self._anchored.get((key[0], "", ""), ()))
        for pod in pods:
            for name, value in (pod["metadata"].get("labels") or {}).items():
                candidates |= self._anchored.get((key[0], name, value), _NOBODY)
        others = []
        for other in sorted(candidates - {key}):
            target = self._known[other].target
            selected = any(matches(target.selector, pod["metadata"].get("labels")) for pod in pods)
            if selected and target.scale is not None:
                others.append(OtherHpa(*other, target.scale["status"]["selector"]))
        return tuple(others)

    # What it writes

    def _carry_out(self, hpa: Object, key: Key, target: Target, decision: Decision) -> None:
        for event in decision.events:
            self._c.recorder.event(
                hpa, _VERSION, "HorizontalPodAutoscaler", event.type, event.reason, event.message, _SOURCE
            )
        if decision.rescaled_to is not None and target.resource is not None:
            self._rescale(target, key[0], hpa["spec"]["scaleTargetRef"]["name"], decision.rescaled_to)
        if decision.status_update == "written":
            self._c.set_status(HPAS, *key, lambda _: dict(decision.status))

    def _rescale(self, target: Target, namespace: str, name: str, replicas: int) -> None:
        """Write the scale, as kube-controller-manager: managedFields tell it from other writers."""
        assert target.resource is not None
        written = {"metadata": {"namespace": namespace, "name": name}}
        try:
            set_replicas(self._c.store, target.resource, written, replicas, "kube-controller-manager")
        except StatusError as refused:
            if refused.code != 404:
                raise


def _answer(answer: Answer) -> MetricAnswer:
    return MetricAnswer(tuple(parse_metric_item(item) for item in answer.items), answer.error)


def _anchor(namespace: str, target: Target) -> Anchor:
    labels = (target.selector or {}).get("matchLabels") or {}
    name = min(labels, default="")
    return (namespace, name, labels.get(name, ""))
