"""Tuning: a simulated day of one HPA with up to 50 pods, and a search of 500 candidates over it."""

from __future__ import annotations

import math
import random
import time
from typing import Any

from bench import Table
from hpatui.autoscaler.parse import parse_hpa
from hpatui.model import ControllerFlags
from hpatui.tune.compare import Fit
from hpatui.tune.learn import Learned
from hpatui.tune.search import search
from hpatui.tune.simulate import Setup, simulate
from hpatui.tune.workload import Demand, Kind, MetricModel, WorkloadModel

DAY, STEP, BUDGET = 86_400.0, 15.0, 500
SPEC: dict[str, Any] = {
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
        "minReplicas": 2,
        "maxReplicas": 50,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
            }
        ],
    },
}


def day() -> Learned:
    """A day of a load that rises and falls three times, another one in each window."""
    chance = random.Random(1)
    times = tuple(index * STEP for index in range(int(DAY / STEP)))
    wave = (2000 + 1900 * math.sin(6 * math.pi * moment / DAY) for moment in times)
    load = tuple(max(0.0, value * (1 + 0.15 * chance.gauss(0, 1))) for value in wave)
    model = WorkloadModel((MetricModel(0, Kind.SHARED, 1.0, 5.0, 200, 400.0, startup=100.0),), 3.0, 5.0, 20.0)
    return Learned(model, Demand(times, (load,), DAY), Setup(ControllerFlags()), 10, None, Fit(0, 1, 0, 0, 0, 1, 1, 0))


def main() -> list[Table]:
    """Measure."""
    learned, hpa = day(), parse_hpa(SPEC)
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        outcome = simulate(hpa, learned.model, learned.demand, learned.setup, size=learned.size)
        best = min(best, time.perf_counter() - begin)
    most = max(size for _, size in outcome.replicas)
    told: list[int] = []
    begin = time.perf_counter()
    found = search(SPEC, learned, budget=BUDGET, progress=lambda done, _of: told.append(done))
    took = time.perf_counter() - begin
    asked = iter(range(10_000_000))
    stop_at = 2000
    begin = time.perf_counter()
    try:
        search(SPEC, learned, budget=BUDGET, cancelled=lambda: next(asked) >= stop_at)
    except Exception as error:  # noqa: BLE001  the measured one is Cancelled
        stopped = type(error).__name__
    return [
        Table(
            "tune: 24 h of one HPA",
            ("what", "figure", "bound"),
            (
                ("syncs", int(DAY / STEP), 5760),
                ("most pods", most, 50),
                ("simulated in s", round(best, 3), 1.5),
                ("candidates", found.tried, BUDGET),
                ("searched in s (one core)", round(took, 1), 60),
                ("candidates a s", round(found.tried / took, 1), ""),
                ("progress told", len(told), ""),
                (f"cancelled ({stopped}) after s", round(time.perf_counter() - begin, 2), ""),
            ),
        )
    ]
