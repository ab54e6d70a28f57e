"""A running API server without controllers: a store, an app on 127.0.0.1, a kubeconfig."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from yarl import URL

from hpatui.clock import SystemClock
from hpatui.sandbox.apiserver.access import Rule
from hpatui.sandbox.apiserver.app import make_app
from hpatui.sandbox.apiserver.resources import RESOURCES, of_kind
from hpatui.sandbox.apiserver.store import Store
from hpatui.sandbox.certificate import make_certificate
from hpatui.sandbox.door import Door
from hpatui.sandbox.kubeconfig import write_kubeconfig
from tests.contract.quiet import QuietRuntime

TOKEN = "a-token-for-tests"
VIEWER = "a-token-that-may-only-look"
KUBECTL = os.environ.get("HPATUI_KUBECTL") or shutil.which("kubectl")
Object = dict[str, Any]

needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl on this machine")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status code, JSON body (or text) and headers of an answer."""

    code: int
    body: Any
    headers: dict[str, str]


@dataclass(slots=True)
class ApiServer:
    """A running API server: its store, the cluster behind it, ways to ask it."""

    url: str
    store: Store
    runtime: QuietRuntime
    kubeconfig: Path
    session: aiohttp.ClientSession
    viewer_rules: list[Rule]  # what VIEWER may do; a test may change it

    @property
    def who(self) -> dict[str, str]:
        """The header that says who we are."""
        return {"Authorization": f"Bearer {TOKEN}"}

    async def request(
        self, method: str, path: str, body: Any = None, *, media: str = "application/json", accept: str = "",
        token: str | None = TOKEN, data: bytes | None = None,
    ) -> Answer:  # fmt: skip
        """One request; `body` is sent as JSON, `data` as it is."""
        headers = {"Content-Type": media} if body is not None or data is not None else {}
        if accept:
            headers["Accept"] = accept
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            data = msgspec.json.encode(body)
        url = URL(self.url + path, encoded="%" in path)
        async with self.session.request(method, url, headers=headers, data=data) as answer:
            if answer.content_type == "application/json":
                return Answer(answer.status, await answer.json(), dict(answer.headers))
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    def seed(self, *objects: Object) -> None:
        """Put objects into the store, with their status."""
        for obj in objects:
            group = obj["apiVersion"].rpartition("/")[0]
            resource = of_kind(group, obj["kind"])
            assert resource is not None
            self.store.create(resource, obj)

    async def kubectl(self, *args: str, stdin: str | None = None, check: bool = True, timeout: float = 60) -> str:
        """Run the real kubectl; its output. With `check` it must succeed, else its error text comes first."""
        assert KUBECTL is not None
        env = {**os.environ, "KUBECONFIG": str(self.kubeconfig), "HOME": str(self.kubeconfig.parent)}
        process = await asyncio.create_subprocess_exec(
            KUBECTL, *args, env=env, stdin=asyncio.subprocess.PIPE if stdin is not None else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin.encode() if stdin else None), timeout)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
        if check:
            assert process.returncode == 0, f"kubectl {' '.join(args)}: {err.decode()}{out.decode()}"
            return out.decode()
        return err.decode() + out.decode()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ApiServer]:
    """An API server with the namespaces default, kube-system and shop, and nothing behind it."""
    store = Store(SystemClock())
    for name in ("default", "kube-system", "shop"):
        store.create(RESOURCES["", "namespaces"], {"metadata": {"name": name}})
    runtime = QuietRuntime()
    rules = [Rule(("get", "list", "watch"), ("*",))]
    app = make_app(store, runtime, token=TOKEN, restricted={VIEWER: rules}, bookmark_interval=0.3)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
    await runner.setup()
    assert runner.server is not None
    listener = socket.create_server(("127.0.0.1", 0))
    context, authority = make_certificate()
    door = Door(listener, runner.server, context)
    door.open()
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    url = f"http://{address}"
    kubeconfig = tmp_path / "kubeconfig"
    write_kubeconfig(kubeconfig, f"https://{address}", TOKEN, "shop", authority=authority)
    async with aiohttp.ClientSession() as session:
        yield ApiServer(url, store, runtime, kubeconfig, session, rules)
    await door.close()
    await runner.cleanup()
