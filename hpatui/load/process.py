"""The engine as the session sees it: a child process that is started, steered and ended.

The child has its own session and no terminal. The order with its token goes over the pipe, never as an argument.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence

import msgspec

from hpatui import logs
from hpatui.errors import LoadError
from hpatui.load.heart import HEART, open_pipe
from hpatui.load.messages import (
    Ended,
    Order,
    Pause,
    Report,
    Resume,
    Routes,
    SetStages,
    SkipStage,
    Start,
    Stop,
    report_of,
    to_line,
)
from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.target import Target

HEARTBEAT = 0.4  # seconds between those to generators in a cluster, which hold still after 1.6 without one
STOP_WITHIN = 0.4  # seconds; then the child is killed


class Worker(ABC):
    """What sends, and takes orders by the lines of `messages`: this process's child, or generators in a cluster."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether it lives."""

    @abstractmethod
    async def start(self, plan: LoadPlan, target: Target) -> None:
        """Start. UsageError for a plan that cannot be used, LoadError or ClusterError if it fails."""

    @abstractmethod
    def reports(self) -> AsyncIterator[Report]:
        """Seconds and at last Ended; LoadError if it died."""

    @abstractmethod
    async def stop(self) -> None:
        """End it; idempotent."""

    def set_stages(self, stages: tuple[Stage, ...]) -> None:
        """Other stages from now on."""
        self._tell(SetStages(stages))

    def pause(self) -> None:
        """Send nothing until `resume`."""
        self._tell(Pause())

    def resume(self) -> None:
        """Go on."""
        self._tell(Resume())

    def skip_stage(self) -> None:
        """The stage's condition is met."""
        self._tell(SkipStage())

    def set_routes(self, routes: Sequence[tuple[str, int, str]]) -> None:
        """Connections go to these (host, port, pod) from now on."""
        self._tell(Routes(list(routes)))

    def finish(self) -> None:
        """Ask for the end; `reports` then gives Ended with the totals."""
        self._tell(Stop())

    @abstractmethod
    def _tell(self, order: Order) -> None:
        """Pass it on; where nobody listens it is dropped."""


class LoadProcess(Worker):
    """One worker: the engine in a process of its own. `run.LoadRun` makes a run of one or several."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._pipe: int | None = None  # for heartbeats
        self._complaints: asyncio.Task[str] | None = None
        self._stops = 0  # a child that was being started when one came gets no order

    @property
    def running(self) -> bool:
        """Whether the child lives."""
        return self._process is not None and self._process.returncode is None

    async def start(self, plan: LoadPlan, target: Target) -> None:
        """Start the child and give the order. UsageError for a plan that cannot be used, LoadError if it fails."""
        plan.check()
        await self.stop()
        stops = self._stops
        theirs, ours = open_pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hpatui.load.worker", str(theirs), start_new_session=True, limit=2**22,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                pass_fds=(theirs,),
            )  # fmt: skip
        except BaseException as error:
            os.close(ours)
            if isinstance(error, OSError):
                raise LoadError(f"cannot start the load engine: {error.strerror}") from error
            raise
        finally:
            os.close(theirs)
        if stops != self._stops:
            os.close(ours)
            await _end(process)
            raise LoadError("stopped before it began")
        self._process, self._pipe = process, ours
        HEART.add(ours)
        self._complaints = asyncio.create_task(_complaints(process))
        self._tell(Start(plan, target))

    async def reports(self) -> AsyncIterator[Report]:
        """Seconds and at last Ended; LoadError if the engine died."""
        process = self._process
        if process is None or process.stdout is None:
            return
        while line := await process.stdout.readline():
            try:
                report = report_of(line)
            except msgspec.MsgspecError as error:
                raise LoadError("the load engine said something unreadable") from error
            yield report
            if isinstance(report, Ended):
                await self.stop()
                return
        if process is self._process:
            said = ""
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN):
                    said = await self._complaints if self._complaints is not None else ""
            await self.stop()
            logs.write("load engine", said or "it ended without a word")
            there = f"; see {logs.path()}" if logs.path() is not None else ""
            raise LoadError(f"the load engine ended unexpectedly{there}")

    def _tell(self, order: Order) -> None:
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            with contextlib.suppress(OSError):
                process.stdin.write(to_line(order))

    async def stop(self) -> None:
        """End the child, whatever it does, within half a second; idempotent."""
        self._stops += 1
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            HEART.remove(pipe)
        complaints, self._complaints = self._complaints, None
        try:
            if process is not None:
                await _end(process)
        finally:
            if complaints is not None:
                complaints.cancel()


async def _complaints(process: asyncio.subprocess.Process) -> str:
    """The last of what the child wrote on standard error, once it has ended."""
    assert process.stderr is not None
    last = b""
    with contextlib.suppress(OSError, ValueError):
        while chunk := await process.stderr.read(65536):
            last = (last + chunk)[-16384:]
    return last.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask the child to end, and kill it where it does not, or where there is no time to wait (we are cancelled)."""
    if process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()
    try:
        async with asyncio.timeout(STOP_WITHIN):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()
    finally:
        _kill(process)
        # asyncio closes a child's transport only when it is collected, which may be after the loop's end.
        process._transport.close()  # type: ignore[attr-defined]


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
