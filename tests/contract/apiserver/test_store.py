"""The store: versions, generations, deletion with grace and finalizers, owners, namespaces."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.clock import ManualClock
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.apiserver.store import Store
from tests.contract.apiserver.objects import config_map, deployment, hpa, pod

PODS = RESOURCES["", "pods"]
MAPS = RESOURCES["", "configmaps"]
DEPLOYMENTS = RESOURCES["apps", "deployments"]
NAMESPACES = RESOURCES["", "namespaces"]
Object = dict[str, Any]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> Store:
    made = Store(clock)
    for name in ("default", "shop"):
        made.create(NAMESPACES, {"metadata": {"name": name}})
    return made


def owned(name: str, owner: Object, *, block: bool = True) -> Object:
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"],
                 "uid": owner["metadata"]["uid"], "blockOwnerDeletion": block}  # fmt: skip
    made = config_map(name)
    made["metadata"]["ownerReferences"] = [reference]
    return made


def names(store: Store) -> list[str]:
    return [obj["metadata"]["name"] for obj in store.list(MAPS, "shop")[0]]


def test_a_stale_version_conflicts_and_loses_nothing(store: Store) -> None:
    first = store.create(MAPS, config_map(a="1"))
    second = store.update(MAPS, {**first, "data": {"a": "2"}})
    with pytest.raises(StatusError) as refused:
        store.update(MAPS, {**first, "data": {"a": "3"}})
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")
    assert refused.value.message == (
        'Operation cannot be fulfilled on configmaps "settings": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert store.get(MAPS, "shop", "settings") is second


def test_a_write_of_the_same_is_no_write(store: Store) -> None:
    made = store.create(DEPLOYMENTS, deployment())
    seen: list[str] = []
    store.add_listener(DEPLOYMENTS, lambda type_, obj, old: seen.append(type_))
    assert store.update(DEPLOYMENTS, {**made, "spec": dict(made["spec"])}) is made
    assert seen == []


def test_generation_follows_the_spec_and_not_the_status(store: Store) -> None:
    made = store.create(DEPLOYMENTS, deployment())
    assert made["metadata"]["generation"] == 1
    with_status = store.update(DEPLOYMENTS, {**made, "status": {"replicas": 2}}, subresource="status")
    assert with_status["metadata"]["generation"] == 1
    scaled = store.update(DEPLOYMENTS, {**with_status, "spec": {**made["spec"], "replicas": 5}, "status": {}})
    assert scaled["metadata"]["generation"] == 2
    assert scaled["status"] == {"replicas": 2}, "status is written through its subresource only"


def test_a_running_pod_gets_its_grace_and_one_that_does_not_run_goes_at_once(store: Store, clock: ManualClock) -> None:
    store.create(PODS, pod("idle"))
    store.delete(PODS, "shop", "idle")
    store.create(PODS, pod("busy", node="node-1"))
    marked = store.delete(PODS, "shop", "busy")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert marked["metadata"]["deletionTimestamp"] == "2023-11-14T22:13:50Z"
    assert [obj["metadata"]["name"] for obj in store.list(PODS)[0]] == ["busy"]
    shorter = store.delete(PODS, "shop", "busy", grace=1)
    assert shorter["metadata"]["deletionGracePeriodSeconds"] == 1
    assert store.delete(PODS, "shop", "busy", grace=60) is shorter, "grace only gets shorter"
    store.delete(PODS, "shop", "busy", grace=0)
    assert store.list(PODS)[0] == []


def test_an_object_waits_for_its_finalizers(store: Store) -> None:
    made = config_map()
    made["metadata"]["finalizers"] = ["example.com/hold"]
    store.create(MAPS, made)
    marked = store.delete(MAPS, "shop", "settings")
    assert marked["metadata"]["deletionTimestamp"]
    meta = {key: value for key, value in marked["metadata"].items() if key != "finalizers"}
    store.update(MAPS, {**marked, "metadata": meta})
    assert names(store) == []


def test_dependents_follow_their_owner(store: Store) -> None:
    owner = store.create(MAPS, config_map("owner"))
    child = store.create(MAPS, owned("child", owner))
    store.create(MAPS, owned("grandchild", child))
    store.delete(MAPS, "shop", "owner", propagation="Background")
    assert names(store) == []


def test_a_dependent_of_two_owners_stays_with_the_other(store: Store) -> None:
    one, two = store.create(MAPS, config_map("one")), store.create(MAPS, config_map("two"))
    both = owned("both", one)
    both["metadata"]["ownerReferences"] += owned("x", two)["metadata"]["ownerReferences"]
    store.create(MAPS, both)
    store.delete(MAPS, "shop", "one")
    left = store.get(MAPS, "shop", "both")
    assert [owner["name"] for owner in left["metadata"]["ownerReferences"]] == ["two"]


def test_orphans_stay(store: Store) -> None:
    owner = store.create(MAPS, config_map("owner"))
    store.create(MAPS, owned("child", owner))
    store.delete(MAPS, "shop", "owner", propagation="Orphan")
    assert names(store) == ["child"]
    assert "ownerReferences" not in store.get(MAPS, "shop", "child")["metadata"]


def test_foreground_deletion_ends_with_the_owner(store: Store) -> None:
    owner = store.create(MAPS, config_map("owner"))
    child = owned("child", owner)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    store.create(MAPS, child)
    store.delete(MAPS, "shop", "owner", propagation="Foreground")
    assert store.get(MAPS, "shop", "owner")["metadata"]["finalizers"] == ["foregroundDeletion"]
    held = store.get(MAPS, "shop", "child")
    store.update(MAPS, {**held, "metadata": {k: v for k, v in held["metadata"].items() if k != "finalizers"}})
    assert names(store) == []


def test_a_namespace_goes_with_its_content(store: Store) -> None:
    store.create(MAPS, config_map())
    store.create(PODS, pod("busy", node="node-1"))
    store.delete(NAMESPACES, None, "shop")
    assert store.get(NAMESPACES, None, "shop")["status"]["phase"] == "Terminating"
    with pytest.raises(StatusError, match="because it is being terminated") as refused:
        store.create(MAPS, config_map("late"))
    assert refused.value.code == 403
    store.delete(PODS, "shop", "busy", grace=0)
    with pytest.raises(StatusError, match='namespaces "shop" not found'):
        store.get(NAMESPACES, None, "shop")


def test_defaults_are_filled_in_and_quantities_made_canonical(store: Store) -> None:
    spec: Object = {"metrics": [{"type": "Pods", "pods": {"metric": {"name": "rps"},
                         "target": {"type": "AverageValue", "averageValue": "0.5"}}}], "behavior": {"scaleDown": {}},
            "minReplicas": None}  # fmt: skip
    made = store.create(RESOURCES["autoscaling", "horizontalpodautoscalers"], hpa(**spec))
    assert made["spec"]["minReplicas"] == 1
    assert made["spec"]["metrics"][0]["pods"]["target"]["averageValue"] == "500m"
    assert made["spec"]["behavior"]["scaleUp"]["policies"][0] == {"type": "Pods", "value": 4, "periodSeconds": 15}
    assert made["spec"]["behavior"]["scaleDown"]["selectPolicy"] == "Max"
    bare = store.create(DEPLOYMENTS, deployment())["spec"]
    assert bare["strategy"]["rollingUpdate"] == {"maxUnavailable": "25%", "maxSurge": "25%"}
    assert bare["template"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    limited = pod()
    limited["spec"]["containers"][0]["resources"] = {"limits": {"cpu": 0.5, "memory": "1Gi"}}
    made = store.create(PODS, limited)
    assert made["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert made["status"] == {"phase": "Pending", "qosClass": "Guaranteed"}


async def test_a_watcher_that_falls_behind_is_told_so(store: Store) -> None:
    store.log(MAPS)._kept = 5
    store.create(MAPS, config_map())
    watcher = store.watch(MAPS, since_rv=store.version)
    for value in range(7):
        store.modify(MAPS, "shop", "settings", lambda obj, value=value: {**obj, "data": {"a": str(value)}})  # type: ignore[misc]  # a default binds the loop's value
    with pytest.raises(StatusError) as refused:
        await watcher.batch(0)
    assert refused.value.code == 410
