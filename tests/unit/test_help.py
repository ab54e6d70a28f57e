"""The help: every command in a section, with examples that the parser takes; a wrong command line is one line."""

from __future__ import annotations

import re
import shlex

import pytest

from hpatui.cli import _COMMANDS, build_parser, main
from hpatui.commands.helping import EXAMPLES, SECTIONS

NAMES = list(_COMMANDS)


@pytest.mark.parametrize("name", NAMES)
def test_each_command_is_in_a_section_and_has_examples(name: str) -> None:
    assert [title for title, names in SECTIONS.items() if name in names]
    assert EXAMPLES.get(name), f"add an example of {name} to hpatui/commands/helping.py"


@pytest.mark.parametrize(
    "line", [line for name, rows in EXAMPLES.items() if not name or name in NAMES for line, _ in rows]
)
def test_the_parser_takes_the_example(line: str) -> None:
    (found,) = re.findall(r"hpatui[^|()>]*", line)
    words = shlex.split(found)[1:]
    if "--list" not in words:
        build_parser(words).parse_args(words)


@pytest.mark.parametrize("name", NAMES)
def test_examples_stand_at_the_end_of_the_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: hpatui {name} [flags]") and len(text.splitlines()[0]) < 120
    assert text.rstrip().splitlines()[-1].endswith(EXAMPLES[name][-1][1])


def test_commands_are_grouped_and_come_before_the_flags(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    places = [text.index(f"  {title}:") for title, names in SECTIONS.items() if set(names) & set(NAMES)]
    assert places == sorted(places) and places[-1] < text.index("--kubeconfig")
    assert "more:" not in text
    assert "examples:" in text


@pytest.mark.parametrize(
    "words", [["nope"], ["load", "--rate", "x", "y"], ["watch", "--nope"], ["--theme"], ["config", "a\x1b[31m"]]
)
def test_a_wrong_command_line_is_one_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == "" and len(err.strip().splitlines()) == 1
    assert err.startswith("hpatui: ") and "--help" in err and "\x1b" not in err
