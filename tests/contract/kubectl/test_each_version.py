"""The main commands with every kubectl that is on the machine, old and new: each does its job against the sandbox."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.contract.kubectl.conftest import HPA, WEB, Kubectl

_FOLDERS = (Path("/usr/lib/google-cloud-sdk/bin"), Path("/usr/local/bin"), Path("/usr/bin"))
_BINARIES = sorted({str(path) for folder in _FOLDERS for path in folder.glob("kubectl.1.*")})


@pytest.mark.parametrize("binary", _BINARIES or [shutil.which("kubectl") or ""], ids=lambda path: Path(path).name)
def test_the_main_commands(kubectl: Kubectl, binary: str) -> None:
    if not binary:
        pytest.skip("there is no kubectl on this machine")

    def run(*args: str, stdin: str = "") -> str:
        command = [binary, "--kubeconfig", str(kubectl.kubeconfig), "--namespace", kubectl.namespace, *args]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, f"{args}: {done.stderr}"
        return done.stdout

    assert run("apply", "-f", "-", stdin=WEB + "---" + HPA).count("created") == 3
    assert run("apply", "-f", "-", stdin=WEB + "---" + HPA).count("unchanged") == 3
    assert "serverside-applied" in run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=HPA)
    assert "successfully rolled out" in run("rollout", "status", "deployment/web", "--timeout=80s")
    assert re.search(r"^web +2/2 +2 +2 ", run("get", "deployments"), re.MULTILINE)
    assert "Deployment/web" in run("get", "hpa")
    assert "Metrics:" in run("describe", "hpa", "web")
    assert (
        run(
            "get",
            "horizontalpodautoscalers.v1.autoscaling",
            "web",
            "-o",
            "jsonpath={.spec.targetCPUUtilizationPercentage}",
        )
        == "30"
    )
    assert "scaled" in run("scale", "deployment/web", "--replicas=3")
    assert "patched" in run("patch", "hpa", "web", "-p", '{"spec":{"maxReplicas":5}}')
    assert run("get", "--raw", "/readyz") == "ok"
    assert "horizontalpodautoscalers" in run("api-resources", "--api-group=autoscaling")
    assert "deleted" in run("delete", "hpa,deployment", "web", "--wait=false")
