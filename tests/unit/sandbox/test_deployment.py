"""Deployments and ReplicaSets: pods come, roll, resize and go as in Kubernetes."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld

Object = dict[str, Any]


def _deploy(world: TestWorld, replicas: int = 3, **spec: Any) -> None:
    world.apply(b.deployment(SPACE, "web", replicas=replicas, needs=b.resources("100m", "64Mi"), **spec))


def _roll(world: TestWorld, image: str = "other:2") -> None:
    template = copy.deepcopy(world.get("apps", "deployments", "web")["spec"]["template"])
    template["spec"]["containers"][0]["image"] = image
    world.change("apps", "deployments", "web", template=template)


def _counts(world: TestWorld) -> tuple[int, int, int, int]:
    status = world.get("apps", "deployments", "web")["status"]
    names = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return tuple(status.get(name, 0) for name in names)


def test_pods_come_up_and_the_status_says_so() -> None:
    world = TestWorld()
    _deploy(world)
    assert _counts(world) == (3, 3, 0, 0)
    world.advance(5.0)
    assert _counts(world) == (3, 3, 3, 3)
    deployment = world.get("apps", "deployments", "web")
    assert deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"]
    assert deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert world.condition(deployment, "Available")["reason"] == "MinimumReplicasAvailable"
    assert world.condition(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"
    (name,) = [rs["metadata"]["name"] for rs in world.all("apps", "replicasets")]
    assert world.events("ScalingReplicaSet") == [f"Scaled up replica set {name} from 0 to 3"]
    assert len(world.events("SuccessfulCreate")) == 3


def test_nothing_happens_when_nothing_changes() -> None:
    world = TestWorld()
    _deploy(world)
    world.advance(30.0)
    done = world.cluster.engine.done
    world.advance(30.0)
    assert world.cluster.engine.done == done


def test_a_resize_goes_to_the_replica_set() -> None:
    world = TestWorld()
    _deploy(world)
    world.advance(5.0)
    world.change("apps", "deployments", "web", replicas=5)
    world.advance(5.0)
    assert _counts(world) == (5, 5, 5, 5)
    world.change("apps", "deployments", "web", replicas=1)
    world.advance(5.0)
    assert _counts(world) == (1, 1, 1, 1)
    deployment = world.get("apps", "deployments", "web")
    assert world.condition(deployment, "Progressing")["reason"] == "NewReplicaSetAvailable"


@pytest.mark.parametrize(("surge", "unavailable"), [(1, 0), (0, 1), ("25%", "25%"), ("100%", 0)])
def test_a_roll_out_keeps_its_bounds(surge: int | str, unavailable: int | str) -> None:
    world = TestWorld()
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    _deploy(world, replicas=4, strategy={"type": "RollingUpdate", "rollingUpdate": rolling})
    world.advance(5.0)
    most = 4 + {"25%": 1, "100%": 4}.get(str(surge), surge if isinstance(surge, int) else 0)
    least = 4 - (1 if unavailable else 0)
    _roll(world)
    for _ in range(240):
        world.advance(0.25)
        assert len(world.pods()) <= most
        assert world.ready() >= least
    assert _counts(world) == (4, 4, 4, 4)
    images = {pod["spec"]["containers"][0]["image"] for pod in world.pods()}
    assert images == {"other:2"}
    assert (
        world.get("apps", "deployments", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    )


def test_recreate_stops_all_before_it_starts_any() -> None:
    world = TestWorld()
    _deploy(world, strategy={"type": "Recreate"})
    world.advance(5.0)
    _roll(world)
    for _ in range(60):
        world.advance(0.25)
        assert len({pod["spec"]["containers"][0]["image"] for pod in world.pods()}) <= 1
    assert _counts(world) == (3, 3, 3, 3)


def test_a_resize_in_the_middle_of_a_roll_out_is_spread() -> None:
    world = TestWorld()
    _deploy(world, replicas=10)
    world.advance(5.0)
    _roll(world)
    world.change("apps", "deployments", "web", replicas=20)
    sizes = sorted(rs["spec"]["replicas"] for rs in world.all("apps", "replicasets"))
    assert sum(sizes) == 25
    assert sizes[0] > 3
    world.advance(40.0)
    assert _counts(world) == (20, 20, 20, 20)


def test_an_old_template_comes_back_with_a_new_revision() -> None:
    world = TestWorld()
    _deploy(world)
    world.advance(5.0)
    before = world.get("apps", "deployments", "web")["spec"]["template"]
    _roll(world)
    world.advance(30.0)
    world.change("apps", "deployments", "web", template=before)
    world.advance(30.0)
    assert len(world.all("apps", "replicasets")) == 2
    assert (
        world.get("apps", "deployments", "web")["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"
    )
    assert _counts(world) == (3, 3, 3, 3)


def test_history_is_cut() -> None:
    world = TestWorld()
    _deploy(world, replicas=1, revisionHistoryLimit=1)
    for version in range(4):
        world.advance(20.0)
        _roll(world, f"other:{version}")
    world.advance(20.0)
    assert len(world.all("apps", "replicasets")) == 2


def test_pods_count_as_available_after_min_ready_seconds() -> None:
    world = TestWorld()
    _deploy(world, minReadySeconds=20)
    world.advance(10.0)
    assert _counts(world) == (3, 3, 3, 0)
    world.advance(20.0)
    assert _counts(world) == (3, 3, 3, 3)


def test_a_roll_out_that_gets_nowhere_times_out() -> None:
    world = TestWorld()
    _deploy(world, replicas=1, progressDeadlineSeconds=60)
    world.advance(5.0)
    template = copy.deepcopy(world.get("apps", "deployments", "web")["spec"]["template"])
    template["metadata"]["annotations"] = {f"{b.PREFIX}profile": "broken-image"}
    world.change("apps", "deployments", "web", template=template)
    world.advance(50.0)
    progressing = world.condition(world.get("apps", "deployments", "web"), "Progressing")
    assert (progressing["status"], progressing["reason"]) == ("True", "ReplicaSetUpdated")
    world.advance(30.0)
    progressing = world.condition(world.get("apps", "deployments", "web"), "Progressing")
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")
    assert world.ready() == 1


def test_a_paused_deployment_does_not_roll_but_resizes() -> None:
    world = TestWorld()
    _deploy(world)
    world.advance(5.0)
    world.change("apps", "deployments", "web", paused=True)
    _roll(world)
    world.change("apps", "deployments", "web", replicas=4)
    world.advance(10.0)
    assert len(world.all("apps", "replicasets")) == 1
    assert len(world.pods()) == 4
    world.change("apps", "deployments", "web", paused=False)
    world.advance(30.0)
    assert _counts(world) == (4, 4, 4, 4)
    assert len(world.all("apps", "replicasets")) == 2


def test_a_deleted_pod_is_replaced() -> None:
    world = TestWorld()
    _deploy(world)
    world.advance(5.0)
    victim = world.pods()[0]["metadata"]["name"]
    world.cluster.store.delete(RESOURCES["", "pods"], SPACE, victim)
    world.advance(10.0)
    assert len(world.pods()) == 3
    assert not world.exists("", "pods", victim)


def test_an_orphaned_replica_set_is_adopted() -> None:
    world = TestWorld()
    _deploy(world)
    world.advance(5.0)
    pods = {pod["metadata"]["name"] for pod in world.pods()}
    world.cluster.store.delete(world.resource("apps", "deployments"), SPACE, "web", propagation="Orphan")
    world.advance(5.0)
    assert not world.exists("apps", "deployments", "web")
    _deploy(world)
    world.advance(5.0)
    assert len(world.all("apps", "replicasets")) == 1
    assert {pod["metadata"]["name"] for pod in world.pods()} == pods
    assert _counts(world) == (3, 3, 3, 3)


def test_a_taken_name_gets_another_hash() -> None:
    world = TestWorld()
    manifest = b.deployment(SPACE, "web", needs=b.resources("100m", "64Mi"))
    _deploy(world, replicas=1)
    world.advance(5.0)
    name = world.all("apps", "replicasets")[0]["metadata"]["name"]
    world.cluster.store.delete(world.resource("apps", "deployments"), SPACE, "web")
    world.advance(5.0)
    foreign = {"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "no-such", "controller": True}
    meta = {"name": name, "namespace": SPACE, "ownerReferences": [foreign]}
    spec = {**manifest["spec"], "replicas": 0}
    spec = {key: spec[key] for key in ("replicas", "selector", "template")}
    world.apply({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": spec})
    _deploy(world, replicas=1)
    world.advance(10.0)
    assert len(world.all("apps", "replicasets")) == 2
    assert world.get("apps", "deployments", "web")["status"]["collisionCount"] == 1
    assert _counts(world) == (1, 1, 1, 1)
