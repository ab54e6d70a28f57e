"""What a pod needs of its namespace before its containers can be made: ConfigMaps and Secrets of volumes and environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hpatui.sandbox.controllers.objects import Object

Find = Callable[[str, str, str], Object | None]  # plural, namespace, name
_ROOT_CERTIFICATE = "kube-root-ca.crt"  # a controller of a real cluster writes it into every namespace


def missing_volume(pod: Object, find: Find) -> str:
    """The kubelet's words of the first volume that cannot be mounted, "" where all can: the pod stays ContainerCreating."""
    for volume in pod["spec"].get("volumes") or ():
        for source in (volume.get("projected") or {}).get("sources") or [volume]:
            for plural, named in (("configmaps", source.get("configMap")), ("secrets", source.get("secret"))):
                why = _lacks(pod, plural, named, find) if named else ""
                if why:
                    return f'MountVolume.SetUp failed for volume "{volume.get("name", "")}" : {why}'
    return ""


def missing_value(pod: Object, container: Mapping[str, Any], find: Find) -> str:
    """The kubelet's words of the first variable that has no source, "" where all have one: CreateContainerConfigError."""
    space = pod["metadata"]["namespace"]
    for plural, name, key in _references(container):
        found = find(plural, space, name)
        if found is None:
            return f'{plural[:-1]} "{name}" not found'
        if key and not _has(found, key):
            return f"couldn't find key {key} in {'ConfigMap' if plural == 'configmaps' else 'Secret'} {space}/{name}"
    return ""


def _references(container: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(plural, name, key or "" for all keys) that must be there."""
    for entry in container.get("envFrom") or ():
        for plural, field in (("configmaps", "configMapRef"), ("secrets", "secretRef")):
            named = entry.get(field)
            if named and not named.get("optional"):
                yield plural, str(named.get("name", "")), ""
    for entry in container.get("env") or ():
        source = entry.get("valueFrom") or {}
        for plural, field in (("configmaps", "configMapKeyRef"), ("secrets", "secretKeyRef")):
            named = source.get(field)
            if named and not named.get("optional"):
                yield plural, str(named.get("name", "")), str(named.get("key", ""))


def _lacks(pod: Object, plural: str, named: Mapping[str, Any], find: Find) -> str:
    name = str(named.get("secretName") or named.get("name") or "")
    if named.get("optional") or name == _ROOT_CERTIFICATE:
        return ""
    found = find(plural, pod["metadata"]["namespace"], name)
    if found is None:
        return f'{plural[:-1]} "{name}" not found'
    absent = next((item["key"] for item in named.get("items") or () if not _has(found, str(item.get("key", "")))), "")
    if not absent:
        return ""
    return f"references non-existent {'config' if plural == 'configmaps' else 'secret'} key: {absent}"


def _has(found: Object, key: str) -> bool:
    return any(key in (found.get(field) or {}) for field in ("data", "binaryData"))
