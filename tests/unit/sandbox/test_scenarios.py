"""Every scenario opens, and those whose state does not need real requests are in it."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.clock import ManualClock
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.cluster import Cluster
from hpatui.sandbox.dataplane.messages import Order, SetTraffic
from hpatui.sandbox.options import KUBERNETES, QUICK, Timings, list_scenarios
from hpatui.sandbox.scenarios.catalog import CATALOG
from hpatui.sandbox.scenarios.rehearsal import age_of

HPAS = RESOURCES["autoscaling", "horizontalpodautoscalers"]


def _open(name: str, timings: Timings = QUICK, fleet: int = 0) -> tuple[Cluster, list[Order]]:
    orders: list[Order] = []
    cluster = Cluster(ManualClock(1_700_000_010.0), timings, orders.append)
    cluster.build(name)
    cluster.open(fleet)
    return cluster, orders


def _conditions(cluster: Cluster, namespace: str) -> dict[tuple[str, str], tuple[str, str]]:
    """(HPA, condition type) -> (status, reason)."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    hpas: list[dict[str, Any]] = list(cluster.store.list(HPAS, namespace)[0])
    for hpa in hpas:
        for entry in (hpa.get("status") or {}).get("conditions") or ():
            found[hpa["metadata"]["name"], entry["type"]] = (entry["status"], entry["reason"])
    return found


@pytest.mark.parametrize("name", CATALOG)
@pytest.mark.parametrize("timings", [QUICK, KUBERNETES], ids=["quick", "kubernetes"])
def test_each_opens_and_traffic_goes_to_a_service_that_is_there(name: str, timings: Timings) -> None:
    cluster, orders = _open(name, timings)
    assert 0.0 < age_of(name, timings) < 3600.0
    services = {f"{s['metadata']['namespace']}/{s['metadata']['name']}:{s['spec']['ports'][0]['port']}"
                for s in cluster.store.list(RESOURCES["", "services"])[0]}  # fmt: skip
    assert {order.service for order in orders if isinstance(order, SetTraffic)} <= services


def test_each_says_what_to_look_at() -> None:
    for name, text in list_scenarios():
        assert name in CATALOG
        assert 1 <= len(text.splitlines()) <= 2
        assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize(
    ("name", "hpa", "reason"),
    [
        ("no-metrics", "checkout", "FailedGetResourceMetric"),
        ("crash-loop", "checkout", "FailedGetResourceMetric"),
        ("missing-requests", "catalog", "FailedGetResourceMetric"),
        ("ambiguous", "checkout", "AmbiguousSelector"),
        ("target-missing", "archive", "ScalingDisabled"),
    ],
)
def test_the_blind_ones_are_blind_from_the_start(name: str, hpa: str, reason: str) -> None:
    cluster, _ = _open(name)
    assert _conditions(cluster, "shop")[hpa, "ScalingActive"] == ("False", reason)


@pytest.mark.parametrize("name", ["walkthrough", "flapping", "at-max", "slow-start", "memory", "missing-requests"])
def test_the_others_have_metrics_from_the_start(name: str) -> None:
    cluster, _ = _open(name)
    active = {hpa: state for (hpa, kind), state in _conditions(cluster, CATALOG[name].namespace).items()
              if kind == "ScalingActive" and hpa != "catalog"}  # fmt: skip
    assert set(active.values()) == {("True", "ValidMetricFound")}


def test_the_crash_loop_says_why_in_its_log() -> None:
    cluster, _ = _open("crash-loop")
    (run,) = [run for key, run in cluster.kubelet.runs.items() if key[0] == "kube-system"]
    assert run.restarts >= 3
    assert "dial tcp 10.233.0.1:443: i/o timeout" in run.log.lines()[-1].text


def test_a_fleet_is_there_at_once_and_its_troubles_show() -> None:
    cluster, _ = _open("fleet", fleet=120)
    assert len(cluster.store.list(HPAS)[0]) == 120
    cluster.advance(60.0)
    reasons = {
        reason for namespace in ("fleet-0", "fleet-1", "fleet-2")
        for (_, _), (_, reason) in _conditions(cluster, namespace).items()
    }  # fmt: skip
    assert {"FailedGetResourceMetric", "FailedGetScale", "TooManyReplicas", "ValidMetricFound"} <= reasons
    pods = cluster.store.list(RESOURCES["", "pods"], "fleet-0")[0]
    assert len(pods) >= 48
