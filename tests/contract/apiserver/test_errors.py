"""Bad input: the Status answers of Kubernetes, never a 500, never a lost write."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.apiserver.objects import CONFIG_MAPS, DEPLOYMENTS, HPAS, PODS, config_map, deployment, hpa, pod
from tests.contract.conftest import ApiServer

Object = dict[str, Any]


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api/v2/pods", "/apis/apps/v1beta1/deployments", "/api/v1/namespaces/shop/gadgets",
     "/apis/apps/v1/deployments/web", f"{PODS}/a/b/c", f"{PODS}/a/nonsense", "/apis/nothing.example.com/v1",
     "/apis/metrics.k8s.io/v1beta1/nodes", "/openapi/v9", "/api/v1/namespaces/shop/nodes", "/apis//v1/x"],
)  # fmt: skip
async def test_unknown_paths(api: ApiServer, path: str) -> None:
    answer = await api.request("GET", path)
    assert (answer.code, answer.body["kind"], answer.body["reason"]) == (404, "Status", "NotFound")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", f"{PODS}/a"), ("PUT", PODS), ("PATCH", PODS), ("POST", "/api/v1/pods"), ("POST", "/apis"),
     ("DELETE", "/api/v1/namespaces"), ("OPTIONS", PODS), ("TRACE", PODS), ("DELETE", f"{PODS}/a/status"),
     ("POST", f"{DEPLOYMENTS}/web/scale"), ("PUT", f"{PODS}/a/log"),
     ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")],
)  # fmt: skip
async def test_verbs_that_a_path_does_not_take(api: ApiServer, method: str, path: str) -> None:
    body: Object | None = {} if method in ("POST", "PUT", "PATCH") else None
    answer = await api.request(method, path, body)
    assert (answer.code, answer.body["reason"]) == (405, "MethodNotAllowed")


async def test_media_types(api: ApiServer) -> None:
    wrong = await api.request("POST", CONFIG_MAPS, media="text/plain", data=b"{}")
    assert (wrong.code, wrong.body["reason"]) == (415, "UnsupportedMediaType")
    wrong = await api.request("PATCH", f"{CONFIG_MAPS}/a", media="application/json", data=b"{}")
    assert wrong.code == 415
    custom = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/a"
    wrong = await api.request("PATCH", custom, media="application/strategic-merge-patch+json", data=b"{}")
    assert wrong.code == 415, "custom resources have no strategic patches"
    wrong = await api.request("GET", CONFIG_MAPS, accept="text/html")
    assert (wrong.code, wrong.body["reason"]) == (406, "NotAcceptable")
    yaml = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-yaml}\ndata: {when: 2026-01-01}\n"
    made = await api.request("POST", CONFIG_MAPS, media="application/yaml", data=yaml)
    assert (made.code, made.body["data"]) == (201, {"when": "2026-01-01"})


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"7", b'"text"', b"\xff\xfe", b"[" * 5000, b'{"metadata": []}',
     b'{"metadata": {"name": 7}}',
     b'{"metadata":{"name":"a","labels":[]}}', b'{"metadata":{"name":"a"},"data":{"a":1}}',
     b'{"metadata":{"name":"a"},"data":' + b'{"a":' * 900 + b"1" + b"}" * 901,
     b"k8s\0\x0a", b'{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}',
     b'{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"a"}}',
     b'{"metadata":{"name":"a","namespace":"default"}}', b'{"metadata":{"name":"a","resourceVersion":"7"}}',
     b'{"metadata":{"name":"a","ownerReferences":[7]}}'],
)  # fmt: skip
async def test_broken_bodies(api: ApiServer, data: bytes) -> None:
    for media in ("application/json", "application/yaml"):
        answer = await api.request("POST", CONFIG_MAPS, media=media, data=data)
        assert (answer.code, answer.body["status"], answer.body["reason"]) == (400, "Failure", "BadRequest"), media
    answer = await api.request("POST", CONFIG_MAPS, media="application/vnd.kubernetes.protobuf", data=data)
    assert answer.code == 400
    for media in ("application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"):
        answer = await api.request("PATCH", f"{CONFIG_MAPS}/a?fieldManager=me", media=media, data=data)
        assert answer.code in (400, 404, 409), (media, answer.body)
    listed = (await api.request("GET", CONFIG_MAPS)).body["items"]
    assert listed == []


async def test_numbers_and_types_of_fields(api: ApiServer) -> None:
    for change, expected in (
        (
            {"replicas": "three"},
            "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        ({"replicas": 2**31}, "cannot unmarshal number 2147483648 into Go struct field"),
        ({"template": []}, "cannot unmarshal array into Go struct field"),
        ({"paused": "yes"}, "of type bool"),
    ):
        body: Object = deployment()
        body["spec"].update(change)
        answer = await api.request("POST", DEPLOYMENTS, body)
        assert (answer.code, answer.body["reason"]) == (400, "BadRequest")
        assert expected in answer.body["message"]
    wrong = hpa(metrics=[{"type": "Pods", "pods": {"metric": {"name": "x"}, "target": {"averageValue": "1 apple"}}}])
    answer = await api.request("POST", HPAS, wrong)
    assert answer.code == 400
    assert "quantities must match the regular expression" in answer.body["message"]


async def test_too_large(api: ApiServer) -> None:
    answer = await api.request("POST", CONFIG_MAPS, config_map("a", text="x" * (3 * 1024 * 1024)))
    assert (answer.code, answer.body["reason"]) == (413, "RequestEntityTooLarge")
    patch = b"[" + b",".join([b'{"op":"test","path":"/data","value":1}'] * 10_001) + b"]"
    api.seed(config_map())
    answer = await api.request("PATCH", f"{CONFIG_MAPS}/settings", media="application/json-patch+json", data=patch)
    assert answer.code == 413


async def test_conflicts(api: ApiServer) -> None:
    made = (await api.request("POST", CONFIG_MAPS, config_map(a="1"))).body
    again = await api.request("POST", CONFIG_MAPS, config_map())
    assert (again.code, again.body["reason"]) == (409, "AlreadyExists")
    assert again.body["message"] == 'configmaps "settings" already exists'
    assert (await api.request("PUT", f"{CONFIG_MAPS}/settings", {**made, "data": {"a": "2"}})).code == 200
    stale = await api.request("PUT", f"{CONFIG_MAPS}/settings", {**made, "data": {"a": "3"}})
    assert (stale.code, stale.body["reason"]) == (409, "Conflict")
    patch = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"a": "4"}}
    stale = await api.request("PATCH", f"{CONFIG_MAPS}/settings", patch, media="application/merge-patch+json")
    assert (stale.code, stale.body["reason"]) == (409, "Conflict")
    other = {"preconditions": {"uid": "another"}}
    stale = await api.request("DELETE", f"{CONFIG_MAPS}/settings", other)
    assert (stale.code, stale.body["reason"]) == (409, "Conflict")
    assert (await api.request("GET", f"{CONFIG_MAPS}/settings")).body["data"] == {"a": "2"}


async def test_names_that_do_not_match_the_path(api: ApiServer) -> None:
    answer = await api.request("PUT", f"{CONFIG_MAPS}/other", config_map())
    assert answer.code == 400
    assert answer.body["message"] == "the name of the object (settings) does not match the name on the URL (other)"
    missing = await api.request("PUT", f"{CONFIG_MAPS}/settings", config_map())
    assert (missing.code, missing.body["message"]) == (404, 'configmaps "settings" not found')
    lost = await api.request("POST", CONFIG_MAPS.replace("shop", "gone"), {"metadata": {"name": "a"}})
    assert (lost.code, lost.body["message"]) == (404, 'namespaces "gone" not found')


async def test_options_that_make_no_sense(api: ApiServer) -> None:
    api.seed(config_map())
    for path in (f"{CONFIG_MAPS}/settings?dryRun=maybe", f"{CONFIG_MAPS}/settings?propagationPolicy=Sideways"):
        answer = await api.request("DELETE", path)
        assert (answer.code, answer.body["reason"]) == (422, "Invalid"), path
    answer = await api.request("DELETE", f"{CONFIG_MAPS}/settings?gracePeriodSeconds=soon")
    assert answer.code == 400
    assert (await api.request("GET", f"{CONFIG_MAPS}?limit=many")).code == 400
    assert (await api.request("GET", f"{CONFIG_MAPS}?watch=1&timeoutSeconds=x")).code == 400


async def test_a_dry_run_changes_nothing(api: ApiServer) -> None:
    version = api.store.version
    made = await api.request("POST", f"{CONFIG_MAPS}?dryRun=All", config_map())
    assert (made.code, bool(made.body["metadata"]["uid"])) == (201, True)
    api.seed(pod(node="n1"))
    assert (await api.request("DELETE", f"{PODS}/web-1?dryRun=All")).code == 200
    patch = {"metadata": {"labels": {"a": "b"}}}
    path = f"{PODS}/web-1?dryRun=All"
    shown = await api.request("PATCH", path, patch, media="application/merge-patch+json")
    assert shown.body["metadata"]["labels"]["a"] == "b"
    assert api.store.version == version + 1, "only the pod was written"


async def test_pods_of_a_shape_that_no_table_expects_are_refused_before_they_are_stored(api: ApiServer) -> None:
    for spec in ({"containers": "none"}, {"containers": [7]}, {"containers": [{"name": "a", "ports": {}}]}):
        body = {"metadata": {"name": "odd"}, "spec": spec}
        assert (await api.request("POST", PODS, body)).code == 400, spec
