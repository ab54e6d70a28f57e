"""The data plane's and Locust's ports: programs of this user, no web pages, no Python but hpatui's own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpatui.load.jobs import LOCUST
from hpatui.sandbox.dataplane.neighbours import Neighbours, is_local
from hpatui.sandbox.locust_pod import RefusedError, check_files, command_of, environment

from .conftest import Client

SERVICE = "/api/v1/namespaces/heyongjia/services/php-apache"
SHIPPED = Path(__file__).parents[3] / "hpatui/load/locust"
OURS = ["locust", "-f", "/load/locustfile.py", "--only-summary"]


@pytest.mark.parametrize(
    ("lines", "local"),
    [
        ("Host: 127.0.0.1:80", True), ("host:localhost", True), ("Host: php-apache", True), ("", True),
        ("Host: php-apache.heyongjia.svc:80", True), ("Host: php-apache.heyongjia.svc.cluster.local", True),
        ("Host: rebound.example", False), ("Host: 127.0.0.1.example", False), ("Host: x.svc.example", False),
        ("Host: localhost\r\nHost: rebound.example", False), ("Host: 127.0.0.1:80\r\nOrigin: http://pages.example", False),
        ("Host: 127.0.0.1:80\r\nOrigin: http://127.0.0.1:80", True), ("Host: 127.0.0.1:80\r\nORIGIN : null", False),
    ],
)  # fmt: skip
def test_a_web_pages_request_is_known_by_its_head(lines: str, local: bool) -> None:
    assert is_local(f"GET / HTTP/1.1\r\nA: b\r\n{lines}".encode()) is local


async def _answer(port: int, host: str, uid: int | None = None) -> bytes:
    """What a request to a local port gets, sent by another user where one is given."""
    code = (
        "import os, socket, sys\n"
        f"{f'os.setuid({uid})' if uid else ''}\n"
        f"s = socket.create_connection(('127.0.0.1', {port}), 10)\n"
        f"try:\n    s.sendall(b'GET / HTTP/1.1\\r\\nHost: {host}\\r\\nConnection: close\\r\\n\\r\\n')\n"
        "    sys.stdout.buffer.write(s.recv(100))\nexcept ConnectionError:\n    pass\n"
    )
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    return (await done.communicate())[0]


def test_the_data_plane_serves_this_user_and_no_web_page(walkthrough: Client) -> None:
    note = "sandbox.hpatui.dev/url"
    url = str(walkthrough.until(lambda: walkthrough.get(SERVICE)["metadata"].get("annotations", {}).get(note)))
    port = int(url.rpartition(":")[2])
    assert b" 200 " in asyncio.run(_answer(port, f"127.0.0.1:{port}"))
    assert b" 403 " in asyncio.run(_answer(port, "rebound.example"))
    if os.getuid() == 0 and sys.platform.startswith("linux"):
        assert asyncio.run(_answer(port, f"127.0.0.1:{port}", uid=65534)) == b"", "nobody is somebody else"


def test_the_kernel_says_whose_socket_it_is() -> None:
    neighbours = Neighbours()
    if neighbours._netlink is None:
        pytest.skip("this kernel does not say")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())
        assert neighbours.owner(client.getsockname(), server.getsockname()) == os.getuid()
        assert neighbours.owner(("127.0.0.1", 1), server.getsockname()) is None
    neighbours.close()


@pytest.mark.parametrize(
    "command",
    [
        ["locust", "-f", "/tmp/evil.py"], ["locust", "-f", "/load/locustfile.py", "-f", "/tmp/evil.py"], ["sh", "-c", "id"],
        ["locust", "-f", "/load/locustfile.py,/tmp/evil.py"], [*OURS, "--config=/tmp/x"], [*OURS, "--html", "/tmp/x"],
        [*OURS, "--master-host", "/tmp/x"], [*OURS, "--expect-workers"], ["python", *OURS[1:]], [*OURS, "--class-picker"],
        ["locust", "-f", "/load/../tmp/evil.py"], [],
    ],
)  # fmt: skip
def test_other_arguments_are_refused(command: list[str]) -> None:
    with pytest.raises(RefusedError):
        command_of({"command": command[:1], "args": command[1:]})
    assert command_of({"command": [*OURS, "--worker", "--master-host", "a-b"]}) == [
        *OURS[1:],
        "--worker",
        "--master-host",
        "a-b",
    ]


@pytest.mark.parametrize("extra", ["json.py", "sitecustomize.py", "locust.conf", "pyproject.toml", "x.so"])
def test_other_files_are_refused(tmp_path: Path, extra: str) -> None:
    for name in ("locustfile.py", "run_state.py"):
        shutil.copy(SHIPPED / name, tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    check_files({"/load": tmp_path})
    with (tmp_path / "run_state.py").open("a") as file:
        file.write(" ")
    with pytest.raises(RefusedError, match=r"run_state.py is another"):
        check_files({"/load": tmp_path})
    shutil.copy(SHIPPED / "run_state.py", tmp_path)
    (tmp_path / extra).write_text("")
    with pytest.raises(RefusedError):
        check_files({"/load": tmp_path})


def test_the_users_environment_stays_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "KUBECONFIG", "LOCUST_LOCUSTFILE", "PYTHONSTARTUP", "HTTP_PROXY"):
        monkeypatch.setenv(name, "of-the-user")
    assert "of-the-user" not in json.dumps(environment(tmp_path))


def test_another_locustfile_is_not_run(walkthrough: Client, tmp_path: Path) -> None:
    evidence = tmp_path / "it-ran"
    text = f"open({str(evidence)!r}, 'w')\n"
    data = {"locustfile.py": text, "run_state.py": text, "plan.json": "{}"}
    _post(walkthrough, "configmaps", {"kind": "ConfigMap", "metadata": {"name": "evil"}, "data": data})
    volume = {"name": "load", "configMap": {"name": "evil"}}
    mount = {"name": "load", "mountPath": "/load"}
    container = {"name": "c", "image": LOCUST, "command": [*OURS, "--headless"], "volumeMounts": [mount]}
    spec = {"restartPolicy": "Never", "containers": [container], "volumes": [volume]}
    _post(walkthrough, "pods", {"kind": "Pod", "metadata": {"name": "evil"}, "spec": spec})
    path = "/api/v1/namespaces/default/pods/evil"
    walkthrough.until(lambda: walkthrough.get(path)["status"].get("phase") in ("Failed", "Succeeded"))
    assert walkthrough.get(path)["status"]["phase"] == "Failed"
    assert "locustfile.py is another" in walkthrough.kubectl("logs", "evil", "-n", "default")
    assert not evidence.exists()


def _post(client: Client, plural: str, body: dict[str, Any]) -> None:
    code, answer = client.request("POST", f"/api/v1/namespaces/default/{plural}", {"apiVersion": "v1", **body})
    assert code == 201, answer
