"""ResourceQuotas: what a namespace uses, and the refusal of pods that would use more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpatui.quantity import parse_quantity
from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import PODS, Context
from hpatui.sandbox.controllers.objects import Key, Object, key_of, pod_active
from hpatui.sandbox.controllers.scheduler import amount, pod_amount

QUOTAS = RESOURCES["", "resourcequotas"]


class Quotas:
    """Keys are quotas. `check` is asked before a pod is created."""

    def __init__(self, context: Context) -> None:
        self._c = context
        self._quotas: dict[str, dict[Key, Object]] = {}
        context.store.add_listener(QUOTAS, self._changed)
        context.store.add_listener(PODS, self._pod_changed)

    def _changed(self, type_: str, quota: Object, old: Object | None) -> None:
        key = key_of(quota)
        if type_ == "DELETED":
            self._quotas.get(key[0], {}).pop(key, None)
        else:
            self._quotas.setdefault(key[0], {})[key] = quota
            self._c.engine.enqueue(self, key)

    def _pod_changed(self, type_: str, pod: Object, old: Object | None) -> None:
        for key in self._quotas.get(pod["metadata"]["namespace"], ()):
            self._c.engine.enqueue(self, key)

    def reconcile(self, key: Key, now: float) -> None:
        """Write status.hard and status.used."""
        quota = self._c.find(QUOTAS, *key)
        if quota is None:
            return
        hard = quota["spec"].get("hard") or {}
        used = self._used(key[0])
        status = {"hard": hard, "used": {name: _text(name, used.get(name, 0.0)) for name in hard}}
        self._c.set_status(QUOTAS, *key, lambda _: status)

    def admit(self, pod: Object) -> Object:
        """The pod as it is; StatusError 403 in Kubernetes' words if it would exceed a quota of its namespace."""
        self._check(pod)
        return pod

    def _check(self, pod: Mapping[str, Any]) -> None:
        space = pod["metadata"].get("namespace") or "default"
        quotas = self._quotas.get(space)
        if not quotas:
            return
        used, more = self._used(space), pod_usage(pod)
        name = pod["metadata"].get("name") or pod["metadata"].get("generateName", "")
        for (_, quota_name), quota in quotas.items():
            hard = quota["spec"].get("hard") or {}
            if unset := _unset(pod, hard):
                raise _forbidden(name, f"failed quota: {quota_name}: must specify {unset}")
            over = [
                key
                for key, limit in hard.items()
                if key in more and used.get(key, 0.0) + more[key] > amount(limit) + 1e-9
            ]
            if over:
                asked = ",".join(f"{key}={_text(key, more[key])}" for key in over)
                had = ",".join(f"{key}={_text(key, used.get(key, 0.0))}" for key in over)
                most = ",".join(f"{key}={hard[key]}" for key in over)
                text = f"exceeded quota: {quota_name}, requested: {asked}, used: {had}, limited: {most}"
                raise _forbidden(name, text)

    def _used(self, namespace: str) -> dict[str, float]:
        total: dict[str, float] = {}
        for pod in self._c.pods.in_namespace(namespace):
            if pod_active(pod) or pod["metadata"].get("deletionTimestamp"):
                for name, value in pod_usage(pod).items():
                    total[name] = total.get(name, 0.0) + value
        return total


_MUST_BE_SET = ("cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory")


def _unset(pod: Mapping[str, Any], hard: Mapping[str, Any]) -> str:
    """`limits.cpu for: web,proxy; memory for: web`: what the quota needs of each container and some do not set."""
    spec, texts = pod["spec"], []
    for resource in _MUST_BE_SET:
        if resource not in hard:
            continue
        kind, _, name = resource.rpartition(".")
        lacking = {
            str(entry.get("name", ""))
            for entry in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
            if name not in ((entry.get("resources") or {}).get(kind or "requests") or {})
        }
        if lacking:
            texts.append(f"{resource} for: {','.join(sorted(lacking))}")
    return "; ".join(texts)


def pod_usage(pod: Mapping[str, Any]) -> dict[str, float]:
    """What a pod counts against a quota, by the quota's names."""
    result = {"pods": 1.0, "count/pods": 1.0}
    for name in ("cpu", "memory"):
        for kind in ("requests", "limits"):
            result[f"{kind}.{name}"] = pod_amount(pod, kind, name)
        result[name] = result[f"requests.{name}"]
    return result


def _text(name: str, value: float) -> str:
    if name.endswith("cpu"):
        return f"{round(value * 1000)}m" if value % 1 else str(round(value))
    if name.endswith("memory") and value:
        for unit, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
            if value % size == 0:
                return f"{round(value / size)}{unit}"
    return str(parse_quantity(str(round(value))))


def _forbidden(name: str, text: str) -> StatusError:
    return StatusError(403, "Forbidden", f'pods "{name}" is forbidden: {text}', {"name": name, "kind": "pods"})
