"""What nobody expected ends the load, is written to the log file, and is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpatui import logs
from hpatui.clock import SystemClock
from hpatui.errors import LoadError
from hpatui.load.plan import LoadPlan, parse_stages
from hpatui.load.run import Finished
from hpatui.model import Hpa, LoadState
from hpatui.session.aim import Aim
from hpatui.session.load import LoadControl
from hpatui.session.steer import SteeredRun
from hpatui.settings import Settings
from hpatui.state.store import Store
from tests.contract.load.servers import answer_all, serving


async def test_a_helper_that_fails_ends_the_load(tmp_path: Path) -> None:
    async def look() -> Hpa | None:
        raise ValueError("surprise")

    logs.start(tmp_path / "log")
    async with serving(answer_all) as target:
        run = SteeredRun(Aim(target), SystemClock(), look, lambda text: None)
        try:
            await run.start(LoadPlan(stages=parse_stages("5/s until min max 60s")))
            (ended,) = [report async for report in run.reports() if isinstance(report, Finished)]
        finally:
            await run.stop()
            logs.start(None)
    assert ended.error.startswith("beside the load: unexpected ValueError")
    assert ended.totals.requests < 100
    assert "surprise" in (tmp_path / "log").read_text()


class _Owner:
    """A session that breaks once the load looks for its connection."""

    def __init__(self) -> None:
        self.settings = Settings(load_url="http://127.0.0.1:1/")
        self.clock = SystemClock()
        self.store = Store(context="", namespace=None, now=0.0)
        self.looks = 0

    @property
    def connection(self) -> None:
        self.looks += 1
        if self.looks > 2:
            raise RuntimeError("surprise")

    def changed(self) -> None:
        """Nobody listens."""


async def test_the_life_of_a_load_ends_in_a_line_whatever_happens() -> None:
    owner = _Owner()
    load = LoadControl(owner)
    with pytest.raises(LoadError, match="the load: unexpected RuntimeError"):
        await load.start(confirmed=True)
    assert owner.store.load.state is LoadState.FAILED
    assert not load.active
