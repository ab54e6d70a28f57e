"""JSON of a trace -> the model's facts, through the decoders that a real cluster's answers go through."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hpatui.clock import parse_rfc3339
from hpatui.cluster.decode import decode_event, decode_hpa, decode_workload
from hpatui.cluster.decode_pods import decode_pod, decode_usage
from hpatui.model import Event, Hpa, Key, Pod, PodUsage, Workload

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
    return _decoded(decode_usage, obj)
