"""A demo whose sandbox is gone says so at once, stops its load, and starts a new one when asked."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from hpatui.model import SourceState
from hpatui.sandbox.options import SandboxOptions
from hpatui.session.live import Session
from hpatui.settings import Settings

pytestmark = pytest.mark.timeout(90)


async def _until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not look():
            await asyncio.sleep(0.02)


async def test_a_sandbox_that_ended_is_told_and_a_new_one_can_be_had(tmp_path: Path) -> None:
    config = tmp_path / "kubeconfig"
    settings = Settings(state_dir=str(tmp_path))
    session = Session(settings, demo=SandboxOptions(kubeconfig_out=str(config)))
    try:
        await session.start()
        await _until(lambda: session.snapshot.rows and session.snapshot.status.state is SourceState.LIVE)
        await _until(lambda: session.snapshot.detail)
        await session.load.start()
        process = session._connector._demo._process  # type: ignore[union-attr]
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        await _until(lambda: session.snapshot.status.state is SourceState.FAILED)
        assert session.snapshot.status.message == "the sandbox has ended; press L to start a new one"
        await _until(lambda: not session.load.active)
        await session.reconnect()
        await _until(lambda: session.snapshot.status.state is SourceState.LIVE)
        assert session._connector._demo._process is not process  # type: ignore[union-attr]
    finally:
        await session.stop()
