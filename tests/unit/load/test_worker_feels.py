"""A worker ends the load when the machine slept: what was planned for the night is not sent in the morning."""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import Any, cast

import pytest

from hpatui.load import worker as module
from hpatui.load.worker import Worker, asleep_so_far


class _Engine:
    """Only notes that it was stopped."""

    stopped = False

    def stop(self) -> None:
        self.stopped = True


async def test_sleep_of_the_machine_ends_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    slept = itertools.chain([5.0, 5.0], itertools.repeat(3605.0))
    monkeypatch.setattr(module, "asleep_so_far", lambda: next(slept))
    theirs, ours = os.pipe()
    try:
        os.write(ours, b".")
        engine, worker = _Engine(), Worker(asyncio.StreamReader(), cast(Any, None), theirs)
        await worker._feel(cast(Any, engine))
        assert engine.stopped
        assert worker._reason == "the machine slept"
    finally:
        os.close(theirs)
        os.close(ours)


def test_the_time_asleep_does_not_run_while_awake() -> None:
    before = asleep_so_far()
    assert before >= -0.001
    assert abs(asleep_so_far() - before) < 0.5
