"""A sandbox in a process of its own, as a person would start it, and GET from its API server."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from hpatui.sandbox.process import READY


@contextlib.contextmanager
def sandbox(path: Path, *flags: str) -> Iterator[str]:
    """Runs while the block does; its kubeconfig is written to `path`."""
    command = [sys.executable, "-m", "hpatui", "sandbox", *flags, "--kubeconfig-out", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(READY)
        try:
            yield str(path)
        finally:
            process.terminate()
            assert process.wait(20) == 0


def ask(kubeconfig: str, path: str, body: object = None) -> dict[str, Any]:
    """GET, or POST of a body, that must succeed."""
    config = yaml.safe_load(Path(kubeconfig).read_text())
    server, user = config["clusters"][0]["cluster"]["server"], config["users"][0]["user"]
    headers = {"Authorization": f"Bearer {user.get('token', '')}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    pem = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]).decode()
    trust, request = ssl.create_default_context(cadata=pem), urllib.request.Request(server + path, data, headers)
    with urllib.request.urlopen(request, timeout=10, context=trust) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
