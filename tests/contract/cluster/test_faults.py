"""Each fault of networks and servers: no crash, nothing lost or doubled afterwards, the true state, few requests."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from hpatui.cluster.details import usage_state
from hpatui.cluster.watch import WatchPace
from hpatui.errors import (
    AuthError,
    ClusterError,
    ForbiddenError,
    NotServedError,
    ServerBusyError,
    TrustError,
    UnreachableError,
)
from hpatui.model import (
    Key,
    Kind,
    Seen,
    SourceState,
    Tick,
)
from tests.contract.cluster.conftest import Watching, hpa_object, watching
from tests.contract.cluster.proxy import LIST, METRICS, WATCH, Fault
from tests.contract.conftest import ApiServer

HPAS = "horizontalpodautoscalers"


async def _reconnecting(world: Watching) -> None:
    await world.until(lambda: world.status.state is SourceState.RECONNECTING)


async def test_connection_refused(world: Watching) -> None:
    await world.proxy.down()
    await _reconnecting(world)
    assert world.names == ["a", "b"], "what was known stays, and is said to be old"
    await world.until(lambda: "cannot connect" in world.status.message)
    await world.create("c")
    await world.delete("a")
    await world.proxy.up()
    await world.live("b", "c")


async def test_reset_in_mid_line(world: Watching) -> None:
    await world.proxy.break_lines()
    await world.create("c")
    await world.live("a", "b", "c")
    assert SourceState.RECONNECTING in world.states
    assert world.proxy.count(LIST) == 1, "the watch goes on from where it was: nothing is listed again"


async def test_half_open_and_silent(world: Watching) -> None:
    world.proxy.silent = True
    await _reconnecting(world)
    await world.create("c")
    world.proxy.silent = False
    await world.live("a", "b", "c")


async def test_gone_as_an_answer(world: Watching) -> None:
    """410 to a watch: everything is listed anew, and what vanished meanwhile is dropped."""
    world.proxy.fault = Fault(WATCH, times=1, status=410, body='{"kind":"Status","code":410,"message":"too old"}')
    await world.delete("a")
    world.proxy.reset()
    await world.live("b")
    assert world.proxy.count(LIST) == 2


async def test_gone_as_an_event(world: Watching) -> None:
    event = {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}}
    world.proxy.fault = Fault(WATCH, times=1, inject=json.dumps(event).encode() + b"\n")
    await world.create("c")
    world.proxy.reset()
    await world.live("a", "b", "c")
    await world.until(lambda: world.proxy.count(LIST) == 2)


async def test_too_many_requests_with_retry_after(world: Watching) -> None:
    world.proxy.fault = Fault(HPAS, times=1, status=429, headers={"Retry-After": "1"})
    began = time.monotonic()
    before = world.proxy.count(HPAS)
    world.proxy.reset()
    await world.until(lambda: world.proxy.count(HPAS) >= before + 2)
    assert time.monotonic() - began >= 0.99, "not before the server's time"
    await world.live("a", "b")


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_500s(world: Watching, status: int) -> None:
    world.proxy.fault = Fault(HPAS, status=status, body="<html>\x1b[31mbad</html>")
    world.proxy.reset()
    await _reconnecting(world)
    before = world.proxy.count(HPAS)
    await asyncio.sleep(1.0)
    assert world.proxy.count(HPAS) - before <= 5, "pauses grow: 0.05, 0.1, 0.2, 0.4 s, and then 0.4 s each"
    assert "\x1b" not in world.status.message
    world.proxy.fault = None
    await world.create("c")
    await world.live("a", "b", "c")


async def test_503_of_metrics(api: ApiServer, tmp_path: Path) -> None:
    """The aggregated API is down: the HPAs stay live, the pods' usage says what is missing."""
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                 "template": {"metadata": {"labels": {"app": "web"}},
                              "spec": {"containers": [{"name": "web", "image": "web"}]}}},
    }  # fmt: skip
    async with watching(api, tmp_path) as world:
        world.proxy.fault = Fault(METRICS, status=503, body='{"kind":"Status","message":"the server is unavailable"}')
        assert (await api.request("POST", "/apis/apps/v1/namespaces/shop/deployments", deployment)).code == 201
        await world.create("a")
        await world.live("a")
        hpa = world.store.focus(world.store.snapshot(0).rows[0].key, world.now())
        world.source.set_focus(hpa)

        def usage_is_down() -> bool:
            detail = world.store.snapshot(world.now()).detail
            status = detail.statuses.get(Kind.POD_USAGE) if detail is not None else None
            return status is not None and status.state is SourceState.RECONNECTING and bool(status.message)

        await world.until(usage_is_down)
        assert world.status.state is SourceState.LIVE


async def test_truncated_json_of_a_list(api: ApiServer, tmp_path: Path) -> None:
    async with watching(api, tmp_path) as world:
        world.proxy.fault = Fault(LIST, times=2, cut=0.5)
        await world.create("a")
        await world.live("a")


async def test_a_broken_line_of_a_watch(world: Watching) -> None:
    world.proxy.fault = Fault(WATCH, times=1, inject=b'{"type":"ADDED","object":{"meta\n')
    world.proxy.reset()
    await world.create("c")
    await world.live("a", "b", "c")


@pytest.mark.parametrize(
    "odd",
    [
        {"metadata": {"name": "odd"}},
        {"metadata": {"name": "odd", "namespace": "shop"}, "spec": None, "status": 5},
        {"metadata": {"name": "odd", "namespace": "shop"}, "spec": {"maxReplicas": "many", "scaleTargetRef": []}},
        {"metadata": None},
        [],
    ],
    ids=["bare", "null spec", "wrong types", "no metadata", "list"],
)
async def test_an_object_without_the_expected_fields(world: Watching, odd: object) -> None:
    line = json.dumps({"type": "ADDED", "object": odd}).encode() + b"\n"
    world.proxy.fault = Fault(WATCH, times=1, inject=line)
    world.proxy.reset()
    await world.create("c")
    await world.until(lambda: {"a", "b", "c"} <= set(world.names))
    assert len(world.names) == len(set(world.names))


async def test_a_list_of_20_mb(api: ApiServer, tmp_path: Path) -> None:
    count = 1000
    api.seed(*(hpa_object(f"hpa-{i:04}", annotations={"note": "x" * 20_000}) for i in range(count)))
    async with watching(api, tmp_path, WatchPace(inactivity=10)) as world:
        await world.until(lambda: len(world.names) == count, 60)
        await world.until(lambda: world.status.state is SourceState.LIVE)
        assert SourceState.LISTING in world.states, "progress is shown"


async def test_a_slow_drip(api: ApiServer, tmp_path: Path) -> None:
    async with watching(api, tmp_path) as world:
        world.proxy.fault = Fault(LIST, times=1, drip=0.1)
        await world.create("a")
        await world.live("a")


async def test_a_watch_that_ends_at_once_is_not_asked_for_in_a_tight_loop(world: Watching) -> None:
    world.proxy.fault = Fault(WATCH, end=True)
    world.proxy.reset()
    await _reconnecting(world)
    before = world.proxy.count(WATCH)
    await asyncio.sleep(1.0)
    assert world.proxy.count(WATCH) - before <= 6
    world.proxy.fault = None
    await world.live("a", "b")


async def test_an_expired_token_is_said_and_not_retried_for_ever(world: Watching) -> None:
    world.proxy.fault = Fault("", status=401, body='{"kind":"Status","code":401,"message":"Unauthorized"}')
    world.proxy.reset()
    await world.until(lambda: world.status.state is SourceState.FAILED)
    before = len(world.proxy.requests)
    await asyncio.sleep(0.6)
    assert len(world.proxy.requests) - before <= 2
    assert world.names == ["a", "b"]


async def test_forbidden_says_which_permission_is_missing(world: Watching) -> None:
    body = {"kind": "Status", "code": 403, "reason": "Forbidden",
            "message": 'horizontalpodautoscalers.autoscaling is forbidden: User "x" cannot watch resource'}  # fmt: skip
    world.proxy.fault = Fault(HPAS, status=403, body=json.dumps(body))
    world.proxy.reset()
    await world.until(lambda: world.status.state is SourceState.FORBIDDEN)
    assert "cannot watch resource" in world.status.message
    world.proxy.fault = None
    await world.live("a", "b")


async def test_a_namespace_that_is_deleted(world: Watching) -> None:
    await world.api.request("DELETE", "/api/v1/namespaces/shop")
    for name in ("a", "b"):
        path = f"/apis/autoscaling/v2/namespaces/shop/{HPAS}/{name}"
        await world.api.request("DELETE", path)
    await world.until(lambda: world.names == [])
    assert world.status.state is SourceState.LIVE


async def test_an_hpa_deleted_and_created_again_with_the_same_name(world: Watching) -> None:
    first = world.store.snapshot(0).rows[0].hpa
    world.proxy.silent = True
    await _reconnecting(world)
    await world.delete("a")
    await world.create("a")
    world.proxy.silent = False
    await world.until(lambda: world.store.snapshot(0).rows[0].hpa.uid != first.uid)
    await world.live("a", "b")


async def test_a_cluster_whose_clock_is_an_hour_off(world: Watching) -> None:
    """Ages come from differences that may be negative; nothing breaks, and the stream is live."""
    for skew in (-3600.0, 3600.0):
        moment = world.now() + skew
        snapshot = world.store.snapshot(moment)
        assert snapshot.status.state is SourceState.LIVE
        world.store.take(Seen(moment, Tick()))
    await world.create("c")
    await world.live("a", "b", "c")


async def test_switching_the_namespace_drops_what_is_known(world: Watching) -> None:
    world.store.reset(context="test", namespace="default", now=world.now())
    world.source.set_namespace("default")
    await world.live()
    with pytest.raises(ClusterError):
        await world.source.get_object("HorizontalPodAutoscaler", Key("shop", "is-not-there"))


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (UnreachableError("cannot connect to x: refused"), SourceState.CONNECTING),
        (TrustError("the certificate of x is not trusted"), SourceState.CONNECTING),
        (AuthError("credentials are no longer taken"), SourceState.CONNECTING),
        (ServerBusyError("x answered 503: the server is currently unable to handle the request"), SourceState.RECONNECTING),
        (NotServedError("not served"), SourceState.NOT_SERVED),
        (ForbiddenError("no"), SourceState.FORBIDDEN),
    ],
)  # fmt: skip
def test_only_an_answer_says_anything_about_the_metrics_api(error: ClusterError, state: SourceState) -> None:
    assert usage_state(error) is state


async def test_a_connection_of_ours_that_is_lost_is_no_blind_controller(api: ApiServer, tmp_path: Path) -> None:
    deployment = {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}},
                 "template": {"metadata": {"labels": {"app": "web"}},
                              "spec": {"containers": [{"name": "web", "image": "web"}]}}},
    }  # fmt: skip
    async with watching(api, tmp_path) as world:
        assert (await api.request("POST", "/apis/apps/v1/namespaces/shop/deployments", deployment)).code == 201
        await world.create("a")
        await world.live("a")
        world.source.set_focus(world.store.focus(world.store.snapshot(0).rows[0].key, world.now()))
        await world.proxy.down()
        await _reconnecting(world)

        def usage_failed() -> bool:
            detail = world.store.snapshot(world.now()).detail
            status = detail.statuses.get(Kind.POD_USAGE) if detail is not None else None
            return status is not None and "cannot connect" in status.message

        await world.until(usage_failed)
        detail = world.store.snapshot(world.now()).detail
        assert detail is not None
        headline = detail.explanation.headline if detail.explanation is not None else detail.row.headline
        assert "the metrics API does not answer" not in headline
