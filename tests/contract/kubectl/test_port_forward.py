"""kubectl port-forward, over WebSockets and over bare SPDY, and the Python client's."""

from __future__ import annotations

import re
import subprocess
import urllib.request
from typing import Any

import pytest
from kubernetes import client, config, stream

from tests.contract.kubectl.conftest import Kubectl


@pytest.mark.parametrize("sockets", ["true", "false"])
@pytest.mark.parametrize("target", ["deployment/php-apache", "service/php-apache"])
def test_kubectl(guide: Kubectl, sockets: str, target: str) -> None:
    process = subprocess.Popen(
        guide.command("port-forward", target, "0:80", "--address=127.0.0.1"),
        env=guide.env(KUBECTL_PORT_FORWARD_WEBSOCKETS=sockets), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"Forwarding from (127\.0\.0\.1:\d+) -> 80", line)
        assert found, line
        for _ in range(3):
            with urllib.request.urlopen(f"http://{found[1]}/", timeout=20) as answer:
                assert answer.read() == b"OK!"
    finally:
        process.kill()
        process.communicate()


def test_python_client(guide: Kubectl) -> None:
    api: Any = client.CoreV1Api(config.new_client_from_config(str(guide.kubeconfig)))
    pod = api.list_namespaced_pod("heyongjia").items[0].metadata.name
    forward = stream.portforward(api.connect_get_namespaced_pod_portforward, pod, "heyongjia", ports="80")
    socket = forward.socket(80)
    socket.settimeout(20)
    socket.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
    text = b""
    while not text.endswith(b"OK!"):
        text += socket.recv(4096)
    assert text.startswith(b"HTTP/1.1 200")
    assert forward.error(80) is None
    forward.close()
