"""Versions of autoscaling, and of events: written in one, read in all."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hpatui.sandbox.apiserver.convert import from_version, to_version
from hpatui.sandbox.apiserver.resources import RESOURCES
from tests.contract.apiserver.objects import HPAS, hpa
from tests.contract.conftest import ApiServer

HPA = RESOURCES["autoscaling", "horizontalpodautoscalers"]
METRIC = {"name": "rps", "selector": {"matchLabels": {"a": "b"}}}
Object = dict[str, Any]

METRICS: list[Object] = [
    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 30}}},
    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "80Mi"}}},
    {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "web",
     "target": {"type": "Utilization", "averageUtilization": 50}}},
    {"type": "Pods", "pods": {"metric": METRIC, "target": {"type": "AverageValue", "averageValue": "5"}}},
    {"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "web", "apiVersion": "v1"},
     "metric": METRIC, "target": {"type": "Value", "value": "100"}}},
    {"type": "External", "external": {"metric": METRIC, "target": {"type": "AverageValue", "averageValue": "7"}}},
]  # fmt: skip
BEHAVIOR = {"scaleDown": {"stabilizationWindowSeconds": 60, "selectPolicy": "Min", "policies": [
    {"type": "Percent", "value": 10, "periodSeconds": 60}]}}  # fmt: skip


def path(version: str, name: str = "") -> str:
    base = HPAS.replace("v2", version)
    return f"{base}/{name}" if name else base


@pytest.mark.parametrize("version", ["v1", "v2beta1", "v2beta2", "v2"])
async def test_nothing_is_lost_on_the_way_there_and_back(api: ApiServer, version: str) -> None:
    made = (await api.request("POST", HPAS, hpa(metrics=METRICS, behavior=BEHAVIOR))).body
    shown = (await api.request("GET", path(version, "web"))).body
    assert shown["apiVersion"] == f"autoscaling/{version}"
    written = await api.request("PUT", path(version, "web"), {**shown, "spec": {**shown["spec"], "maxReplicas": 9}})
    assert written.code == 200, written.body
    now = (await api.request("GET", path("v2", "web"))).body
    assert now["spec"] == {**made["spec"], "maxReplicas": 9}
    assert "annotations" not in now["metadata"]


async def test_the_walkthroughs_manifest(api: ApiServer) -> None:
    """The guide's own form, autoscaling/v2beta1."""
    old = {
        "apiVersion": "autoscaling/v2beta1", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "php-apache-hpa", "namespace": "shop"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "php-apache"},
            "minReplicas": 1, "maxReplicas": 3,
            "metrics": [
                {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 30}},
                {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "80Mi"}},
            ],
        },
    }  # fmt: skip
    made = await api.request("POST", path("v2beta1"), old)
    assert made.code == 201
    assert "is deprecated in v1.22+, unavailable in v1.25+; use autoscaling/v2" in made.headers["Warning"]
    assert made.body["spec"]["metrics"] == old["spec"]["metrics"]  # type: ignore[index]  # it is a mapping
    assert (await api.request("GET", path("v2", "php-apache-hpa"))).body["spec"]["metrics"] == METRICS[:2]
    flat = (await api.request("GET", path("v1", "php-apache-hpa"))).body
    assert flat["spec"]["targetCPUUtilizationPercentage"] == 30
    notes = msgspec.json.decode(flat["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"])
    assert notes == [{"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "80Mi"}}]


async def test_statuses(api: ApiServer) -> None:
    seen = hpa()
    seen["status"] = {
        "currentReplicas": 1, "desiredReplicas": 2,
        "conditions": [{"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale"}],
        "currentMetrics": [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 5, "averageValue": "5m"}}},
            {"type": ""},
        ],
    }  # fmt: skip
    api.seed(seen)
    flat = (await api.request("GET", path("v1", "web"))).body
    assert flat["status"] == {"currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 5}
    notes = flat["metadata"]["annotations"]
    conditions = msgspec.json.decode(notes["autoscaling.alpha.kubernetes.io/conditions"])
    assert conditions == seen["status"]["conditions"]
    beta = (await api.request("GET", path("v2beta1", "web"))).body["status"]["currentMetrics"]
    assert beta[0]["resource"] == {"name": "cpu", "currentAverageUtilization": 5, "currentAverageValue": "5m"}
    assert beta[1] == {"type": ""}


async def test_a_v1_autoscaler_without_a_target_gets_the_default(api: ApiServer) -> None:
    body = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                     "maxReplicas": 4}}  # fmt: skip
    made = await api.request("POST", path("v1"), body)
    assert made.body["spec"]["targetCPUUtilizationPercentage"] == 80


@pytest.mark.parametrize("version", ["v1", "v2beta1", "v2beta2"])
def test_conversion_is_its_own_inverse(version: str) -> None:
    stored = hpa(metrics=METRICS, behavior=BEHAVIOR)
    stored["status"] = {"desiredReplicas": 1, "currentMetrics": []}
    back = from_version(HPA, version, to_version(HPA, version, stored))
    assert back["spec"] == stored["spec"]
    assert back["apiVersion"] == "autoscaling/v2"


async def test_events_in_both_groups(api: ApiServer) -> None:
    about = {"kind": "Pod", "namespace": "shop", "name": "web-1"}
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "e1", "namespace": "shop"}, "involvedObject": about,
        "reason": "Started", "message": "Started container", "count": 3, "type": "Normal",
        "source": {"component": "kubelet"}, "lastTimestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    api.seed(event)
    new = (await api.request("GET", "/apis/events.k8s.io/v1/namespaces/shop/events/e1")).body
    assert (new["apiVersion"], new["regarding"], new["note"]) == ("events.k8s.io/v1", about, "Started container")
    assert new["deprecatedCount"] == 3
    query = "fieldSelector=regarding.name=web-1"
    found = await api.request("GET", f"/apis/events.k8s.io/v1/namespaces/shop/events?{query}")
    assert [item["metadata"]["name"] for item in found.body["items"]] == ["e1"]
    query = "fieldSelector=involvedObject.name=web-1,involvedObject.kind=Pod,type!=Warning"
    old = await api.request("GET", f"/api/v1/namespaces/shop/events?{query}")
    assert old.body["items"][0]["message"] == "Started container"
