"""`hpatui advise` on a recording, as a user starts it: text, JSON by its schema, SARIF, a page in a real browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hpatui.cli import main
from hpatui.model import ControllerFlags, Kind, Listed, Seen, Upserted
from hpatui.record.meta import Meta
from hpatui.record.writer import Recorder
from tests.factories import NOW
from tests.schemas import check
from tests.unit.tune.runs import status

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An hour of an HPA that is pinned at its maximum, named to be escaped."""
    path = tmp_path_factory.mktemp("recording") / "shop.db"
    facts = [status(0, 2, 1.0), status(600, 5, 1.9, scaled=600), status(3000, 5, 1.0), status(3600, 5, 0.99)]
    recorder = Recorder(path, Meta("shop & <b>sons</b>", "v1.36.0", ControllerFlags()), single=True)
    first = facts[0].what
    assert isinstance(first, Upserted)
    recorder.take(Seen(NOW, Listed(Kind.HPA, (first.item,))))
    for seen in facts[1:]:
        recorder.take(seen)
    recorder.close()
    assert recorder.problem == ""
    return path


@pytest.fixture
def advise(recording: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str, code: int = 0) -> tuple[str, str]:
        capsys.readouterr()
        assert main(["advise", "--recording", str(recording), *words]) == code
        said = capsys.readouterr()
        return said.out, said.err

    return run


def test_json_is_as_its_schema_says(advise: Any) -> None:
    found = json.loads(advise("-A", "--json", "--price-cpu", "0.04")[0])
    check("advise", found)
    (hpa,) = found["hpas"]
    assert (hpa["namespace"], hpa["name"], hpa["rank"], hpa["leave"]) == ("shop", "web", 1, False)
    assert hpa["cost"] is None  # no pod was recorded, so no request is known
    assert found["totals"]["cost_unknown"] == 1
    pinned = next(finding for finding in hpa["findings"] if finding["rule"] == "pinned-at-max")
    assert pinned["evidence"][0]["replay"].startswith("hpatui replay ")
    assert pinned["evidence"][0]["time"] in pinned["evidence"][0]["replay"]
    assert hpa["recommendation"]["spec"]["maxReplicas"] > 5
    assert "maxReplicas: 13" in hpa["recommendation"]["yaml"]


def test_since_counts_back_from_the_end(advise: Any) -> None:
    found = json.loads(advise("-A", "--json", "--since", "5m")[0])
    assert found["hpas"][0]["seconds"] == pytest.approx(300, abs=1)
    assert not any(finding["rule"] == "pinned-at-max" for finding in found["hpas"][0]["findings"])


def test_text_tells_what_when_and_where_to_look(advise: Any) -> None:
    out, _ = advise("-A")
    for words in ("at maxReplicas 5 with more wanted", "spec.maxReplicas: 5 -> 13", "look: hpatui replay", "shop/web"):
        assert words in out


def test_sarif_has_what_the_standard_requires(advise: Any, tmp_path: Path) -> None:
    advise("-A", "--sarif", str(tmp_path / "a.sarif"))
    value = json.loads((tmp_path / "a.sarif").read_text())
    assert value["version"] == "2.1.0"
    (run,) = value["runs"]
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert run["tool"]["driver"]["name"] == "hpatui"
    assert run["results"]
    for result in run["results"]:
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["message"]["text"]
        assert ids[result["ruleIndex"]] == result["ruleId"]
        (place,) = result["locations"]
        assert place["physicalLocation"]["region"]["startLine"] >= 1
        assert place["logicalLocations"][0]["fullyQualifiedName"] == "shop/web"


def test_the_page_is_one_file_with_charts(advise: Any, tmp_path: Path) -> None:
    page = tmp_path / "a.html"
    advise("-A", "--html", str(page))
    text = page.read_text()
    assert "<svg" in text
    assert "<b>sons" not in text
    assert "https://" not in text.replace("https://github.com/hpatui", "")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/c", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=90, check=False)
    assert "at maxReplicas 5 with more wanted" in done.stdout
    assert "shop/web" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-A", "--apply"), "name it"),
        (("web", "--apply", "--read-only"), "read-only"),
        (("nobody",), "not in the recording"),
        (("-A", "--watch", "5s"), "leave one of them away"),
        (("-A", "--html", "/no/such/folder/a.html"), "cannot write"),
    ],
)
def test_bad_input_is_one_line(advise: Any, words: tuple[str, ...], said: str) -> None:
    _, err = advise(*words, code=2)
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_without_a_recording_it_says_what_it_takes(
    kubeconfig: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HPATUI_STATE_DIR", str(tmp_path))
    assert main(["advise", "-A", "--kubeconfig", kubeconfig]) == 2
    err = capsys.readouterr().err
    assert "hpatui record -A" in err
    assert "--watch" in err


def test_a_live_watch_instead(kubeconfig: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advise", "-A", "--watch", "4s", "--json", "--kubeconfig", kubeconfig]) == 0
    found = json.loads(capsys.readouterr().out)
    check("advise", found)
    assert found["source"].startswith("a live watch")
    assert found["hpas"][0]["findings"] == [] or found["hpas"][0]["name"] == "php-apache-hpa"
