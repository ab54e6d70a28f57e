"""The four kinds of patches, and managedFields."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.apiserver.store import Store
from tests.contract.apiserver.objects import CONFIG_MAPS, DEPLOYMENTS, config_map, deployment
from tests.contract.conftest import Answer, ApiServer

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
WEB = f"{DEPLOYMENTS}/web"
MAP = f"{CONFIG_MAPS}/settings"
Object = dict[str, Any]


def managers(obj: Object) -> dict[tuple[str, str], Object]:
    return {
        (e["manager"], e["operation"] + e.get("subresource", "")): e["fieldsV1"]
        for e in obj["metadata"]["managedFields"]
    }


async def apply(api: ApiServer, path: str, body: Object, manager: str, query: str = "") -> Answer:
    return await api.request("PATCH", f"{path}?fieldManager={manager}{query}", body, media=APPLY)


async def test_json_patch(api: ApiServer) -> None:
    api.seed(config_map(a="1", b="2"))
    steps = [
        {"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "9"},
        {"op": "move", "from": "/data/b", "path": "/data/c"}, {"op": "copy", "from": "/data/c", "path": "/data/d"},
        {"op": "add", "path": "/metadata/labels", "value": {"x~/y": "z"}},
        {"op": "remove", "path": "/metadata/labels/x~0~1y"},
    ]  # fmt: skip
    answer = await api.request("PATCH", MAP, steps, media=JSON)
    assert answer.body["data"] == {"a": "9", "c": "2", "d": "2"}
    for wrong in ({"op": "test", "path": "/data/a", "value": "1"}, {"op": "remove", "path": "/data/none"},
                  {"op": "replace", "path": "/none/none", "value": 1}):  # fmt: skip
        answer = await api.request("PATCH", MAP, [wrong], media=JSON)
        assert (answer.code, answer.body["reason"]) == (422, "Invalid")
    for broken in ({"op": "add"}, {"op": "fly", "path": "/a"}, {"op": "add", "path": "a", "value": 1}, 7):
        assert (await api.request("PATCH", MAP, [broken], media=JSON)).code == 400


async def test_merge_patch(api: ApiServer) -> None:
    api.seed(config_map(a="1", b="2"))
    answer = await api.request("PATCH", MAP, {"data": {"a": None, "c": "3"}}, media=MERGE)
    assert answer.body["data"] == {"b": "2", "c": "3"}


async def test_strategic_patches_join_lists_by_their_key(api: ApiServer) -> None:
    api.seed(deployment())
    change: Object = {"spec": {"template": {"spec": {"containers": [
        {"name": "web", "image": "nginx:2"}, {"name": "side", "image": "side:1"}]}}}}  # fmt: skip
    spec = (await api.request("PATCH", WEB, change, media=STRATEGIC)).body["spec"]["template"]["spec"]
    assert [c["image"] for c in spec["containers"]] == ["nginx:2", "side:1"]
    assert spec["containers"][0]["resources"] == {"requests": {"cpu": "100m"}}, "what the patch leaves out stays"
    change = {"spec": {"template": {"spec": {
        "containers": [{"$patch": "delete", "name": "side"}],
        "$setElementOrder/containers": [{"name": "web"}]}}}}  # fmt: skip
    spec = (await api.request("PATCH", WEB, change, media=STRATEGIC)).body["spec"]["template"]["spec"]
    assert [c["name"] for c in spec["containers"]] == ["web"]
    change = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    strategy = (await api.request("PATCH", WEB, change, media=STRATEGIC)).body["spec"]["strategy"]
    assert strategy == {"type": "Recreate"}


async def test_two_managers_own_their_fields(api: ApiServer) -> None:
    made = await apply(api, MAP, {**config_map(a="1", b="2")}, "one")
    assert made.code == 201
    assert managers(made.body) == {("one", "Apply"): {"f:data": {"f:a": {}, "f:b": {}}}}
    both = await apply(api, MAP, config_map(c="3"), "two")
    assert both.body["data"] == {"a": "1", "b": "2", "c": "3"}
    fewer = await apply(api, MAP, config_map(a="1"), "one")
    assert fewer.body["data"] == {"a": "1", "c": "3"}, "what an applier no longer lists goes"
    shared = await apply(api, MAP, config_map(a="1", c="3"), "two")
    assert shared.code == 200, "the same value is no conflict"
    left = await apply(api, MAP, config_map(), "one")
    assert left.body["data"] == {"a": "1", "c": "3"}, "what somebody else owns as well stays"


async def test_conflicts_name_manager_and_field(api: ApiServer) -> None:
    await apply(api, WEB, deployment(), "one")
    version = api.store.version
    refused = await apply(api, WEB, deployment(replicas=5), "two")
    assert (refused.code, refused.body["reason"]) == (409, "Conflict")
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "one": .spec.replicas'
    assert refused.body["details"]["causes"][0]["field"] == ".spec.replicas"
    assert api.store.version == version
    forced = await apply(api, WEB, deployment(replicas=5), "two", "&force=true")
    assert forced.body["spec"]["replicas"] == 5
    assert "f:replicas" not in managers(forced.body)["one", "Apply"]["f:spec"]


async def test_applying_the_same_again_writes_nothing(api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    await apply(api, WEB, deployment(), "one")
    version = api.store.version
    monkeypatch.setattr(Store, "now", lambda self: "2030-01-01T00:00:00Z")
    assert (await apply(api, WEB, deployment(), "one")).code == 200
    assert api.store.version == version


async def test_an_applier_that_drops_a_container_removes_it(api: ApiServer) -> None:
    body = deployment()
    side = {"name": "side", "image": "side:1", "ports": [{"containerPort": 81}]}
    body["spec"]["template"]["spec"]["containers"].append(side)
    made = await apply(api, WEB, body, "one")
    assert len(made.body["spec"]["template"]["spec"]["containers"]) == 2
    fewer = await apply(api, WEB, deployment(), "one")
    assert [c["name"] for c in fewer.body["spec"]["template"]["spec"]["containers"]] == ["web"]


async def test_apply_needs_a_manager(api: ApiServer) -> None:
    answer = await api.request("PATCH", MAP, config_map(), media=APPLY)
    assert answer.code == 422
    assert "fieldManager: Required value: is required for apply patch" in answer.body["message"]
    answer = await api.request("PATCH", f"{MAP}?force=true", {"data": {}}, media=MERGE)
    assert answer.code == 422, "only apply can be forced"


async def test_scale_and_plain_updates_take_fields_over(api: ApiServer) -> None:
    await apply(api, WEB, deployment(), "gitops")
    scale = (await api.request("GET", f"{WEB}/scale")).body
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
    body = {**scale, "spec": {"replicas": 4}}
    answer = await api.request("PUT", f"{WEB}/scale?fieldManager=kube-controller-manager", body)
    assert answer.body["spec"]["replicas"] == 4
    owners = managers((await api.request("GET", WEB)).body)
    assert owners["kube-controller-manager", "Updatescale"] == {"f:spec": {"f:replicas": {}}}
    assert "f:replicas" not in owners["gitops", "Apply"]["f:spec"]
    stale = await api.request("PUT", f"{WEB}/scale", body)
    assert (stale.code, stale.body["reason"]) == (409, "Conflict")
    wrong = await api.request("PATCH", f"{WEB}/scale", {"spec": {"replicas": -1}}, media=MERGE)
    assert wrong.code == 422
    assert wrong.body["message"].startswith('Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1')
