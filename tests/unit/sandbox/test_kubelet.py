"""Pods on their node: start, readiness, crashes, images that do not exist, and a graceful end."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.dataplane.messages import SetCallers, StartPod, StopPod
from hpatui.sandbox.pod_run import NotMountedError, PodRun
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld

PODS = RESOURCES["", "pods"]


def _pod(name: str = "p", **spec: Any) -> dict[str, Any]:
    notes = spec.pop("notes", {})
    meta = {"name": name, "namespace": SPACE, "labels": {"app": name}}
    if notes:
        meta["annotations"] = {b.PREFIX + key: value for key, value in notes.items()}
    container = {"name": "c", "image": "registry.k8s.io/hpa-example", "resources": b.resources("100m", "64Mi")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [{**container}], **spec}}


def _state(world: TestWorld, name: str = "p") -> dict[str, Any]:
    status: dict[str, Any] = world.get("", "pods", name)["status"]["containerStatuses"][0]
    return status


def test_a_pod_starts_and_becomes_ready() -> None:
    world = TestWorld()
    world.apply(_pod())
    status = world.get("", "pods", "p")["status"]
    assert (status["phase"], _state(world)["state"]) == ("Pending", {"waiting": {"reason": "ContainerCreating"}})
    world.advance(2.0)
    pod = world.get("", "pods", "p")
    assert pod["status"]["phase"] == "Running"
    assert world.condition(pod, "Ready")["status"] == "False"
    world.advance(2.0)
    pod = world.get("", "pods", "p")
    assert world.condition(pod, "Ready")["status"] == "True"
    assert world.condition(pod, "PodScheduled")["status"] == "True"
    assert pod["status"]["podIP"].startswith("10.244.")
    assert pod["status"]["qosClass"] == "Guaranteed"
    reasons = [event["reason"] for event in world.all("", "events")]
    assert reasons == ["Scheduled", "Pulled", "Created", "Started"]
    (start,) = [order for order in world.orders if isinstance(order, StartPod) and order.name == "p"]
    assert (start.rate, start.cost) == (0.1, 0.004)


def test_a_probe_delays_readiness() -> None:
    world = TestWorld()
    pod = _pod()
    pod["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 20}
    world.apply(pod)
    world.advance(20.0)
    assert world.ready() == 0
    world.advance(3.0)
    assert world.ready() == 1


def test_a_deleted_pod_drains_and_goes() -> None:
    world = TestWorld()
    world.apply(_pod())
    world.advance(5.0)
    world.cluster.store.delete(PODS, SPACE, "p")
    world.cluster.engine.settle()
    assert world.get("", "pods", "p")["metadata"]["deletionTimestamp"]
    assert StopPod(world.get("", "pods", "p")["metadata"]["uid"], drain=True) in world.orders
    world.advance(3.0)
    assert not world.exists("", "pods", "p")
    assert world.events("Killing") == ["Stopping container c"]


def test_a_crash_is_restarted_after_a_pause_that_doubles() -> None:
    world = TestWorld()
    world.apply(_pod(notes={"profile": "crash"}))
    restarts = []
    for _ in range(60):
        world.advance(1.0)
        restarts.append(_state(world)["restartCount"])
    assert restarts[-1] in (4, 5)  # pauses of 3, 6, 12, 24 s, and 2 s of life between them
    state = _state(world)
    assert state["lastState"]["terminated"]["exitCode"] == 1
    waiting = [state["state"].get("waiting", {}).get("reason")]
    for _ in range(40):
        world.advance(1.0)
        waiting.append(_state(world)["state"].get("waiting", {}).get("reason"))
    assert "CrashLoopBackOff" in waiting
    assert world.cluster.kubelet.runs[SPACE, "p"].log.lines()[-1].text == "fatal: cannot read configuration"


def test_a_crash_on_demand() -> None:
    world = TestWorld()
    world.apply(_pod())
    world.advance(5.0)
    assert world.cluster.kubelet.crash((SPACE, "p"), exit_code=137)
    assert _state(world)["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert world.ready() == 0
    world.advance(8.0)
    assert (world.ready(), _state(world)["restartCount"]) == (1, 1)
    assert not world.cluster.kubelet.crash((SPACE, "nobody"))


def test_memory_above_the_limit_is_an_oom_kill() -> None:
    world = TestWorld()
    world.apply(_pod(notes={"profile": "leaky", "leak-per-second": str(2 * 2**20)}))
    world.advance(40.0)
    assert _state(world)["restartCount"] >= 1
    assert _state(world)["lastState"]["terminated"]["reason"] == "OOMKilled"


def test_an_image_that_does_not_exist() -> None:
    world = TestWorld()
    world.apply(_pod(notes={"profile": "broken-image"}))
    world.advance(3.0)
    assert _state(world)["state"]["waiting"]["reason"] == "ErrImagePull"
    world.advance(15.0)
    assert _state(world)["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert world.get("", "pods", "p")["status"]["phase"] == "Pending"
    world.cluster.store.delete(PODS, SPACE, "p")
    world.advance(3.0)
    assert not world.exists("", "pods", "p")


def test_a_pod_that_ends() -> None:
    world = TestWorld()
    world.apply(_pod(restartPolicy="Never", notes={"profile": "batch"}))
    world.advance(10.0)
    pod = world.get("", "pods", "p")
    assert pod["status"]["phase"] == "Succeeded"
    assert world.condition(pod, "Ready")["reason"] == "PodCompleted"


def test_a_loop_of_requests_calls_the_service() -> None:
    world = TestWorld()
    pod = _pod()
    pod["spec"]["containers"][0] |= {"image": "busybox", "args": ["while true; do wget -q -O- http://web; done"]}
    world.apply(pod)
    world.advance(5.0)
    uid = world.get("", "pods", "p")["metadata"]["uid"]
    assert SetCallers(uid, f"{SPACE}/web:80", 1) in world.orders
    world.cluster.store.delete(PODS, SPACE, "p")
    world.advance(5.0)
    assert SetCallers(uid, "", 0) in world.orders


class _Processes:
    """Real containers, as the kubelet sees them."""

    def __init__(self) -> None:
        self.missing = 'configmap "plan" not found'
        self.running: list[PodRun] = []

    def available(self) -> bool:
        return True

    def start(self, pod: dict[str, Any], run: PodRun) -> None:
        if self.missing:
            raise NotMountedError(self.missing)
        self.running.append(run)

    def stop(self, run: PodRun) -> None:
        if run in self.running:
            self.running.remove(run)


def _locust(**spec: Any) -> dict[str, Any]:
    pod = _pod(restartPolicy="Never", **spec)
    pod["spec"]["containers"][0]["image"] = "locustio/locust:2.47.0"
    return pod


def test_a_real_container_waits_for_its_volumes_runs_and_ends_with_its_code() -> None:
    world = TestWorld()
    processes = _Processes()
    world.cluster.kubelet.processes = processes
    world.apply(_locust())
    world.advance(3.0)
    assert processes.running == []
    assert any("configmap" in text for text in world.events("FailedMount"))
    processes.missing = ""
    world.advance(3.0)
    (run,) = processes.running
    assert world.get("", "pods", "p")["status"]["phase"] == "Running"
    world.cluster.kubelet.exited(run, 3)
    assert world.get("", "pods", "p")["status"]["phase"] == "Failed"
    assert _state(world)["state"]["terminated"]["exitCode"] == 3


def test_a_real_container_ends_with_its_pod() -> None:
    world = TestWorld()
    processes = _Processes()
    processes.missing = ""
    world.cluster.kubelet.processes = processes
    world.apply(_locust())
    world.advance(3.0)
    world.cluster.store.delete(PODS, SPACE, "p")
    world.advance(3.0)
    assert processes.running == []
    assert not world.exists("", "pods", "p")


def test_an_image_that_needs_a_program_which_is_not_here() -> None:
    world = TestWorld()
    world.apply(_locust())
    world.advance(3.0)
    assert _state(world)["state"]["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert any("where Locust is installed" in text for text in world.events("Failed"))


def _needs(kind: str, **source: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "v", kind: source}]}


@pytest.mark.parametrize(
    ("spec", "why", "made"),
    [
        (_needs("configMap", name="settings"), 'configmap "settings" not found', ("ConfigMap", "settings", {})),
        (_needs("secret", secretName="key"), 'secret "key" not found', ("Secret", "key", {})),
        (
            _needs("projected", sources=[{"configMap": {"name": "settings", "items": [{"key": "a", "path": "a"}]}}]),
            'configmap "settings" not found',
            ("ConfigMap", "settings", {"a": "1"}),
        ),
    ],
    ids=["configmap", "secret", "projected"],
)
def test_a_volume_without_its_source_keeps_the_pod_creating(
    spec: dict[str, Any], why: str, made: tuple[str, str, dict[str, str]]
) -> None:
    world = TestWorld()
    world.apply(_pod(**spec))
    world.advance(30.0)
    assert _state(world)["state"] == {"waiting": {"reason": "ContainerCreating"}}
    assert world.events("FailedMount")[0].startswith(f'MountVolume.SetUp failed for volume "v" : {why} (x')
    kind, name, data = made
    world.apply({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": SPACE}, "data": data})
    world.advance(40.0)
    assert "running" in _state(world)["state"]


def test_a_volume_that_may_be_missing_keeps_nobody() -> None:
    world = TestWorld()
    world.apply(_pod(**_needs("configMap", name="settings", optional=True)))
    world.advance(10.0)
    assert "running" in _state(world)["state"]


@pytest.mark.parametrize(
    ("container", "why"),
    [
        ({"envFrom": [{"configMapRef": {"name": "settings"}}]}, 'configmap "settings" not found'),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "a"}}}]},
            'secret "key" not found',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "there", "key": "b"}}}]},
            "couldn't find key b in ConfigMap " + SPACE + "/there",
        ),
    ],
    ids=["all", "secret", "key"],
)
def test_a_variable_without_its_source_is_a_config_error(container: dict[str, Any], why: str) -> None:
    world = TestWorld()
    there = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "there", "namespace": SPACE}}
    world.apply({**there, "data": {"a": "1"}})
    pod = _pod()
    pod["spec"]["containers"][0].update(container)
    world.apply(pod)
    world.advance(10.0)
    assert _state(world)["state"] == {"waiting": {"reason": "CreateContainerConfigError", "message": why}}
    assert world.events("Failed")[0].startswith(f"Error: {why}")
    assert world.ready() == 0
