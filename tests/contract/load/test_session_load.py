"""The load of a session, as the key `l` drives it, on a sandbox: both ways in, stopping, and a dead screen."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from hpatui.load.process import LoadProcess
from hpatui.model import LoadState
from hpatui.sandbox.process import READY
from hpatui.session.live import Session
from hpatui.settings import Settings
from tests.terminal.driver import alive


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox of this module's own."""
    path = tmp_path_factory.mktemp("sandbox") / "kubeconfig"
    command = [sys.executable, "-m", "hpatui", "sandbox", "--kubeconfig-out", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(READY)
        try:
            yield str(path)
        finally:
            process.terminate()
            assert process.wait(20) == 0


async def _until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def _session(kubeconfig: str, via: str, tmp_path: Path) -> AsyncIterator[Session]:
    session = Session(Settings(kubeconfig=kubeconfig, load_via=via, load_rate=30.0, state_dir=str(tmp_path)))
    await session.start()
    try:
        await _until(lambda: session.store.focused is not None and session.store.hpa(session.store.focused))
        yield session
    finally:
        await session.stop()


@pytest.mark.parametrize("via", ["proxy", "port-forward"])
async def test_load_starts_is_seen_and_stops_at_once(kubeconfig: str, via: str, tmp_path: Path) -> None:
    async with _session(kubeconfig, via, tmp_path) as session:
        await session.start_load()
        await _until(lambda: (totals := session.store.load.totals) is not None and totals.ok > 30)
        assert session.store.load.state is LoadState.RUNNING
        workers = [worker for worker in session.load._process._workers if isinstance(worker, LoadProcess)]
        children = [worker._process.pid for worker in workers if worker._process is not None]
        assert children and all(alive(child) for child in children)
        begin = time.monotonic()
        await session.stop_load()
        took = time.monotonic() - begin
        assert took < 1.5  # half a second on a quiet machine
        view = session.store.load
        assert view.state is LoadState.IDLE
        assert not any(alive(child) for child in children)
        assert view.totals is not None and view.totals.failed == 0


async def test_a_stopped_load_can_be_started_again(kubeconfig: str, tmp_path: Path) -> None:
    async with _session(kubeconfig, "proxy", tmp_path) as session:
        for _ in range(2):
            await session.start_load()
            await _until(lambda: session.store.load.totals is not None)
            await session.stop_load()
        assert session.store.load.state is LoadState.IDLE


def _post(kubeconfig: str, path: str, body: object) -> None:
    config = yaml.safe_load(Path(kubeconfig).read_text())
    server, user = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]
    headers = {"Authorization": f"Bearer {user.get('token', '')}", "Content-Type": "application/json"}
    request = urllib.request.Request(server + path, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("via", ["proxy", "port-forward", "cluster"])
def test_a_service_without_ready_endpoints_is_said_in_one_line(kubeconfig: str, via: str) -> None:
    name = f"nobody-{via}"
    spec = {"selector": {"app": "nobody"}, "ports": [{"port": 80}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
    _post(kubeconfig, "/api/v1/namespaces/heyongjia/services", service)
    done = subprocess.run(
        [sys.executable, "-m", "hpatui", "load", f"svc/heyongjia/{name}", "--kubeconfig", kubeconfig, "--via", via,
         "--duration", "1s"], capture_output=True, text=True, timeout=60, env=os.environ, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.strip() == f"hpatui: Service {name} has no ready endpoints; wait until a pod is ready"
