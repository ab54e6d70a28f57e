"""`hpatui shadow` and `hpatui undo` as a user starts them, on a sandbox; shadow changes nothing there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.sandboxes import ask
from tests.schemas import check

_PATH = "/apis/autoscaling/v2/namespaces/heyongjia/horizontalpodautoscalers/php-apache-hpa"


def _hpatui(kubeconfig: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hpatui", *args, "--kubeconfig", kubeconfig],
        capture_output=True, text=True, timeout=90, env={**os.environ, **env}, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def _candidate(folder: Path, live: dict[str, Any], name: str, **spec: Any) -> str:
    meta = {key: live["metadata"][key] for key in ("name", "namespace")}
    value = {**live, "metadata": meta, "spec": {**live["spec"], **spec}}
    value.pop("status", None)
    (folder / name).write_text(yaml.safe_dump(value))
    return str(folder / name)


def test_two_candidates_beside_the_live_hpa(kubeconfig: str, tmp_path: Path) -> None:
    live = ask(kubeconfig, _PATH)
    same, more = _candidate(tmp_path, live, "same.yaml"), _candidate(tmp_path, live, "more.yaml", minReplicas=3)
    done = _hpatui(kubeconfig, "shadow", same, more, "--for", "5s", "--json", "--read-only")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    check("shadow", report)
    assert report["syncs"] >= 1
    one, two = report["candidates"]
    assert (one["name"], two["name"]) == ("same.yaml", "more.yaml")
    assert one["pod_hours_difference"] == one["above_target_difference_s"] == 0
    assert two["pod_hours_difference"] > 0
    assert two["most_replicas"] == 3
    after = ask(kubeconfig, _PATH)
    assert after["spec"] == live["spec"]
    assert after["metadata"].get("generation") == live["metadata"].get("generation")


def test_apply_at_the_end_and_undo(kubeconfig: str, tmp_path: Path) -> None:
    live = ask(kubeconfig, _PATH)
    file, home = _candidate(tmp_path, live, "two.yaml", minReplicas=2), str(tmp_path / "state")
    again = ("shadow", file, "--for", "1s", "--apply", "two.yaml")
    unasked = _hpatui(kubeconfig, *again, HPATUI_STATE_DIR=home)
    assert (unasked.returncode, "say --yes" in unasked.stderr) == (2, True)
    assert ask(kubeconfig, _PATH)["spec"] == live["spec"]
    refused = _hpatui(kubeconfig, *again, "--yes", "--read-only", HPATUI_STATE_DIR=home)
    assert (refused.returncode, "read-only" in refused.stderr) == (2, True)
    done = _hpatui(kubeconfig, *again, "--yes", "--syncs", "1", HPATUI_STATE_DIR=home)
    assert done.returncode == 0, done.stderr
    assert "+  minReplicas: 2" in done.stdout
    assert "1 -> 2, as foretold" in done.stdout
    assert ask(kubeconfig, _PATH)["spec"]["minReplicas"] == 2
    kept = json.loads(_hpatui(kubeconfig, "undo", "--list", "--json", HPATUI_STATE_DIR=home).stdout)
    check("undo-list", kept)
    assert [change["before"]["minReplicas"] for change in kept["changes"]] == [1]
    trial = _hpatui(kubeconfig, "undo", "--dry-run", "--json", HPATUI_STATE_DIR=home)
    assert json.loads(trial.stdout)["ended"] == "dry-run"
    assert ask(kubeconfig, _PATH)["spec"]["minReplicas"] == 2
    back = _hpatui(kubeconfig, "undo", "--yes", "--syncs", "0", HPATUI_STATE_DIR=home)
    assert back.returncode == 0, back.stderr
    assert ask(kubeconfig, _PATH)["spec"] == live["spec"]
    nothing = _hpatui(kubeconfig, "undo", "--yes", HPATUI_STATE_DIR=home)
    assert (nothing.returncode, "changed nothing" in nothing.stderr) == (2, True)


def test_a_candidate_for_another_target_or_hpa(kubeconfig: str, tmp_path: Path) -> None:
    live = ask(kubeconfig, _PATH)
    other = _candidate(tmp_path, live, "o.yaml", scaleTargetRef={**live["spec"]["scaleTargetRef"], "name": "web"})
    missing = _candidate(tmp_path, {**live, "metadata": {"name": "php", "namespace": "heyongjia"}}, "m.yaml")
    for file, words in ((other, "same target"), (missing, "there is no HPA"), (str(tmp_path / "no"), "cannot read")):
        done = _hpatui(kubeconfig, "shadow", file, "--for", "5s")
        assert done.returncode == 2
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
