"""HPAs of KEDA: known by label or owner, explained from the ScaledObject where it may be read, never broken by it."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.autoscaler.keda import facts_of, scaled_object, trigger_of
from hpatui.clock import ManualClock
from hpatui.doctor.look import Answer
from hpatui.doctor.report import Check, Outcome
from hpatui.doctor.run import run_checks
from tests.unit.doctor import cluster as c
from tests.unit.doctor.cluster import TableCluster, healthy

PATH = f"/apis/keda.sh/v1alpha1/namespaces/{c.NS}/scaledobjects/orders"


def _cluster(*, owner: bool = False) -> TableCluster:
    cluster = healthy()
    hpa = cluster.lists[c.HPAS][0]
    if owner:
        hpa["metadata"]["ownerReferences"] = [
            {"kind": "ScaledObject", "name": "orders", "apiVersion": "keda.sh/v1alpha1"}
        ]
    else:
        hpa["metadata"]["labels"] = {"scaledobject.keda.sh/name": "orders"}
    return cluster


async def _keda(cluster: TableCluster) -> Check | None:
    report = await run_checks(cluster, ManualClock(c.NOW), c.NS)
    return next((check for check in report.checks if check.id == "keda"), None)


def _object(**spec: Any) -> dict[str, Any]:
    annotations = spec.pop("annotations", {})
    return {"metadata": {"name": "orders", "namespace": c.NS, "annotations": annotations}, "spec": spec}


@pytest.mark.parametrize("owner", [True, False])
async def test_it_is_known_by_label_and_by_owner(owner: bool) -> None:
    cluster = _cluster(owner=owner)
    cron = {
        "type": "cron",
        "metadata": {"start": "0 8 * * *", "end": "0 18 * * *", "timezone": "UTC", "desiredReplicas": "5"},
    }
    cluster.documents[PATH] = _object(minReplicaCount=0, cooldownPeriod=120, triggers=[cron])
    check = await _keda(cluster)
    assert check is not None
    assert check.outcome is Outcome.OK
    assert "ScaledObject orders" in check.reason
    assert "no trigger was active for 120 s" in check.reason
    assert "trigger 0 (cron) asks for 5 replicas from 0 8 * * * to 0 18 * * * (UTC)" in check.reason


@pytest.mark.parametrize(
    "annotations", [{"autoscaling.keda.sh/paused": "true"}, {"autoscaling.keda.sh/paused-replicas": "0"}]
)
async def test_a_pause_is_a_warning(annotations: dict[str, str]) -> None:
    cluster = _cluster()
    cluster.documents[PATH] = _object(minReplicaCount=1, annotations=annotations)
    check = await _keda(cluster)
    assert check is not None
    assert check.outcome is Outcome.WARNING


@pytest.mark.parametrize("status", [403, 404, 0])
async def test_nothing_breaks_where_it_cannot_be_read(status: int) -> None:
    cluster = _cluster()
    cluster.answers[PATH] = Answer(status, None, "no")
    check = await _keda(cluster)
    assert check is not None
    assert check.outcome is Outcome.SKIPPED
    assert "could not be read" in check.reason


async def test_other_hpas_are_not_kedas() -> None:
    assert await _keda(healthy()) is None
    assert scaled_object({}, [("Deployment", "orders")]) == ""


@pytest.mark.parametrize(
    ("metric", "trigger"),
    [
        ("s0-rabbitmq-orders", (0, "rabbitmq-orders")),
        ("s12-cron-UTC", (12, "cron-UTC")),
        ("queue", None),
        ("s-x", None),
    ],
)
def test_the_trigger_behind_a_metric(metric: str, trigger: tuple[int, str] | None) -> None:
    assert trigger_of(metric) == trigger


@pytest.mark.parametrize(
    "obj", [{}, {"spec": []}, {"metadata": None, "spec": {"triggers": ["x", {"type": "cron"}, 3]}}]
)
def test_odd_objects_are_survived(obj: dict[str, Any]) -> None:
    assert all(isinstance(text, str) for text in facts_of(obj))
