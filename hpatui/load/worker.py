"""The engine's process: orders come in on standard input, samples go out on standard output.

It ends when standard input ends, when no heartbeat came for `heart.SILENCE` seconds, or when the kernel says that the
parent died; so load never outlives the program that ordered it, nor goes on while that is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import sys
import time

import msgspec

from hpatui.errors import LoadError
from hpatui.load.engine import Engine
from hpatui.load.faults import raise_file_limit
from hpatui.load.heart import SILENCE
from hpatui.load.messages import (
    Counted,
    Ended,
    Pause,
    Resume,
    Routes,
    SetStages,
    SkipStage,
    Start,
    Stop,
    order_of,
    to_line,
)
from hpatui.load.stats import Second

_LOOK = 0.1  # seconds between looks for a heartbeat
_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h


def die_with_parent() -> None:
    """Ask the kernel (Linux) to end this process when its parent dies."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == 1:
            os._exit(1)


def asleep_so_far() -> float:
    """Seconds that the machine has slept since it started, where the system tells (Linux); else 0."""
    since_boot = getattr(time, "CLOCK_BOOTTIME", None)
    return 0.0 if since_boot is None else time.clock_gettime(since_boot) - time.monotonic()


class Worker:
    """Reads orders and runs the engine."""

    def __init__(self, reader: asyncio.StreamReader, out: asyncio.WriteTransport, beats: int) -> None:
        """`beats`: the pipe's end with the parent's heartbeats."""
        self._reader = reader
        self._beats = beats
        self._reason = ""
        self._out = out
        self._engine: Engine | None = None

    async def run(self) -> None:
        """From the first order to the end."""
        line = await self._reader.readline()
        if not line:
            return
        order = order_of(line)
        if not isinstance(order, Start):
            return
        try:
            self._engine = Engine(order.plan, order.target, self._say)
        except (OSError, ValueError, LoadError) as error:
            self._out.write(to_line(Ended(str(error))))
            return
        engine = self._engine
        gc.freeze()
        tasks = [asyncio.create_task(self._listen(engine)), asyncio.create_task(self._feel(engine))]
        await engine.run()
        for task in tasks:
            task.cancel()
        self._out.write(to_line(Ended(reason=self._reason)))

    def _say(self, second: Second) -> None:
        self._out.write(to_line(Counted(second)))

    async def _listen(self, engine: Engine) -> None:
        """Orders until the pipe ends; then the engine stops."""
        while True:
            line = await self._reader.readline()
            if not line:
                engine.stop()
                return
            match order_of(line):
                case SetStages(stages=stages):
                    engine.set_stages(stages)
                case Pause():
                    engine.pause()
                case Resume():
                    engine.resume()
                case SkipStage():
                    engine.skip_stage()
                case Routes(routes=routes):
                    engine.set_routes(routes)
                case Stop():
                    engine.stop()
                    return
                case _:
                    pass

    async def _feel(self, engine: Engine) -> None:
        """Stop the engine when the parent's heart stands still."""
        os.set_blocking(self._beats, False)
        heard, asleep = time.monotonic(), asleep_so_far()
        while time.monotonic() - heard < SILENCE:
            await asyncio.sleep(_LOOK)
            with contextlib.suppress(BlockingIOError):
                if os.read(self._beats, 65536):
                    heard = time.monotonic()
            if asleep_so_far() - asleep > SILENCE:
                self._reason = "the machine slept"
                break
        else:
            self._reason = "hpatui was stopped or did not get to run"
        engine.stop()


async def _main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    out, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, sys.stdout.buffer)
    await Worker(reader, out, int(sys.argv[1])).run()
    while out.get_write_buffer_size() and not out.is_closing():
        await asyncio.sleep(0.005)


def _keep_freed_memory() -> None:
    """Tell glibc not to give memory back at once. uvloop's TLS frees and takes a quarter of a megabyte for each read; given
    back to the system each time, that costs three times the CPU of a request.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 32 << 20)
        mallopt(_M_TRIM_THRESHOLD, 256 << 20)


def main() -> int:
    """Run one engine; uvloop where it is installed."""
    _keep_freed_memory()
    die_with_parent()
    raise_file_limit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_main())
    except ImportError:
        asyncio.run(_main())
    except (BrokenPipeError, msgspec.MsgspecError):
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
