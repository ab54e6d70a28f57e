"""Many HPAs: Deployments with pods whose CPU follows a wave instead of requests, made as if they had been there."""

from __future__ import annotations

import random
from typing import Any

from hpatui.sandbox.controllers.deployment import template_hash
from hpatui.sandbox.controllers.objects import Object, owner_reference, stamp
from hpatui.sandbox.pod_status import pod_ip
from hpatui.sandbox.scenarios.base import base
from hpatui.sandbox.scenarios.build import (
    World,
    autoscaler,
    cpu,
    deployment,
    namespace,
    node,
    resources,
)

_PER_NAMESPACE = 50
_PER_NODE = 100
_UP_FOR = 600.0  # seconds that the pods have been running, so that they have metrics at once
_DEFAULT = 200
_WORDS = (
    "cart", "checkout", "search", "catalog", "payment", "pricing", "stock", "mail", "login", "profile", "media", "feed",
    "gateway", "report", "ledger", "invoice", "quote", "route", "track", "notify", "index", "crawl", "resize", "basket",
)  # fmt: skip
_TROUBLE = {7: "no-requests", 19: "at-max", 31: "no-target"}  # every 40th HPA each


def build(world: World) -> None:
    """The usual base; `populate` adds the fleet when the cluster opens."""
    base(world)


def default_size(scenario: str, asked: int) -> int:
    """How many HPAs to add: what was asked for, or 200 in the scenario that is about them."""
    return asked or (_DEFAULT if scenario == "fleet" else 0)


def populate(world: World, count: int) -> None:
    """Add `count` HPAs with their Deployments, ReplicaSets and pods, in namespaces fleet-0, fleet-1, ..."""
    chance = random.Random(7)
    nodes = -(-count // _PER_NODE)
    world.apply(*(node(f"fleet-node-{number}", "64", "256Gi", 10 * _PER_NODE) for number in range(nodes)))
    for index in range(count):
        space = f"fleet-{index // _PER_NAMESPACE}"
        if index % _PER_NAMESPACE == 0:
            world.apply(namespace(space))
        _member(world, space, index, f"fleet-node-{index % nodes}", chance)


def _member(world: World, space: str, index: int, node_name: str, chance: random.Random) -> None:
    name = f"{_WORDS[index % len(_WORDS)]}-{index}"
    trouble = _TROUBLE.get(index % 40, "")
    low = chance.uniform(0.02, 0.06)
    high = chance.uniform(0.3, 0.5) if trouble == "at-max" else low + chance.uniform(0.0, 0.12)
    wave = f"{low:.3f},{high:.3f},{chance.randint(120, 900)},{chance.randint(0, 900)}"
    needs: Object = {} if trouble == "no-requests" else resources("100m", "64Mi")
    if trouble != "no-target":
        notes = {"profile": "synthetic", "wave": wave}
        running(world, deployment(space, name, image="example/service:1", needs=needs, notes=notes), node_name, index)
    most = 2 if trouble == "at-max" else chance.randint(4, 10)
    world.apply(autoscaler(space, name, [cpu(60)], most=most))


def running(world: World, manifest: Object, node_name: str, index: int) -> None:
    """A Deployment of one replica with its ReplicaSet and a pod that is ready, written as the controllers would."""
    now = stamp(world.clock.time() - _UP_FOR)
    done = [
        {
            "type": kind, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": now, "lastUpdateTime": now,
        }
        for kind, reason, message in (
            ("Available", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            ("Progressing", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."),
        )
    ]  # fmt: skip
    counts = {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1}
    space, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    annotations = {"deployment.kubernetes.io/revision": "1"}
    meta = {**manifest["metadata"], "annotations": annotations}
    status = {**counts, "updatedReplicas": 1, "conditions": done}
    owner = world.seed({**manifest, "metadata": meta, "status": status})
    hashed = template_hash(owner)
    labels = {**manifest["spec"]["template"]["metadata"]["labels"], "pod-template-hash": hashed}
    template = owner["spec"]["template"]
    template = {**template, "metadata": {**template["metadata"], "labels": labels}}
    sizes = {"deployment.kubernetes.io/desired-replicas": "1", "deployment.kubernetes.io/max-replicas": "2"}
    owner = world.seed(
        {
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name}-{hashed}", "namespace": space, "labels": labels,
                "annotations": {**annotations, **sizes},
                "ownerReferences": [owner_reference(owner, "apps/v1", "Deployment")],
            },
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
            "status": {**counts, "fullyLabeledReplicas": 1},
        }
    )  # fmt: skip
    world.seed(_pod(owner, f"{name}-{hashed}-{name[-1]}x2kp", space, template, node_name, index, now))


def _pod(owner: Object, name: str, space: str, template: Object, node_name: str, index: int, now: str) -> Object:
    conditions: list[dict[str, Any]] = [
        {"type": kind, "status": "True", "lastTransitionTime": now}
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    containers = [
        {
            "name": entry["name"], "image": entry["image"], "imageID": "", "ready": True, "started": True,
            "restartCount": 0, "state": {"running": {"startedAt": now}}, "lastState": {},
        }
        for entry in template["spec"]["containers"]
    ]  # fmt: skip
    meta = {
        "name": name, "namespace": space, "labels": template["metadata"]["labels"],
        "annotations": template["metadata"]["annotations"],
        "ownerReferences": [owner_reference(owner, "apps/v1", "ReplicaSet")],
    }  # fmt: skip
    ip = pod_ip(60_000 + index)
    status = {
        "phase": "Running", "conditions": conditions, "containerStatuses": containers, "startTime": now,
        "podIP": ip, "podIPs": [{"ip": ip}],
    }  # fmt: skip
    spec = {**template["spec"], "nodeName": node_name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": status}
