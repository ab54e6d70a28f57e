"""Validation: 422 with Kubernetes' field errors as causes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.apiserver.objects import CONFIG_MAPS, DEPLOYMENTS, HPAS, PODS, config_map, deployment, hpa, pod
from tests.contract.conftest import ApiServer

CPU = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 30}}


async def causes(api: ApiServer, path: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    answer = await api.request("POST", path, body)
    assert (answer.code, answer.body["reason"]) == (422, "Invalid"), answer.body
    found = answer.body["details"]["causes"]
    assert all(cause["field"] in answer.body["message"] for cause in found)
    return [(cause["field"], cause["message"]) for cause in found]


@pytest.mark.parametrize(
    ("spec", "field", "text"),
    [
        ({"maxReplicas": 0}, "spec.maxReplicas", "Required value: must be set and greater than 0"),
        ({"minReplicas": 5}, "spec.maxReplicas", "Invalid value: 3: must be greater than or equal to `minReplicas`"),
        ({"minReplicas": 0}, "spec.minReplicas", "Invalid value: 0: must be greater than or equal to 1"),
        ({"scaleTargetRef": {"kind": "Deployment"}}, "spec.scaleTargetRef.name", "Required value"),
        ({"metrics": [{"type": "Magic"}]}, "spec.metrics[0].type", 'Unsupported value: "Magic": supported values: '
         '"ContainerResource", "External", "Object", "Pods", "Resource"'),
        ({"metrics": [{"type": "Resource"}]}, "spec.metrics[0].resource",
         "Required value: must populate information for the given metric source"),
        ({"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]},
         "spec.metrics[0].resource.target.averageUtilization",
         "Required value: must set either a target raw value or a target utilization"),
        ({"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
          "averageUtilization": -3}}}]}, "spec.metrics[0].resource.target.averageUtilization",
         "Invalid value: -3: must be greater than 0"),
        ({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 4000}}},
         "spec.behavior.scaleDown.stabilizationWindowSeconds",
         "Invalid value: 4000: must be less than or equal to 3600"),
        ({"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 2000}]}}},
         "spec.behavior.scaleUp.policies[0].periodSeconds", "Invalid value: 2000: must be less than or equal to 1800"),
    ],
)  # fmt: skip
async def test_autoscalers(api: ApiServer, spec: dict[str, Any], field: str, text: str) -> None:
    assert (field, text) in await causes(api, HPAS, hpa(**spec))


async def test_a_list_of_errors_reads_as_kubernetes_writes_it(api: ApiServer) -> None:
    answer = await api.request("POST", HPAS, hpa(maxReplicas=0, minReplicas=0))
    assert answer.body["message"] == (
        'HorizontalPodAutoscaler.autoscaling "web" is invalid: [spec.minReplicas: Invalid value: 0: must be greater '
        "than or equal to 1, spec.maxReplicas: Required value: must be set and greater than 0]"
    )
    assert answer.body["details"]["kind"] == "HorizontalPodAutoscaler"


async def test_zero_replicas_are_allowed_with_an_external_metric(api: ApiServer) -> None:
    queue = {"metric": {"name": "q"}, "target": {"type": "AverageValue", "averageValue": "5"}}
    answer = await api.request("POST", HPAS, hpa(minReplicas=0, metrics=[{"type": "External", "external": queue}]))
    assert answer.code == 201


async def test_workloads(api: ApiServer) -> None:
    body = deployment("web")
    body["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    found = await causes(api, DEPLOYMENTS, body)
    text = 'Invalid value: {"app":"other"}: `selector` does not match template `labels`'
    assert ("spec.template.metadata.labels", text) in found
    body = deployment("web", replicas=-1)
    body["spec"]["template"]["spec"]["containers"] = []
    found = await causes(api, DEPLOYMENTS, body)
    assert ("spec.replicas", "Invalid value: -1: must be greater than or equal to 0") in found
    assert ("spec.template.spec.containers", "Required value") in found
    assert (await api.request("POST", DEPLOYMENTS, deployment("web"))).code == 201
    patch = {
        "spec": {"selector": {"matchLabels": {"app": "new"}}, "template": {"metadata": {"labels": {"app": "new"}}}}
    }
    answer = await api.request("PATCH", f"{DEPLOYMENTS}/web", patch, media="application/merge-patch+json")
    assert answer.code == 422
    assert "spec.selector: Invalid value" in answer.body["message"]
    assert "field is immutable" in answer.body["message"]


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "dot.", "a" * 254, "a b", "ü", ""])
async def test_names_that_are_no_dns_names(api: ApiServer, name: str) -> None:
    fields = [field for field, _ in await causes(api, CONFIG_MAPS, config_map(name))]
    assert fields == ["metadata.name"] or fields == ["metadata.name"] * 2


async def test_labels(api: ApiServer) -> None:
    body = config_map()
    body["metadata"]["labels"] = {"ok": "not ok!", "bad key": "x"}
    assert [field for field, _ in await causes(api, CONFIG_MAPS, body)] == ["metadata.labels", "metadata.labels"]


async def test_requests_above_limits_and_fields_of_pods_that_never_change(api: ApiServer) -> None:
    body = pod()
    body["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}
    field = "spec.containers[0].resources.requests"
    assert (field, 'Invalid value: "2": must be less than or equal to cpu limit of 1') in await causes(api, PODS, body)
    assert (await api.request("POST", PODS, pod())).code == 201
    patch = {"spec": {"hostNetwork": True}}
    answer = await api.request("PATCH", f"{PODS}/web-1", patch, media="application/merge-patch+json")
    assert answer.code == 422
    assert "pod updates may not change fields other than" in answer.body["message"]


async def test_unknown_fields_are_refused_reported_or_dropped(api: ApiServer) -> None:
    body = hpa(minReplica=2)
    strict = await api.request("POST", f"{HPAS}?fieldValidation=Strict", body)
    assert strict.code == 400
    assert 'strict decoding error: unknown field "spec.minReplica"' in strict.body["message"]
    warned = await api.request("POST", f"{HPAS}?fieldValidation=Warn", body)
    assert warned.code == 201
    assert warned.headers["Warning"] == '299 - "unknown field \\"spec.minReplica\\""'
    assert "minReplica" not in warned.body["spec"]
    quiet = await api.request("PUT", f"{HPAS}/web?fieldValidation=Ignore", body)
    assert (quiet.code, "Warning" in quiet.headers) == (200, False)
