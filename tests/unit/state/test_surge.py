"""Pods beyond the size (a rollout's surge) and fewer than it (a quota): averages go over the pods that exist."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from hpatui.autoscaler.explanation import Explanation
from hpatui.model import Hpa, Workload
from hpatui.state.facts import Facts
from hpatui.state.observer import Observer
from tests.conformance import trace_objects as objects
from tests.factories import NOW
from tests.unit.state.test_observer import FLAGS, KEY, LIVE, at, make_hpa, make_pods, make_usages


def _hpa(average: str, size: int, *, kind: str = "External", target: str = "100", high: int = 20) -> Hpa:
    """An HPA whose one metric is an average over the pods; the status tells `average`."""
    obj: dict[str, Any] = json.loads(make_hpa(current=size, desired=size, high=high).raw)
    source: dict[str, Any] = {"metric": {"name": "queue"}}
    if kind == "Object":
        source["describedObject"] = {"kind": "Service", "name": "web", "apiVersion": "v1"}
    obj["spec"]["metrics"] = [
        {"type": kind, kind.lower(): {**source, "target": {"type": "AverageValue", "averageValue": target}}}
    ]
    obj["status"]["currentMetrics"] = [{"type": kind, kind.lower(): {**source, "current": {"averageValue": average}}}]
    obj["metadata"]["creationTimestamp"] = at(NOW - 7200)
    return objects.hpa(obj)


def _workload(size: int, exist: int) -> Workload:
    made = objects.workload(
        {
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "uid": "d1"},
            "spec": {"replicas": size, "selector": {"matchLabels": {"app": "web"}}},
            "status": {"replicas": exist},
        }
    )
    return replace(made, ready=exist)


def _explained(hpa: Hpa, size: int, exist: int) -> Explanation:
    observer = Observer(KEY, FLAGS)
    observer.hpa_changed(hpa, NOW)
    pods, usages = make_pods(exist), make_usages(40, NOW, exist)
    observer.facts(Facts(NOW, _workload(size, exist), pods, usages, LIVE))
    explanation = observer.explanation(NOW)
    assert explanation is not None
    return explanation


def _metric(explanation: Explanation) -> str:
    return next(line.text for line in explanation.lines if line.label == "queue")


@pytest.mark.parametrize("kind", ["External", "Object"])
@pytest.mark.parametrize(
    ("average", "size", "exist", "next_size"),
    [
        ("100", 4, 5, 5),  # within the tolerance: the pods that exist become the size
        ("105", 6, 8, 8),
        ("100", 6, 6, None),
        ("160", 4, 5, 8),  # 800 in all
        ("95", 4, 6, 6),
    ],
)
def test_a_surge_becomes_the_size(kind: str, average: str, size: int, exist: int, next_size: int | None) -> None:
    explanation = _explained(_hpa(average, size, kind=kind), size, exist)
    assert (explanation.next_size or size) == (next_size or size), explanation
    if next_size == exist and exist != size:
        assert f"{exist} pods that exist (a rollout's surge?) become the size" in _metric(explanation)
    assert f"{size} stay" not in _metric(explanation) if next_size else True


@pytest.mark.parametrize(
    ("average", "size", "exist", "words"),
    [
        ("295", 6, 2, "6 replicas are what it takes"),  # 590 in all: not 6 x 295
        ("100", 6, 3, "3 pods that exist (a rollout's surge?) become the size"),
        ("400", 8, 4, "wants 16 replicas"),
    ],
)
def test_under_a_quota_the_pods_that_exist_are_what_counts(average: str, size: int, exist: int, words: str) -> None:
    explanation = _explained(_hpa(average, size), size, exist)
    assert words in _metric(explanation)
    if exist * int(average) <= size * 100 * 1.1:
        assert "scales from" not in explanation.headline or "3 pods" in words
