"""Whether a Service is the cluster's own API server in other clothes: load must not go there by any name."""

from __future__ import annotations

import contextlib

from hpatui.cluster.connect import Connection
from hpatui.cluster.served import endpoints_of
from hpatui.errors import ClusterError, LoadError
from hpatui.text import printable

_OWN = ("default", "kubernetes")  # the Service that every cluster has for its API server


async def refuse_control_plane(connection: Connection, namespace: str, service: str) -> None:
    """Raise LoadError where a Service's endpoints are those of the API server."""
    refused = LoadError(f"Service {printable(service, 100)} leads to the API server itself: load never goes there")
    if (namespace, service) == _OWN:
        raise refused
    servers = await _endpoints(connection, *_OWN)
    if servers and servers & await _endpoints(connection, namespace, service):
        raise refused


async def _endpoints(connection: Connection, namespace: str, name: str) -> set[tuple[str, int]]:
    """(address, port) of each; empty where they cannot be read."""
    with contextlib.suppress(ClusterError):
        found = await endpoints_of(connection, namespace, name)
        return {(each.address, port) for each in found for port in each.ports}
    return set()
