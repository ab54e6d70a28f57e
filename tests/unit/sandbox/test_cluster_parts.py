"""Scheduler, nodes, quotas, endpoints, jobs: what each must do for the autoscaler's world to be true."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld


def _deploy(world: TestWorld, replicas: int, cpu: str = "100m", **more: Any) -> None:
    world.apply(b.deployment(SPACE, "web", replicas=replicas, needs=b.resources(cpu, "64Mi"), **more))


def test_pods_without_room_wait_and_say_why() -> None:
    world = TestWorld(nodes=1, cpu="1")
    _deploy(world, 4, "400m")
    world.advance(5.0)
    pending = [pod for pod in world.pods() if pod["status"]["phase"] == "Pending"]
    assert (world.ready(), len(pending)) == (2, 2)
    condition = world.condition(pending[0], "PodScheduled")
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert condition["message"].startswith("0/1 nodes are available: 1 Insufficient cpu.")
    assert world.events("FailedScheduling") == [condition["message"]] * 2
    world.apply(b.node("node-9"))
    world.advance(5.0)
    assert world.ready() == 4


def test_room_that_comes_free_is_used() -> None:
    world = TestWorld(nodes=1, cpu="1")
    _deploy(world, 3, "400m")
    world.advance(5.0)
    ready = next(pod for pod in world.pods() if pod["status"]["phase"] == "Running")
    world.cluster.store.delete(RESOURCES["", "pods"], SPACE, ready["metadata"]["name"])
    world.advance(10.0)
    assert world.ready() == 2


def test_a_lost_node_takes_its_pods_with_it() -> None:
    world = TestWorld()
    _deploy(world, 4)
    world.advance(5.0)
    assert world.cluster.nodes.lose("node-1")
    world.advance(1.0)
    assert world.ready() == 2
    node = world.get("", "nodes", "node-1", "")
    assert world.condition(node, "Ready")["status"] == "Unknown"
    world.advance(20.0)
    assert world.ready() == 4
    assert {pod["spec"]["nodeName"] for pod in world.pods()} == {"node-2"}
    world.cluster.nodes.restore("node-1")
    assert world.condition(world.get("", "nodes", "node-1", ""), "Ready")["status"] == "True"
    assert not world.cluster.nodes.lose("no-such-node")


def test_a_quota_stops_the_replica_set() -> None:
    world = TestWorld()
    meta = {"name": "budget", "namespace": SPACE}
    hard = {"pods": "2", "requests.cpu": "1"}
    world.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}})
    _deploy(world, 3)
    world.advance(5.0)
    assert world.ready() == 2
    assert world.get("", "resourcequotas", "budget")["status"]["used"] == {"pods": "2", "requests.cpu": "200m"}
    text = "is forbidden: exceeded quota: budget, requested: pods=1, used: pods=2, limited: pods=2"
    assert all(text in message for message in world.events("FailedCreate"))
    failure = world.condition(world.get("apps", "deployments", "web"), "ReplicaFailure")
    assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
    world.change("", "resourcequotas", "budget", hard={"pods": "5"})
    world.advance(10.0)
    assert world.ready() == 3
    assert world.condition(world.get("apps", "deployments", "web"), "ReplicaFailure") == {"status": ""}


def test_a_quota_counts_sidecars_and_the_largest_init_container() -> None:
    world = TestWorld()
    meta = {"name": "budget", "namespace": SPACE}
    hard = {"requests.cpu": "1", "limits.memory": "1Gi"}
    world.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}})

    def container(name: str, cpu: str, memory: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "image": "web", "resources": b.resources(cpu, memory), **more}

    def pod(name: str, **spec: Any) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": SPACE}, "spec": spec}

    sidecar = container("proxy", "100m", "64Mi", restartPolicy="Always")
    world.apply(pod("a", containers=[container("web", "100m", "64Mi")], initContainers=[sidecar]))
    world.apply(
        pod("b", containers=[container("web", "100m", "64Mi")], initContainers=[container("load", "500m", "32Mi")])
    )
    used = world.get("", "resourcequotas", "budget")["status"]["used"]
    assert used == {"requests.cpu": "700m", "limits.memory": "192Mi"}
    with pytest.raises(
        StatusError, match=r"requested: requests.cpu=400m, used: requests.cpu=700m, limited: requests.cpu=1"
    ):
        world.cluster.quotas.admit(pod("c", containers=[container("web", "400m", "64Mi")]))
    bare = {"name": "bare", "image": "web"}
    with pytest.raises(StatusError, match=r"must specify limits.memory for: bare; requests.cpu for: bare"):
        world.cluster.quotas.admit(pod("d", containers=[container("web", "10m", "1Mi")], initContainers=[bare]))


def test_a_service_sends_to_ready_pods() -> None:
    world = TestWorld()
    _deploy(world, 2)
    world.apply(b.service(SPACE, "web"))
    world.advance(2.0)
    assert world.endpoints(f"{SPACE}/web:80") == []
    world.advance(5.0)
    uids = sorted(pod["metadata"]["uid"] for pod in world.pods())
    assert sorted(world.endpoints(f"{SPACE}/web:80")) == uids
    (subset,) = world.get("", "endpoints", "web")["subsets"]
    assert len(subset["addresses"]) == 2
    assert subset["ports"] == [{"port": 80, "protocol": "TCP"}]
    (piece,) = world.all("discovery.k8s.io", "endpointslices")
    assert [endpoint["conditions"]["ready"] for endpoint in piece["endpoints"]] == [True, True]
    victim = world.pods()[0]["metadata"]["name"]
    world.cluster.store.delete(RESOURCES["", "pods"], SPACE, victim)
    world.cluster.engine.settle()
    assert len(world.endpoints(f"{SPACE}/web:80")) == 1


def test_endpoints_go_with_their_service() -> None:
    world = TestWorld()
    _deploy(world, 1)
    world.apply(b.service(SPACE, "web"))
    world.advance(5.0)
    world.cluster.store.delete(RESOURCES["", "services"], SPACE, "web")
    world.cluster.engine.settle()
    assert world.all("", "endpoints") == world.all("discovery.k8s.io", "endpointslices") == []


def _job(**spec: Any) -> dict[str, Any]:
    notes = spec.pop("notes", {"run-for": "4"})
    template = {
        "metadata": {"annotations": {b.PREFIX + key: value for key, value in notes.items()}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "perl"}]},
    }
    meta = {"name": "sum", "namespace": SPACE}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"template": template, **spec}}


def test_a_job_runs_as_many_pods_as_it_needs() -> None:
    world = TestWorld()
    world.apply(_job(completions=3, parallelism=2))
    assert world.get("batch", "jobs", "sum")["status"]["active"] == 2
    world.advance(20.0)
    status = world.get("batch", "jobs", "sum")["status"]
    assert status["succeeded"] == 3
    assert "active" not in status
    assert status["completionTime"]
    assert world.events("Completed") == ["Job completed"]


def test_a_job_that_fails_too_often_ends() -> None:
    world = TestWorld()
    world.apply(_job(backoffLimit=1, notes={"run-for": "0", "crash-after": "1"}))
    world.advance(60.0)
    job = world.get("batch", "jobs", "sum")
    assert world.condition(job, "Failed")["reason"] == "BackoffLimitExceeded"
    assert job["status"]["failed"] == 2


def test_a_job_that_takes_too_long_ends() -> None:
    world = TestWorld()
    world.apply(_job(activeDeadlineSeconds=10, notes={"run-for": "100"}))
    world.advance(20.0)
    assert world.condition(world.get("batch", "jobs", "sum"), "Failed")["reason"] == "DeadlineExceeded"
    assert world.pods() == []


def test_an_ended_job_expires() -> None:
    world = TestWorld()
    world.apply(_job(ttlSecondsAfterFinished=30))
    world.advance(20.0)
    assert world.exists("batch", "jobs", "sum")
    world.advance(30.0)
    assert not world.exists("batch", "jobs", "sum")
