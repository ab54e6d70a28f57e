"""JSON of a trace -> the model's facts, through the decoders that a real cluster's answers go through."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hpatui.clock import parse_rfc3339
from hpatui.cluster.decode import decode_event, decode_hpa, decode_workload
from hpatui.cluster.decode_pods import decode_owner, decode_pod, usage_of
from hpatui.cluster.fields import decode as obj_of
from hpatui.forms.selectors import selector_text
from hpatui.model import Event, Hpa, Key, OwnerLink, Pod, PodUsage, Scale, Workload

Obj = Mapping[str, Any]
_T = TypeVar("_T")


def key_of(obj: Obj) -> Key:
    """Namespace and name."""
    return Key(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])


def seconds(text: str | None) -> float | None:
    """An API time in epoch seconds."""
    return parse_rfc3339(text).timestamp() if text else None


def _decoded(decode: Callable[[bytes], _T | None], obj: Obj) -> _T:
    found = decode(json.dumps(obj).encode())
    assert found is not None
    return found


def hpa(obj: Obj) -> Hpa:
    """A HorizontalPodAutoscaler (autoscaling/v2)."""
    return _decoded(decode_hpa, obj)


def workload(obj: Obj) -> Workload:
    """A Deployment, or another kind of scale target."""
    return _decoded(decode_workload, obj)


def pod(obj: Obj) -> Pod:
    """A Pod."""
    return _decoded(decode_pod, obj)


def event(obj: Obj) -> Event:
    """A core/v1 Event."""
    return _decoded(decode_event, obj)


def usage(obj: Obj) -> PodUsage:
    """A PodMetrics."""
    return _decoded(lambda raw: usage_of(obj_of(raw), raw), obj)


def owner(obj: Obj) -> OwnerLink:
    """A ReplicaSet, as a link between pods and what owns it."""
    return _decoded(decode_owner, obj)


def scale(obj: Obj) -> Scale:
    """The scale subresource of a Deployment, a ReplicaSet or a custom resource with the usual fields."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    told = status.get("selector")
    return Scale(
        kind=obj.get("kind", ""),
        key=key_of(obj),
        spec_replicas=spec.get("replicas", 1),
        status_replicas=status.get("replicas") or 0,
        selector=told if isinstance(told, str) else selector_text(spec.get("selector")),
        api_version=obj.get("apiVersion", ""),
        uid=obj["metadata"].get("uid", ""),
    )
