"""Decisions per second for 10, 100 and 1,000 pods, and how the cost grows with pods."""

from __future__ import annotations

import time

from bench import Table
from hpatui.autoscaler.decision import decide
from hpatui.autoscaler.inputs import ControllerConfig, Memory, MetricsInput, PodInput, PodMetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa
from hpatui.autoscaler.times import SECOND

_NOW = 1_780_000_000 * SECOND
_HPA = {
    "metadata": {"namespace": "shop", "name": "web"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "maxReplicas": 5000,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
            },
            {
                "type": "Resource",
                "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "80Mi"}},
            },
        ],
    },
}


def _inputs(count: int) -> tuple[list[PodInput], MetricsInput]:
    labels = {"app": "web"}
    requests = (("web", {"cpu": 100, "memory": 64 * 2**20 * 1000}),)
    start = _NOW - 3600 * SECOND
    pods = [PodInput("shop", f"w{i}", labels, "Running", False, start, "True", start, requests) for i in range(count)]
    usage = (("web", {"cpu": 75, "memory": 40 * 2**20 * 1000}),)
    samples = [PodMetricsInput("shop", f"w{i}", labels, _NOW - SECOND, 15 * SECOND, usage) for i in range(count)]
    return pods, MetricsInput(tuple(samples))


def main() -> list[Table]:
    """Measure."""
    hpa = parse_hpa(_HPA)
    rows: list[tuple[object, ...]] = []
    base = 0.0
    for count in (10, 100, 1000):
        pods, metrics = _inputs(count)
        runs = max(5, 20_000 // count)
        best = float("inf")
        for _ in range(3):
            begin = time.perf_counter()
            for _ in range(runs):
                decide(hpa, ScaleInput(count, count, "app=web"), pods, metrics, Memory(), ControllerConfig(), _NOW)
            best = min(best, (time.perf_counter() - begin) / runs)
        base = base or best / count
        rows.append(
            (count, round(1 / best), round(best * 1e6), round(best / count * 1e6, 2), round(best / count / base, 2))
        )
    columns = ("pods", "decisions/s", "us a decision", "us a pod", "us a pod against 10 pods")
    return [
        Table(
            "Decisions (two metrics)",
            columns,
            tuple(rows),
            "best of 3; linear growth keeps the last column at or below 1",
        )
    ]
