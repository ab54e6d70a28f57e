"""StatefulSets: numbered pods in order, renewed from the last, partitions, revisions."""

from __future__ import annotations

from typing import Any

from hpatui.sandbox.scenarios import build as b
from tests.unit.sandbox.world import SPACE, TestWorld

Object = dict[str, Any]


def _set(world: TestWorld, **spec: Any) -> None:
    base = b.deployment(SPACE, "db", needs=b.resources("100m", "64Mi"))["spec"]
    meta = {"name": "db", "namespace": SPACE}
    world.apply(
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": {**base, "replicas": 3, **spec}}
    )


def _names(world: TestWorld) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in world.pods())


def _images(world: TestWorld) -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in sorted(world.pods(), key=lambda p: p["metadata"]["name"])]


def _image(world: TestWorld, image: str) -> None:
    spec = world.get("apps", "statefulsets", "db")["spec"]
    container = {**spec["template"]["spec"]["containers"][0], "image": image}
    template = {**spec["template"], "spec": {**spec["template"]["spec"], "containers": [container]}}
    world.change("apps", "statefulsets", "db", template=template)


def test_pods_come_one_by_one_each_when_the_one_before_is_ready() -> None:
    world = TestWorld()
    _set(world)
    seen: list[list[str]] = []
    for _ in range(40):
        world.advance(0.5)
        names = _names(world)
        assert world.ready() >= len(names) - 1, "none is made before all others are ready"
        if not seen or seen[-1] != names:
            seen.append(names)
    assert seen == [["db-0"], ["db-0", "db-1"], ["db-0", "db-1", "db-2"]]
    labels = world.get("", "pods", "db-1")["metadata"]["labels"]
    assert (labels["statefulset.kubernetes.io/pod-name"], labels["apps.kubernetes.io/pod-index"]) == ("db-1", "1")
    assert "create Pod db-2 in StatefulSet db successful" in world.events("SuccessfulCreate")


def test_parallel_pods_come_and_go_at_once() -> None:
    world = TestWorld()
    _set(world, podManagementPolicy="Parallel")
    world.advance(0.1)
    assert _names(world) == ["db-0", "db-1", "db-2"]
    world.advance(10.0)
    world.change("apps", "statefulsets", "db", replicas=1)
    assert _names(world) == ["db-0"]


def test_a_smaller_set_loses_its_last_pods_one_by_one() -> None:
    world = TestWorld()
    _set(world)
    world.advance(15.0)
    world.change("apps", "statefulsets", "db", replicas=1)
    assert _names(world) == ["db-0", "db-1"], "db-2 is on its way out, db-1 waits for that"
    world.advance(5.0)
    assert _names(world) == ["db-0"]


def test_a_new_template_is_rolled_out_from_the_last_pod() -> None:
    world = TestWorld()
    _set(world)
    world.advance(15.0)
    before = world.get("apps", "statefulsets", "db")["status"]
    assert before["currentRevision"] == before["updateRevision"]
    _image(world, "db:2")
    middle = world.get("apps", "statefulsets", "db")["status"]
    assert middle["currentRevision"] == before["currentRevision"] != middle["updateRevision"]
    seen: list[list[str]] = []
    for _ in range(80):
        world.advance(0.25)
        assert world.ready() >= 2
        images = _images(world)
        if len(images) == 3 and (not seen or seen[-1] != images):
            seen.append(images)
    old = seen[0][0]
    assert seen[-3:] == [[old, old, "db:2"], [old, "db:2", "db:2"], ["db:2"] * 3]
    after = world.get("apps", "statefulsets", "db")["status"]
    assert after["currentRevision"] == after["updateRevision"] == middle["updateRevision"]
    assert (after["updatedReplicas"], after["readyReplicas"], after["currentReplicas"]) == (3, 3, 3)


def test_a_partition_keeps_the_pods_below_it() -> None:
    world = TestWorld()
    _set(world, updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}})
    world.advance(15.0)
    old = _images(world)[0]
    _image(world, "db:2")
    world.advance(15.0)
    assert _images(world) == [old, old, "db:2"]
    world.cluster.store.delete(world.resource("", "pods"), SPACE, "db-0")
    world.advance(15.0)
    assert _images(world) == [old, old, "db:2"], "a pod below the partition comes back as it was"


def test_on_delete_renews_only_what_is_deleted() -> None:
    world = TestWorld()
    _set(world, updateStrategy={"type": "OnDelete"})
    world.advance(15.0)
    old = _images(world)[0]
    _image(world, "db:2")
    world.advance(10.0)
    assert _images(world) == [old] * 3
    world.cluster.store.delete(world.resource("", "pods"), SPACE, "db-1")
    world.advance(10.0)
    assert _images(world) == [old, "db:2", old]


def test_revisions_are_numbered_an_old_template_becomes_the_newest_and_few_are_kept() -> None:
    world = TestWorld()
    _set(world, replicas=1, revisionHistoryLimit=2)
    first = "registry.k8s.io/hpa-example"
    for image in ("db:2", "db:3", "db:4", first, "db:5"):
        world.advance(10.0)
        _image(world, image)
    world.advance(10.0)
    found = {
        entry["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: entry["revision"]
        for entry in world.all("apps", "controllerrevisions")
    }
    assert len(found) == 3, "the wanted one and two before it"
    assert found["db:5"] == max(found.values()) == 6
    assert found.get(first) in (None, 5)


def test_a_broken_roll_out_stops_at_the_first_pod() -> None:
    world = TestWorld()
    _set(world)
    world.advance(15.0)
    spec = world.get("apps", "statefulsets", "db")["spec"]["template"]
    notes = {"sandbox.hpatui.dev/pull-error": "true"}
    world.change(
        "apps", "statefulsets", "db", template={**spec, "metadata": {**spec["metadata"], "annotations": notes}}
    )
    world.advance(30.0)
    ready = {pod["metadata"]["name"] for pod in world.pods() if world.condition(pod, "Ready")["status"] == "True"}
    assert ready == {"db-0", "db-1"}
    assert world.condition(world.get("", "pods", "db-2"), "Ready")["status"] == "False"
