"""HPAs after public manifests, as a real 1.36.2 control plane showed them 50 s after they were created.

`../shared/field/manifests`: 00-targets.yaml, a file for each HPA, and the recorded answers. Compared is what does not hang
on when one looks: conditions, sizes, metrics, and `kubectl get` and `kubectl describe` without ages and counts.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpatui.sandbox.options import SandboxOptions

from .conftest import Client, start

FIELD = Path(__file__).parents[4] / "shared/field/manifests"
PREFIX = "sandbox.hpatui.dev/"
HPAS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
# Rows that cannot be wholly alike: these grew while they were recorded; the recorded cluster had no Rollouts and ran no
# pods of ReplicationControllers; its new pods had usage at once, which an hour's window does not forget.
GROWING = {"contoso", "docgen", "many", "mesh-app", "threat-model", "v1ann", "web-ui"}
ELSEWHERE = {"rollouts-demo", "rcapp", "win3600"}
SOURCE: dict[str, Any] = {
    "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
    "metadata": {"name": "source", "namespace": "default", "annotations": {f"{PREFIX}external-metrics": "depth 1"}},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}, "maxReplicas": 2},
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FIELD.is_dir(), reason="the recorded answers are not here")


def _recorded() -> dict[str, dict[str, Any]]:
    lines = (FIELD / "real-1.36-after-50s.jsonl").read_text().splitlines() if FIELD.is_dir() else []
    rows = {row["name"]: row for row in map(json.loads, lines)}
    return {name: row for name, row in rows.items() if not name.startswith("a-very")}


RECORDED = _recorded()
ROWS = {name: row for name, row in RECORDED.items() if name not in GROWING | ELSEWHERE}


def _targets() -> str:
    """The targets, whose pods use what the recorded ones used: 1m of CPU and 20Mi."""
    documents = [each for each in yaml.safe_load_all((FIELD / "00-targets.yaml").read_text()) if each]
    for each in documents:
        template = (each.get("spec") or {}).get("template")
        if isinstance(template, dict):
            template["metadata"].setdefault("annotations", {})[f"{PREFIX}memory"] = str(20 * 2**20)
    return yaml.safe_dump_all([*documents, SOURCE])


def _measured(client: Client) -> bool:
    """Each target's first pod has usage, as in the recorded cluster."""
    pods = client.get("/api/v1/namespaces/shop/pods")["items"]
    return len(client.get("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods")["items"]) == len(pods) > 0


def _settled(client: Client) -> bool:
    """All have the reasons that were recorded."""
    found = {item["metadata"]["name"]: item for item in client.get(HPAS)["items"]}
    return all(_reasons(found[name]) == _reasons(row["object"]) for name, row in ROWS.items())


def _reasons(hpa: dict[str, Any]) -> list[str]:
    return [entry["reason"] for entry in (hpa.get("status") or {}).get("conditions") or ()]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[dict[str, Any], str, str]]]:
    """By name: the object, its row of `kubectl get`, its `kubectl describe`; of one sandbox with all of the manifests."""
    client, stop = start(SandboxOptions(scenario="walkthrough", speed=20.0, kubernetes="1.36"))
    try:
        file = tmp_path_factory.mktemp("field") / "targets.yaml"
        file.write_text(_targets())
        client.kubectl("apply", "-f", str(file))
        client.until(lambda: _measured(client))
        created = map(json.loads, (FIELD / "real-1.36-create.jsonl").read_text().splitlines())
        files = [word for row in created if row["exit"] == 0 for word in ("-f", str(FIELD / row["file"]))]
        client.kubectl("create", *files)
        with contextlib.suppress(AssertionError):  # the tests say which differ
            client.until(lambda: _settled(client), within=20.0)
        objects = {item["metadata"]["name"]: item for item in client.get(HPAS)["items"]}
        rows = {line.split(" ")[0]: line for line in client.kubectl("get", "hpa", "-n", "shop").splitlines()[1:]}
        described = re.split(r"(?m)^(?=Name:)", client.kubectl("describe", "hpa", "-n", "shop"))
        texts = {each.split("\n", 1)[0].split()[1]: each for each in described if each.strip()}
        yield {name: (objects[name], rows[name], texts[name]) for name in objects}
    finally:
        stop()


def _status(hpa: dict[str, Any]) -> dict[str, Any]:
    status = {key: value for key, value in hpa["status"].items() if key != "lastScaleTime"}
    for entry in status.get("conditions") or ():
        entry.pop("lastTransitionTime")
    return status


def _cells(row: str) -> list[str]:
    return re.split(r"\s{2,}", row.strip())[:-1]


def _lines(text: str) -> list[str]:
    """A description without times; events without their age, each once."""
    kept: list[str] = []
    events = False
    for line in text.rstrip().splitlines():
        events = events or line.startswith("Events:")
        if line.startswith("CreationTimestamp:"):
            continue
        if events:
            cells = re.split(r"\s{2,}", line.strip())
            line = "  ".join([*cells[:2], *cells[3:]]) if len(cells) > 3 else line
        kept.append(line)
    at = next((index for index, line in enumerate(kept) if line.startswith("Events:")), len(kept))
    return kept[: at + 3] + sorted(set(kept[at + 3 :]))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_is_as_a_real_one(name: str, shown: dict[str, tuple[dict[str, Any], str, str]]) -> None:
    hpa, row, text = shown[name]
    recorded = ROWS[name]
    assert _status(hpa) == _status(recorded["object"])
    assert hpa["spec"] == recorded["object"]["spec"]
    assert _cells(row) == _cells(recorded["get"].splitlines()[1])
    assert _lines(text) == _lines(recorded["describe"])


@pytest.mark.parametrize("name", sorted(GROWING & set(RECORDED)))
def test_what_cannot_be_read_is_told_as_a_real_controller_does(
    name: str, shown: dict[str, tuple[dict[str, Any], str, str]]
) -> None:
    told = [line for line in _lines(shown[name][2]) if line.startswith("Warning")]
    assert told == [line for line in _lines(RECORDED[name]["describe"]) if line.startswith("Warning")]
