"""Tasks that fail: told, logged, begun again after growing pauses; and ended when asked."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hpatui import logs
from hpatui.supervise import Supervisor


class Pauses:
    """Sleeps that take no time, and how long they would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


async def test_a_failure_is_told_logged_and_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    pauses, tries = Pauses(), 0

    async def failed(name: str, line: str) -> None:
        told.append((name, line))

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries < 8:
            raise KeyError("spec")

    logs.start(tmp_path / "hpatui.log")
    try:
        await Supervisor(failed, sleep=pauses).start("watching HPAs", work)
    finally:
        logs.start(None)
    assert tries == 8
    assert pauses.seconds == [1, 2, 4, 8, 16, 30, 30]
    assert told[0][0] == "watching HPAs" and "KeyError" in told[0][1] and str(tmp_path) in told[0][1]
    assert (tmp_path / "hpatui.log").read_text().count("unexpected failure") == 7


async def test_each_failure_of_a_group_is_logged(tmp_path: Path) -> None:
    async def failed(_name: str, _line: str) -> None:
        raise asyncio.CancelledError

    async def one() -> None:
        raise ValueError("one")

    async def two() -> None:
        raise TypeError("two")

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(one())
            group.create_task(two())

    logs.start(tmp_path / "hpatui.log")
    try:
        with pytest.raises(asyncio.CancelledError):
            await Supervisor(failed).start("details", work)
    finally:
        logs.start(None)
    text = (tmp_path / "hpatui.log").read_text()
    assert "ValueError: one" in text and "TypeError: two" in text


async def test_a_cancellation_from_within_is_a_failure_and_one_from_the_owner_is_not() -> None:
    told: list[str] = []
    tries = 0

    async def failed(_name: str, line: str) -> None:
        told.append(line)

    async def work() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise asyncio.CancelledError
        await asyncio.Event().wait()

    supervisor = Supervisor(failed, sleep=Pauses())
    task = supervisor.start("watching", work)
    while tries < 2:
        await asyncio.sleep(0)
    await supervisor.stop(task)
    assert len(told) == 1 and task.cancelled()


async def test_close_ends_everything() -> None:
    async def failed(_name: str, _line: str) -> None:
        raise AssertionError("nothing failed")

    supervisor = Supervisor(failed)
    tasks = [supervisor.start(str(index), _for_ever) for index in range(5)]
    await asyncio.sleep(0)
    await supervisor.close()
    assert all(task.done() for task in tasks)
    await supervisor.close()


async def _for_ever() -> None:
    await asyncio.Event().wait()
