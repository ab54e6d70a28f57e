"""LimitRanges: what containers request and may use where their pods do not say, and how much that may be at all.

As plugin/pkg/admission/limitranger, for the type Container, cpu and memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES
from hpatui.sandbox.apiserver.status import StatusError
from hpatui.sandbox.controllers.context import Context
from hpatui.sandbox.controllers.objects import Key, Object, key_of
from hpatui.sandbox.controllers.scheduler import amount

LIMIT_RANGES = RESOURCES["", "limitranges"]
_NOTE = "kubernetes.io/limit-ranger"


class LimitRanges:
    """`admit` is asked before a pod is created."""

    def __init__(self, context: Context) -> None:
        self._ranges: dict[str, dict[Key, Object]] = {}
        context.store.add_listener(LIMIT_RANGES, self._changed)

    def _changed(self, type_: str, obj: Object, old: Object | None) -> None:
        key = key_of(obj)
        if type_ == "DELETED":
            self._ranges.get(key[0], {}).pop(key, None)
        else:
            self._ranges.setdefault(key[0], {})[key] = obj

    def admit(self, pod: Object) -> Object:
        """The pod with the defaults of its namespace; StatusError 403 beyond a minimum or maximum."""
        pod = _with_priority(pod)
        found = self._ranges.get(pod["metadata"].get("namespace") or "default")
        items = [
            item
            for obj in (found or {}).values()
            for item in (obj.get("spec") or {}).get("limits") or ()
            if item.get("type") == "Container"
        ]
        if not items:
            return pod
        notes: list[str] = []
        containers = [self._filled(entry, items, notes) for entry in pod["spec"].get("containers") or ()]
        for container in containers:
            _check(pod, container, items)
        new = {**pod, "spec": {**pod["spec"], "containers": containers}}
        if notes:
            meta = pod["metadata"]
            text = f"LimitRanger plugin set: {'; '.join(notes)}"
            new["metadata"] = {**meta, "annotations": {**(meta.get("annotations") or {}), _NOTE: text}}
        return new

    @staticmethod
    def _filled(container: Object, items: list[Object], notes: list[str]) -> Object:
        needs = container.get("resources") or {}
        limits, requests = dict(needs.get("limits") or {}), dict(needs.get("requests") or {})
        set_limits: list[str] = []
        set_requests: list[str] = []
        for item in items:
            for name, value in _defaults(item)[0].items():
                if name not in limits:
                    limits[name] = value
                    set_limits.append(name)
            for name, value in _defaults(item)[1].items():
                if name not in requests:
                    requests[name] = value
                    set_requests.append(name)
        for kind, names in (("request", set_requests), ("limit", set_limits)):
            if names:
                notes.append(f"{', '.join(sorted(names))} {kind} for container {container.get('name', '')}")
        filled = {name: value for name, value in (("limits", limits), ("requests", requests)) if value}
        return {**container, "resources": {**needs, **filled}}


def _defaults(item: Mapping[str, Any]) -> tuple[Object, Object]:
    """Default limits (else the maximum) and default requests (else those limits, else the minimum)."""
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    return limits, {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}


def _check(pod: Object, container: Object, items: list[Object]) -> None:
    needs = container.get("resources") or {}
    limits, requests = needs.get("limits") or {}, needs.get("requests") or {}
    errors = []
    for item in items:
        for name, least in (item.get("min") or {}).items():
            if name not in requests:
                errors.append(f"minimum {name} usage per Container is {least}.  No request is specified")
            elif amount(requests[name]) < amount(least):
                errors.append(f"minimum {name} usage per Container is {least}, but request is {requests[name]}")
        for name, most in (item.get("max") or {}).items():
            if name not in limits:
                errors.append(f"maximum {name} usage per Container is {most}.  No limit is specified")
            elif amount(limits[name]) > amount(most):
                errors.append(f"maximum {name} usage per Container is {most}, but limit is {limits[name]}")
    if errors:
        name = pod["metadata"].get("name") or pod["metadata"].get("generateName", "")
        text = errors[0] if len(errors) == 1 else f"[{', '.join(errors)}]"
        raise StatusError(403, "Forbidden", f'pods "{name}" is forbidden: {text}', {"name": name, "kind": "pods"})


# The two classes that every cluster has; there are no others here.
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def _with_priority(pod: Object) -> Object:
    """The pod with the number of its PriorityClass; StatusError 403 for a class that there is not."""
    name = pod["spec"].get("priorityClassName")
    if not name:
        return pod
    if name not in _PRIORITIES:
        own = pod["metadata"].get("name") or pod["metadata"].get("generateName", "")
        text = f'pods "{own}" is forbidden: no PriorityClass with name {name} was found'
        raise StatusError(403, "Forbidden", text, {"name": own, "kind": "pods"})
    return {**pod, "spec": {**pod["spec"], "priority": _PRIORITIES[name]}}
