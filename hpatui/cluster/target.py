"""From an HPA to a way in for load: scale target -> labels of its pods -> Service -> the API server's service proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hpatui.cluster.connect import Connection
from hpatui.cluster.pem import certificates, pem_bytes
from hpatui.cluster.resources import target_path
from hpatui.cluster.served import endpoints_of
from hpatui.errors import LoadError, NotServedError
from hpatui.model import Hpa


@dataclass(frozen=True, slots=True)
class ServiceRoute:
    """A Service in front of an HPA's pods, and how to reach it through the API server.

    `headers` say who we are and as whom we act, a name several times for several groups; they are never shown. `authorities`
    (PEM, None: the system's) say whom to trust there, `client_pem` is our certificate with its key. `ready` is the number of
    ready endpoints.
    """

    namespace: str
    service: str
    port: int
    proxy_url: str
    ready: int
    session_affinity: bool
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    authorities: tuple[str, ...] | None = None
    verify: bool = True
    server_name: str | None = None
    client_pem: str | None = field(default=None, repr=False)
    no_proxy_load: str = ""  # why load cannot take the service proxy with this access; empty: it can
    selector: Mapping[str, str] = field(default_factory=dict)
    target_port: int | str = 80
    tls: bool = False

    @property
    def text(self) -> str:
        """For people: `php-apache:80 by service proxy`."""
        return f"{self.service}:{self.port} by service proxy"


async def find_route(connection: Connection, hpa: Hpa) -> ServiceRoute:
    """The Service of an HPA's target. LoadError says what is missing: target, Service, port or ready endpoints."""
    namespace, ref = hpa.key.namespace, hpa.reference
    path = await target_path(connection, ref, namespace)
    try:
        target = await connection.get_json(f"{path}/{ref.name}")
    except NotServedError as error:
        raise LoadError(
            f"the HPA's target {ref} does not exist", hint="create it, or correct scaleTargetRef"
        ) from error
    labels = ((target.get("spec") or {}).get("template") or {}).get("metadata", {}).get("labels") or {}
    found = await connection.get_json(f"/api/v1/namespaces/{namespace}/services")
    services = [service for service in found.get("items") or () if _selects(service, labels)]
    if not services:
        raise LoadError(f"no Service selects the pods of {ref}", hint="name a URL with --load-url")
    return await route_to(connection, services[0])


async def route_of_service(connection: Connection, namespace: str, name: str, port: int | None = None) -> ServiceRoute:
    """A Service by its name."""
    try:
        service = await connection.get_json(f"/api/v1/namespaces/{namespace}/services/{name}")
    except NotServedError as error:
        raise LoadError(f"there is no Service {name} in namespace {namespace}") from error
    return await route_to(connection, service, port)


async def route_to(connection: Connection, service: Mapping[str, Any], port: int | None = None) -> ServiceRoute:
    """The way to a Service's port: the one named, else the first that looks like HTTP, else the first."""
    metadata, spec = service.get("metadata") or {}, service.get("spec") or {}
    namespace, name = str(metadata.get("namespace")), str(metadata.get("name"))
    ports = [item for item in spec.get("ports") or () if item.get("protocol", "TCP") == "TCP"]
    if port is not None:
        ports = [item for item in ports if item.get("port") == port]
    if not ports:
        wanted = f"port {port}" if port is not None else "TCP port"
        raise LoadError(f"Service {name} has no {wanted}", hint="name another, or a URL with --load-url")
    chosen = next((item for item in ports if _looks_like_http(item)), ports[0])
    number = int(chosen.get("port", 0))
    ready = await _ready_endpoints(connection, namespace, name)
    if ready == 0:
        raise LoadError(f"Service {name} has no ready endpoints", hint="wait until a pod is ready")
    scheme = "https:" if number == 443 or str(chosen.get("name", "")).startswith("https") else ""
    access = connection.access
    headers = await connection.auth_headers()
    ca, certificate = access.ca, connection.certificate
    return ServiceRoute(
        namespace=namespace,
        service=name,
        port=number,
        proxy_url=f"{connection.server}/api/v1/namespaces/{namespace}/services/{scheme}{name}:{number}/proxy/",
        ready=ready,
        session_affinity=spec.get("sessionAffinity") == "ClientIP",
        headers=headers,
        authorities=None
        if ca is None
        else tuple(one.decode("ascii", "replace") for one in certificates(pem_bytes(ca, access.context))),
        verify=access.verify,
        server_name=access.tls_server_name,
        client_pem=None if certificate is None else f"{certificate.cert_pem.decode()}\n{certificate.key_pem.decode()}",
        no_proxy_load="the way to the API server leads through a proxy" if connection.proxy is not None else "",
        selector=dict(spec.get("selector") or {}),
        target_port=chosen.get("targetPort", number),
        tls=bool(scheme),
    )


def _selects(service: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    selector = (service.get("spec") or {}).get("selector") or {}
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _looks_like_http(port: Mapping[str, Any]) -> bool:
    named = str(port.get("name", "")).startswith(("http", "web")) or port.get("appProtocol") == "http"
    return named or port.get("port") in (80, 8080, 8000, 3000, 443)


async def _ready_endpoints(connection: Connection, namespace: str, name: str) -> int:
    try:
        found = await endpoints_of(connection, namespace, name)
    except NotServedError:
        return 0
    return len({each.address for each in found if each.ready})
