"""Init containers, native sidecars, readiness gates and scheduling gates, as a kubelet and a scheduler show them."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.apiserver.tables.pods import print_pod
from hpatui.sandbox.controllers.scheduler import pod_requests
from hpatui.sandbox.scenarios import build as b

from .world import SPACE, TestWorld


def _pod(*init: dict[str, Any], notes: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": "p", "namespace": SPACE, "labels": {"app": "p"}}
    if notes:
        meta["annotations"] = {b.PREFIX + key: value for key, value in notes.items()}
    container = {"name": "app", "image": "registry.k8s.io/hpa-example", "resources": b.resources("100m", "64Mi")}
    inits = [{"image": "example/init", **entry} for entry in init]
    spec = {"containers": [container], **({"initContainers": inits} if inits else {}), **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _row(world: TestWorld) -> tuple[Any, ...]:
    """READY, STATUS, RESTARTS without the age."""
    cells = print_pod(world.get("", "pods", "p"), world.clock.time())
    return cells[1], cells[2], str(cells[3]).split(" ")[0]


def _seen(world: TestWorld, seconds: int) -> list[tuple[Any, ...]]:
    """The rows that follow each other."""
    rows: list[tuple[Any, ...]] = []
    for _ in range(seconds):
        world.advance(1.0)
        if not rows or rows[-1] != _row(world):
            rows.append(_row(world))
    return rows


def test_an_init_container_in_a_crash_loop_keeps_the_pod_pending() -> None:
    world = TestWorld()
    world.apply(_pod({"name": "migrate", "command": ["false"]}))
    rows = _seen(world, 30)
    assert ("0/1", "Init:CrashLoopBackOff", "2") in rows
    pod = world.get("", "pods", "p")
    assert pod["status"]["phase"] == "Pending"
    initialized = world.condition(pod, "Initialized")
    assert initialized["status"] == "False"
    assert initialized["message"] == "containers with incomplete status: [migrate]"
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    (status,) = pod["status"]["initContainerStatuses"]
    assert status["lastState"]["terminated"]["exitCode"] == 1
    assert any("restarting failed container migrate" in text for text in world.events("BackOff"))
    assert world.cluster.metrics.pod(pod, world.clock.time()) is None


def test_a_slow_init_container_ends_and_the_pod_starts() -> None:
    world = TestWorld()
    world.apply(_pod({"name": "wait", "command": ["sh", "-c", "sleep 20"]}, {"name": "more"}))
    world.advance(15.0)
    assert _row(world) == ("0/1", "Init:0/2", "0")
    world.advance(15.0)
    assert _row(world) == ("1/1", "Running", "0")
    pod = world.get("", "pods", "p")
    assert world.condition(pod, "Initialized") == {
        "type": "Initialized", "status": "True",
        "lastTransitionTime": world.condition(pod, "Initialized")["lastTransitionTime"],
    }  # fmt: skip
    states = [entry["state"]["terminated"]["reason"] for entry in pod["status"]["initContainerStatuses"]]
    assert states == ["Completed", "Completed"]


def test_an_annotation_makes_init_containers_slow_or_fail() -> None:
    world = TestWorld()
    world.apply(_pod({"name": "i"}, notes={"init-takes": "600"}))
    world.advance(500.0)
    assert _row(world) == ("0/1", "Init:0/1", "0")
    world = TestWorld()
    world.apply(_pod({"name": "i"}, notes={"init-fails": "true"}, restartPolicy="Never"))
    world.advance(10.0)
    assert _row(world) == ("0/1", "Init:Error", "0")
    assert world.get("", "pods", "p")["status"]["phase"] == "Failed"


def test_a_native_sidecar_counts_and_is_measured() -> None:
    world = TestWorld()
    world.apply(_pod({"name": "mesh", "restartPolicy": "Always"}, {"name": "setup"}))
    world.advance(100.0)
    assert _row(world) == ("2/2", "Running", "0")
    pod = world.get("", "pods", "p")
    mesh, setup = pod["status"]["initContainerStatuses"]
    assert (mesh["ready"], mesh["started"], list(mesh["state"])) == (True, True, ["running"])
    assert list(setup["state"]) == ["terminated"]
    measured = world.cluster.metrics.pod(pod, world.clock.time())
    assert measured is not None
    assert [entry["name"] for entry in measured["containers"]] == ["app", "mesh"]


def test_a_sidecar_that_crashes_makes_the_pod_unready() -> None:
    world = TestWorld()
    world.apply(_pod({"name": "mesh", "restartPolicy": "Always"}, notes={"sidecar-fails": "true"}))
    world.advance(100.0)
    pod = world.get("", "pods", "p")
    assert _row(world)[:2] == ("1/2", "Init:CrashLoopBackOff")
    assert world.condition(pod, "Ready")["message"] == "containers with unready status: [mesh]"
    measured = world.cluster.metrics.pod(pod, world.clock.time())
    assert measured is not None
    assert [entry["name"] for entry in measured["containers"]] == ["app"]


def test_a_readiness_gate_waits_for_its_condition() -> None:
    world = TestWorld()
    world.apply(_pod(readinessGates=[{"conditionType": "example.com/lb"}]))
    world.advance(30.0)
    pod = world.get("", "pods", "p")
    ready = world.condition(pod, "Ready")
    text = 'corresponding condition of pod readiness gate "example.com/lb" does not exist.'
    assert (ready["status"], ready["reason"], ready["message"]) == ("False", "ReadinessGatesNotReady", text)
    assert world.condition(pod, "ContainersReady")["status"] == "True"
    assert print_pod(pod, world.clock.time())[8] == "0/1"
    since = ready["lastTransitionTime"]

    def gate(status: str) -> dict[str, Any]:
        entry = {"type": "example.com/lb", "status": status}
        resource = world.resource("", "pods")

        def change(old: dict[str, Any]) -> dict[str, Any]:
            others = [each for each in old["conditions"] if each["type"] != "example.com/lb"]
            return {**old, "conditions": [*others, entry]}

        world.cluster.context.set_status(resource, SPACE, "p", change)
        world.advance(5.0)
        return world.condition(world.get("", "pods", "p"), "Ready")

    found = gate("False")
    assert found["message"] == 'the status of pod readiness gate "example.com/lb" is not "True", but False'
    assert found["lastTransitionTime"] == since
    assert gate("True")["status"] == "True"
    assert "message" not in gate("True")
    assert gate("Unknown")["status"] == "False"


def test_scheduling_gates_hold_a_pod_until_they_are_removed() -> None:
    world = TestWorld()
    world.apply(_pod(schedulingGates=[{"name": "example.com/quota"}]))
    world.advance(20.0)
    assert _row(world) == ("0/1", "SchedulingGated", "0")
    pod = world.get("", "pods", "p")
    assert "nodeName" not in pod["spec"]
    scheduled = world.condition(pod, "PodScheduled")
    assert scheduled["message"] == "Scheduling is blocked due to non-empty scheduling gates"
    assert world.events("FailedScheduling") == []
    world.change("", "pods", "p", schedulingGates=[])
    world.advance(10.0)
    assert _row(world) == ("1/1", "Running", "0")


def test_a_sidecar_needs_room_and_so_does_an_init_container() -> None:
    def needs(cpu: str) -> dict[str, Any]:
        return {"requests": {"cpu": cpu}}

    sidecar = {"name": "mesh", "restartPolicy": "Always", "resources": needs("300m")}
    assert round(pod_requests(_pod(sidecar)).cpu, 3) == 0.4
    assert round(pod_requests(_pod(sidecar, {"name": "big", "resources": needs("2")})).cpu, 3) == 2.3
    assert round(pod_requests(_pod({"name": "big", "resources": needs("2")}, sidecar)).cpu, 3) == 2.0
