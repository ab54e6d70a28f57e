"""HPAs after public manifests, all in one sandbox: explain, doctor and watch have an answer to each of them, and the same
answer where the cluster serves older API versions only, or gives statuses back as such clusters do.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpatui.cli import main
from tests.contract.conftest import KUBECTL
from tests.contract.doctor.rules_proxy import Rules, behind
from tests.sandboxes import sandbox

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")

FIELD = Path(__file__).parents[2] / "data" / "field"
WITHIN = 30.0
Object = dict[str, Any]


def _names() -> list[str]:
    """The HPAs of all manifests."""
    paths = sorted([*(FIELD / "manifests").glob("*.yaml"), *(FIELD / "accepted").glob("*.yaml")])
    objects = [obj for path in paths for obj in yaml.safe_load_all(path.read_text()) if obj]
    return [obj["metadata"]["name"] for obj in objects if obj["kind"] == "HorizontalPodAutoscaler"]


NAMES = _names()


def _run(kubeconfig: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*words, "--kubeconfig", str(kubeconfig)])
    return code, out.getvalue(), err.getvalue()


def _kubectl(kubeconfig: Path, *words: str) -> str:
    env = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    done = subprocess.run([str(KUBECTL), *words], text=True, capture_output=True, env=env, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox with all of them, each looked at by the controller."""
    with sandbox(tmp_path_factory.mktemp("manifests") / "config", "--scenario", "no-adapter") as written:
        kubeconfig = Path(written)
        _kubectl(kubeconfig, "apply", "-f", str(FIELD / "manifests" / "00-targets.yaml"))
        _kubectl(kubeconfig, "apply", "-f", str(FIELD / "manifests"), "-f", str(FIELD / "accepted"))
        deadline = time.monotonic() + WITHIN
        while time.monotonic() < deadline:
            hpas = json.loads(_kubectl(kubeconfig, "-n", "shop", "get", "hpa", "-o", "json"))["items"]
            if all(item.get("status", {}).get("conditions") for item in hpas):
                break
        assert {item["metadata"]["name"] for item in hpas} >= set(NAMES)
        yield kubeconfig


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name[:30])
def test_each_is_explained(shop: Path, name: str) -> None:
    code, out, err = _run(shop, "explain", f"shop/{name}")
    assert (code, err) == (0, "")
    assert out.startswith(f"shop/{name}: ") and "not known here" not in out and "Traceback" not in out
    assert not re.search(r"&LabelSelector|\bNone\b|\bnan\b|map\[", out), out


SAID = [
    ("dupcpu", r"cpu \(metric 1\) .*\n.*cpu \(metric 2\)"),
    ("rollouts-demo", 'cannot read the target\'s scale: rollouts.argoproj.io "rollouts-demo" not found'),
    ("trailing", 'deployments.apps "trailing " not found'),
    ("reseph", "metrics-server measures cpu and memory only; ephemeral-storage needs a metrics adapter"),
    ("badexpr", '"Equals" is not a valid label selector operator'),
    ("rabbitrecv", "the type of its target does not fit"),
    ("contoso", "down: never scales down: scaleDown.selectPolicy is Disabled"),
    ("docgen", "down: pdf_queue_length must have a value first"),
    ("many", r"down: pod_metric_0, .* and ext_metric_2 must have a value first"),
    ("mesh-avg", r"memory of app is [\d.]+Mi of 200Mi"),
    ("oneone", "minReplicas = maxReplicas = 1: it can never scale"),
    (
        "keda-hpa-orders-consumer",
        r"(?s)s0-kafka-orders-topic-with-a-rather-long-name +blind.*s1-cron.* +blind.*made by KEDA",
    ),
]


@pytest.mark.parametrize(("name", "words"), SAID, ids=[row[0] for row in SAID])
def test_what_is_said_of_some(shop: Path, name: str, words: str) -> None:
    deadline = time.monotonic() + WITHIN
    while True:
        _, out, _ = _run(shop, "explain", f"shop/{name}")
        if re.search(words, out):
            return
        assert time.monotonic() < deadline, out


def test_the_doctor_has_a_report_of_all(shop: Path) -> None:
    code, out, err = _run(shop, "doctor", "-n", "shop", "--json")
    assert (code, err) == (1, "")
    for check in json.loads(out)["checks"]:
        if check["outcome"] in ("failed", "warning"):
            assert check["reason"] and check["evidence"] and check["command"], check
    code, out, err = _run(shop, "doctor", "-n", "shop")
    assert (code, err) == (1, "") and "Traceback" not in out


@pytest.mark.parametrize(("name", "code"), [("trailing", 1), ("many", 1), ("no-such-hpa", 1)])
def test_the_doctors_exit_code_is_of_that_hpa(shop: Path, name: str, code: int) -> None:
    done, out, err = _run(shop, "doctor", f"shop/{name}")
    assert done == code, out + err
    assert err == ""


def test_watch_shows_each_with_every_metric(shop: Path) -> None:
    code, out, err = _run(shop, "watch", "--once", "--json", "--details", "-n", "shop")
    assert (code, err) == (0, "")
    rows = {row["name"]: row for row in json.loads(out)["hpas"]}
    assert set(rows) >= set(NAMES)
    for name, row in rows.items():
        assert row["state"] and row["headline"], name
        labels = [metric["label"] for metric in row["metrics"]]
        assert len(set(labels)) == len(labels) and all(labels), labels


# Statuses as a cluster with adapters would have them ------------------------------------------------------------------


def _fine(obj: Object, *metrics: Object) -> Object:
    """The status of an HPA whose metrics all have values."""
    at = "2026-11-25T14:30:08Z"
    rows = (
        ("AbleToScale", "True", "ReadyForNewScale", "recommended size matches current size"),
        ("ScalingActive", "True", "ValidMetricFound", "the HPA was able to successfully calculate a replica count"),
        ("ScalingLimited", "False", "DesiredWithinRange", "the desired count is within the acceptable range"),
    )
    conditions = [
        dict(zip(("type", "status", "reason", "message"), row, strict=True), lastTransitionTime=at) for row in rows
    ]
    return {**obj, "status": {**obj.get("status", {}), "currentMetrics": list(metrics), "conditions": conditions}}


def _external(name: str, current: Object, queue: str) -> Object:
    metric = {"name": name, "selector": {"matchLabels": {"queue": queue}}}
    return {"type": "External", "external": {"metric": metric, "current": current}}


def _with_values(obj: Object) -> Object:
    name = obj["metadata"]["name"]
    if name == "feedworker":
        first, second = {"value": "10k"}, {"value": "190k"}
        return _fine(obj, _external("app_workload", first, "feed-check"), _external("app_workload", second, "parser"))
    if name == "keda-hpa-orders-consumer":  # clusters that store HPAs as v1 give value "0" back beside averageValue
        first, second = {"averageValue": "120", "value": "0"}, {"averageValue": "1", "value": "0"}
        names = [metric["external"]["metric"]["name"] for metric in obj["spec"]["metrics"]]
        return _fine(obj, _external(names[0], first, "x"), _external(names[1], second, "x"))
    return obj


@pytest.fixture(scope="module")
def valued(shop: Path) -> Iterator[Path]:
    """The same cluster, with values for two HPAs."""
    with behind(shop, Rules(change=_with_values)) as kubeconfig:
        yield kubeconfig


def test_two_metrics_of_one_name_are_told_apart(valued: Path) -> None:
    _, out, _ = _run(valued, "explain", "shop/feedworker")
    assert re.search(
        r"app_workload\{queue=feed-check\} +(10k|10000|10,000) of (50k|50000|50,000)\b.*wants 1 replica", out
    ), out
    assert re.search(r"app_workload\{queue=parser\} .*190.* of 200.*within the 10 % tolerance", out), out
    assert "2 replicas stay" in out
    _, out, _ = _run(valued, "watch", "--hpa", "shop/feedworker", "--once", "--json")
    row = next(row for row in json.loads(out)["hpas"] if row["name"] == "feedworker")
    shown = [(m["index"], m["label"], m["selector"], m["current"], m["ratio"]) for m in row["metrics"]]
    assert shown == [
        (0, "app_workload{queue=feed-check}", "queue=feed-check", "10k", 0.2),
        (1, "app_workload{queue=parser}", "queue=parser", "190k", 0.95),
    ]


def test_the_targets_type_says_which_value_is_the_metric(valued: Path) -> None:
    _, out, _ = _run(valued, "explain", "shop/keda-hpa-orders-consumer")
    assert re.search(r"s0-kafka.* +120 of 50.*\(x2\.40\)", out), out
    _, out, _ = _run(valued, "watch", "--hpa", "shop/keda-hpa-orders-consumer", "--once", "--json")
    row = next(row for row in json.loads(out)["hpas"] if row["name"] == "keda-hpa-orders-consumer")
    assert [metric["ratio"] for metric in row["metrics"]] == [2.4, 1.0]


@pytest.mark.parametrize("name", ["feedworker", "keda-hpa-orders-consumer"])
def test_the_doctor_finds_nothing_wrong_with_their_metrics(valued: Path, name: str) -> None:
    _, out, err = _run(valued, "doctor", f"shop/{name}", "--json")
    told = [c for c in json.loads(out)["checks"] if c["id"] == "metrics" and c["outcome"] != "ok"]
    assert told == [], err


# Clusters that serve older versions only ------------------------------------------------------------------------------

OLDER = {"v1": ("v2", "v2beta2", "v2beta1"), "v2beta1": ("v2", "v2beta2")}
ASKED = ("beta1", "many", "rabbitrecv", "contoso", "mesh-avg", "keda-hpa-orders-consumer", "docgen", "threat-model")


def _findings(kubeconfig: Path) -> list[tuple[str, ...]]:
    code, out, err = _run(kubeconfig, "doctor", "-n", "shop", "--json")
    assert code == 1, err
    keys = ("id", "outcome", "about", "reason")
    found = [tuple(str(c[key]) for key in keys) for c in json.loads(out)["checks"] if c["outcome"] == "failed"]
    return sorted(found)


def _said(kubeconfig: Path, name: str) -> str:
    """An explanation without what moves by itself."""
    code, out, err = _run(kubeconfig, "explain", f"shop/{name}")
    assert (code, err) == (0, "")
    kept = [line for line in out.splitlines() if not re.search(r"\d\d:\d\d:\d\d|^This agrees", line)]
    return re.sub(r"\d+(\.\d+)?", "N", "\n".join(kept))


def _rows(kubeconfig: Path) -> dict[str, list[tuple[str, str]]]:
    _, out, _ = _run(kubeconfig, "watch", "--once", "--json", "-n", "shop")
    return {r["name"]: [(m["label"], m["target"]) for m in r["metrics"]] for r in json.loads(out)["hpas"]}


def _same(ask: Callable[[Path], object], one: Path, other: Path) -> tuple[object, object]:
    """Both answers, asked for again until they are equal: a cluster moves between two questions."""
    deadline = time.monotonic() + WITHIN
    while True:
        found = ask(one), ask(other)
        if found[0] == found[1] or time.monotonic() > deadline:
            return found


LOST = {"dupcpu"}  # of two cpu metrics v1 tells one


@pytest.mark.parametrize("version", OLDER)
def test_an_older_version_says_the_same(shop: Path, version: str) -> None:
    with behind(shop, Rules(hidden=OLDER[version])) as older:
        now, then = _same(_findings, shop, older)
        assert then == now
        for name in ASKED:
            now, then = _same(lambda kubeconfig, name=name: _said(kubeconfig, name), shop, older)  # type: ignore[misc]
            assert then == now
        rows, found = _rows(shop), _rows(older)
        assert {k: v for k, v in found.items() if k not in LOST} == {k: v for k, v in rows.items() if k not in LOST}
