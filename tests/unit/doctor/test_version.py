"""What the doctor says of HPAs that ask for more than their cluster's version can do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hpatui.clock import ManualClock
from hpatui.doctor.report import Check, Outcome
from hpatui.doctor.run import run_checks
from tests.unit.doctor import cluster as c
from tests.unit.doctor.cluster import TableCluster, healthy


async def _checks(cluster: TableCluster, version: str) -> dict[str, Check]:
    cluster.documents["/version"] = {"gitVersion": version}
    report = await run_checks(cluster, ManualClock(c.NOW), c.NS)
    return {check.id: check for check in report.checks if check.id.startswith("version")}


def _applied(cluster: TableCluster, behavior: dict[str, Any]) -> None:
    text = json.dumps({"spec": {"behavior": behavior}})
    hpa = cluster.lists[c.HPAS][0]
    hpa["metadata"].setdefault("annotations", {})["kubectl.kubernetes.io/last-applied-configuration"] = text


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("v1.32.9", "does not know the field and dropped it"),
        ("v1.34.2-eks-1234567", "HPAConfigurableTolerance is off"),
        ("v1.35.1", ""),
        ("v1.37.0", ""),
    ],
)
async def test_a_tolerance_that_was_dropped(version: str, words: str) -> None:
    cluster = healthy()
    _applied(cluster, {"scaleUp": {"tolerance": "0.02"}})
    check = (await _checks(cluster, version))["version-tolerance"]
    assert check.outcome is (Outcome.WARNING if words else Outcome.OK)
    assert words in check.reason
    if words:
        assert "from Kubernetes 1.35 on" in check.reason
        assert check.evidence[0].value == "0.02"


async def test_a_tolerance_that_is_stored_but_not_looked_at() -> None:
    cluster = healthy()
    cluster.lists[c.HPAS][0]["spec"]["behavior"] = {"scaleDown": {"tolerance": "0.3"}}
    check = (await _checks(cluster, "v1.34.2"))["version-tolerance"]
    assert "the controller does not look at it" in check.reason


async def test_nothing_asked_nothing_said() -> None:
    checks = await _checks(healthy(), "v1.28.4")
    assert {check.outcome for check in checks.values()} == {Outcome.OK}
    assert "rules of 1.28 (server 1.28.4)" in checks["version-tolerance"].reason


@pytest.mark.parametrize(("version", "outcome"), [("v1.33.2", Outcome.WARNING), ("v1.34.0", Outcome.OK)])
async def test_pod_level_requests(version: str, outcome: Outcome) -> None:
    cluster = healthy()
    for pod in cluster.lists[c.PODS]:
        pod["spec"]["resources"] = {"requests": {"cpu": "1"}}
    assert (await _checks(cluster, version))["version-pods"].outcome is outcome


async def test_a_pod_level_request_does_not_excuse_a_container_before_1_34() -> None:
    for version, found in (("v1.33.2", True), ("v1.34.0", False)):
        cluster = healthy()
        for pod in cluster.lists[c.PODS]:
            pod["spec"]["resources"] = {"requests": {"cpu": "1"}}
            pod["spec"]["containers"][0].pop("resources", None)
        status = cluster.lists[c.HPAS][0]["status"]
        status["conditions"] = [x for x in status["conditions"] if x["type"] != "ScalingActive"]
        status["conditions"].append(
            c.cond("ScalingActive", "False", "FailedGetResourceMetric", "missing request for cpu")
        )
        cluster.documents["/version"] = {"gitVersion": version}
        report = await run_checks(cluster, ManualClock(c.NOW), c.NS)
        assert any(check.id == "requests" and check.outcome is Outcome.FAILED for check in report.checks) is found


@pytest.mark.parametrize(("version", "outcome"), [("v1.28.9", Outcome.WARNING), ("v1.29.1", Outcome.OK)])
async def test_native_sidecars(version: str, outcome: Outcome) -> None:
    cluster = healthy()
    for pod in cluster.lists[c.PODS]:
        pod["spec"]["initContainers"] = [
            {"name": "mesh", "restartPolicy": "Always", "resources": {"requests": {"cpu": "10m"}}}
        ]
    assert (await _checks(cluster, version))["version-pods"].outcome is outcome


@pytest.mark.parametrize(
    ("version", "words"),
    [("v1.32.1", "before 1.33 one is enough"), ("v1.34.1", "counts as a request of 0"), ("v1.36.1", "")],
)
async def test_a_pod_without_the_container(version: str, words: str) -> None:
    cluster = healthy()
    name = cluster.lists[c.PODS][0]["spec"]["containers"][0]["name"]
    target = {"type": "Utilization", "averageUtilization": 50}
    metric = {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": name, "target": target}}
    cluster.lists[c.HPAS][0]["spec"]["metrics"] = [metric]
    cluster.lists[c.PODS][1]["spec"]["containers"][0]["name"] = "other"
    check = (await _checks(cluster, version))["version-pods"]
    assert check.outcome is (Outcome.WARNING if words else Outcome.OK)
    assert words in check.reason
