"""Frames of small made-up HPAs, for what is decided from recorded syncs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpatui.autoscaler.inputs import Memory, MetricAnswer, MetricItem, MetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics
from hpatui.state.facts import Inputs
from hpatui.state.frames import Frame

START = 1_795_000_000.0
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
}
QUEUE = {
    "type": "External",
    "external": {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "10"}},
}


def hpa_object(
    metric: Mapping[str, Any] = CPU,
    *,
    minimum: int = 1,
    behavior: Mapping[str, Any] | None = None,
    conditions: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """An HPA of one metric, up to 50 replicas."""
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": minimum,
        "maxReplicas": 50,
        "metrics": [metric],
    }
    if behavior is not None:
        spec["behavior"] = behavior
    return {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": spec,
        "status": {"conditions": list(conditions)},
    }


def pod(number: int, phase: str = "Running", *, spec: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A pod that is ready since long, with a cpu request of 100m."""
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-01T00:00:00Z"}
    return {
        "metadata": {"namespace": "shop", "name": f"web-{number:02}", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "100m"}}}], **(spec or {})},
        "status": {"phase": phase, "startTime": "2026-11-01T00:00:00Z", "conditions": [ready]},
    }


def usage(number: int, milli: int) -> dict[str, Any]:
    """A sample of that pod's one container."""
    return {
        "metadata": {"namespace": "shop", "name": f"web-{number:02}", "labels": {"app": "web"}},
        "timestamp": "2026-11-18T00:00:00Z",
        "window": "15s",
        "containers": [{"name": "web", "usage": {"cpu": f"{milli}m"}}],
    }


def frame(
    count: int,
    milli: int,
    to_size: int = 0,
    *,
    index: int = 0,
    hpa: Mapping[str, Any] | None = None,
    succeeded: int = 0,
    spec: Mapping[str, Any] | None = None,
    queue: int | None = None,
) -> Frame:
    """`count` running pods at `milli` of cpu, `succeeded` more without a sample; `queue` in whole items."""
    pods = [parse_pod(pod(n, spec=spec)) for n in range(count)]
    pods += [parse_pod(pod(n, "Succeeded")) for n in range(count, count + succeeded)]
    answer = MetricAnswer((MetricItem(queue * 1000),)) if queue is not None else MetricAnswer(error="not there")
    inputs = Inputs(
        parse_hpa(hpa or hpa_object()),
        ScaleInput(count, count, "app=web"),
        tuple(pods),
        MetricsInput(tuple(parse_pod_metrics(usage(n, milli)) for n in range(count)), by_index={0: answer}),
    )
    return Frame(START + 15 * index, inputs, Memory(), to_size or count)
