"""What is shown can be trusted: silence, failures nobody expected, and servers that keep saying 410 are told soon."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpatui import logs
from hpatui.clock import SystemClock
from hpatui.cluster.connect import connect
from hpatui.cluster.decode import decode_hpa
from hpatui.cluster.details import Details
from hpatui.cluster.source import ClusterSource
from hpatui.cluster.watch import PACE, WatchPace
from hpatui.model import Kind, Listed, SourceState, StatusChanged
from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.process import SandboxProcess
from hpatui.settings import Settings
from tests.contract.cluster.conftest import QUICK, Watching, watching
from tests.contract.cluster.proxy import LIST, WATCH, Fault
from tests.contract.conftest import ApiServer

BEAT = replace(QUICK, inactivity=60.0, heartbeat=0.2)


def test_silence_is_known_within_ten_seconds() -> None:
    """Silent for a period, seen at a third of one, and two questions of a period each."""
    assert PACE.heartbeat * (1 + 1 / 3 + 2) < 10


async def test_a_server_that_is_stopped_is_noticed_and_noticed_again_when_it_goes_on(tmp_path: Path) -> None:
    sandbox = SandboxProcess(SandboxOptions())
    handle = await sandbox.start()
    states: list[tuple[SourceState, str]] = []
    try:
        connection = await connect(Settings(kubeconfig=str(handle.kubeconfig_path)), SystemClock())
        source = ClusterSource(connection, SystemClock(), None, BEAT)

        async def consume() -> None:
            async for seen in source.events():
                match seen.what:
                    case StatusChanged(kind=Kind.HPA, status=status):
                        states.append((status.state, status.message))

        async def until(state: SourceState) -> None:
            async with asyncio.timeout(20):
                while not states or states[-1][0] is not state:
                    await asyncio.sleep(0.02)

        task = asyncio.create_task(consume())
        await until(SourceState.LIVE)
        os.kill(handle.pid, signal.SIGSTOP)
        await until(SourceState.RECONNECTING)
        assert "does not answer" in states[-1][1]
        os.kill(handle.pid, signal.SIGCONT)
        await until(SourceState.LIVE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await source.close()
        await connection.close()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(handle.pid, signal.SIGCONT)
        await sandbox.stop()


async def test_a_server_that_keeps_saying_410_is_not_asked_for_full_lists_in_a_loop(world: Watching) -> None:
    world.proxy.fault = Fault(WATCH, status=410, body='{"kind":"Status","code":410,"message":"too old"}')
    before = world.proxy.count(LIST)
    world.proxy.reset()
    await world.until(lambda: world.proxy.count(LIST) >= before + 3)
    start = world.proxy.count(LIST)
    await asyncio.sleep(1.0)
    assert world.proxy.count(LIST) - start <= 4, "pauses grow up to 0.4 s"
    world.proxy.fault = None
    await world.create("c")
    await world.live("a", "b", "c")


async def test_a_bookmark_before_each_410_does_not_make_the_pauses_short_again(world: Watching) -> None:
    bookmark = b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"5"}}}\n'
    gone = b'{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}\n'
    world.proxy.fault = Fault(WATCH, inject=bookmark + gone)
    before = world.proxy.count(LIST)
    world.proxy.reset()
    await world.until(lambda: world.proxy.count(LIST) >= before + 3)
    start = world.proxy.count(LIST)
    await asyncio.sleep(1.0)
    assert world.proxy.count(LIST) - start <= 4


async def test_a_failure_nobody_expected_is_told_logged_and_overcome(
    world: Watching, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, left = decode_hpa, 2

    def breaks(raw: bytes, *rest: Any) -> object:
        nonlocal left
        if left:
            left -= 1
            raise ZeroDivisionError("decoding")
        return whole(raw, *rest)

    logs.start(tmp_path / "hpatui.log")
    try:
        monkeypatch.setattr("hpatui.cluster.source.decode_hpa", breaks)
        await world.create("c")
        await world.until(lambda: SourceState.FAILED in world.states)
        await world.live("a", "b", "c")
    finally:
        logs.start(None)
    assert "ZeroDivisionError: decoding" in (tmp_path / "hpatui.log").read_text()


async def test_a_failure_in_one_detail_leaves_the_others_alone(
    api: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(_self: Details) -> None:
        raise ZeroDivisionError("target")

    monkeypatch.setattr(Details, "_workload_and_pods", breaks)
    async with watching(api, tmp_path) as world:
        await world.create("a")
        await world.live("a")
        world.source.set_focus(world.store.focus(world.store.keys()[0], world.now()))

        def told() -> bool:
            detail = world.store.snapshot(world.now()).detail
            statuses = detail.statuses if detail is not None else {}
            pods, events = statuses.get(Kind.POD), statuses.get(Kind.EVENT)
            return bool(
                pods and pods.state is SourceState.FAILED and "ZeroDivisionError" in pods.message
                and events and events.state is SourceState.LIVE
            )  # fmt: skip

        await world.until(told)


def deployment(name: str) -> dict[str, object]:
    """A Deployment with one pod template of its own label."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"replicas": 2, "selector": {"matchLabels": labels},
                 "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "c"}]}}},
    }  # fmt: skip


@contextlib.asynccontextmanager
async def focused(api: ApiServer, tmp_path: Path, pace: WatchPace = QUICK) -> AsyncIterator[Watching]:
    """HPA `a` on Deployment web in focus, with Deployments web and other."""
    for name in ("web", "other"):
        assert (await api.request("POST", "/apis/apps/v1/namespaces/shop/deployments", deployment(name))).code == 201
    async with watching(api, tmp_path, pace) as world:
        await world.create("a")
        await world.live("a")
        world.source.set_focus(world.store.focus(world.store.keys()[0], world.now()))
        yield world


def selector(world: Watching) -> str:
    """The selector of the scale that is shown."""
    detail = world.store.snapshot(world.now()).detail
    return detail.scale.selector if detail is not None and detail.scale is not None else ""


async def test_the_scale_is_read_again_whenever_its_object_changes(api: ApiServer, tmp_path: Path) -> None:
    async with focused(api, tmp_path) as world:

        def size() -> int | None:
            detail = world.store.snapshot(world.now()).detail
            return detail.scale.spec_replicas if detail is not None and detail.scale is not None else None

        await world.until(lambda: size() == 2 and selector(world) == "app=web")
        path = "/apis/apps/v1/namespaces/shop/deployments/web"
        changed = await api.request("PATCH", path, {"spec": {"replicas": 5}}, media="application/merge-patch+json")
        assert changed.code == 200, changed.body
        await world.until(lambda: size() == 5)


async def test_details_of_before_are_not_taken_for_those_of_another_target(api: ApiServer, tmp_path: Path) -> None:
    async with focused(api, tmp_path) as world:
        await world.until(lambda: selector(world) == "app=web")
        world.source.set_focus(None)
        waiting = [world.source._queue.get_nowait() for _ in range(world.source._queue.qsize())]
        assert not [event for event in waiting if event.scope]
        assert not [event for event in waiting if isinstance(event, Listed) and event.kind is Kind.POD]
