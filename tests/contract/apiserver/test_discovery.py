"""Discovery in both forms, health, version, OpenAPI."""

from __future__ import annotations

from hpatui.sandbox.apiserver.resources import RESOURCES
from tests.contract.conftest import ApiServer

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


async def test_the_old_form(api: ApiServer) -> None:
    assert (await api.request("GET", "/api")).body["versions"] == ["v1"]
    groups = {group["name"]: group for group in (await api.request("GET", "/apis")).body["groups"]}
    assert groups["autoscaling"]["preferredVersion"]["version"] == "v2"
    assert [entry["version"] for entry in groups["autoscaling"]["versions"]] == ["v2", "v1", "v2beta2", "v2beta1"]
    assert (await api.request("GET", "/apis/autoscaling")).body == {
        "kind": "APIGroup", "apiVersion": "v1", **groups["autoscaling"]
    }  # fmt: skip
    resources = {entry["name"]: entry for entry in (await api.request("GET", "/apis/apps/v1")).body["resources"]}
    assert resources["deployments"]["shortNames"] == ["deploy"]
    assert resources["deployments/scale"]["group"] == "autoscaling"
    assert "pods/log" in {entry["name"] for entry in (await api.request("GET", "/api/v1")).body["resources"]}


async def test_the_aggregated_form_says_the_same(api: ApiServer) -> None:
    found = set()
    for path in ("/api", "/apis"):
        answer = await api.request("GET", path, accept=f"{AGGREGATED},application/json")
        assert answer.headers["Content-Type"] == AGGREGATED
        assert answer.body["kind"] == "APIGroupDiscoveryList"
        for group in answer.body["items"]:
            for version in group["versions"]:
                for resource in version["resources"]:
                    found.add((group["metadata"].get("name", ""), version["version"], resource["resource"]))
    served = {
        (resource.group, version, resource.plural)
        for resource in RESOURCES.values()
        for version in resource.versions
        if resource.group != "metrics.k8s.io"
    }
    assert found == served


async def test_a_client_that_cannot_read_it_gets_the_old_one(api: ApiServer) -> None:
    for accept in ("application/json", "*/*", f"application/json,{AGGREGATED}", ""):
        assert (await api.request("GET", "/apis", accept=accept)).body["kind"] == "APIGroupList"


async def test_health_and_version(api: ApiServer) -> None:
    for path in ("/healthz", "/readyz", "/livez"):
        assert (await api.request("GET", path)).body == "ok"
    assert (await api.request("GET", "/version")).body["gitVersion"] == "v1.37.1+hpatui-sandbox"


async def test_openapi_tells_kubectl_what_a_patch_takes(api: ApiServer) -> None:
    paths = (await api.request("GET", "/openapi/v3")).body["paths"]
    document = (await api.request("GET", paths["apis/autoscaling/v2"]["serverRelativeURL"])).body
    patch = document["paths"]["/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"]["kind"] == "HorizontalPodAutoscaler"
    assert {"dryRun", "fieldValidation"} <= {entry["name"] for entry in patch["parameters"]}
    schema = document["components"]["schemas"]["io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler"]
    assert schema["properties"]["spec"]["properties"]["maxReplicas"]["type"] == "integer"
