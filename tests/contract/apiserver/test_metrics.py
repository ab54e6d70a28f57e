"""The metrics APIs, what discovery says about them, and what happens when they are down."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.apiserver.objects import pod
from tests.contract.conftest import ApiServer

METRICS = "/apis/metrics.k8s.io/v1beta1"
CUSTOM = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop"
Object = dict[str, Any]


def service(group: str) -> Object:
    spec = {"group": group, "version": "v1beta1", "service": {"namespace": "kube-system", "name": "metrics-server"}}
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": f"v1beta1.{group}"},
            "spec": spec}  # fmt: skip


@pytest.fixture
def metrics(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> ApiServer:
    """A server with a metrics server behind it: every pod but `new` has a sample."""
    api.seed(service("metrics.k8s.io"), pod("a"), pod("b", labels={"app": "other"}), pod("new"))
    usage = {"cpu": "1000000n", "memory": "21576Ki"}

    def pods(found: list[Object]) -> list[Object]:
        return [
            {"metadata": {"name": each["metadata"]["name"], "namespace": "shop"}, "window": "5s",
             "containers": [{"name": "web", "usage": usage}]}
            for each in found if each["metadata"]["name"] != "new"
        ]  # fmt: skip

    monkeypatch.setattr(api.runtime, "pod_metrics", pods)
    monkeypatch.setattr(api.runtime, "node_metrics", lambda: [{"metadata": {"name": "n1"}, "usage": usage}])
    return api


async def test_usage(metrics: ApiServer) -> None:
    found = (await metrics.request("GET", f"{METRICS}/namespaces/shop/pods")).body
    assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b"]
    found = (await metrics.request("GET", f"{METRICS}/pods?labelSelector=app=other")).body
    assert [item["metadata"]["name"] for item in found["items"]] == ["b"]
    one = (await metrics.request("GET", f"{METRICS}/namespaces/shop/pods/a")).body
    assert (one["kind"], one["apiVersion"]) == ("PodMetrics", "metrics.k8s.io/v1beta1")
    assert (await metrics.request("GET", f"{METRICS}/nodes/n1")).body["kind"] == "NodeMetrics"
    missing = await metrics.request("GET", f"{METRICS}/namespaces/shop/pods/new")
    assert (missing.code, missing.body["message"]) == (404, 'podmetrics.metrics.k8s.io "shop/new" not found')
    assert (await metrics.request("DELETE", f"{METRICS}/nodes/n1")).code == 405


async def test_an_outage_shows_in_discovery_and_in_the_apiservice(
    metrics: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io"
    condition = (await metrics.request("GET", path)).body["status"]["conditions"][0]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Available", "True", "Passed")
    up = [False]
    monkeypatch.setattr(metrics.runtime, "metrics_available", lambda: up[0])
    for asked in (METRICS, f"{METRICS}/nodes", f"{METRICS}/namespaces/shop/pods/a"):
        answer = await metrics.request("GET", asked)
        assert (answer.code, answer.body["reason"]) == (503, "ServiceUnavailable"), asked
        assert answer.body["message"] == "the server is currently unable to handle the request"
    condition = (await metrics.request("GET", path)).body["status"]["conditions"][0]
    assert (condition["status"], condition["reason"]) == ("False", "MissingEndpoints")
    media = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"
    groups = (await metrics.request("GET", "/apis", accept=media)).body["items"]
    group = next(item for item in groups if item["metadata"]["name"] == "metrics.k8s.io")
    assert group["versions"] == [{"version": version, "freshness": "Stale"} for version in ("v1", "v1beta1")]
    up[0] = True
    condition = (await metrics.request("GET", path)).body["status"]["conditions"][0]
    assert condition["status"] == "True"


async def test_without_an_apiservice_the_group_is_not_there(api: ApiServer) -> None:
    assert (await api.request("GET", METRICS)).code == 404
    assert (await api.request("GET", f"{METRICS}/nodes")).code == 404
    assert (await api.request("GET", "/apis/metrics.k8s.io")).code == 404
    names = [group["name"] for group in (await api.request("GET", "/apis")).body["groups"]]
    assert "metrics.k8s.io" not in names


async def test_custom_and_external_metrics(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await api.request("GET", f"{CUSTOM}/pods/*/rps")).code == 404
    api.seed(pod("a"), pod("b", labels={"app": "other"}))

    def custom(namespace: str, objects: list[Object], plural: str, metric: str) -> list[Object]:
        return [{"describedObject": {"kind": "Pod", "name": each["metadata"]["name"]}, "metric": {"name": metric},
                 "value": "5"} for each in objects]  # fmt: skip

    def external(namespace: str, metric: str) -> list[Object]:
        return [{"metricName": metric, "metricLabels": {"queue": name}, "value": "7"} for name in ("x", "y")]

    monkeypatch.setattr(api.runtime, "custom_metrics", custom)
    monkeypatch.setattr(api.runtime, "external_metrics", external)
    monkeypatch.setattr(api.runtime, "custom_metric_names", lambda: ["pods/rps"])
    monkeypatch.setattr(api.runtime, "external_metric_names", lambda: ["depth"])
    found = (await api.request("GET", f"{CUSTOM}/pods/*/rps?labelSelector=app=web")).body
    assert (found["kind"], found["apiVersion"]) == ("MetricValueList", "custom.metrics.k8s.io/v1beta2")
    assert [item["describedObject"]["name"] for item in found["items"]] == ["a"]
    old = (await api.request("GET", f"{CUSTOM.replace('v1beta2', 'v1beta1')}/pods/b/rps")).body
    assert old["items"][0]["metricName"] == "rps"
    assert (await api.request("GET", f"{CUSTOM}/pods/none/rps")).code == 404
    found = (await api.request("GET", f"{EXTERNAL}/depth?labelSelector=queue in (y)")).body
    assert [item["metricLabels"]["queue"] for item in found["items"]] == ["y"]
    listed = (await api.request("GET", "/apis/custom.metrics.k8s.io/v1beta2")).body
    assert [resource["name"] for resource in listed["resources"]] == ["pods/rps"]
