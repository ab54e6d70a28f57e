"""A source that watches through a fault proxy, and the store that it fills."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hpatui.clock import SystemClock
from hpatui.cluster.connect import Connection, connect
from hpatui.cluster.source import ClusterSource
from hpatui.cluster.watch import WatchPace
from hpatui.model import (
    Kind,
    SourceState,
    SourceStatus,
)
from hpatui.sandbox.kubeconfig import write_kubeconfig
from hpatui.settings import Settings
from hpatui.state.store import Store
from tests.contract.cluster.proxy import FaultProxy
from tests.contract.conftest import TOKEN, ApiServer

QUICK = WatchPace(inactivity=0.6, first=0.05, longest=0.4, refused=0.3)


def hpa_object(name: str, namespace: str = "shop", **metadata: Any) -> dict[str, Any]:
    """An HPA on Deployment web as the API takes it."""
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 5,
            "metrics": [
                {"type": "Resource",
                 "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
            ],
        },
    }  # fmt: skip


@dataclass(slots=True)
class Watching:
    """The source at work: what the store holds is what the screen would show."""

    api: ApiServer
    proxy: FaultProxy
    connection: Connection
    source: ClusterSource
    store: Store
    states: list[SourceState] = field(default_factory=list)
    now: Callable[[], float] = SystemClock().time

    @property
    def names(self) -> list[str]:
        """The HPAs that the screen would list; doubled ones would show."""
        return [row.key.name for row in self.store.snapshot(self.now()).rows]

    @property
    def status(self) -> SourceStatus:
        """The state that the screen would show."""
        return self.store.snapshot(self.now()).status

    async def consume(self) -> None:
        """Apply events as the session does."""
        async for seen in self.source.events():
            self.store.take(seen)
            status = self.store.status(Kind.HPA)
            if status is not None and (not self.states or self.states[-1] is not status.state):
                self.states.append(status.state)

    async def until(self, look: Callable[[], bool], timeout: float = 15.0) -> None:
        """Wait for a state, not for a time."""
        try:
            async with asyncio.timeout(timeout):
                while not look():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"never came: {self.names} {self.status} {self.states}") from None

    async def live(self, *names: str) -> None:
        """Wait until exactly these HPAs are there and the stream is live."""
        await self.until(lambda: self.names == sorted(names) and self.status.state is SourceState.LIVE)

    async def create(self, name: str, **metadata: Any) -> None:
        """Create an HPA, past the proxy."""
        answer = await self.api.request(
            "POST", "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers", hpa_object(name, **metadata)
        )
        assert answer.code == 201, answer.body

    async def delete(self, name: str) -> None:
        """Delete an HPA, past the proxy."""
        path = f"/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/{name}"
        assert (await self.api.request("DELETE", path)).code == 200


@contextlib.asynccontextmanager
async def watching(api: ApiServer, tmp_path: Path, pace: WatchPace = QUICK) -> AsyncIterator[Watching]:
    """Watch namespace shop of `api` through a fault proxy."""
    proxy = FaultProxy(api.url)
    async with proxy.running():
        kubeconfig = tmp_path / "through-the-proxy"
        write_kubeconfig(kubeconfig, f"http://127.0.0.1:{proxy.port}", TOKEN, "shop")
        connection = await connect(Settings(kubeconfig=str(kubeconfig)), SystemClock())
        source = ClusterSource(connection, SystemClock(), "shop", pace)
        store = Store(context="test", namespace="shop", now=SystemClock().time())
        world = Watching(api, proxy, connection, source, store)
        task = asyncio.create_task(world.consume())
        try:
            yield world
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await source.close()
            await connection.close()


@pytest.fixture
async def world(api: ApiServer, tmp_path: Path) -> AsyncIterator[Watching]:
    """A live watch of two HPAs, `a` and `b`."""
    async with watching(api, tmp_path) as found:
        await found.create("a")
        await found.create("b")
        await found.live("a", "b")
        yield found
