"""Facts about all HPAs from a real API server: targets of any kind, pods, and what may not be read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hpatui.clock import SystemClock
from hpatui.cluster.source import ClusterSource
from hpatui.model import (
    EVERYTHING,
    Key,
    Kind,
    Seen,
    SourceState,
    StatusChanged,
    Upserted,
)
from hpatui.state.store import Store
from tests.contract.cluster.conftest import QUICK, Watching, hpa_object, watching
from tests.contract.cluster.proxy import Fault
from tests.contract.conftest import ApiServer


def deployment(name: str, replicas: int = 2) -> dict[str, Any]:
    """A Deployment whose pods have the label app=`name`."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "c"}]}}},
    }  # fmt: skip


@contextlib.asynccontextmanager
async def observing(api: ApiServer, tmp_path: Path, fault: Fault | None = None) -> AsyncIterator[Watching]:
    """A source and a store that observe all; with a fault from the beginning."""
    async with watching(api, tmp_path) as world:
        await world.source.close()
        world.proxy.fault = fault
        world.source = ClusterSource(world.connection, SystemClock(), "shop", QUICK, observe=True)
        world.store = Store(context="test", namespace="shop", now=world.now(), observe="all")
        task = asyncio.create_task(world.consume())
        try:
            yield world
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await world.source.close()


def known(world: Watching, name: str) -> tuple[str, int]:
    """(selector, pods) of an HPA, as the store has them."""
    fleet = world.store._fleet
    entry = fleet.entry(Key("shop", name)) if fleet is not None else None
    return (entry.text, len(entry.pods)) if entry is not None else ("", 0)


async def test_targets_and_their_pods_are_found_for_every_hpa(api: ApiServer, tmp_path: Path) -> None:
    for name in ("a", "b"):
        answer = await api.request("POST", "/apis/apps/v1/namespaces/shop/deployments", deployment(name))
        assert answer.code == 201
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a-1", "namespace": "shop", "labels": {"app": "a"}},
           "spec": {"containers": [{"name": "c", "image": "c"}]}}  # fmt: skip
    assert (await api.request("POST", "/api/v1/namespaces/shop/pods", pod)).code == 201
    for name in ("a", "b"):
        hpa = hpa_object(name)
        hpa["spec"]["scaleTargetRef"]["name"] = name
        path = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
        assert (await api.request("POST", path, hpa)).code == 201
    async with observing(api, tmp_path) as world:
        await world.until(lambda: known(world, "a") == ("app=a", 1) and known(world, "b") == ("app=b", 0))
        pod["metadata"] = {"name": "b-1", "namespace": "shop", "labels": {"app": "b"}}
        assert (await api.request("POST", "/api/v1/namespaces/shop/pods", pod)).code == 201
        await world.until(lambda: known(world, "b") == ("app=b", 1))
        assert (await api.request("DELETE", "/api/v1/namespaces/shop/pods/a-1?gracePeriodSeconds=0")).code in (200, 202)
        await world.until(lambda: known(world, "a") == ("app=a", 0))


async def test_where_pods_may_not_be_read_the_rows_go_on_and_say_so(api: ApiServer, tmp_path: Path) -> None:
    assert (await api.request("POST", "/apis/apps/v1/namespaces/shop/deployments", deployment("web"))).code == 201
    body = '{"kind":"Status","code":403,"message":"pods is forbidden: User x cannot list resource pods"}'
    async with observing(api, tmp_path, Fault("/pods", status=403, body=body)) as world:
        await world.create("a")
        await world.until(lambda: "cannot list resource pods" in world.store.snapshot(world.now()).observing)
        assert world.names == ["a"] and world.status.state is SourceState.LIVE


async def test_a_kind_that_is_not_there_stops_nothing(api: ApiServer, tmp_path: Path) -> None:
    assert (await api.request("POST", "/apis/apps/v1/namespaces/shop/deployments", deployment("web"))).code == 201
    async with observing(api, tmp_path) as world:
        hpa = hpa_object("odd")
        hpa["spec"]["scaleTargetRef"] = {"apiVersion": "example.com/v1", "kind": "Gadget", "name": "x"}
        path = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
        assert (await api.request("POST", path, hpa)).code == 201
        await world.create("a")
        await world.until(lambda: known(world, "a")[0] == "app=web")
        assert world.names == ["a", "odd"]


def test_facts_about_everything_are_nothing_to_a_store_that_does_not_observe() -> None:
    store = Store(now=0.0)
    from hpatui.model import SourceStatus
    from tests.factories import pod

    store.take(Seen(0.0, Upserted(Kind.POD, pod("x"), EVERYTHING)))
    store.take(Seen(0.0, StatusChanged(Kind.POD, SourceStatus(SourceState.LIVE, 0.0), EVERYTHING)))
    assert store.snapshot(1.0).observing == ""
