"""Look-ups that the store does not have: objects by owner, pods by label and by node. Fed by the store's changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hpatui.sandbox.apiserver.resources import RESOURCES, Resource
from hpatui.sandbox.apiserver.selectors import matches
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.controllers.objects import Key, Object, controller_of, key_of

PODS = RESOURCES["", "pods"]
_NONE: dict[Key, Object] = {}


class OwnerIndex:
    """Objects of one resource by the uid of their controlling owner."""

    def __init__(self, store: Store, resource: Resource) -> None:
        self._by_owner: dict[str, dict[Key, Object]] = {}
        store.add_listener(resource, self._changed)

    def owned_by(self, uid: str) -> list[Object]:
        """The objects whose controller is `uid`."""
        return list(self._by_owner.get(uid, _NONE).values())

    def _changed(self, type_: str, obj: Object, old: Object | None) -> None:
        key = key_of(obj)
        was = controller_of(old) if old is not None else controller_of(obj)
        owner = controller_of(obj) if type_ != "DELETED" else None
        if was is not None and (owner is None or was["uid"] != owner["uid"]):
            _drop(self._by_owner, was["uid"], key)
        if owner is not None:
            self._by_owner.setdefault(owner["uid"], {})[key] = obj


class PodIndex:
    """Pods by namespace and label, and by node."""

    def __init__(self, store: Store) -> None:
        self._by_label: dict[tuple[str, str, str], dict[Key, Object]] = {}
        self._by_namespace: dict[str, dict[Key, Object]] = {}
        self._by_node: dict[str, dict[Key, Object]] = {}
        store.add_listener(PODS, self._changed)

    def select(self, namespace: str, selector: Mapping[str, Any] | None) -> list[Object]:
        """Pods of a namespace that a LabelSelector selects."""
        if selector is None:
            return []
        found: Iterable[Object] = self._by_namespace.get(namespace, _NONE).values()
        wanted = selector.get("matchLabels") or {}
        if wanted:
            sets = [self._by_label.get((namespace, name, value), _NONE) for name, value in wanted.items()]
            found = min(sets, key=len).values()
        return [pod for pod in found if matches(selector, pod["metadata"].get("labels"))]

    def on_node(self, node: str) -> list[Object]:
        """Pods bound to a node ("": to none)."""
        return list(self._by_node.get(node, _NONE).values())

    def in_namespace(self, namespace: str) -> list[Object]:
        """All pods of a namespace."""
        return list(self._by_namespace.get(namespace, _NONE).values())

    def _changed(self, type_: str, pod: Object, old: Object | None) -> None:
        key = key_of(pod)
        before = old if old is not None else (pod if type_ == "DELETED" else None)
        if before is not None and (type_ == "DELETED" or _place(before) != _place(pod)):
            self._remove(key, before)
        if type_ == "DELETED":
            return
        labels, node = _place(pod)
        self._by_namespace.setdefault(key[0], {})[key] = pod
        self._by_node.setdefault(node, {})[key] = pod
        for name, value in labels.items():
            self._by_label.setdefault((key[0], name, value), {})[key] = pod

    def _remove(self, key: Key, pod: Object) -> None:
        labels, node = _place(pod)
        _drop(self._by_namespace, key[0], key)
        _drop(self._by_node, node, key)
        for name, value in labels.items():
            _drop(self._by_label, (key[0], name, value), key)


def _place(pod: Object) -> tuple[Mapping[str, str], str]:
    return pod["metadata"].get("labels") or {}, pod["spec"].get("nodeName") or ""


def _drop(index: dict[Any, dict[Key, Object]], group: object, key: Key) -> None:
    entries = index.get(group)
    if entries is not None:
        entries.pop(key, None)
        if not entries:
            del index[group]
