"""Whatever ends a run, at whatever moment: no load, no Job, no object that it created is left, and an HPA that it changed is
as it was; also where the way to the cluster fails now and then. HPATUI_MOMENTS=20 tries so many moments for each end.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpatui.experiment.journal import Journal, orphans
from hpatui.experiment.putback import put_back
from hpatui.sandbox.certificate import make_certificate
from hpatui.settings import Settings
from tests.contract.cluster.proxy import Fault, FaultProxy
from tests.sandboxes import ask, sandbox

MOMENTS = int(os.environ.get("HPATUI_MOMENTS", "1"))
SEED = int(os.environ.get("HPATUI_MOMENTS_SEED", "0")) or random.SystemRandom().randrange(10**6)
LONGEST = 9.0  # seconds from the start of the command; the load begins after about 3
HPA = "/apis/autoscaling/v2/namespaces/heyongjia/horizontalpodautoscalers/php-apache-hpa"
SPACES = "/api/v1/namespaces"

EXPERIMENT = """
name = "killed"
hpa = "web"
objects = ["web.yaml"]
[prepare]
stable = "4s"
[[variant]]
name = "more"
spec = { maxReplicas = 4, behavior = { scaleDown = { stabilizationWindowSeconds = 1 } } }
[[load.stage]]
rate = 20
for = "200s"
[[fault]]
fault = "slow-start"
at = "start"
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox of the tests' own: what runs leave behind is seen in it."""
    with sandbox(tmp_path_factory.mktemp("sandbox") / "kubeconfig", "--speed", "5") as path:
        yield path


class Flaky(threading.Thread):
    """A proxy in front of a cluster that refuses a request now and then and resets connections."""

    def __init__(self, kubeconfig: str, path: Path) -> None:
        super().__init__(daemon=True)
        self.path, self.ready, self.over = path, threading.Event(), threading.Event()
        self._config = yaml.safe_load(Path(kubeconfig).read_text())

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with proxied(self._config, self.path) as proxy:
            self.ready.set()
            dice, rounds = random.Random(SEED), 0
            while not self.over.is_set():
                await asyncio.sleep(dice.uniform(0.2, 0.8))
                proxy.fault = Fault(
                    dice.choice(("namespaces", "apis", "")), times=1, status=dice.choice((500, 503, 429))
                )
                if (rounds := rounds + 1) % 5 == 0:
                    proxy.reset()


@contextlib.asynccontextmanager
async def proxied(config: dict[str, Any], path: Path) -> AsyncIterator[FaultProxy]:
    """A proxy in front of the cluster of a kubeconfig; one that leads to it is written to `path`."""
    proxy = FaultProxy(config["clusters"][0]["cluster"]["server"].replace("https:", "http:"))
    tls, authority = make_certificate()
    async with proxy.running(tls):
        pem = base64.b64encode(authority.encode()).decode()
        cluster = {"server": f"https://127.0.0.1:{proxy.port}", "certificate-authority-data": pem}
        config["clusters"][0]["cluster"] = cluster
        path.write_text(yaml.safe_dump(config))
        yield proxy


@pytest.fixture(scope="module")
def flaky(cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The kubeconfig of a way to the cluster that fails now and then."""
    thread = Flaky(cluster, tmp_path_factory.mktemp("flaky") / "kubeconfig")
    thread.start()
    assert thread.ready.wait(30)
    yield str(thread.path)
    thread.over.set()
    thread.join(30)


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    """Creates a namespace with an application, changes its HPA, breaks something."""
    example = Path(__file__).parents[3] / "examples/spike.yaml"
    (tmp_path / "web.yaml").write_text(example.read_text().replace("experiment", "killed"))
    path = tmp_path / "killed.toml"
    path.write_text(EXPERIMENT)
    return path


def start(experiment: Path, kubeconfig: str, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "hpatui",
        "run",
        str(experiment),
        "--on",
        "hpatui-sandbox",
        "--kubeconfig",
        kubeconfig,
    ]
    env = {**os.environ, "HPATUI_STATE_DIR": str(experiment.parent / "state")}
    return subprocess.Popen(
        [*command, *more], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def left(kubeconfig: str, state: Path) -> dict[str, Any]:
    """What a run made and is still there; empty when all is as it was."""
    spaces = [item["metadata"]["name"] for item in ask(kubeconfig, SPACES)["items"]]
    jobs = [item["metadata"]["name"] for item in ask(kubeconfig, "/apis/batch/v1/jobs")["items"]]
    faults = ask(kubeconfig, "/sandbox/v1/faults")["faults"]
    spec = ask(kubeconfig, HPA)["spec"]
    found = {"spaces": [s for s in spaces if s == "killed"], "jobs": jobs, "faults": faults, "load": senders(state)}
    if spec["maxReplicas"] != 3 or spec.get("behavior"):
        found["spec"] = [spec]
    return {name: value for name, value in found.items() if value}


def senders(state: Path) -> list[int]:
    """Processes of load that a run with this state folder started, whoever is their parent by now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words, env = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"hpatui.load.worker" in words and f"HPATUI_STATE_DIR={state}".encode() in env.split(b"\0"):
            found.append(int(folder.name))
    return found


def gone(kubeconfig: str, state: Path, seconds: float = 40.0) -> None:
    """Wait until nothing is left, and the guard has said so by removing its journal."""
    end = time.monotonic() + seconds
    while rest := left(kubeconfig, state) or [str(path) for path in state.glob("experiments/*.jsonl")]:
        assert time.monotonic() < end, f"left behind: {rest} (HPATUI_MOMENTS_SEED={SEED})"
        time.sleep(0.2)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_nothing_is_left(cluster: str, flaky: str, experiment: Path, number: signal.Signals, moment: int) -> None:
    wait = random.Random(f"{SEED} {number} {moment}").uniform(0.3, LONGEST)
    way = flaky if (moment + number) % 2 else cluster  # SIGKILL first by the way that fails
    with start(experiment, way) as run:
        time.sleep(wait)
        run.send_signal(number)
        _, said = run.communicate(timeout=90)
    assert "Traceback" not in said
    if number is not signal.SIGKILL:
        assert run.returncode in (130, -number) or way == flaky, said
    gone(cluster, experiment.parent / "state")


def test_a_patched_hpa_gets_its_spec_back_and_generators_go(cluster: str, tmp_path: Path) -> None:
    path = tmp_path / "patched.toml"
    path.write_text(
        'hpa = "php-apache-hpa"\n[prepare]\nstable = "2s"\n[[variant]]\nname = "v"\nspec = {maxReplicas = 7, '
        "behavior = {scaleDown = {stabilizationWindowSeconds = 1}}}\n"
        '[load]\nvia = "cluster"\n[[load.stage]]\nrate = 5\nfor = "200s"\n'
    )
    with start(path, cluster) as run:
        end = time.monotonic() + 40
        while not ask(cluster, "/apis/batch/v1/jobs")["items"]:
            assert time.monotonic() < end and run.poll() is None
            time.sleep(0.1)
        assert ask(cluster, HPA)["spec"]["maxReplicas"] == 7
        run.kill()
        run.communicate()
    gone(cluster, tmp_path / "state")


def test_what_was_there_before_is_not_touched(cluster: str, experiment: Path) -> None:
    """An object of the same name is a clear end, and stays."""
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "killed"}}
    ask(cluster, SPACES, space)
    try:
        with start(experiment, cluster) as run:
            _, said = run.communicate(timeout=60)
        assert run.returncode == 2 and "is there already" in said
        assert "killed" in [item["metadata"]["name"] for item in ask(cluster, SPACES)["items"]]
    finally:
        made = [{"kind": "Namespace", "metadata": {"name": "killed"}}]
        asyncio.run(_delete(cluster, made))


async def _delete(kubeconfig: str, items: list[dict[str, Any]]) -> None:
    from hpatui.clock import SystemClock
    from hpatui.cluster.connect import connect
    from hpatui.cluster.writes import Writer

    connection = await connect(Settings(kubeconfig=kubeconfig), SystemClock())
    for item in items:
        await Writer(connection).delete(item)
    while await Writer(connection).read(items[0]) is not None:
        await asyncio.sleep(0.1)
    await connection.close()


async def test_an_orphaned_journal_is_cleaned_up_through_a_way_that_fails(cluster: str, tmp_path: Path) -> None:
    """Run and guard were killed together: the next run takes away what they left, again after each failure of the way."""
    path = tmp_path / "kubeconfig"
    async with proxied(yaml.safe_load(Path(cluster).read_text()), path) as proxy:
        settings = Settings(kubeconfig=str(path), state_dir=str(tmp_path / "state"))
        meta = {
            "name": "orphan",
            "labels": {"app.kubernetes.io/managed-by": "hpatui", "hpatui.dev/run": "hpatui-run-x"},
        }
        await asyncio.to_thread(ask, cluster, SPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        journal = Journal(settings, "hpatui-run-x")
        journal.where(settings)
        journal.add({"object": {"kind": "Namespace", "metadata": {"name": "orphan"}}})
        journal.add(
            {"object": {"kind": "Namespace", "metadata": {"name": "default"}}}
        )  # bears no label: somebody else's
        with orphans(settings) as held:
            assert held == []  # it is still held
        journal.close()
        with orphans(settings) as paths:
            proxy.fault = Fault("namespaces", times=3, status=503)
            assert await put_back(paths[0], patience=30.0) == []
    names = [item["metadata"]["name"] for item in (await asyncio.to_thread(ask, cluster, SPACES))["items"]]
    assert "orphan" not in names and "default" in names
    assert list((tmp_path / "state/experiments").iterdir()) == []
