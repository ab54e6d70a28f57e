"""Whether a Service is the cluster's own API server in other clothes: load must not go there by any name."""

from __future__ import annotations

import contextlib

from hpatui.cluster.connect import Connection
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
    found: set[tuple[str, int]] = set()
    with contextlib.suppress(ClusterError):
        endpoints = await connection.get_json(f"/api/v1/namespaces/{namespace}/endpoints/{name}")
        for subset in endpoints.get("subsets") or ():
            for port in subset.get("ports") or ():
                found |= {(str(each.get("ip")), int(port.get("port", 0))) for each in subset.get("addresses") or ()}
    return found
