"""Reading and writing Kubernetes objects as plain JSON: owners, selectors, conditions, times, quantities."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hpatui.clock import as_datetime, format_rfc3339, parse_rfc3339

Object = dict[str, Any]
Key = tuple[str, str]  # namespace, name

_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def key_of(obj: Mapping[str, Any]) -> Key:
    """Namespace (empty if it has none) and name."""
    meta = obj["metadata"]
    return (meta.get("namespace", ""), meta["name"])


def stamp(now: float) -> str:
    """A metav1.Time."""
    return format_rfc3339(as_datetime(now))


def micro_stamp(now: float) -> str:
    """A metav1.MicroTime."""
    return format_rfc3339(as_datetime(now), micro=True)


def seconds_of(text: str | None) -> float | None:
    """Epoch seconds of a time as the API writes it."""
    return parse_rfc3339(text).timestamp() if text else None


def controller_of(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The owner reference with controller: true."""
    for owner in obj["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return owner  # type: ignore[no-any-return]  # JSON: an owner reference is a mapping
    return None


def owner_reference(owner: Mapping[str, Any], api_version: str, kind: str) -> Object:
    """A controlling owner reference to `owner`."""
    meta = owner["metadata"]
    return {
        "apiVersion": api_version,
        "kind": kind,
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(conditions: Iterable[Mapping[str, Any]] | None, type_: str) -> Mapping[str, Any] | None:
    """The condition of that type."""
    for entry in conditions or ():
        if entry.get("type") == type_:
            return entry
    return None


def with_condition(conditions: Iterable[Mapping[str, Any]] | None, new: Mapping[str, Any], now: float) -> list[Any]:
    """The conditions with `new` in place of the one of its type; the transition time moves only with the status."""
    result: list[Any] = []
    found = False
    for entry in conditions or ():
        if entry.get("type") != new["type"]:
            result.append(entry)
            continue
        found = True
        same = entry.get("status") == new["status"]
        kept = {"lastTransitionTime": entry.get("lastTransitionTime")} if same else {"lastTransitionTime": stamp(now)}
        result.append({**entry, **new, **kept})
    if not found:
        result.append({**new, "lastTransitionTime": stamp(now)})
    return result


def pod_ready(pod: Mapping[str, Any]) -> bool:
    """Whether the pod's Ready condition is True."""
    ready = condition((pod.get("status") or {}).get("conditions"), "Ready")
    return ready is not None and ready["status"] == "True"


def pod_active(pod: Mapping[str, Any]) -> bool:
    """Neither ended nor being deleted: counts as a replica."""
    return (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed") and not pod["metadata"].get(
        "deletionTimestamp"
    )


def ready_since(pod: Mapping[str, Any]) -> float | None:
    """When the pod became ready, if it is."""
    ready = condition((pod.get("status") or {}).get("conditions"), "Ready")
    if ready is None or ready["status"] != "True":
        return None
    return seconds_of(ready.get("lastTransitionTime"))


def short_hash(value: object, length: int = 10) -> str:
    """A hash in the alphabet that Kubernetes uses for generated names."""
    data = msgspec.json.encode(value, order="deterministic")
    number = zlib.crc32(data) | zlib.crc32(data, 0x5EED) << 32
    text = ""
    for _ in range(length):
        number, digit = divmod(number, len(_SAFE))
        text += _SAFE[digit]
    return text


def scaled_value(value: int | str | None, total: int, *, up: bool, default: str) -> int:
    """An IntOrString as a number of pods: percentages of `total` are rounded up or down."""
    if value is None:
        value = default
    if isinstance(value, int):
        return value
    percent = int(value.rstrip("%"))
    return -(-total * percent // 100) if up else total * percent // 100
