"""Objects as text for people: YAML without what only machines read, and kubectl's description of an HPA."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import yaml

from hpatui.autoscaler.describe import describe_hpa
from hpatui.clock import as_datetime
from hpatui.errors import ForbiddenError, MalformedObject

if TYPE_CHECKING:
    from hpatui.cluster.source import ClusterSource
    from hpatui.model import Key


def to_yaml(raw: bytes) -> str:
    """JSON of an object -> YAML, without managedFields and the last-applied annotation."""
    value = _object(raw)
    metadata = value.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
        annotations = metadata.get("annotations")
        if isinstance(annotations, dict):
            annotations.pop("kubectl.kubernetes.io/last-applied-configuration", None)
            if not annotations:
                del metadata["annotations"]
    if value.get("kind") == "Secret":
        value.pop("data", None)
        value.pop("stringData", None)
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=1000)


def describe(raw: bytes, events: Sequence[bytes] | None, now: float) -> str:
    """JSON of an HPA (autoscaling/v2) and of its events (None: they may not be read) -> the text of `kubectl describe hpa`.

    `now`: epoch seconds.
    """
    found = None if events is None else [_object(event) for event in events]
    return describe_hpa(_object(raw), found, as_datetime(now))


async def described(source: ClusterSource, key: Key, now: float) -> str:
    """The text of `kubectl describe hpa` of an HPA as it is in the cluster at present. ClusterError."""
    raw = await source.get_object("HorizontalPodAutoscaler", key)
    events: list[bytes] | None = None
    with contextlib.suppress(ForbiddenError):
        events = await source.events_of("HorizontalPodAutoscaler", key)
    return describe(raw, events, now)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise MalformedObject("object", f"is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedObject("object", "is no JSON object")
    return value
