"""Another writer of spec.replicas, as a GitOps tool is one: real kubectl applies a manifest with a size again and again."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.conftest import KUBECTL
from tests.contract.doctor.test_over_http import hpatui
from tests.sandboxes import sandbox

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

MANIFEST = Path(__file__).parents[2] / "data" / "field" / "hpa" / "15-gitops-steps.yaml"
WITHIN = 60.0
APPLY = ("apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-")
HPA = """
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: gitops}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 2
  maxReplicas: 12
  metrics:
  - {type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}
"""


def _kubectl(kubeconfig: str, *words: str, given: str | None = None) -> str:
    env = {**os.environ, "KUBECONFIG": kubeconfig}
    done = subprocess.run(
        [str(KUBECTL), *words], input=given, text=True, capture_output=True, env=env, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _rescales(kubeconfig: str) -> int:
    found = json.loads(_kubectl(kubeconfig, "-n", "gitops", "get", "events", "-o", "json"))["items"]
    return sum(item.get("count") or 1 for item in found if item["reason"] == "SuccessfulRescale")


def _told(kubeconfig: str, *words: str) -> dict[str, Any]:
    code, out, err = asyncio.run(hpatui(Path(kubeconfig), "doctor", *words, "--json"))
    assert code in (0, 1), err
    found: dict[str, Any] = json.loads(out)
    return found


def test_a_gitops_tool_is_no_flapping(tmp_path: Path) -> None:
    """The size is set back to 2 after each step up, and the HPA never scaled down."""
    with sandbox(tmp_path / "config", "--scenario", "no-adapter") as kubeconfig:
        objects = [obj for obj in yaml.safe_load_all(MANIFEST.read_text()) if obj]
        workload = yaml.safe_dump(next(obj for obj in objects if obj["kind"] == "Deployment"))
        _kubectl(kubeconfig, "apply", "-f", str(MANIFEST))
        _kubectl(kubeconfig, "apply", "-f", "-", given=HPA)
        deadline, applied, checks = time.monotonic() + WITHIN, 0, {}
        while time.monotonic() < deadline:
            before = _rescales(kubeconfig)
            while _rescales(kubeconfig) == before and time.monotonic() < deadline:
                time.sleep(0.3)
            _kubectl(kubeconfig, *APPLY, given=workload)
            applied += 1
            checks = {c["id"]: c for c in _told(kubeconfig, "gitops/web")["checks"]} if applied > 1 else {}
            if checks.get("second-writer", {}).get("outcome") == "warning":
                break
        writer = checks["second-writer"]
        assert writer["outcome"] == "warning" and "this is no flapping" in writer["reason"], writer
        assert "a longer window does not help" in writer["reason"]
        assert checks["flapping"]["outcome"] in ("ok", "skipped")
        assert "spec.replicas out of what is applied" in writer["command"]
        assert "argocd-controller" in _kubectl(
            kubeconfig, "-n", "gitops", "get", "deployment", "web", "-o", "yaml", "--show-managed-fields"
        )
