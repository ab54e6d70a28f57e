"""`hpatui load --via cluster` on a sandbox: what it creates, what it leaves, and what it says when it cannot."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.sandboxes import ask, sandbox

_JOBS = "/apis/batch/v1/namespaces/heyongjia/jobs"
_PODS = "/api/v1/namespaces/heyongjia/pods"
_HPA = "/apis/autoscaling/v2/namespaces/heyongjia/horizontalpodautoscalers/php-apache-hpa"


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A sandbox whose clock is five times as fast: a lease of 30 s is over in 6."""
    with sandbox(tmp_path_factory.mktemp("sandbox") / "kubeconfig", "--speed", "5") as path:
        yield path


@pytest.fixture
def get(kubeconfig: str) -> Callable[[str], dict[str, Any]]:
    """GET from the sandbox's API server."""
    return lambda path: ask(kubeconfig, path)


def _command(kubeconfig: str, *args: str) -> list[str]:
    target = ["load", "heyongjia/php-apache-hpa", "--kubeconfig", kubeconfig, "--via", "cluster", *args]
    return [sys.executable, "-m", "hpatui", *target]


def _load(kubeconfig: str, *args: str) -> subprocess.CompletedProcess[str]:
    command = _command(kubeconfig, *args)
    return subprocess.run(
        command, capture_output=True, text=True, timeout=90, env=os.environ, stdin=subprocess.DEVNULL, check=False
    )


def _until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.1)


def _generators(get: Callable[[str], dict[str, Any]]) -> list[str]:
    pods = get(_PODS)["items"]
    mine = [pod for pod in pods if pod["metadata"]["labels"].get("app.kubernetes.io/managed-by") == "hpatui"]
    return [str(pod["status"].get("phase")) for pod in mine]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGTSTP])
def test_the_loops_drive_the_hpa_and_are_deleted_at_the_end(
    kubeconfig: str, get: Callable[[str], dict[str, Any]], number: signal.Signals
) -> None:
    args = _command(kubeconfig, "--engine", "busybox", "--workers", "2", "--json")
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        _until(lambda: _generators(get) == ["Running", "Running"])
        _until(lambda: get(_HPA)["status"].get("desiredReplicas", 0) > 1)
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert json.loads(output)["engine"] == "busybox"
    assert get(_JOBS)["items"] == []
    _until(lambda: _generators(get) == [])


def test_after_sigkill_the_lease_ends_the_job_and_its_pods(
    kubeconfig: str, get: Callable[[str], dict[str, Any]]
) -> None:
    args = _command(kubeconfig, "--engine", "busybox")
    with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _until(lambda: _generators(get) == ["Running"])
        process.kill()
    (job,) = get(_JOBS)["items"]
    assert job["spec"]["activeDeadlineSeconds"] <= 60
    _until(lambda: "Running" not in _generators(get))
    conditions = [item["reason"] for job in get(_JOBS)["items"] for item in job["status"].get("conditions", [])]
    assert "DeadlineExceeded" in conditions or get(_JOBS)["items"] == []


def test_locust_sends_what_was_ordered_and_is_deleted_at_the_end(tmp_path: Path) -> None:
    with sandbox(tmp_path / "kubeconfig") as kubeconfig:
        get = partial(ask, kubeconfig)
        done = _load(kubeconfig, "--workers", "2", "--rate", "15", "--duration", "8s", "--json")
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["errors"] == 0
        assert list(result["status"]) == ["200"]
        assert 0 <= result["requests"] - result["status"]["200"] <= 15  # under way at the end: dropped
        assert 100 <= result["requests"] + result["unserved"] <= 124
        assert result["latency_ms"]["p50"] > 1
        assert get(_JOBS)["items"] == []
        _until(lambda: _generators(get) == [])


def test_locust_ends_with_its_objects_when_hpatui_is_killed(
    kubeconfig: str, get: Callable[[str], dict[str, Any]]
) -> None:
    args = _command(kubeconfig, "--rate", "5")
    with subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _until(lambda: _generators(get) == ["Running", "Running"])
        process.kill()
    _until(lambda: "Running" not in _generators(get), 60)
    _until(lambda: get(_JOBS)["items"] == [], 60)
    maps = "/api/v1/namespaces/heyongjia/configmaps?labelSelector=app.kubernetes.io/managed-by%3Dhpatui"
    _until(lambda: get(maps)["items"] == [], 60)


def test_the_manifest_is_printed_and_nothing_is_created(kubeconfig: str, get: Callable[[str], dict[str, Any]]) -> None:
    before = len(get(_JOBS)["items"])
    done = _load(kubeconfig, "--workers", "3", "--rate", "40", "--duration", "10s", "--print-manifest")
    assert done.returncode == 0, done.stderr
    objects = list(yaml.safe_load_all(done.stdout))
    assert [item["kind"] for item in objects] == ["ConfigMap", "Secret", "Service", "Job", "Job"]
    assert {item["metadata"]["namespace"] for item in objects} == {"heyongjia"}
    plan = json.loads(objects[1]["stringData"]["plan.json"])
    assert (plan["url"], plan["duration"]) == ("http://php-apache.heyongjia.svc", 10)
    assert len(get(_JOBS)["items"]) == before


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--engine", "locust", "--ca", "ca.pem"), "--ca does not go with --via cluster"),
        (("--engine", "busybox", "--max-p95", "1s"), "--max-p95 does not go with --via cluster"),
        (("--engine", "busybox", "--workers", "0"), "1 to 100"),
        (("--print-manifest", "--stages", "5/s until scaled max 1m"), "waits"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(kubeconfig: str, args: tuple[str, ...], words: str) -> None:
    done = _load(kubeconfig, *args)
    assert done.returncode == 2, done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert words in done.stderr
