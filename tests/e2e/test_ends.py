"""How the program ends, in a real terminal and in pipes: bytes, signals, streams that are closed, full or gone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.driver import HPATUI, Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.serial, pytest.mark.timeout(60)]


@pytest.fixture
def screen(kubeconfig: str, tmp_path: Path) -> Iterator[Terminal]:
    """The screen on a sandbox, shown and settled."""
    with Terminal([*HPATUI, "--kubeconfig", kubeconfig], env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("ValidMetricFound", 40)
        yield terminal


def _quits(terminal: Terminal) -> None:
    terminal.send("q")
    assert terminal.wait_end(10) == 0
    assert b"\x1b[?1049l" in terminal.raw[-4000:], "the terminal's own screen is back"
    assert "Traceback" not in terminal.text


def _alive(terminal: Terminal) -> None:
    terminal.send("?")
    terminal.wait_for("Load", 5)
    terminal.wait_for("Start or stop the load", 5)
    terminal.send("\x1b")
    terminal.pump(0.3)


def test_bytes_that_are_no_keys_are_ignored(screen: Terminal) -> None:
    for data in (b"\xe9", b"\xff", b"\xc3\x28", b"\x1b[108;1:2u", b"\x1b[99999999999u", b"\x1b[48;1;1;1;1t"):
        screen.child.send(data)
        screen.pump(0.2)
    _alive(screen)
    _quits(screen)


def test_a_cont_that_no_stop_preceded_changes_nothing(screen: Terminal) -> None:
    for _ in range(3):
        os.kill(screen.pid, signal.SIGCONT)
        screen.pump(0.3)
    _alive(screen)
    _quits(screen)


@pytest.mark.parametrize("stop", [signal.SIGTSTP, signal.SIGSTOP])
def test_stopped_and_continued_it_is_there_again(screen: Terminal, stop: signal.Signals) -> None:
    os.kill(screen.pid, stop)
    screen.pump(0.5)
    before = screen.bytes_out
    os.kill(screen.pid, signal.SIGCONT)
    screen.pump(1.0)
    assert screen.bytes_out - before > 2000, "painted anew"
    _alive(screen)
    _quits(screen)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(screen: Terminal, number: signal.Signals) -> None:
    os.kill(screen.pid, number)
    assert screen.wait_end(10) == 130
    assert b"\x1b[?1049l" in screen.raw[-4000:]


def test_sigterm_while_nobody_reads_the_terminal(screen: Terminal) -> None:
    for _ in range(40):
        screen.send("\x0c")  # paint anew, more than the kernel keeps for a reader that does not come
        time.sleep(0.03)
    os.kill(screen.pid, signal.SIGTERM)
    end = time.monotonic() + 3  # what is promised; here a bound, not a measurement
    while screen.child.isalive() and time.monotonic() < end:
        time.sleep(0.05)
    assert not screen.child.isalive()


def test_ctrl_c_names_the_key_that_the_footer_names(screen: Terminal) -> None:
    screen.wait_for("q quit", 5)  # the footer; a notice stands in its place for a while
    screen.send("\x03")
    screen.wait_for("Press q to quit", 5)
    screen.wait_for("q quit", 15)
    _quits(screen)


def test_a_terminal_that_is_gone_ends_it_even_where_hangups_are_ignored(kubeconfig: str) -> None:
    master, slave = os.openpty()
    command = [*HPATUI, "--kubeconfig", kubeconfig]
    process = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "TERM": "xterm"}, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),  # noqa: PLW1509
    )  # fmt: skip
    os.close(slave)
    seen = b""
    while b"php-apache" not in seen:
        seen += os.read(master, 65536)
    os.close(master)
    assert process.wait(15) != 0


def test_the_screen_is_shown_on_the_terminal_that_is_there(kubeconfig: str, tmp_path: Path) -> None:
    errors = tmp_path / "errors.txt"
    line = " ".join([*HPATUI, "--kubeconfig", kubeconfig, f"2>{errors}"])
    with Terminal(["sh", "-c", f"exec {line}"]) as terminal:
        terminal.wait_for("ValidMetricFound", 40)
        _quits(terminal)
    assert errors.read_text() == ""


def _run(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("flags", "streams"),
    [
        ("watch --once", ">/dev/full"),
        ("watch --json --once", ">/dev/full"),
        ("demo --list", ">/dev/full"),
        ("watch --once", ">&-"),
        ("watch --json --once", ">&-"),
        ("explain php-apache-hpa", ">&-"),
        ("", "<&-"),
        ("", ">&-"),
    ],
)
def test_a_stream_that_is_full_or_closed_is_one_line_and_code_2(kubeconfig: str, flags: str, streams: str) -> None:
    config = "" if flags == "demo --list" else f"--kubeconfig {kubeconfig}"
    done = _run(f"{' '.join(HPATUI)} {flags} {config} {streams}")
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"hpatui: .+\n", done.stderr), done.stderr


def test_a_reader_that_went_away_is_no_error(kubeconfig: str) -> None:
    done = _run(f"set -o pipefail; {' '.join(HPATUI)} watch --once --kubeconfig {kubeconfig} | head -c 1")
    assert done.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_was_ignored_stays_ignored(kubeconfig: str, number: signal.Signals) -> None:
    def ignore() -> None:
        signal.signal(number, signal.SIG_IGN)

    command = [*HPATUI, "watch", "--kubeconfig", kubeconfig]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=ignore) as process:  # noqa: PLW1509
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(number)
        time.sleep(0.5)
        assert process.poll() is None
        process.terminate()
        assert process.wait(15) == 130
