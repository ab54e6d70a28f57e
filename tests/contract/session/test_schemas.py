"""What each command prints with --json is what `hpatui schema` says, on a real sandbox."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from hpatui.cli import main
from hpatui.plain.schema import SCHEMAS, schema
from tests.schemas import check

_COMING = {"export", "history", "record", "replay", "shot", "undo"}
_SHORT = ("--rate", "5", "--duration", "1s", "--json")


@pytest.fixture
def printed(kubeconfig: str, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str, code: int = 0) -> str:
        capsys.readouterr()
        assert main([*words, "--kubeconfig", kubeconfig]) == code
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("watch", ("watch", "--once", "--json")),
        ("watch", ("watch", "--once", "--json", "--details", "--observe", "all")),
        ("explain", ("explain", "php-apache-hpa", "--json")),
        ("doctor", ("doctor", "--json")),
        ("upgrade", ("upgrade", "--to", "1.38", "--json")),
        ("load", ("load", "php-apache-hpa", *_SHORT)),
        ("config", ("config", "--json")),
    ],
)
def test_the_output_is_as_the_schema_says(name: str, words: tuple[str, ...], printed: Any) -> None:
    check(name, json.loads(printed(*words)))


def test_upgrade_names_differences_as_the_schema_says(printed: Any) -> None:
    found = json.loads(printed("upgrade", "--to", "1.28", "--json"))
    check("upgrade", found)
    assert found["otherChanges"] or found["hpas"]


def test_results_of_experiments_are_as_the_schemas_say(
    printed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that passed, one that could not go on, and the two beside each other."""
    base = 'hpa = "php-apache-hpa"\nduration = "2s"\nexpect = ["replicas >= 1 within 1s of start"]\n[prepare]\n'
    files = []
    for name, prepare, code in (("good", 'stable = "0.5s"', 0), ("late", 'replicas = 3\nwithin = "1s"', 2)):
        (tmp_path / f"{name}.toml").write_text(base + prepare)
        out = printed("run", str(tmp_path / f"{name}.toml"), "--on", "hpatui-sandbox", "--json", code=code)
        check("run", json.loads(out))
        files.append(tmp_path / f"{name}.json")
        files[-1].write_text(out)
    assert main(["compare", *map(str, files), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    check("compare", found)
    assert found["before"]["state"] == "passed" and found["after"]["state"] == "error" and found["changes"]


def test_the_lines_of_changes_are_as_the_schema_says(kubeconfig: str) -> None:
    command = [sys.executable, "-m", "hpatui", "watch", "--json", "--changes", "--kubeconfig", kubeconfig]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.terminate()
    assert [line["type"] for line in lines] == ["status", "hpa"]
    for line in lines:
        check("watch-changes", line)


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_one_of_2020_12_with_a_version(name: str) -> None:
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["version"] >= 1
    assert f"{name}-{found['version']}.json" in found["$id"]


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_key_is_described(name: str) -> None:
    found = schema(name)
    bare = [
        f"{title}.{key}"
        for title, part in (("", found), *found["$defs"].items())
        for key, value in part.get("properties", {}).items()
        if not value.get("description")
    ]
    assert bare == []


def test_a_key_that_the_schema_does_not_name_is_noticed(printed: Any) -> None:
    found = json.loads(printed("config", "--json"))
    with pytest.raises(jsonschema.ValidationError):
        check("config", {**found, "more": 1})
    with pytest.raises(jsonschema.ValidationError):
        check("config", {"settings": found["settings"]})


def test_every_command_with_json_has_a_schema() -> None:
    """A new command that prints JSON comes with its schema."""
    from hpatui.cli import _COMMANDS as commands
    from hpatui.cli import build_parser

    told = {output.command.split()[1] for output in SCHEMAS.values()}
    for name in commands.keys() - _COMING:
        parser = build_parser([name])
        sub = next(
            action for action in parser._actions if hasattr(action, "choices") and name in (action.choices or ())
        )
        assert isinstance(sub.choices, dict)
        flags = {flag for action in sub.choices[name]._actions for flag in action.option_strings}
        assert name in told or "--json" not in flags, f"{name} --json has no schema: hpatui/plain/schema.py"


def test_an_unknown_name_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "wach"]) == 2
    assert "watch" in capsys.readouterr().err
