"""The installed program in terminals of several kinds, over ssh, and on lines that are slow or break."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.sandboxes import sandbox
from tests.terminal.driver import HPATUI, Terminal, alive, descendants

pytestmark = [pytest.mark.e2e, pytest.mark.serial, pytest.mark.timeout(180)]

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _screen(kubeconfig: str, *flags: str) -> list[str]:
    return [*HPATUI, "--kubeconfig", kubeconfig, *flags]


@pytest.mark.parametrize("term", ["xterm-256color", "xterm", "screen-256color", "linux"])
def test_each_terminal_shows_the_screen_and_is_restored(kubeconfig: str, term: str) -> None:
    with Terminal(_screen(kubeconfig), term=term) as terminal:
        terminal.wait_for("php-apache-hpa", 30)
        terminal.wait_for("ValidMetricFound", 30)
        terminal.send("3")
        terminal.wait_for(r"─ Why ─", 10)
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert b"\x1b[?1049l" in terminal.raw[-4000:]


def test_a_dumb_terminal_gets_lines(kubeconfig: str) -> None:
    with Terminal(_screen(kubeconfig), term="dumb") as terminal:
        terminal.wait_for("printing lines instead", 20)
        terminal.wait_for("php-apache-hpa", 20)
        terminal.send("\x03")
        assert terminal.wait_end() == 130
        assert b"\x1b[?1049h" not in terminal.raw


def test_a_pipe_gets_lines(kubeconfig: str) -> None:
    with subprocess.Popen(_screen(kubeconfig), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.terminate()
        process.wait(20)
    assert lines[0].startswith("NAMESPACE")
    assert "php-apache-hpa" in lines[1]
    assert "\x1b" not in "".join(lines)


def test_without_colour_and_with_ascii_only(kubeconfig: str) -> None:
    with Terminal(_screen(kubeconfig, "--ascii"), env={"NO_COLOR": "1"}) as terminal:
        terminal.wait_for("ValidMetricFound", 30)
        terminal.pump(1)
        assert terminal.text.isascii(), terminal.text
        colours = set(re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", bytes(terminal.raw)))
        assert all(red == green == blue for red, green, blue in colours), "greys only"
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_inside_tmux(kubeconfig: str, tmp_path: Path) -> None:
    tmux = shutil.which("tmux")
    if tmux is None:
        pytest.skip("tmux is not installed")
    server = ["tmux", "-L", f"hpatui-{os.getpid()}", "-f", "/dev/null"]
    subprocess.run([*server, "new-session", "-d", "-x", "80", "-y", "24", *_screen(kubeconfig)], check=True)
    try:
        shown, end = "", time.monotonic() + 30
        while "cpu" not in shown and time.monotonic() < end:
            time.sleep(0.2)
            shown = subprocess.run([*server, "capture-pane", "-p"], capture_output=True, text=True, check=True).stdout
        assert "php-apache-hpa" in shown
        assert "q quit" in shown
        subprocess.run([*server, "send-keys", "q"], check=True)
        while subprocess.run([*server, "has-session"], capture_output=True, check=False).returncode == 0:
            assert time.monotonic() < end + 10, "it ends on q"
            time.sleep(0.1)
    finally:
        subprocess.run([*server, "kill-server"], capture_output=True, check=False)


def test_an_idle_screen_writes_nothing_and_one_key_little(tmp_path: Path) -> None:
    """With a sync and a sample each 15 s nothing changes between them; ages move on in coarse steps only."""
    with sandbox(tmp_path / "kubeconfig", "--kube-timings") as path, Terminal(_screen(path)) as terminal:
        terminal.wait_for("ValidMetricFound", 30)
        terminal.send("6")  # the events: a list that does not scroll
        terminal.pump(6)
        quiet = min(_bytes_in(terminal, 1.5) for _ in range(8))
        assert quiet == 0
        before = terminal.bytes_out
        terminal.send("1")
        terminal.pump(0.5)
        assert 0 < terminal.bytes_out - before < 4000
        terminal.send("q")
        assert terminal.wait_end() == 0


def _bytes_in(terminal: Terminal, seconds: float) -> int:
    before = terminal.bytes_out
    terminal.pump(seconds)
    return terminal.bytes_out - before


def test_resizes_and_a_flood_of_keys(kubeconfig: str) -> None:
    with Terminal(_screen(kubeconfig)) as terminal:
        terminal.wait_for("ValidMetricFound", 30)
        for round_ in range(200):
            terminal.child.setwinsize(1 + round_ % 40, 1 + (round_ * 7) % 130)
            if round_ % 20 == 0:
                terminal.pump(0.05)
        terminal.send("jk\t" * 400)
        terminal.child.setwinsize(36, 120)
        terminal.pump(2)
        terminal.wait_for("php-apache-hpa", 20)
        before = terminal.bytes_out
        terminal.send("\x0c")  # ctrl+l: everything anew
        terminal.pump(2)
        assert terminal.bytes_out - before > 2000
        terminal.wait_for("php-apache-hpa", 5)
        terminal.send("q")
        assert terminal.wait_end() == 0


def test_a_hangup_stops_the_load_and_ends(kubeconfig: str) -> None:
    with Terminal(_screen(kubeconfig)) as terminal:
        terminal.wait_for("ValidMetricFound", 30)
        terminal.send("l")
        terminal.wait_for(r"running steady", 20)
        family = descendants(terminal.pid)
        assert family
        terminal.child.kill(signal.SIGHUP)
        terminal.wait_end()
        _all_end(family)


def test_a_login_that_asks_gets_the_terminal(kubeconfig: str, tmp_path: Path) -> None:
    config = yaml.safe_load(Path(kubeconfig).read_text())
    token = config["users"][0]["user"]["token"]
    plugin = tmp_path / "plugin"
    version = "client.authentication.k8s.io/v1"
    credential = json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": {"token": token}})
    plugin.write_text(f"#!/bin/sh\nprintf 'Password: ' >&2\nread word\n[ \"$word\" = sesame ] && echo '{credential}'\n")
    plugin.chmod(0o755)
    config["users"][0]["user"] = {"exec": {"apiVersion": version, "command": str(plugin), "interactiveMode": "Always"}}
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    with Terminal(_screen(str(path))) as terminal:
        terminal.wait_for("press L to log in", 30)
        terminal.send("L")
        terminal.wait_for("Password: ", 20)
        terminal.send("wrong\r")
        terminal.wait_for("login plugin failed", 20)
        terminal.send("L")
        terminal.wait_for("Password: ", 20)
        terminal.send("sesame\r")
        terminal.wait_for("php-apache-hpa", 20)
        terminal.send("q")
        assert terminal.wait_end() == 0
        assert token.encode() not in terminal.raw


# ssh ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def ssh(tmp_path: Path) -> Iterator[list[str]]:
    """A real sshd on loopback, and the command that logs in there."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("openssh-server is not installed")
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    keys = folder / "authorized"
    keys.write_text((folder / "user.pub").read_text())
    keys.chmod(0o600)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile {folder}/pid\n"
        f"AuthorizedKeysFile {keys}\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
    )
    with contextlib.suppress(PermissionError):
        Path("/run/sshd").mkdir(exist_ok=True)
    daemon = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.05)
        else:
            pytest.skip("sshd does not start here")
        yield [
            "ssh", "-tt", "-q", "-p", str(port), "-i", str(folder / "user"), "-o", "StrictHostKeyChecking=no",
            "-o", "UserKnownHostsFile=/dev/null", f"{getpass.getuser()}@127.0.0.1",
        ]  # fmt: skip
    finally:
        daemon.terminate()
        daemon.wait(10)


def test_over_ssh_it_is_sparing_and_a_lost_line_stops_the_load(ssh: list[str], kubeconfig: str) -> None:
    inner = " ".join([sys.executable, "-m", "hpatui", "--kubeconfig", kubeconfig, "--low-bandwidth"])
    with Terminal([*ssh, f"cd {Path.cwd()} && TERM=xterm-256color exec {inner}"]) as terminal:
        terminal.wait_for("ValidMetricFound", 40)
        before = _programs(kubeconfig)
        assert before, "the program runs on the far side"
        terminal.send("l")
        terminal.wait_for(r"running steady", 20)
        family = [child for pid in before for child in descendants(pid)]
        assert family, "the load engine"
        assert _bytes_in(terminal, 15) / 15 < 1500, "bytes a second"
        terminal.child.kill(signal.SIGKILL)  # the train enters the tunnel
        _all_end([*before, *family])


def _programs(kubeconfig: str) -> list[int]:
    """Screens on this kubeconfig."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().split(b"\0")
                if b"--low-bandwidth" in line and kubeconfig.encode() in line and b"-m" in line:
                    found.append(int(entry.name))
    return found


def _all_end(pids: list[int], timeout: float = 20) -> None:
    end = time.monotonic() + timeout
    while any(alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.1)
    assert [pid for pid in pids if alive(pid)] == []
