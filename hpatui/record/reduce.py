"""What of an object's JSON is kept: the fields that decisions and the history of a spec need, and nothing else.

An object's `raw` is whatever the API server sent: environment values, arguments, commands, annotations with whole
manifests in them. A recording gets only what stands in the tables below; a field that is in no table is not written,
whatever it is called.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

Json = Mapping[str, Any]

# Who installed it, for the history of writers. No other annotation is kept.
ANNOTATIONS = ("meta.helm.sh/release-name", "argocd.argoproj.io/tracking-id")
_METADATA = ("name", "namespace", "uid", "generation", "labels", "deletionTimestamp", "resourceVersion")
_HPA_SPEC = ("scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior", "syncPeriodSeconds")
_HPA_STATUS = (
    "observedGeneration",
    "lastScaleTime",
    "currentReplicas",
    "desiredReplicas",
    "currentMetrics",
    "conditions",
)
_POD_STATUS = ("phase", "startTime")
_CONDITION = ("type", "status", "reason", "message", "lastTransitionTime")
_WRITER = ("manager", "operation", "apiVersion", "time", "subresource")

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder().decode


def reduced_hpa(raw: bytes) -> bytes:
    """An HPA: spec and status as far as they are those of autoscaling/v2, and who wrote the spec."""
    obj = _object(raw)
    return _encode(
        {
            "metadata": _metadata(obj, "f:spec"),
            "spec": _some(_part(obj, "spec"), _HPA_SPEC),
            "status": _some(_part(obj, "status"), _HPA_STATUS),
        }
    )


def reduced_workload(raw: bytes) -> bytes:
    """A scale target: its name, the size it is asked for, and who wrote that."""
    obj = _object(raw)
    return _encode(
        {
            **_some(obj, ("apiVersion", "kind")),
            "metadata": _metadata(obj, "f:replicas"),
            "spec": _some(_part(obj, "spec"), ("replicas",)),
        }
    )


def reduced_pod(raw: bytes) -> bytes:
    """A pod: requests, phase and conditions, which is what the exact reader of decisions reads."""
    obj = _object(raw)
    spec, status = _part(obj, "spec"), _part(obj, "status")
    kept: dict[str, Any] = {
        name: [_container(item) for item in _entries(spec, name)]
        for name in ("containers", "initContainers")
        if spec.get(name) is not None
    }
    if spec.get("resources") is not None:
        kept["resources"] = _resources(spec["resources"])
    if spec.get("overhead") is not None:
        kept["overhead"] = spec["overhead"]
    told = _some(status, _POD_STATUS)
    if status.get("conditions") is not None:
        told["conditions"] = [_some(item, _CONDITION) for item in _entries(status, "conditions")]
    return _encode({"metadata": _metadata(obj, ""), "spec": kept, "status": told})


def reduced_usage(raw: bytes) -> bytes:
    """A sample: what each container used."""
    obj = _object(raw)
    containers = [_some(item, ("name", "usage")) for item in _entries(obj, "containers")]
    return _encode(
        {"metadata": _metadata(obj, ""), **_some(obj, ("timestamp", "window")), "containers": containers},
    )


def _object(raw: bytes) -> Json:
    try:
        found = _decode(raw)
    except (msgspec.MsgspecError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _part(obj: Json, name: str) -> Json:
    found = obj.get(name)
    return found if isinstance(found, dict) else {}


def _entries(obj: Json, name: str) -> list[Json]:
    """The objects of a list in their places; what is no object becomes an empty one."""
    found = obj.get(name)
    return [item if isinstance(item, dict) else {} for item in found] if isinstance(found, list) else []


def _some(obj: Json, names: Iterable[str]) -> dict[str, Any]:
    return {name: obj[name] for name in names if obj.get(name) is not None}


def _resources(value: Any) -> Any:
    return _some(value, ("requests", "limits")) if isinstance(value, dict) else value


def _container(item: Json) -> dict[str, Any]:
    kept = _some(item, ("name", "restartPolicy"))
    if item.get("resources") is not None:
        kept["resources"] = _resources(item["resources"])
    return kept


def _metadata(obj: Json, field: str) -> dict[str, Any]:
    """Names, labels, and (with `field`) the managers that own that field of the spec: only who, how and when."""
    metadata = _part(obj, "metadata")
    kept = _some(metadata, _METADATA)
    notes = _some(_part(metadata, "annotations"), ANNOTATIONS)
    if notes:
        kept["annotations"] = notes
    writers = [_writer(item, field) for item in _entries(metadata, "managedFields") if field and _owns(item, field)]
    if writers:
        kept["managedFields"] = writers
    return kept


def _owns(item: Json, field: str) -> bool:
    spec = _part(_part(item, "fieldsV1"), "f:spec")
    return bool(spec) if field == "f:spec" else field in spec


def _writer(item: Json, field: str) -> dict[str, Any]:
    owned: dict[str, Any] = {field: {}} if field != "f:spec" else _part(_part(item, "fieldsV1"), "f:spec")  # type: ignore[assignment]
    return {**_some(item, _WRITER), "fieldsV1": {"f:spec": owned}}
