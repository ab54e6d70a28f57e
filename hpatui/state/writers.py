"""Who wrote spec.replicas of a scale target last, as its managedFields tell: also a single look shows a second writer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hpatui.clock import parse_rfc3339

CONTROLLERS = ("kube-controller-manager", "horizontal-pod-autoscaler")  # what the HPA itself writes by
_AFTER = 1.0  # seconds: managedFields and lastScaleTime are cut to whole ones


@dataclass(frozen=True, slots=True)
class ReplicaOwner:
    """`manager` owns f:spec.f:replicas since `time` (epoch seconds), by `operation` (Apply or Update)."""

    manager: str
    operation: str
    time: float


def foreign_writer(raw: bytes, last_scale: float | None) -> ReplicaOwner | None:
    """Who but the HPA wrote spec.replicas after the HPA's last rescale; None where nobody did, or none can be told.

    `raw`: JSON of the scale target. A target whose HPA never scaled it has a first size from somebody: that is no fight.
    """
    if last_scale is None:
        return None
    found = [one for one in _owners(raw) if one.manager not in CONTROLLERS and one.time > last_scale + _AFTER]
    return max(found, key=lambda one: one.time, default=None)


@lru_cache(maxsize=1024)
def _owners(raw: bytes) -> tuple[ReplicaOwner, ...]:
    if b"managedFields" not in raw:
        return ()
    try:
        metadata = json.loads(raw)["metadata"]
        return tuple(found for entry in metadata["managedFields"] if (found := _owner(entry)) is not None)
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()


def _owner(entry: Any) -> ReplicaOwner | None:
    if "f:replicas" not in ((entry.get("fieldsV1") or {}).get("f:spec") or {}):
        return None
    try:
        time = parse_rfc3339(str(entry.get("time"))).timestamp()
    except ValueError:
        return None
    return ReplicaOwner(str(entry.get("manager") or ""), str(entry.get("operation") or ""), time)
