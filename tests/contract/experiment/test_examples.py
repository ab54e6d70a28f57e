"""The five examples on sandboxes with a fast clock, all at once: four pass, one fails on purpose and says when and why."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from hpatui.record.reader import open_recording
from tests.schemas import check

EXAMPLES = Path(__file__).parents[3] / "examples"
SPEEDS = {"variants": "25"}  # four runs; of others 16
NAMES = ["scale-to-zero", "slow-start", "spike", "variants", "walkthrough"]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
Run = tuple[int, dict[str, Any], str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, Run]:
    """Exit code, result and standard error of each."""
    env = {**os.environ, "HPATUI_STATE_DIR": str(folder / "state")}
    env.pop("KUBECONFIG", None)
    started = {}
    for name in NAMES:
        reports = [f"--{kind}={folder / name}.{kind}" for kind in ("html", "junit", "markdown")]
        command = [
            sys.executable,
            "-m",
            "hpatui",
            "run",
            str(EXAMPLES / f"{name}.toml"),
            "--speed",
            SPEEDS.get(name, "16"),
            "--json",
            *reports,
        ]
        started[name] = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    found = {}
    for name, process in started.items():
        out, said = process.communicate(timeout=150)
        found[name] = (process.returncode, json.loads(out or "{}"), said)
    return found


@pytest.mark.parametrize("name", [name for name in NAMES if name != "spike"])
def test_it_passes(runs: dict[str, Run], name: str) -> None:
    code, result, said = runs[name]
    assert code == 0, (result.get("expectations"), said)
    assert result["state"] == "passed" and all(item["state"] == "ok" for item in result["expectations"])
    check("run", result)


def test_the_one_that_fails_names_the_moment_and_the_reason(runs: dict[str, Run], folder: Path) -> None:
    code, result, said = runs["spike"]
    assert code == 1, said
    wrong = [item for item in result["expectations"] if item["state"] != "ok"]
    assert [item["text"] for item in wrong] == ["never blind"]
    fault = result["runs"][0]["faults"][0]
    assert fault["start_s"] <= wrong[0]["moment_s"] <= fault["end_s"] + 4.0
    assert "fault metrics-down" in wrong[0]["reason"] and "unable to get metrics" in wrong[0]["reason"]
    suites = ElementTree.parse(folder / "spike.junit").getroot()
    assert suites.get("failures") == "1"
    failure = suites.find(".//testcase/failure")
    assert failure is not None and "unable to get metrics" in (failure.text or "")
    markdown, html = (folder / "spike.markdown").read_text(), (folder / "spike.html").read_text()
    assert "unable to get metrics" in markdown and "unable to get metrics" in html


def test_variants_are_beside_each_other_with_their_doubt(runs: dict[str, Run]) -> None:
    _, result, _ = runs["variants"]
    assert sorted(variant["name"] for variant in result["variants"]) == ["eager", "patient"]
    assert all(variant["runs"] == 2 for variant in result["variants"])
    assert result["seed"] == 7 and len(result["runs"]) == 4
    assert all(item["name"] == "" for item in result["winners"])  # two runs each tell nothing for sure
    measures = {variant["name"]: variant["measures"]["rescales"]["median"] for variant in result["variants"]}
    assert measures["eager"] > measures["patient"]


def test_nothing_is_left_on_this_machine(runs: dict[str, Run], folder: Path) -> None:
    assert list((folder / "state/experiments").glob("*")) == []


def test_the_report_is_drawn_by_a_browser(runs: dict[str, Run], folder: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder / 'browser'}",
        "--dump-dom",
    ]
    page = subprocess.run(
        [*command, (folder / "spike.html").as_uri()], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    charts = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    assert len(charts) == 4  # replicas, cpu, load, latency
    assert all(' d="M' in chart for chart in charts)
    assert "→ " in charts[0]  # a rescale


def test_what_was_seen_is_recorded_beside_the_report(runs: dict[str, Run], folder: Path) -> None:
    _, result, _ = runs["walkthrough"]
    assert result["runs"][0]["recording"] == str(folder / "walkthrough.hpatui")
    recording = open_recording(folder / "walkthrough.hpatui")
    try:
        assert [key.name for key in recording.hpas()] == ["php-apache-hpa"]
        assert recording.meta.sandbox
    finally:
        recording.close()
    several = [run["recording"] for run in runs["variants"][1]["runs"]]
    assert several == [str(folder / f"variants-{number}.hpatui") for number in (1, 2, 3, 4)]
