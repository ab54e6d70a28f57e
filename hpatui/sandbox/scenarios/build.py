"""Building blocks of scenarios: short functions that give manifests, and the world to put them in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hpatui.clock import Clock
from hpatui.sandbox.options import Timings

Manifest = dict[str, Any]
Stages = Sequence[tuple[float, float, float]]
PREFIX = "sandbox.hpatui.dev/"


class World(Protocol):
    """The sandbox, as a scenario sees it before it opens."""

    timings: Timings
    clock: Clock

    def apply(self, *manifests: Manifest) -> None:
        """Create objects, as a user would."""

    def ensure(self, manifest: Manifest) -> None:
        """Create an object that may be there."""

    def advance(self, seconds: float) -> None:
        """Let that much of the cluster's time pass."""

    def traffic(self, name: str, service: str, stages: Stages) -> None:
        """Requests to `namespace/name:port` from the opening on: (seconds, rate, rate at the end), in a circle."""

    def queue(self, namespace: str, name: str, stages: Stages) -> None:
        """A message queue with its producers."""

    def seed(self, manifest: Manifest) -> Manifest:
        """Create an object with its status, as if controllers had been at work already; the stored object."""

    def patch(
        self, group: str, plural: str, namespace: str, name: str, change: Callable[[Manifest], Manifest],
        manager: str | None = None,
    ) -> None:  # fmt: skip
        """Replace an object by what `change` makes of it; `manager` is named in managedFields as the writer."""

    def metrics_down(self) -> None:
        """The metrics API does not answer."""

    def metrics_stale(self) -> None:
        """The metrics API answers with the samples of now for ever."""

    def controller_down(self) -> None:
        """Nobody looks at HPAs."""


def namespace(name: str) -> Manifest:
    """A Namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def node(name: str, cpu: str = "4", memory: str = "8Gi", pods: int = 110, since: str | None = None) -> Manifest:
    """A ready Node of that capacity; `since` is the time of its conditions."""
    have = {"cpu": cpu, "memory": memory, "pods": str(pods), "ephemeral-storage": "100Gi"}
    ready = [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]
    times = {"lastHeartbeatTime": since, "lastTransitionTime": since} if since else {}
    conditions = [{"type": t, "status": s, "reason": r, "message": m, **times} for t, s, r, m in ready]
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    info = {
        "machineID": "", "systemUUID": "", "bootID": "", "kernelVersion": "6.1.0", "osImage": "hpatui sandbox",
        "containerRuntimeVersion": "hpatui://1", "kubeletVersion": "", "kubeProxyVersion": "",
        "operatingSystem": "linux", "architecture": "amd64",
    }  # fmt: skip
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}, {"type": "Hostname", "address": name}]
    status = {"capacity": have, "allocatable": have, "conditions": conditions, "addresses": addresses, "nodeInfo": info}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {},
        "status": status,
    }


def resources(cpu: str | None, memory: str | None = None, cpu_limit: str | None = None) -> Manifest:
    """Requests, and limits equal to them unless the CPU limit is given; a None is left out, "" as a limit too."""
    requests = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value}
    limits = {
        name: value for name, value in (("cpu", cpu if cpu_limit is None else cpu_limit), ("memory", memory)) if value
    }
    return {name: value for name, value in (("requests", requests), ("limits", limits)) if value}


def deployment(
    space: str, name: str, *, replicas: int = 1, image: str = "registry.k8s.io/hpa-example",
    needs: Manifest | None = None, notes: dict[str, str] | None = None, port: int = 80,
    labels: dict[str, str] | None = None, containers: Sequence[Manifest] = (), **spec: Any,
) -> Manifest:  # fmt: skip
    """A Deployment of one container (and more in `containers`); `notes` are sandbox annotations without the prefix."""
    chosen = labels or {"app": name}
    container: Manifest = {"name": name, "image": image, "ports": [{"containerPort": port}]}
    if needs:
        container["resources"] = needs
    meta: Manifest = {"labels": chosen}
    if notes:
        meta["annotations"] = {PREFIX + key: value for key, value in notes.items()}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": space, "labels": chosen},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": chosen},
            "template": {"metadata": meta, "spec": {"containers": [container, *containers]}},
            **spec,
        },
    }


def service(space: str, name: str, port: int = 80, selector: dict[str, str] | None = None) -> Manifest:
    """A ClusterIP Service."""
    chosen = selector or {"app": name}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": space, "labels": chosen},
        "spec": {"selector": chosen, "ports": [{"port": port, "targetPort": port, "protocol": "TCP"}]},
    }


def cpu(percent: int) -> Manifest:
    """A Resource metric: CPU utilization in percent of the request."""
    return _resource("cpu", {"type": "Utilization", "averageUtilization": percent})


def memory(value: str) -> Manifest:
    """A Resource metric: memory per pod."""
    return _resource("memory", {"type": "AverageValue", "averageValue": value})


def _resource(name: str, target: Manifest) -> Manifest:
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def per_pod(metric: str, value: str) -> Manifest:
    """A Pods metric: an average per pod."""
    target = {"type": "AverageValue", "averageValue": value}
    return {"type": "Pods", "pods": {"metric": {"name": metric}, "target": target}}


def external(metric: str, labels: dict[str, str], *, average: str) -> Manifest:
    """An External metric, divided by the replicas."""
    target = {"type": "AverageValue", "averageValue": average}
    return {
        "type": "External",
        "external": {"metric": {"name": metric, "selector": {"matchLabels": labels}}, "target": target},
    }


def autoscaler(
    space: str, target: str, metrics: Sequence[Manifest], *, least: int = 1, most: int = 5,
    behavior: Manifest | None = None, name: str | None = None, kind: str = "Deployment", api: str = "apps/v1",
) -> Manifest:  # fmt: skip
    """A HorizontalPodAutoscaler, by default named as its target."""
    spec: Manifest = {
        "scaleTargetRef": {"apiVersion": api, "kind": kind, "name": target},
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": list(metrics),
    }
    if behavior is not None:
        spec["behavior"] = behavior
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name or target, "namespace": space},
        "spec": spec,
    }


def application(
    world: World, space: str, name: str, metrics: Sequence[Manifest], *, settle: float = 20.0,
    hpa: Manifest | None = None, **more: Any,
) -> None:  # fmt: skip
    """Namespace, Deployment and Service, and once its pods have metrics the HPA with the arguments `hpa`; two syncs.

    `settle`: how long they have with the quick timings; longer ones give more.
    """
    world.ensure(namespace(space))
    world.apply(deployment(space, name, **more), service(space, name))
    world.advance(settle * world.timings.sync_period / 3.0)
    world.apply(autoscaler(space, name, metrics, **(hpa or {})))
    world.advance(2 * world.timings.sync_period)
