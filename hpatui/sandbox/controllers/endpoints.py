"""Endpoints and EndpointSlices of Services with a selector, and what the data plane must know of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import PODS, Context
from hpatui.sandbox.controllers.objects import (
    Key,
    Object,
    key_of,
    owner_reference,
    pod_ready,
    short_hash,
)

SERVICES = RESOURCES["", "services"]
ENDPOINTS = RESOURCES["", "endpoints"]
SLICES = RESOURCES["discovery.k8s.io", "endpointslices"]

ReadyPods = Callable[[str, list[str], bool], None]


def port_name(namespace: str, name: str, port: object) -> str:
    """How the data plane calls a Service's port."""
    return f"{namespace}/{name}:{port}"


class EndpointsController:
    """Keys are Services. `publish(port name, pod uids, sticky)` tells the data plane, `drop(port name)` that one is gone."""

    def __init__(self, context: Context, publish: ReadyPods, drop: Callable[[str], None]) -> None:
        self._c = context
        self._publish = publish
        self._drop = drop
        self._services: dict[str, dict[Key, Object]] = {}
        self._published: dict[str, tuple[list[str], bool]] = {}
        context.store.add_listener(SERVICES, self._changed)
        context.store.add_listener(PODS, self._pod_changed)

    def ready_pods(self, key: Key) -> list[Object]:
        """The pods that a Service sends to."""
        service = self._services.get(key[0], {}).get(key)
        return [pod for pod in self._pods(service) if _serving(pod)] if service is not None else []

    def service(self, key: Key) -> Object | None:
        """The Service, if there is one."""
        return self._services.get(key[0], {}).get(key)

    def _changed(self, type_: str, service: Object, old: Object | None) -> None:
        key = key_of(service)
        if type_ == "DELETED":
            self._services.get(key[0], {}).pop(key, None)
            for port in service["spec"].get("ports") or ():
                name = port_name(*key, port["port"])
                self._published.pop(name, None)
                self._drop(name)
        else:
            self._services.setdefault(key[0], {})[key] = service
        self._c.engine.enqueue(self, key)

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        if old is not None and type_ == "MODIFIED" and _facts(pod) == _facts(old):
            return
        for key, service in self._services.get(pod["metadata"]["namespace"], {}).items():
            selector = service["spec"].get("selector")
            if selector and any(
                matches({"matchLabels": selector}, one["metadata"].get("labels")) for one in (pod, old) if one
            ):
                self._c.engine.enqueue(self, key)

    def _pods(self, service: Object) -> list[Object]:
        selector = service["spec"].get("selector")
        if not selector:
            return []
        pods = self._c.pods.select(service["metadata"]["namespace"], {"matchLabels": selector})
        return sorted(pods, key=lambda pod: pod["metadata"]["name"])

    def reconcile(self, key: Key, now: float) -> None:
        """Write the Service's endpoints and tell the data plane."""
        service = self.service(key)
        if service is None:
            for resource, name in ((ENDPOINTS, key[1]), (SLICES, _slice_name(key[1]))):
                try:
                    self._c.store.delete(resource, key[0], name)
                except StatusError as refused:
                    if refused.code != 404:
                        raise
            return
        if not service["spec"].get("selector"):
            return
        pods = [pod for pod in self._pods(service) if (pod.get("status") or {}).get("podIP")]
        for port in service["spec"].get("ports") or ():
            uids = [pod["metadata"]["uid"] for pod in pods if _serving(pod)]
            name = port_name(*key, port["port"])
            sticky = service["spec"].get("sessionAffinity") == "ClientIP"
            if self._published.get(name) != (uids, sticky):
                self._published[name] = (uids, sticky)
                self._publish(name, uids, sticky)
        self._write(ENDPOINTS, key, key[1], _endpoints(service, pods))
        self._write(SLICES, key, _slice_name(key[1]), _slice(service, pods))

    def _write(self, resource: Any, key: Key, name: str, body: Object) -> None:
        known = self._c.find(resource, key[0], name)
        if known is None:
            self._c.store.create(
                resource, {**body, "metadata": {**body["metadata"], "name": name, "namespace": key[0]}}
            )
        elif any(known.get(field) != value for field, value in body.items() if field not in ("metadata", "kind")):
            self._c.store.modify(
                resource, key[0], name, lambda obj: {**obj, **{k: v for k, v in body.items() if k != "metadata"}}
            )


def _serving(pod: Object) -> bool:
    return pod_ready(pod) and not pod["metadata"].get("deletionTimestamp")


def _facts(pod: Object) -> tuple[Any, ...]:
    status = pod.get("status") or {}
    meta = pod["metadata"]
    return pod_ready(pod), status.get("podIP"), bool(meta.get("deletionTimestamp")), meta.get("labels")


def _slice_name(service: str) -> str:
    return f"{service}-{short_hash(service, 5)}"


def _target(pod: Object) -> Object:
    meta = pod["metadata"]
    return {"kind": "Pod", "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]}


def target_port(pod: Object | None, port: Object) -> int:
    """The container port that a Service port leads to: a number, or a name looked up in the pod."""
    wanted = port.get("targetPort", port["port"])
    if isinstance(wanted, int):
        return wanted
    for container in (pod or {"spec": {}})["spec"].get("containers") or ():
        for entry in container.get("ports") or ():
            if entry.get("name") == wanted:
                return int(entry["containerPort"])
    return int(port["port"])


def _ports(service: Object, pods: Iterable[Object]) -> list[Object]:
    first = next(iter(pods), None)
    return [
        {
            **({"name": port["name"]} if port.get("name") else {}),
            "port": target_port(first, port),
            "protocol": port.get("protocol", "TCP"),
        }
        for port in service["spec"].get("ports") or ()
    ]


def _endpoints(service: Object, pods: list[Object]) -> Object:
    def address(pod: Object) -> Object:
        return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _target(pod)}

    active = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    subset: Object = {
        "addresses": [address(pod) for pod in active if pod_ready(pod)],
        "notReadyAddresses": [address(pod) for pod in active if not pod_ready(pod)],
    }
    subset = {name: value for name, value in subset.items() if value}
    meta = {"labels": dict(service["metadata"].get("labels") or {})}
    body: Object = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta}
    body["subsets"] = [{**subset, "ports": _ports(service, active)}] if subset else []
    return body


def _slice(service: Object, pods: list[Object]) -> Object:
    name = service["metadata"]["name"]
    endpoints = []
    for pod in pods:
        terminating, ready = bool(pod["metadata"].get("deletionTimestamp")), pod_ready(pod)
        endpoints.append(
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": ready and not terminating, "serving": ready, "terminating": terminating},
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": _target(pod),
            }
        )
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "labels": {
                "kubernetes.io/service-name": name,
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            },
            "ownerReferences": [owner_reference(service, "v1", "Service")],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "", **port} for port in _ports(service, pods)],
    }
