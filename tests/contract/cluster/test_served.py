"""What is read in the form that the server has: the version of metrics.k8s.io, EndpointSlices."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hpatui.clock import SystemClock
from hpatui.cluster.connect import Connection, connect
from hpatui.cluster.served import UsageApi, endpoints_of, served_versions
from hpatui.errors import NotServedError
from hpatui.settings import Settings
from tests.contract.conftest import ApiServer


class Discovery:
    """A server that has some versions of metrics.k8s.io and notes what it is asked."""

    def __init__(self, *versions: str, hidden: bool = False) -> None:
        self.versions, self.hidden = list(versions), hidden
        self.seen: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        """Discovery of the group, or the pods of a version."""
        self.seen.append(request.path)
        parts = request.path.split("/")
        if len(parts) == 3 and self.hidden:
            return web.json_response({"kind": "Status", "message": "forbidden"}, status=403)
        if len(parts) == 3 and self.versions:
            return web.json_response({"versions": [{"version": name} for name in self.versions]})
        if len(parts) > 3 and parts[3] in self.versions:
            return web.json_response({"items": [], "query": dict(request.query)})
        return web.json_response({"kind": "Status", "message": "the server could not find it"}, status=404)


async def _ask(server: Discovery, tmp_path: Path, *, then: tuple[str, ...] | None = None) -> list[str]:
    app = web.Application()
    app.router.add_route("GET", "/{path:.*}", server.answer)
    async with TestServer(app) as running:
        path = tmp_path / "kubeconfig"
        cluster = {"name": "c", "cluster": {"server": str(running.make_url("")).rstrip("/")}}
        context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
        config = {"clusters": [cluster], "contexts": [context], "current-context": "c"}
        config["users"] = [{"name": "u", "user": {}}]
        path.write_text(json.dumps(config))
        connection: Connection = await connect(Settings(kubeconfig=str(path)), SystemClock())
        server.seen.clear()
        try:
            api = UsageApi(connection)
            await api.pods("shop", "app=web")
            if then is not None:
                server.versions = list(then)
                with pytest.raises(NotServedError):
                    await api.pods("shop", "app=web")
            await api.pods()
        finally:
            await connection.close()
    return server.seen


@pytest.mark.parametrize(
    ("versions", "used"), [(("v1beta1",), "v1beta1"), (("v1",), "v1"), (("v1", "v1beta1"), "v1"), (("v2", "v1"), "v1")]
)
async def test_the_version_that_is_served(versions: tuple[str, ...], used: str, tmp_path: Path) -> None:
    group = "/apis/metrics.k8s.io"
    assert await _ask(Discovery(*versions), tmp_path) == [
        group, f"{group}/{used}/namespaces/shop/pods", f"{group}/{used}/pods",
    ]  # fmt: skip


async def test_a_version_that_goes_away_is_looked_for_again(tmp_path: Path) -> None:
    seen = await _ask(Discovery("v1beta1"), tmp_path, then=("v1",))
    assert [path.split("/")[3:4] for path in seen] == [[], ["v1beta1"], ["v1beta1"], [], ["v1"]]


async def test_hidden_discovery_leaves_the_version_that_every_server_had(tmp_path: Path) -> None:
    assert (await _ask(Discovery("v1beta1", hidden=True), tmp_path))[-1] == "/apis/metrics.k8s.io/v1beta1/pods"


async def test_no_known_version_is_not_served(tmp_path: Path) -> None:
    for versions in ((), ("v2",)):
        with pytest.raises(NotServedError):
            await _ask(Discovery(*versions), tmp_path)


@pytest.mark.parametrize("odd", [None, [], {}, {"versions": 3}, {"versions": [1, {}]}, {"preferredVersion": "v1"}])
def test_an_odd_answer_names_no_version(odd: object) -> None:
    assert served_versions(odd) == ()


async def test_endpoints_are_read_from_the_slices_of_the_service_alone(api: ApiServer) -> None:
    def piece(name: str, service: str, *endpoints: dict[str, object]) -> dict[str, object]:
        meta = {"name": name, "namespace": "shop", "labels": {"kubernetes.io/service-name": service}}
        body = {"addressType": "IPv4", "endpoints": list(endpoints), "ports": [{"port": 8080}]}
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, **body}

    api.seed(
        piece("web-a", "web", {"addresses": ["192.0.2.1"], "conditions": {"ready": False}}),
        piece(
            "web-b", "web", {"addresses": ["192.0.2.2"]}, {"addresses": ["192.0.2.3"], "conditions": {"ready": True}}
        ),
        piece("else-a", "else", {"addresses": ["192.0.2.4"]}),
    )
    connection = await connect(Settings(kubeconfig=str(api.kubeconfig)), SystemClock())
    try:
        found = await endpoints_of(connection, "shop", "web")
        assert [(each.address, each.ready, each.ports) for each in found] == [
            ("192.0.2.1", False, (8080,)), ("192.0.2.2", True, (8080,)), ("192.0.2.3", True, (8080,)),
        ]  # fmt: skip
        assert await endpoints_of(connection, "shop", "nothing") == []
    finally:
        await connection.close()
