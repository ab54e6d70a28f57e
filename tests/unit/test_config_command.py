"""`hpatui config`: values, origins, and the commented file."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.plain.config import _ABOUT, init, show, template
from hpatui.settings import Settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("HPATUI_CONFIG", raising=False)
    return tmp_path


def test_each_value_tells_its_origin(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "hpatui").mkdir()
    (home / "hpatui" / "config.toml").write_text('theme = "light"\nmax_rate = 10\nascii = true\n')
    monkeypatch.setenv("HPATUI_MAX_RATE", "20")
    show({"namespace": "shop", "ascii": None, "run": print}, as_json=True)
    rows = json.loads(capsys.readouterr().out)["settings"]
    assert rows["theme"] == {"value": "light", "from": str(home / "hpatui" / "config.toml")}
    assert rows["max_rate"] == {"value": 20.0, "from": "environment"}
    assert rows["namespace"] == {"value": "shop", "from": "flag"}
    assert rows["context"] == {"value": None, "from": "default"}
    assert set(rows) == {item.name for item in fields(Settings)}


def test_the_text_has_a_line_for_each_setting(capsys: pytest.CaptureFixture[str]) -> None:
    show({}, as_json=False)
    assert len(capsys.readouterr().out.splitlines()) == len(fields(Settings)) + 1


def test_init_writes_a_file_whose_lines_are_valid_and_overwrites_nothing(home: Path) -> None:
    assert init() == 0
    path = home / "hpatui" / "config.toml"
    assert tomllib.loads(path.read_text()) == {}
    path.write_text("theme = 'dark'\n")
    with pytest.raises(UsageError, match="is there already"):
        init()
    assert path.read_text() == "theme = 'dark'\n"


def test_the_commented_file_names_and_explains_every_setting() -> None:
    lines = [line.removeprefix("# ") for line in template().splitlines() if " = " in line]
    loaded = tomllib.loads("\n".join(lines))
    assert set(loaded) == {item.name for item in fields(Settings)} == set(_ABOUT)


def test_a_folder_that_cannot_be_written_is_one_line(home: Path) -> None:
    (home / "hpatui").write_text("a file")
    with pytest.raises(UsageError, match="cannot write"):
        init()
