"""What we may do, asked of the server; and the roles that the project ships."""

from __future__ import annotations

from pathlib import Path

import yaml

from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.cluster.permissions import Action, Permissions
from hpatui.model import Key, Kind, SourceState
from hpatui.settings import Settings
from tests.contract.cluster.conftest import Watching
from tests.contract.cluster.proxy import Fault
from tests.contract.conftest import TOKEN, VIEWER, ApiServer

_REVIEW = "selfsubjectaccessreviews"
_ROLES = Path(__file__).parents[3] / "deploy" / "rbac.yaml"


async def test_a_viewer_may_look_and_not_send_load(api: ApiServer, tmp_path: Path) -> None:
    for token, proxy in ((TOKEN, True), (VIEWER, False)):
        (tmp_path / "config").write_text(api.kubeconfig.read_text().replace(TOKEN, token))
        connection = await connect(Settings(kubeconfig=str(tmp_path / "config")), SystemClock())
        permissions = Permissions(connection)
        assert await permissions.may(Action("list", "horizontalpodautoscalers", "autoscaling", "shop"))
        assert await permissions.may(Action("create", "pods/portforward", "", "shop")) is proxy
        await connection.close()


async def test_each_question_is_asked_once_and_an_error_is_no_refusal(world: Watching) -> None:
    permissions, action = Permissions(world.connection), Action("get", "services/proxy", "", "shop")
    world.proxy.fault = Fault(_REVIEW, times=1, status=500)
    assert await permissions.may(action)
    for _ in range(3):
        assert await permissions.may(action)
    assert world.proxy.count(_REVIEW) == 2


def test_the_shipped_roles_only_read_and_only_send() -> None:
    view, load = list(yaml.safe_load_all(_ROLES.read_text()))
    assert [role["kind"] for role in (view, load)] == ["ClusterRole", "ClusterRole"]
    assert {verb for rule in view["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    assert {name for rule in load["rules"] for name in rule["resources"]} == {"services/proxy", "pods/portforward"}
    assert not any("secrets" in rule["resources"] for rule in (*view["rules"], *load["rules"]))


async def test_events_are_read_from_the_newer_api_where_the_old_one_is_forbidden(world: Watching) -> None:
    world.proxy.fault = Fault("/api/v1/namespaces/shop/events", status=403)
    key = Key("shop", "a")
    world.source.set_focus(world.store.focus(key, world.now()))
    about = {"kind": "HorizontalPodAutoscaler", "name": "a", "namespace": "shop", "apiVersion": "autoscaling/v2"}
    event = {
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": "a.1", "namespace": "shop"}, "involvedObject": about,
        "reason": "SuccessfulRescale", "message": "New size: 2; reason: x", "type": "Normal", "count": 1,
        "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    assert (await world.api.request("POST", "/api/v1/namespaces/shop/events", event)).code == 201

    def events() -> list[str]:
        detail = world.store.snapshot(world.now()).detail
        return [item.message for item in detail.events] if detail is not None else []

    await world.until(lambda: events() == ["New size: 2; reason: x"])
    detail = world.store.snapshot(world.now()).detail
    assert detail is not None
    assert detail.statuses[Kind.EVENT].state is SourceState.LIVE
    assert world.proxy.count("/api/v1/namespaces/shop/events") == 4  # one try for each of the four selections
