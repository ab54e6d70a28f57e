"""Tasks that cannot fail in silence.

    supervisor.start("HPAs", watch)  ->  unexpected failure  ->  log file, told to `failed`  ->  a pause  ->  again

Errors that a task expects are its own business. What nobody expected is logged with its traceback, handed on as one
line, and the task is started anew after a pause that doubles up to a limit; a task that lived longer than that limit
begins with the short pause again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from hpatui import logs

FIRST, LONGEST = 1.0, 30.0  # seconds between a failure and the next try

Failed = Callable[[str, str], Awaitable[None]]


class Supervisor:
    """Runs named tasks until they end by themselves, or until `close`. `failed` gets (name, line) of each failure."""

    def __init__(
        self,
        failed: Failed,
        *,
        first: float = FIRST,
        longest: float = LONGEST,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._failed = failed
        self._first, self._longest = first, longest
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    def start(
        self,
        name: str,
        make: Callable[[], Coroutine[Any, Any, None]],
        failed: Callable[[str], Awaitable[None]] | None = None,
    ) -> asyncio.Task[None]:
        """Run `make()`, and again each time it fails; its failures go to `failed` where that is given."""
        task = asyncio.create_task(self._run(name, make, failed), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self, task: asyncio.Task[None]) -> None:
        """End one task and wait until it has ended."""
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """End every task and wait until they have ended; idempotent."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(
        self,
        name: str,
        make: Callable[[], Coroutine[Any, Any, None]],
        failed: Callable[[str], Awaitable[None]] | None,
    ) -> None:
        loop, pause = asyncio.get_running_loop(), self._first
        while True:
            began = loop.time()
            try:
                await make()
                return
            except asyncio.CancelledError as error:
                if _is_cancelled():
                    raise
                line = logs.failure(name, error)  # raised from within, not by whoever owns this task
            except Exception as error:  # noqa: BLE001 - whatever nobody expected: that is what this is for
                line = _logged(name, error)
            await (self._failed(name, line) if failed is None else failed(line))
            if loop.time() - began > self._longest:
                pause = self._first
            await self._sleep(pause)
            pause = min(pause * 2, self._longest)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _logged(name: str, error: BaseException) -> str:
    """Log what failed; of a group each error, and the line of the first."""
    if isinstance(error, BaseExceptionGroup):
        lines = [_logged(name, part) for part in error.exceptions]
        return lines[0]
    return logs.failure(name, error)
