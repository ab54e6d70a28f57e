"""The load of a session, as the key `l` drives it, on a sandbox: both ways in, stopping, and a dead screen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hpatui.errors import HpatuiError
from hpatui.load.process import LoadProcess
from hpatui.model import LoadState
from hpatui.session.live import Session
from hpatui.settings import Settings
from tests.sandboxes import ask
from tests.terminal.driver import alive


async def _until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _session(kubeconfig: str, via: str, tmp_path: Path) -> AsyncIterator[Session]:
    settings = Settings(kubeconfig=kubeconfig, load_via=via, load_rate=30.0, state_dir=str(tmp_path))
    async with _running(settings) as session:
        yield session


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[Session]:
    session = Session(settings)
    await session.start()
    try:
        await _until(lambda: session.store.focused is not None and session.store.hpa(session.store.focused))
        yield session
    finally:
        await session.stop()


@pytest.mark.parametrize("via", ["proxy", "port-forward"])
async def test_load_starts_is_seen_and_stops_at_once(kubeconfig: str, via: str, tmp_path: Path) -> None:
    async with _session(kubeconfig, via, tmp_path) as session:
        await session.load.start()
        await _until(lambda: (totals := session.store.load.totals) is not None and totals.ok > 30)
        assert session.store.load.state is LoadState.RUNNING
        run = session.load._run
        assert run is not None
        workers = [worker for worker in run._run._workers if isinstance(worker, LoadProcess)]
        children = [worker._process.pid for worker in workers if worker._process is not None]
        assert children and all(alive(child) for child in children)
        begin = time.monotonic()
        await session.load.stop()
        took = time.monotonic() - begin
        assert took < 1.5  # half a second on a quiet machine
        view = session.store.load
        assert view.state is LoadState.IDLE
        assert not any(alive(child) for child in children)
        assert view.totals is not None and view.totals.failed == 0


async def test_a_plan_is_carried_out_and_its_stages_are_marked(kubeconfig: str, tmp_path: Path) -> None:
    plan = tmp_path / "spike.toml"
    plan.write_text(
        "[[stage]]\nrate = 10\nfor = '2s'\nname = 'low'\n"
        "[[stage]]\nrate = 60\nuntil = 'replicas>=2'\nmax = '60s'\nname = 'high'\n"
        "[[stage]]\nrate = 5\nfor = '2s'\nname = 'end'\n"
    )
    settings = Settings(kubeconfig=kubeconfig, load_plan=str(plan), state_dir=str(tmp_path))
    async with _running(settings) as session:
        await session.load.start()
        assert session.store.load.plan == "plan spike"
        await _until(lambda: session.store.load.state is LoadState.IDLE, 60)
        marks = [text for _, text in session.store.load_history.marks]
        assert marks == ["load on", "high", "end", "load off"]
        key = session.store.focused
        hpa = session.store.hpa(key) if key is not None else None
        assert hpa is not None
        assert hpa.desired_replicas >= 2


async def test_a_plan_that_cannot_be_read_is_said_and_nothing_starts(kubeconfig: str, tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("[[stage]]\nrate = -1\n")
    settings = Settings(kubeconfig=kubeconfig, load_plan=str(tmp_path / "broken.toml"), state_dir=str(tmp_path))
    async with _running(settings) as session:
        with pytest.raises(HpatuiError, match=r"broken\.toml"):
            await session.load.start()
        assert session.store.load.state is LoadState.FAILED


async def test_locust_in_the_cluster_is_steered_seen_and_leaves_nothing(kubeconfig: str, tmp_path: Path) -> None:
    settings = Settings(
        kubeconfig=kubeconfig, load_via="cluster", load_workers=2, load_rate=20.0, state_dir=str(tmp_path)
    )
    async with _running(settings) as session:
        await session.load.start()
        await _until(lambda: (totals := session.store.load.totals) is not None and totals.ok > 40, 40)
        assert session.store.load.message == ""
        await session.load.set_rate(60)
        await _until(lambda: (last := session.store.load.last) is not None and last.sent >= 50, 20)
        await session.load.pause()
        await _until(lambda: (last := session.store.load.last) is not None and last.sent == 0, 20)
        await session.load.stop()
        assert session.store.load.state is LoadState.IDLE
        await _until(lambda: _left_over(kubeconfig) == [], 20)


async def test_locust_that_is_stopped_while_it_starts_leaves_nothing(kubeconfig: str, tmp_path: Path) -> None:
    settings = Settings(kubeconfig=kubeconfig, load_via="cluster", state_dir=str(tmp_path))
    async with _running(settings) as session:
        starting = asyncio.create_task(session.load.start())
        await _until(lambda: _left_over(kubeconfig) != [])
        await session.load.stop()
        await starting
        assert session.store.load.state is LoadState.IDLE
        await _until(lambda: _left_over(kubeconfig) == [], 20)


def _left_over(kubeconfig: str) -> list[str]:
    """Kinds of the objects that hpatui made."""
    found = []
    for api, plural in (("api/v1", "configmaps"), ("api/v1", "secrets"), ("api/v1", "services"), ("api/v1", "pods"),
                        ("apis/batch/v1", "jobs")):  # fmt: skip
        path = f"/{api}/namespaces/heyongjia/{plural}?labelSelector=app.kubernetes.io/managed-by%3Dhpatui"
        found += [plural] * len(ask(kubeconfig, path)["items"])
    return found


async def test_a_stopped_load_can_be_started_again(kubeconfig: str, tmp_path: Path) -> None:
    async with _session(kubeconfig, "proxy", tmp_path) as session:
        for _ in range(2):
            await session.load.start()
            await _until(lambda: session.store.load.totals is not None)
            await session.load.stop()
        assert session.store.load.state is LoadState.IDLE


@pytest.mark.parametrize("via", ["proxy", "port-forward", "cluster"])
def test_a_service_without_ready_endpoints_is_said_in_one_line(kubeconfig: str, via: str) -> None:
    name = f"nobody-{via}"
    spec = {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
    ask(kubeconfig, "/api/v1/namespaces/heyongjia/services", service)
    done = subprocess.run(
        [sys.executable, "-m", "hpatui", "load", f"svc/heyongjia/{name}", "--kubeconfig", kubeconfig, "--via", via,
         "--duration", "1s"], capture_output=True, text=True, timeout=60, env=os.environ, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == f"hpatui: Service {name} has no ready endpoints; wait until a pod is ready"
