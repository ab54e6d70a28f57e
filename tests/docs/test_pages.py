"""What is generated is what the code says now; the manual page and the site can be made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
