"""Logins that only the user can do: one press of `L`, at the start or in mid-session, and a load that goes on meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from hpatui.clock import SystemClock, as_datetime, format_rfc3339
from hpatui.errors import LoginNeededError
from hpatui.load.run import Finished, LoadRun
from hpatui.model import SourceState
from hpatui.session.live import Session
from hpatui.settings import Settings
from hpatui.ui.commands.cluster import _run_there
from tests.contract.conftest import TOKEN, ApiServer
from tests.contract.load.servers import OK, plan_of, serving

_VERSION = "client.authentication.k8s.io/v1"


class _Shifted(SystemClock):
    """The machine's clock, some seconds ahead."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def _asking(api: ApiServer, folder: Path, mode: str) -> Settings:
    """A kubeconfig whose plugin gives a token for an hour, but only where somebody says the word."""
    config = yaml.safe_load(api.kubeconfig.read_text())
    ends = format_rfc3339(as_datetime(time.time() + 3600))
    answer = {"kind": "ExecCredential", "apiVersion": _VERSION, "status": {"token": TOKEN, "expirationTimestamp": ends}}
    (folder / "answer").write_text(json.dumps(answer))
    script = f"case $KUBERNETES_EXEC_INFO in *'\"interactive\": true'*) cat '{folder}/answer';; *) exit 1;; esac"
    plugin = {"apiVersion": _VERSION, "command": "sh", "args": ["-c", script], "interactiveMode": mode}
    config["users"][0]["user"] = {"exec": plugin}
    path = folder / "asking"
    path.write_text(yaml.safe_dump(config))
    return Settings(kubeconfig=str(path))


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("mode", ["Always", "IfAvailable"])
async def test_one_login_is_enough_in_mid_session_too(api: ApiServer, tmp_path: Path, mode: str) -> None:
    clock = _Shifted()
    session = Session(_asking(api, tmp_path, mode), clock)
    await session.start()
    try:
        await _until(lambda: session.snapshot.status.state is SourceState.FAILED)
        for _ in range(2):
            needed = session.login_needed()  # what `L` runs, without a try to connect in between
            assert needed is not None
            code, out = await _run_there(needed)
            assert code == 0
            await session.reconnect(out)
            await _until(lambda: session.connection is not None and session.snapshot.status.state is SourceState.LIVE)
            assert session.login_needed() is None
            clock.ahead = 7200.0  # the token has ended
            assert session.connection is not None
            with pytest.raises(LoginNeededError):
                await session.connection.get_json("/api/v1/namespaces/shop")
            clock.ahead = 0.0
    finally:
        await session.stop()


async def test_a_load_goes_on_while_somebody_logs_in() -> None:
    arrived = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal arrived
        while True:
            await reader.readuntil(b"\r\n\r\n")
            arrived += 1
            writer.write(OK)

    async with serving(count) as target:
        run = LoadRun()
        await run.start(plan_of(20, 5.5), target)
        await _until(lambda: arrived > 0)
        before = arrived
        plugin = LoginNeededError(("sh", "-c", "sleep 4; echo done"), dict(os.environ))
        assert await _run_there(plugin) == (0, b"done\n")
        meanwhile = arrived - before
        (ended,) = [report async for report in run.reports() if isinstance(report, Finished)]
    assert meanwhile >= 40
    assert (ended.reason, ended.error) == ("", "")
    assert ended.totals.requests + ended.totals.unserved == 110
