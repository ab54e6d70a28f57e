"""Real servers on loopback for the engine's tests, and a run of the engine in its own process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from hpatui.load.plan import LoadPlan, Stage
from hpatui.load.run import Finished, LoadRun, Sampled
from hpatui.load.target import Target
from hpatui.model import LoadSample

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Pod-Name: pod-1\r\n\r\nOK!"


@asynccontextmanager
async def serving(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Target]:
    """A server whose connections go to `handler`; the target that leads to it."""

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Target(f"{'https' if tls else 'http'}://127.0.0.1:{port}/", "test")
    finally:
        server.close()


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A good answer to each request."""
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)


def route_of(target: Target, pod: str) -> tuple[str, int, str]:
    """The target's address as the route to a pod."""
    host, port = target.url.removeprefix("http://").rstrip("/").split(":")
    return host, int(port), pod


def plan_of(rate: float, seconds: float, **more: object) -> LoadPlan:
    """A steady rate for so long."""
    plan = LoadPlan(stages=(Stage(rate, rate, None),), duration=seconds, max_rate=1000)
    return replace(plan, **more)  # type: ignore[arg-type]  # fields of several types


async def run_of(plan: LoadPlan, target: Target) -> tuple[list[LoadSample], Finished]:
    """Run it to its end: the samples, and the result."""
    run = LoadRun()
    await run.start(plan, target)
    samples: list[LoadSample] = []
    async for report in run.reports():
        if isinstance(report, Sampled):
            samples.append(report.sample)
        else:
            return samples, report
    raise AssertionError("no end")
