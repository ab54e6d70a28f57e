"""Completion in the real shells: what `hpatui completion SHELL` prints is loaded, and a key is pressed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

BIN = Path(sys.executable).parent
CASES = [
    ("hpatui dem", {"demo"}),
    ("hpatui demo --scenario fl", {"flapping", "fleet"}),
    ("hpatui --theme hi", {"high-contrast"}),
    ("hpatui load --arr", {"--arrivals"}),
    ("hpatui --context p", {"prod-eu", "prod-us"}),
    ("hpatui watch --kubeconfig other.yaml --context p", {"playground"}),
]
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: not-a-real-token}}]
contexts:
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    def config(*names: str) -> str:
        return KUBECONFIG + "".join(f"- {{name: {name}, context: {{cluster: c, user: u}}}}\n" for name in names)

    (tmp_path / "config").write_text(config("prod-eu", "prod-us", "dev"))
    (tmp_path / "other.yaml").write_text(config("playground"))
    return {
        "HOME": str(tmp_path),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "KUBECONFIG": str(tmp_path / "config"),
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
    }


def run(command: list[str], home: dict[str, str]) -> str:
    done = subprocess.run(
        command,
        env=home,
        cwd=home["HOME"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.e2e
@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_bash(line: str, wanted: set[str], home: dict[str, str]) -> None:
    words = line.split()
    script = (
        f"source <(hpatui completion bash); COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'; "
        "COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; _python_argcomplete hpatui; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    assert set(run(["bash", "-c", script], home).split()) == wanted


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_fish(line: str, wanted: set[str], home: dict[str, str]) -> None:
    found = run(["fish", "-c", f"hpatui completion fish | source; complete -C '{line}'"], home)
    assert {row.split("\t")[0] for row in found.splitlines()} == wanted


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh(home: dict[str, str]) -> None:
    shell = pexpect.spawn(
        "zsh", ["-f", "-i"], env={**home, "PS1": "READY> "}, cwd=home["HOME"], encoding="utf-8", timeout=30
    )
    try:
        shell.expect("READY> ")
        shell.sendline("autoload -U compinit; compinit -u -D")
        shell.expect("READY> ")
        shell.sendline('eval "$(hpatui completion zsh)"')
        shell.expect("READY> ")
        shell.send("hpatui demo --scenario flap\t")
        shell.expect("--scenario flapping")
    finally:
        shell.close(force=True)


def test_an_unknown_shell_is_refused_in_a_line(home: dict[str, str]) -> None:
    done = subprocess.run([BIN / "hpatui", "completion", "tcsh"], env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "bash" in done.stderr and "Traceback" not in done.stderr


def test_a_broken_kubeconfig_offers_nothing_and_says_nothing(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config").write_text("{ broken")
    script = (
        "source <(hpatui completion bash); COMP_WORDS=(hpatui --context p); COMP_CWORD=2; COMP_LINE='hpatui --context p'; "
        'COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; _python_argcomplete hpatui; echo "${COMPREPLY[@]}"'
    )
    assert run(["bash", "-c", script], home).strip() == ""
