"""What is generated is what the code says now; the manual page and the site can be made."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hpatui.cli import build_parser
from tests.docs.generate import ROOT, generated

MAN = ROOT / "share" / "man" / "man1" / "hpatui.1"


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_generated_files_are_as_the_code_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == generated()[path], "run: python -m tests.docs.generate"


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_the_manual_page_can_be_read() -> None:
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "-l", str(MAN)], capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.returncode == 0 and done.stderr == ""
    assert "hpatui doctor" in done.stdout and "EXIT STATUS" in done.stdout


def test_the_site_has_no_dead_link(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "doctor" / "target" / "index.html").is_file()


def _lines() -> list[tuple[str, str]]:
    """Each command line of hpatui in a block of sh, with its page."""
    found: list[tuple[str, str]] = []
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            found += [(page.name, line) for line in block.splitlines() if line.startswith("hpatui")]
    return found


@pytest.mark.parametrize(("page", "line"), _lines())
def test_the_program_takes_the_command_lines_of_the_pages(page: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0].partition(" | ")[0], comments=True)[1:]
    build_parser(words).parse_args(words)
