"""The observer on its own: attaching late, other flags than assumed, other writers, facts in any order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.model import ControllerFlags, Hpa, Key, Pod, PodUsage, SourceState, SourceStatus, Workload
from hpatui.state.facts import Facts
from hpatui.state.observer import Observer
from tests.conformance import trace_objects as objects
from tests.factories import NOW, event

LIVE = SourceStatus(SourceState.LIVE, NOW)
KEY = Key("shop", "web")
FLAGS = ControllerFlags(sync_period=15.0, known=True)
Obj = dict[str, Any]


def at(seconds: float) -> str:
    """An API time."""
    return format_rfc3339(as_datetime(seconds))


def make_hpa(
    *,
    current: int = 2,
    desired: int = 2,
    cpu: int | None = 40,
    scaled: float | None = None,
    version: int = 1,
    created: float = NOW - 7200,
    status: bool = True,
    reason: str = "ReadyForNewScale",
    behavior: Obj | None = None,
    high: int = 10,
) -> Hpa:
    """An HPA on Deployment web: cpu 50 % of 100m, 1 to 10 replicas."""
    spec: Obj = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "maxReplicas": high,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
            }
        ],
    }
    if behavior:
        spec["behavior"] = behavior
    value: Obj = {"desiredReplicas": 0, "currentMetrics": None}
    if status:
        current_metric = {"averageUtilization": cpu, "averageValue": f"{cpu}m"}
        value = {
            "currentReplicas": current,
            "desiredReplicas": desired,
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": current_metric}}],
            "conditions": [
                {"type": "AbleToScale", "status": "True", "reason": reason, "lastTransitionTime": at(created)},
                {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"},
                {"type": "ScalingLimited", "status": "False", "reason": "DesiredWithinRange"},
            ],
        }
        if scaled is not None:
            value["lastScaleTime"] = at(scaled)
    metadata = {
        "name": "web",
        "namespace": "shop",
        "uid": "u1",
        "resourceVersion": str(version),
        "creationTimestamp": at(created),
    }
    return objects.hpa({"metadata": metadata, "spec": spec, "status": value})


def make_workload(replicas: int = 2) -> Workload:
    """Deployment web."""
    return objects.workload(
        {
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "uid": "d1"},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"replicas": replicas},
        }
    )


def make_pods(count: int = 2, request: str | None = "100m") -> dict[Key, Pod]:
    """Ready pods, an hour old."""
    resources = {"requests": {"cpu": request}} if request else {}
    found = {}
    for index in range(count):
        name = f"web-{index}"
        found[Key("shop", name)] = objects.pod(
            {
                "metadata": {
                    "name": name,
                    "namespace": "shop",
                    "uid": name,
                    "creationTimestamp": at(NOW - 3600),
                    "labels": {"app": "web"},
                },
                "spec": {"containers": [{"name": "web", "resources": resources}]},
                "status": {
                    "phase": "Running",
                    "startTime": at(NOW - 3600),
                    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at(NOW - 3590)}],
                },
            }
        )
    return found


def make_usages(cpu: int, now: float, count: int = 2) -> dict[Key, PodUsage]:
    """A sample for each pod."""
    found = {}
    for index in range(count):
        name = f"web-{index}"
        found[Key("shop", name)] = objects.usage(
            {
                "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
                "timestamp": at(now - 1),
                "window": "15s",
                "containers": [{"name": "web", "usage": {"cpu": f"{cpu}m", "memory": "20Mi"}}],
            }
        )
    return found


class Watch:
    """An observer with a target that can be turned like a dial."""

    def __init__(self, flags: ControllerFlags = FLAGS, **hpa: Any) -> None:
        self.observer = Observer(KEY, flags)
        self.now = NOW
        self.version = 1
        self.replicas = 2
        self.observer.hpa_changed(make_hpa(**hpa), self.now)
        self.use(40)

    def use(self, cpu: int) -> None:
        """New samples."""
        pods, usages = make_pods(self.replicas), make_usages(cpu, self.now, self.replicas)
        self.observer.facts(Facts(self.now, make_workload(self.replicas), pods, usages, LIVE))

    def wrote(self, **hpa: Any) -> None:
        """The controller writes the status."""
        self.version += 1
        self.observer.hpa_changed(make_hpa(version=self.version, **hpa), self.now)

    def ticks(self, seconds: float) -> Iterator[float]:
        """Let time pass second by second."""
        for _ in range(int(seconds)):
            self.now += 1.0
            self.observer.explanation(self.now)
            yield self.now


def texts(watch: Watch) -> dict[str, str]:
    """The explanation's lines by label."""
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    return {line.label: line.text for line in explanation.lines}


def test_within_the_tolerance() -> None:
    watch = Watch()
    watch.use(54)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert explanation.headline == "cpu is 54 % of 50 %, within the 10 % tolerance: 2 replicas stay"
    assert explanation.would_change == ("up: cpu above 55 %", "down: cpu at most 25 % for 5 min")
    assert explanation.known_since == NOW


def test_silent_syncs_are_counted_and_agree() -> None:
    watch = Watch(cpu=54)
    watch.use(54)
    for _ in watch.ticks(100):
        pass
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert explanation.compared == explanation.agreed == 6


def test_an_equal_explanation_is_the_same_object() -> None:
    watch = Watch()
    first = watch.observer.explanation(watch.now + 1)
    assert watch.observer.explanation(watch.now + 5) is first


def test_attached_late_a_hold_is_told_as_the_latest_moment() -> None:
    watch = Watch()
    watch.use(5)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert "wants 1, held at 2 until" in explanation.headline and "at the latest" in explanation.headline
    down = next(c for c in explanation.countdowns if c.kind == "scale-down")
    assert down.until == pytest.approx(NOW + 300, abs=16)
    assert "latest" in down.text


def test_a_new_hpa_is_known_from_its_beginning() -> None:
    watch = Watch(status=False, created=NOW - 1)
    watch.use(5)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert "at the latest" not in explanation.headline


def test_a_container_without_request_is_named() -> None:
    watch = Watch()
    watch.observer.facts(Facts(watch.now, make_workload(), make_pods(request=None), make_usages(40, watch.now), LIVE))
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert explanation.headline == "blind: container web has no cpu request"
    assert explanation.next_size == 2


def test_metrics_that_do_not_answer() -> None:
    watch = Watch()
    gone = SourceStatus(SourceState.RECONNECTING, NOW, "the server is currently unable to handle the request")
    watch.observer.facts(Facts(watch.now, make_workload(), make_pods(), make_usages(40, watch.now), gone))
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert explanation.headline.startswith("blind: the metrics API does not answer")


@pytest.mark.parametrize("workload_first", [True, False])
def test_a_rescale_is_judged_by_what_was_known_before_it(workload_first: bool) -> None:
    """The target's new size and the HPA's status come in any order; both must give the same verdict."""
    watch = Watch(cpu=40)
    watch.use(100)
    said = watch.observer.explanation(watch.now)
    assert said is not None and (said.next_size, said.headline) == (4, "cpu is 100 % of 50 %: scales from 2 to 4")
    watch.now += 14
    shown = {"desired": 4, "cpu": 100, "scaled": watch.now, "reason": "SucceededRescale"}
    if not workload_first:
        watch.wrote(**shown)
    watch.replicas = 4
    watch.use(100)
    if workload_first:
        watch.now += 0.02
        watch.wrote(**shown)
    assert [(s.agreed, s.from_size, s.to_size) for s in watch.observer.syncs] == [(True, 2, 4)]
    for _ in watch.ticks(10):
        pass
    assert watch.observer.writes == ()


def test_a_size_that_somebody_else_wrote() -> None:
    watch = Watch(cpu=50)
    watch.use(50)
    watch.replicas = 5
    watch.use(50)
    for _ in watch.ticks(10):
        pass
    assert [(w.from_size, w.to_size) for w in watch.observer.writes] == [(2, 5)]


def test_rate_policies_are_counted_down() -> None:
    behavior = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    watch = Watch(cpu=40, behavior=behavior)
    watch.use(200)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert "may add 1 pod now and 1 more at" in explanation.headline
    watch.now += 15
    scaled = watch.now
    watch.wrote(desired=3, cpu=200, scaled=scaled, behavior=behavior, reason="SucceededRescale")
    watch.replicas = 3
    watch.use(200)
    for _ in watch.ticks(6):
        pass
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    more = next(c for c in explanation.countdowns if c.kind == "scale-up")
    assert more.until == pytest.approx(scaled + 60, abs=15.1)
    assert "may add no pod now" in texts(watch)["rate"]


def test_scale_events_from_before_come_from_the_events() -> None:
    behavior = {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 120}]}}
    watch = Watch(cpu=40, behavior=behavior)
    watch.use(200)
    before = watch.observer.explanation(watch.now)
    assert before is not None and before.next_size == 4
    told = [
        event("SuccessfulRescale", "New size: 1; reason: All metrics below target", at=NOW - 600, uid="e0"),
        event("SuccessfulRescale", "New size: 2; reason: cpu above target", at=NOW - 60, uid="e1"),
    ]
    watch.observer.events(told, watch.now)
    after = watch.observer.explanation(watch.now)
    assert after is not None and after.next_size == 3  # one of the two pods of the policy is used up


def test_a_tolerance_that_nobody_told_is_inferred() -> None:
    """The controller acts at 8 % above the target again and again: its tolerance must be smaller than 10 %."""
    watch = Watch(cpu=50, high=99)
    for size in range(3, 12):
        watch.use(54)
        watch.now += 15
        scaled = watch.now
        watch.wrote(current=size - 1, desired=size, cpu=54, scaled=scaled, reason="SucceededRescale", high=99)
        watch.replicas = size
        watch.use(50)  # the new pod takes its share
        watch.now += 15
        watch.wrote(current=size, desired=size, cpu=50, scaled=scaled, high=99)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert explanation.agreed < explanation.compared
    assert any("as if its tolerance were" in hint for hint in explanation.hints)


def test_a_shorter_sync_period_is_inferred() -> None:
    watch = Watch(cpu=50)
    for number in range(6):
        watch.now += 5
        watch.use(50 + number % 2)
        watch.wrote(cpu=50 + number % 2)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert "the controller looks every 5 s, not every 15 s as assumed" in explanation.hints


def test_a_sample_that_came_too_late_does_not_spoil_the_memory() -> None:
    """Our sample said 150 %, the controller measured 52 %: the recommendation that it remembers is 2, not 6, and with
    its own number it did what we say it does.
    """
    watch = Watch(cpu=50)
    watch.use(150)
    watch.now += 15
    watch.wrote(cpu=52)
    watch.use(52)
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None
    assert explanation.next_size == 2
    assert (explanation.agreed, explanation.compared) == (1, 1)


def test_without_pods_the_status_speaks() -> None:
    observer = Observer(KEY, FLAGS)
    observer.hpa_changed(make_hpa(), NOW)
    explanation = observer.explanation(NOW)
    assert explanation is not None
    assert "as its status says" in explanation.headline
    assert explanation.next_size is None


def test_broken_objects_fall_back_to_the_status() -> None:
    watch = Watch()
    pods = {
        key: replace(pod, raw=json.dumps({"metadata": 3}).encode(), requests=None) for key, pod in make_pods().items()
    }
    watch.observer.facts(Facts(watch.now, make_workload(), pods, make_usages(40, watch.now), LIVE))
    explanation = watch.observer.explanation(watch.now)
    assert explanation is not None and "as its status says" in explanation.headline


def test_memory_stays_bounded() -> None:
    watch = Watch(cpu=50)
    for index in range(3000):
        watch.now += 15.0
        watch.use(50 + index % 2)
        watch.observer.explanation(watch.now)
    assert len(watch.observer.frames) <= 512 and len(watch.observer.syncs) <= 512
    assert len(watch.observer._ring) <= 64
    assert len(watch.observer._memory.recommendations) <= 40


def test_a_gap_in_the_watch_is_not_counted_and_makes_the_memory_young() -> None:
    watch = Watch(cpu=54)
    watch.use(54)
    watch.observer.connected(True, watch.now)
    for _ in watch.ticks(40):
        pass
    before = len(watch.observer.syncs)
    watch.observer.connected(False, watch.now)
    for _ in watch.ticks(600):
        pass
    watch.observer.connected(True, watch.now)
    assert len(watch.observer.syncs) == before
    assert watch.observer.known_since == watch.now
    for _ in watch.ticks(40):
        pass
    assert len(watch.observer.syncs) == before + 2
