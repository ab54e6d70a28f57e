"""The sandbox as a process: it says when it is ready, leaves nothing behind, and refuses in one line."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpatui.errors import SandboxError, UsageError
from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.process import SandboxProcess

from .conftest import start


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hpatui", "sandbox", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(int(child) for child in children)]


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20.0
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_it_prints_one_line_when_it_is_ready_and_ends_when_interrupted(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    command = [sys.executable, "-m", "hpatui", "sandbox", "--kubeconfig-out", str(kubeconfig)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        assert line.startswith("sandbox ready: http://127.0.0.1:")
        assert str(kubeconfig) in line
        assert kubeconfig.stat().st_mode & 0o777 == 0o600
        family = _family(process.pid)
        assert len(family) == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert (process.stdout.read(), process.stderr.read()) == ("", "")
    assert _gone(family)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_whole_group_is_a_clean_end(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "hpatui", "sandbox"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        kubeconfig = Path(process.stdout.readline().split("kubeconfig ")[1].strip())
        family = _family(process.pid)
        os.killpg(process.pid, number)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""
    assert _gone(family)
    assert not kubeconfig.exists()


async def test_a_child_sandbox_stops_and_removes_its_files() -> None:
    process = SandboxProcess(SandboxOptions())
    handle = await process.start()
    running = [process.running]
    family = _family(handle.pid)
    assert os.getsid(handle.pid) != os.getsid(0)
    await process.stop()
    assert [*running, process.running] == [True, False]
    assert _gone(family)
    assert not handle.kubeconfig_path.parent.exists()


def test_nothing_is_left_when_the_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, sys\n"
        "from hpatui.sandbox.options import SandboxOptions\n"
        "from hpatui.sandbox.process import SandboxProcess\n"
        "async def main():\n"
        "    handle = await SandboxProcess(SandboxOptions()).start()\n"
        "    print(handle.pid, flush=True)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        family = _family(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
    assert _gone(family)


def test_the_data_plane_does_not_outlive_a_killed_sandbox() -> None:
    client, stop = start(SandboxOptions())
    family = _family(client.handle.pid)
    os.kill(client.handle.pid, signal.SIGKILL)
    assert _gone(family)
    stop()


def test_a_port_in_use_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run("--port", str(port))
    assert done.returncode == 2
    assert done.stderr == f"hpatui: port {port} is in use; choose another with --port, or 0 for any\n"
    assert done.stdout == ""


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    done = _run("--kubeconfig-out", str(tmp_path / "no-such-folder" / "file"))
    assert done.returncode == 2
    assert done.stderr.startswith("hpatui: cannot write ")
    assert done.stderr.count("\n") == 1


def test_an_unknown_scenario_is_one_line() -> None:
    done = _run("--scenario", "nonsense")
    assert done.returncode == 2
    assert done.stderr.startswith("hpatui: no scenario 'nonsense'; there are: walkthrough, ")


async def test_a_child_that_cannot_start_says_why(tmp_path: Path) -> None:
    process = SandboxProcess(SandboxOptions(kubeconfig_out=str(tmp_path / "no-such-folder" / "file")))
    with pytest.raises(SandboxError, match="cannot write"):
        await process.start()
    assert not process.running
    with pytest.raises(UsageError):
        await SandboxProcess(SandboxOptions(speed=0)).start()
