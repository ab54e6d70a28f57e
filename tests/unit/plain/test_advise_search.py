"""`hpatui advise NS/NAME` on a recording: the search, in lines and as JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpatui.api.advice_shapes import RunJson
from hpatui.plain.advise import AdviseOptions, advise_recording
from hpatui.plain.front import HEIGHT, WIDTH, chart
from hpatui.record.meta import Meta
from hpatui.record.writer import Recorder
from hpatui.settings import Settings
from tests.schemas import check
from tests.tuning_box import Box


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of four replicas that nobody needs."""
    path = tmp_path_factory.mktemp("recording") / "box.hpatui"
    box = Box("high-floor")
    recorder = Recorder(path, Meta(context="test", flags=box.flags), box.clock)
    for _ in range(240):
        for seen in box.facts():
            recorder.take(seen)
        box.step()
    recorder.close()
    assert not recorder.problem
    return path


def _advised(path: Path, **more: Any) -> tuple[str, Any]:
    found = []
    for as_json in (False, True):
        out = io.StringIO()
        options = AdviseOptions("shop/checkout", file=str(path), goal="cost", as_json=as_json, **more)
        advise_recording(Settings(), options, out)
        found.append(out.getvalue())
    return found[0], json.loads(found[1])


def test_a_named_one_is_searched_for(recorded: Path) -> None:
    text, data = _advised(recorded)
    check("advise", data)
    item = data["hpas"][0]
    recommendation, search = item["recommendation"], item["search"]
    assert recommendation["by"] == "search"
    assert [change["path"] for change in recommendation["changes"]] == ["minReplicas"]
    assert recommendation["changes"][0]["reason"]
    assert recommendation["saves_pod_hours"] > 0
    assert search["goal"] == "cost"
    assert search["now"]["pod_hours"] > search["recommended"]["pod_hours"]
    assert search["front"]
    assert search["missing"]
    begin = text.index("kubectl apply -f - <<'EOF'\n") + len("kubectl apply -f - <<'EOF'\n")
    manifest = yaml.safe_load(text[begin : text.index("\nEOF\n", begin)])
    assert manifest["spec"] == recommendation["spec"]
    assert manifest["spec"]["minReplicas"] < 4
    assert "status" not in manifest
    assert "* recommended" in text
    assert "pod-hours" in text


def test_without_a_search_there_are_the_rules(recorded: Path) -> None:
    text, data = _advised(recorded, search=False)
    assert data["hpas"][0]["search"] is None
    assert "specs simulated" not in text


def test_too_little_says_what_is_missing_and_the_rules_stay(recorded: Path) -> None:
    text, data = _advised(recorded, since=9.0)
    search = data["hpas"][0]["search"]
    assert search["tried"] == 0
    assert search["uncertainty"] is None
    assert "record at least 8" in search["missing"][0]
    assert "not simulated" in text


def _run(hours: float, above: float) -> RunJson:
    return {
        "pod_hours": hours, "seconds_above_target": above, "unserved_share": 0.0, "rescales": 0, "most_replicas": 1,
        "seconds_at_max": 0.0, "kills": 0,
    }  # fmt: skip


def test_the_chart_has_the_cheapest_on_the_left_and_the_calmest_below() -> None:
    lines = chart([_run(1.0, 100.0), _run(3.0, 0.0)], _run(2.0, 50.0), _run(3.0, 0.0))
    drawing = [line.partition("|")[2] for line in lines[:HEIGHT]]
    assert drawing[0][0] == "."
    assert drawing[-1][WIDTH - 1] == "*"
    assert any("o" in line for line in drawing[1:-1])


def test_a_chart_of_one_run_without_any_time_above_the_target() -> None:
    lines = chart([_run(1.0, 0.0)], _run(1.0, 0.0), None)
    assert lines[HEIGHT - 1].partition("|")[2][0] == "o"
