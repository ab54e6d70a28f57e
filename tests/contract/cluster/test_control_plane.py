"""A Service whose endpoints are the API server's is not a target, whatever it is called."""

from __future__ import annotations

import pytest

from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.cluster.control_plane import refuse_control_plane
from hpatui.errors import LoadError
from hpatui.settings import Settings
from tests.contract.conftest import ApiServer


def _endpoints(name: str, namespace: str, address: str, port: int) -> dict[str, object]:
    meta = {"name": f"{name}-x7k2p", "namespace": namespace, "labels": {"kubernetes.io/service-name": name}}
    body = {"addressType": "IPv4", "endpoints": [{"addresses": [address]}], "ports": [{"port": port}]}
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, **body}


async def test_the_api_server_behind_another_service(api: ApiServer) -> None:
    api.seed(
        _endpoints("kubernetes", "default", "192.0.2.7", 6443),
        _endpoints("disguise", "shop", "192.0.2.7", 6443),
        _endpoints("web", "shop", "192.0.2.7", 8080),
    )
    connection = await connect(Settings(kubeconfig=str(api.kubeconfig)), SystemClock())
    try:
        await refuse_control_plane(connection, "shop", "web")
        await refuse_control_plane(connection, "shop", "nothing-there")
        for namespace, name in (("shop", "disguise"), ("default", "kubernetes")):
            with pytest.raises(LoadError, match="API server itself"):
                await refuse_control_plane(connection, namespace, name)
    finally:
        await connection.close()
