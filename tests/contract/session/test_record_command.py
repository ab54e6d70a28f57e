"""The screen and `hpatui record` record what they see; others read it meanwhile; no secret is in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hpatui.model import EVERYTHING, Kind, Listed
from hpatui.record.reader import open_recording
from tests.sandboxes import ask, sandbox
from tests.terminal.driver import HPATUI, Terminal

SECRET = "hunter2-Zq9"
SPACE = "shop"
pytestmark = pytest.mark.timeout(120)


class Ground(NamedTuple):
    """A sandbox's kubeconfig, and a state folder."""

    kubeconfig: str
    state: Path

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "hpatui", *map(str, words), "--kubeconfig", self.kubeconfig]
        return subprocess.run(command, env=self.environ, capture_output=True, text=True, timeout=60, check=False)

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "HPATUI_STATE_DIR": str(self.state), "TZ": "UTC"}

    @contextlib.contextmanager
    def recording(self, *words: object) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
        """`hpatui record` that watches by now, and the lines that it printed."""
        command = [sys.executable, "-m", "hpatui", "record", *map(str, words), "--kubeconfig", self.kubeconfig]
        with subprocess.Popen(
            command, env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                lines: list[str] = []
                while not lines or "watching" not in lines[-1]:
                    line = process.stdout.readline()
                    assert line, process.stderr.read() if process.stderr else ""
                    lines.append(line.strip())
                yield process, lines
            finally:
                process.kill()

    def files(self) -> list[Path]:
        return sorted((self.state / "recordings").glob("*.db"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox with a workload that has secrets in each place that people put them."""
    with sandbox(tmp_path_factory.mktemp("cluster") / "kc", "--speed", "5") as kubeconfig:
        ask(kubeconfig, "/api/v1/namespaces", {"metadata": {"name": SPACE}})
        notes = {"kubectl.kubernetes.io/last-applied-configuration": f'{{"password":"{SECRET}"}}', "token": SECRET}
        container = {
            "name": "cart", "image": "registry.k8s.io/hpa-example", "args": [f"--password={SECRET}"],
            "command": ["sh", "-c", f"echo {SECRET}"], "env": [{"name": "PASSWORD", "value": SECRET}],
            "resources": {"requests": {"cpu": "100m"}},
        }  # fmt: skip
        labels = {"app": "cart"}
        template = {"metadata": {"labels": labels, "annotations": notes}, "spec": {"containers": [container]}}
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
        meta = {"name": "cart", "namespace": SPACE, "annotations": notes}
        ask(kubeconfig, f"/apis/apps/v1/namespaces/{SPACE}/deployments", {"metadata": meta, "spec": spec})
        hpa = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "cart"}, "maxReplicas": 5,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
        }  # fmt: skip
        path = f"/apis/autoscaling/v2/namespaces/{SPACE}/horizontalpodautoscalers"
        ask(kubeconfig, path, {"metadata": meta, "spec": hpa})
        yield kubeconfig


@pytest.fixture
def ground(cluster: str, tmp_path: Path) -> Ground:
    return Ground(cluster, tmp_path / "state")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_others_read_while_it_is_written_and_a_signal_ends_it_cleanly(ground: Ground, end: signal.Signals) -> None:
    with ground.recording("-A", "--until", "10m") as (process, lines):
        (path,) = ground.files()
        assert any(f"recording hpatui-sandbox to {path} until " in line for line in lines)
        while True:  # what came is in the file within a few seconds
            history = ground.run("history", f"{SPACE}/cart", "--json")
            if history.returncode == 0 or process.poll() is not None:
                break
        assert history.returncode == 0, history.stderr
        assert json.loads(history.stdout)["name"] == "cart"
        replay = ground.run("replay", "--json")
        assert replay.returncode == 0, replay.stderr
        assert '"name":"cart"' in replay.stdout.splitlines()[-1]
        assert process.poll() is None
        process.send_signal(end)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, "")
    assert f"recorded to {path}" in out
    assert [file.name for file in path.parent.iterdir() if file.name.endswith(("-wal", "-shm"))] == []
    with contextlib.closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT ended FROM run").fetchall() == [(1,)]
        assert database.execute("SELECT count(*) FROM tail").fetchone() == (0,)


def test_it_ends_at_its_time_and_no_secret_is_in_the_file(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "shared.hpatui"
    done = ground.run("record", "-A", "--until", "6s", "--out", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("shared")] == [path.name], "one file"
    recording = open_recording(path)
    facts = list(recording.facts())
    recording.close()
    pods = [
        i for seen in facts if isinstance(seen.what, Listed) and seen.what.kind is Kind.POD for i in seen.what.items
    ]
    assert {pod.key.name.partition("-")[0] for pod in pods} >= {"cart"}, "the pods with the secrets were recorded"
    assert any(isinstance(seen.what, Listed) and seen.what.scope == EVERYTHING for seen in facts)
    assert SECRET in json.dumps(ask(ground.kubeconfig, f"/api/v1/namespaces/{SPACE}/pods")), (
        "and the cluster tells them"
    )
    assert SECRET not in repr(facts)
    assert [text[:200] for text in inside(path) if SECRET.encode() in text] == []


def inside(path: Path) -> Iterator[bytes]:
    """All bytes of a recording, as they are and unpacked."""
    yield path.read_bytes()
    with contextlib.closing(sqlite3.connect(path)) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in database.execute(f"SELECT * FROM {table}"):
                for value in row:
                    if isinstance(value, bytes):
                        yield value
                        with contextlib.suppress(zlib.error):
                            yield zlib.decompress(value)


def test_the_screen_records_and_no_record_does_not(ground: Ground) -> None:
    words = [*HPATUI, "-A", "--kubeconfig", ground.kubeconfig]
    for flags, files in (("--no-record",), 0), ((), 1):
        with Terminal([*words, *flags], env={"HPATUI_STATE_DIR": str(ground.state)}) as terminal:
            terminal.wait_for(r"shop +cart +Deployment", 30)
            terminal.send("q")
            assert terminal.wait_end() == 0
        assert len(ground.files()) == files
    recording = open_recording(ground.files()[0])
    assert str(recording.hpas()[-1]) == f"{SPACE}/cart"
    assert recording.meta.context == "hpatui-sandbox" and recording.meta.sandbox
    recording.close()


NAMES = (
    "hpatui_source_up", "hpatui_hpa_wanted_replicas", "hpatui_hpa_predicted_replicas", "hpatui_hpa_held_seconds_total",
    "hpatui_hpa_limited_seconds_total", "hpatui_hpa_blind_seconds_total", "hpatui_hpa_capped_seconds_total",
    "hpatui_hpa_tolerance_distance_ratio", "hpatui_hpa_agreement_ratio", "hpatui_hpa_time_to_scale_seconds_sum",
)  # fmt: skip


def test_metrics_are_served_as_prometheus_reads_them(ground: Ground) -> None:
    with ground.recording("-A", "--metrics-port", "0", "--metrics-address", "127.0.0.1") as (_, lines):
        port = next(line.split("port ")[1].split(",")[0] for line in lines if "metrics on port" in line)
        text = ""
        while "hpatui_hpa_agreement_ratio{" not in text or f'namespace="{SPACE}"' not in text:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        assert [name for name in NAMES if f"\n{name}" not in text] == []
        taken = ground.run("record", "-A", "--metrics-port", port, "--metrics-address", "127.0.0.1", "--until", "5s")
        assert taken.returncode == 2
        assert taken.stderr.count("\n") <= 2 and f"127.0.0.1:{port}" in taken.stderr
    if shutil.which("promtool"):
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=text, text=True, capture_output=True, check=False
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_a_second_one_on_the_same_context_says_so(ground: Ground) -> None:
    with ground.recording("-A") as (process, _):
        second = ground.run("record", "-A", "--until", "20s")
        assert second.returncode == 2
        assert f"another hpatui (process {process.pid}) records to {ground.files()[0]} already" in second.stderr
        assert "Traceback" not in second.stderr and second.stderr.count("\n") <= 2
