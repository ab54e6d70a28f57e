"""A sandbox process of the walkthrough at five times the speed, shared by a module, and ways to talk to it."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.process import SandboxHandle, SandboxProcess

HPAS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
WITHIN = 60.0  # seconds; what is waited for takes a few


@dataclass
class Client:
    """A client of a running sandbox: plain HTTP and kubectl."""

    handle: SandboxHandle

    def request(self, method: str, path: str, body: object = None, *, token: str | None = None) -> tuple[int, Any]:
        """Status code and JSON (or text)."""
        request = urllib.request.Request(self.handle.url + path, method=method)
        if token != "":
            request.add_header("Authorization", f"Bearer {self.token if token is None else token}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error.read())

    def open(self, path: str) -> http.client.HTTPResponse:
        """A GET whose answer the caller reads."""
        request = urllib.request.Request(self.handle.url + path, headers={"Authorization": f"Bearer {self.token}"})
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=20)
        return answer

    def get(self, path: str) -> Any:
        """The JSON of a GET that succeeds."""
        status, body = self.request("GET", path)
        assert status == 200, body
        return body

    @property
    def token(self) -> str:
        """From the kubeconfig."""
        config = yaml.safe_load(self.handle.kubeconfig_path.read_text())
        token: str = config["users"][0]["user"]["token"]
        return token

    def kubectl(self, *arguments: str, check: bool = True) -> str:
        """What kubectl prints."""
        environment = {**os.environ, "KUBECONFIG": str(self.handle.kubeconfig_path)}
        done = subprocess.run(
            ["kubectl", *arguments], check=False, capture_output=True, text=True, timeout=60, env=environment
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout if check else done.stdout + done.stderr

    def until(self, what: Callable[[], object], *, within: float = WITHIN) -> Any:
        """Wait until `what()` is true, and return it."""
        deadline = time.monotonic() + within
        while True:
            found = what()
            if found:
                return found
            assert time.monotonic() < deadline, f"it did not happen within {within:g} s"
            time.sleep(0.1)


def _decoded(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def start(options: SandboxOptions) -> tuple[Client, Callable[[], None]]:
    """A sandbox in a child process, and what ends it."""
    loop = asyncio.new_event_loop()
    process = SandboxProcess(options)
    handle = loop.run_until_complete(process.start())

    def stop() -> None:
        loop.run_until_complete(process.stop())
        loop.close()

    return Client(handle), stop


@pytest.fixture(scope="module")
def walkthrough() -> Iterator[Client]:
    """The walkthrough, five times as fast."""
    client, stop = start(SandboxOptions(speed=5.0))
    yield client
    stop()
