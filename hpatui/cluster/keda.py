"""KEDA's ScaledObject behind an HPA that KEDA made: read now and then, because few may watch it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hpatui.autoscaler.keda import facts_of, is_paused, scaled_object
from hpatui.cluster.connect import Connection
from hpatui.cluster.fields import decode, key_of, uid_of
from hpatui.errors import ClusterError, ForbiddenError, MalformedObject, NotServedError
from hpatui.model import ClusterEvent, Hpa, Kind, Listed, ScaledObject, SourceState

EVERY = 15.0
Say = Callable[[Kind, SourceState, str], Awaitable[None]]


def name_of(hpa: Hpa) -> str:
    """The name of the ScaledObject that made the HPA; empty where none did."""
    return scaled_object(hpa.labels, ((owner.kind, owner.name) for owner in hpa.owners))


def decode_scaled_object(raw: bytes) -> ScaledObject:
    """keda.sh/v1alpha1. MalformedObject where it is no object with a name."""
    obj = decode(raw)
    key = key_of(obj)
    if not key.name:
        raise MalformedObject("the ScaledObject", "has no name")
    return ScaledObject(key, uid_of(obj), is_paused(obj), facts_of(obj))


async def follow_scaled_object(
    connection: Connection, hpa: Hpa, put: Callable[[ClusterEvent], Awaitable[None]], say: Say
) -> None:  # fmt: skip
    """Tell it as a fact with the HPA's key as its scope, for ever; a status where it cannot be read."""
    path = f"/apis/keda.sh/v1alpha1/namespaces/{hpa.key.namespace}/scaledobjects/{name_of(hpa)}"
    while True:
        try:
            found = decode_scaled_object(await connection.request("GET", path))
        except (ClusterError, MalformedObject) as error:
            state = SourceState.FORBIDDEN if isinstance(error, ForbiddenError) else SourceState.RECONNECTING
            gone = isinstance(error, NotServedError | MalformedObject)
            await put(Listed(Kind.SCALED_OBJECT, (), str(hpa.key)))
            await say(Kind.SCALED_OBJECT, SourceState.NOT_SERVED if gone else state, error.message)
        else:
            await put(Listed(Kind.SCALED_OBJECT, (found,), str(hpa.key)))
            await say(Kind.SCALED_OBJECT, SourceState.LIVE, "")
        await asyncio.sleep(EVERY)
