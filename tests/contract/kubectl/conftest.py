"""The real kubectl against a real sandbox process: one for the whole run, a namespace for each test."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from tests.contract.conftest import KUBECTL

Object = dict[str, Any]
_numbers = itertools.count(1)

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: registry.k8s.io/hpa-example
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 100m, memory: 50Mi}, limits: {cpu: 100m, memory: 100Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
HPA = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 4
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: 30}}
"""


class Kubectl:
    """Runs kubectl in one namespace of the sandbox."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        self.kubeconfig = kubeconfig
        self.namespace = namespace

    def command(self, *args: str) -> list[str]:
        """The command line."""
        assert KUBECTL is not None
        return [KUBECTL, "--kubeconfig", str(self.kubeconfig), "--namespace", self.namespace, *args]

    def env(self, **more: str) -> dict[str, str]:
        """The environment: kubectl's caches go beside the kubeconfig."""
        return {**os.environ, "HOME": str(self.kubeconfig.parent), **more}

    def run(self, *args: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.command(*args),
            input=stdin,
            env=self.env(**env),
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def __call__(self, *args: str, stdin: str = "", **env: str) -> str:
        """Run it; it must succeed. What it prints."""
        done = self.run(*args, stdin=stdin, **env)
        assert done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr}{done.stdout}"
        return done.stdout

    def fails(self, *args: str, stdin: str = "") -> str:
        """Run it; it must fail. What it complains."""
        done = self.run(*args, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(args)} succeeded: {done.stdout}"
        return done.stderr

    def json(self, *args: str) -> Object:
        """`get ... -o json`."""
        found: Object = msgspec.json.decode(self("get", *args, "-o", "json"))
        return found

    def rows(self, *args: str) -> list[list[str]]:
        """The table that it prints, split at two or more spaces; the header first."""
        lines = self(*args).strip().splitlines()
        return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines]

    def until(self, look: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until `look` is true."""
        end = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < end, f"not within {seconds} s: {what}"
            time.sleep(0.3)

    def web(self) -> None:
        """Two pods behind a Service, ready."""
        self("apply", "-f", "-", stdin=WEB)
        self("rollout", "status", "deployment/web", "--timeout=60s")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip these tests where there is no kubectl."""
    here = Path(__file__).parent
    if KUBECTL is None:
        for item in items:
            if item.path.is_relative_to(here):
                item.add_marker(pytest.mark.skip(reason="there is no kubectl on this machine"))


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[Path]:
    """The kubeconfig of a running sandbox."""
    with tempfile.TemporaryDirectory(prefix="hpatui-kubectl-") as folder:
        path = Path(folder) / "kubeconfig"
        process = subprocess.Popen(
            [sys.executable, "-m", "hpatui", "sandbox", "--kubeconfig-out", str(path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("sandbox ready: http://127.0.0.1:"), line
            assert yaml.safe_load(path.read_text())["current-context"]
            yield path
        finally:
            process.terminate()
            process.wait(20)
            if process.stdout is not None:
                process.stdout.close()


@pytest.fixture
def kubectl(kubeconfig: Path) -> Iterator[Kubectl]:
    """kubectl in a namespace of its own."""
    name = f"test-{os.getpid()}-{next(_numbers)}"
    runner = Kubectl(kubeconfig, name)
    runner("create", "namespace", name)
    yield runner
    runner("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="session")
def guide(kubeconfig: Path) -> Kubectl:
    """kubectl in the walkthrough's namespace: only to look."""
    return Kubectl(kubeconfig, "heyongjia")
