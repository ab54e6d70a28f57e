"""`hpatui upgrade` against running sandboxes: it names what another version would size differently, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hpatui.sandbox.workload import PREFIX
from tests.sandboxes import ask, sandbox

SPACE = "default"

ENDS = 40.0  # seconds of patience for a sandbox on a busy machine; it takes about five
Obj = dict[str, Any]
QUEUE = {"metric": {"name": "queue_messages_ready"}, "target": {"type": "AverageValue", "averageValue": "30"}}


def _deployment(name: str, replicas: int, wave: str, spec: Obj | None = None) -> Obj:
    """One container that asks for 100m; `wave` is the CPU of all replicas together."""
    labels = {"app": name}
    container = {"name": name, "image": "example/web:1", "resources": {"requests": {"cpu": "100m"}}}
    template = {
        "metadata": {"labels": labels, "annotations": {f"{PREFIX}wave": wave}},
        "spec": {"containers": [container], **(spec or {})},
    }
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def _hpa(name: str, metric: Obj | None = None, **spec: Any) -> Obj:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    metrics = [metric or {"type": "Resource", "resource": cpu}]
    body = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 20, "metrics": metrics, **spec}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": body}


def _apply(config: str, *objects: Obj) -> None:
    where = {"Deployment": "/apis/apps/v1", "Pod": "/api/v1", "HorizontalPodAutoscaler": "/apis/autoscaling/v2"}
    for obj in objects:
        ask(config, f"{where[obj['kind']]}/namespaces/{SPACE}/{obj['kind'].lower()}s", obj)


def _upgrade(config: str, to: str, *args: str) -> tuple[int, Obj]:
    command = [sys.executable, "-m", "hpatui", "upgrade", "--to", to, "--kubeconfig", config, "--json", *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, 1), done.stderr
    told: Obj = json.loads(done.stdout)
    return done.returncode, told


def _until_ready(config: str, name: str, count: int) -> None:
    """Until a Deployment has that many ready pods."""
    end = time.monotonic() + ENDS
    while time.monotonic() < end:
        found = ask(config, f"/apis/apps/v1/namespaces/{SPACE}/deployments/{name}")
        if (found.get("status") or {}).get("readyReplicas") == count:
            return
        time.sleep(0.5)
    pytest.fail(f"{name} has not {count} ready pods")


def _until_measured(config: str, *names: str) -> None:
    """Until each of these HPAs has a metric."""
    end = time.monotonic() + ENDS
    for name in names:
        while time.monotonic() < end:
            hpa = ask(config, f"/apis/autoscaling/v2/namespaces/{SPACE}/horizontalpodautoscalers/{name}")
            if any(item.get("resource") for item in (hpa.get("status") or {}).get("currentMetrics") or ()):
                break
            time.sleep(0.5)
        else:
            pytest.fail(f"the HPA {name} has no metric")


def test_a_finished_pod_an_overhead_and_a_sleeper_are_the_three(tmp_path: Path) -> None:
    web = _deployment("web", 2, "0.1,0.1,60")
    finished = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "once", "labels": {"app": "web"}, "annotations": {f"{PREFIX}run-for": "1"}},
        "spec": {"restartPolicy": "Never", "containers": web["spec"]["template"]["spec"]["containers"]},
    }
    boxed = {"resources": {"requests": {"cpu": "200m"}}, "overhead": {"cpu": "150m"}}
    with sandbox(tmp_path / "config", "--speed", "5") as config:
        _apply(
            config,
            web, finished, _hpa("web"),
            _deployment("boxed", 2, "0.2,0.2,60", boxed), _hpa("boxed"),
            _deployment("sleeper", 0, "0,0,60"), _hpa("sleeper", {"type": "External", "external": QUEUE}, minReplicas=0),
            _deployment("plain", 2, "0.1,0.1,60"), _hpa("plain"),
        )  # fmt: skip
        _until_measured(config, "web", "boxed", "plain")
        was = ("--controller-rules", "1.36")  # the API server takes minReplicas 0, as 1.36 does with its gate on
        code, told = _upgrade(config, "1.38", "-A", *was)
        differs = {item["name"]: item for item in told["hpas"] if item["outcome"] == "differs"}
        facts = {name: {f["fact"] for d in item["differences"] for f in d["facts"]} for name, item in differs.items()}
        assert facts == {"web": {"succeeded_ignored"}, "boxed": {"overhead_left_out"}, "sleeper": {"scale_to_zero"}}
        assert (code, told["differs"], told["from"]) == (1, 3, "1.36")
        assert {item["name"] for item in told["hpas"]} >= {"plain"}
        code, told = _upgrade(config, "1.36", "-A", *was)
        assert (code, told["differs"]) == (0, 0)


@pytest.mark.parametrize(("version", "other", "size", "then"), [("1.32", "1.33", 11, 10), ("1.33", "1.32", 10, 11)])
def test_110_percent_of_the_target_with_10_pods(tmp_path: Path, version: str, other: str, size: int, then: int) -> None:
    held = {"scaleUp": {"selectPolicy": "Disabled"}}  # keeps its 10 pods, so that both versions can be asked about them
    with sandbox(tmp_path / "config", "--speed", "5", "--kubernetes", version) as config:
        _apply(config, *(_deployment(name, 10, "0.54,0.54,60") for name in ("free", "held")))
        for name in ("free", "held"):
            _until_ready(config, name, 10)
        _apply(config, _hpa("free"), _hpa("held", behavior=held))
        _until_measured(config, "free", "held")
        hpa = ask(config, f"/apis/autoscaling/v2/namespaces/{SPACE}/horizontalpodautoscalers/free")
        assert hpa["status"]["desiredReplicas"] == size
        code, told = _upgrade(config, other, "-n", SPACE, "held")
        (found,) = told["hpas"]
        assert (code, found["outcome"]) == (1, "differs")
        assert {(d["before"], d["after"]) for d in found["differences"]} == {(size, then)}
        assert {f["fact"] for d in found["differences"] for f in d["facts"]} == {"edge_within_tolerance"}
