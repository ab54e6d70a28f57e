"""Reads in the form that the server has: PodMetrics in the served version of metrics.k8s.io (v1 came with Kubernetes 1.37,
v1beta1 will go one day), and what a Service leads to, from EndpointSlices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpatui.cluster.connect import Connection
from hpatui.errors import ForbiddenError, NotServedError, UnreachableError

GROUP = "/apis/metrics.k8s.io"
SILENCE = 9.5  # seconds after which a connection is given up, once; then this server is a slow one
KNOWN = ("v1beta1", "v1")  # of one shape; the older is asked for first where nothing tells which is served


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address behind a Service, with the ports of its slice."""

    address: str
    ports: tuple[int, ...]
    ready: bool


async def endpoints_of(connection: Connection, namespace: str, service: str) -> list[Endpoint]:
    """What a Service leads to, ready or not, from its EndpointSlices: v1 Endpoints are deprecated from 1.33 on, and cut
    off at 1000 addresses. Empty where it has none. Raises as the connection does.
    """
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    found = await connection.get_json(path, {"labelSelector": f"kubernetes.io/service-name={service}"})
    out: list[Endpoint] = []
    for piece in listed(found, "items"):
        ports = tuple(port["port"] for port in listed(piece, "ports") if isinstance(port.get("port"), int))
        for endpoint in listed(piece, "endpoints"):
            conditions, addresses = endpoint.get("conditions"), endpoint.get("addresses")
            ready = not isinstance(conditions, Mapping) or conditions.get("ready") is not False  # not told: ready
            if isinstance(addresses, list):
                out.extend(Endpoint(str(address), ports, ready) for address in addresses)
    return out


def listed(obj: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects of a list, whatever the server sent."""
    found = obj.get(name) if isinstance(obj, Mapping) else None
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


class UsageApi:
    """PodMetrics in the version that the server has: discovered once, and again when that version is gone."""

    def __init__(self, connection: Connection, silence: float = SILENCE) -> None:
        self._connection = connection
        self._version = ""
        # Seconds without a byte: now, and after that was too short.
        self._patience: tuple[float | None, ...] = (silence, None)

    async def pods(self, namespace: str = "", selector: str | None = None) -> Any:
        """The answer for the pods of a namespace ("": of all). Raises as the connection does."""
        params = {} if selector is None else {"labelSelector": selector}
        where = f"/namespaces/{namespace}" if namespace else ""
        if not self._version:
            self._version = await self._discover()
        try:
            path = f"{GROUP}/{self._version}{where}/pods"
            found = await self._connection.request("GET", path, params, silence=self._patience[0])
        except NotServedError:
            self._version = ""
            raise
        except UnreachableError:
            self._patience = self._patience[::-1]
            raise
        return found

    async def _discover(self) -> str:
        try:
            found = await self._connection.get_json(GROUP)
        except ForbiddenError:
            return KNOWN[0]  # discovery is hidden from this user: the version that every metrics-server has
        versions = served_versions(found)
        if not versions:
            raise NotServedError("metrics.k8s.io is served in no known version")
        return versions[0]


def served_versions(group: Any) -> tuple[str, ...]:
    """The known versions that an APIGroup lists, the preferred one first."""
    preferred = group.get("preferredVersion") if isinstance(group, Mapping) else None
    names = [entry.get("version") for entry in (preferred, *listed(group, "versions")) if isinstance(entry, Mapping)]
    return tuple(dict.fromkeys(name for name in names if name in KNOWN))
