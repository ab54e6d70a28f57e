"""After stop() nothing sends: random interleavings of commands, for each way in, counted where the requests arrive.

HPATUI_INTERLEAVINGS says how many for each way (default: few).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import yaml

from hpatui.errors import HpatuiError
from hpatui.model import LoadState
from hpatui.sandbox.certificate import make_certificate
from hpatui.session.live import Session
from hpatui.settings import Settings
from tests.contract.load.servers import OK
from tests.sandboxes import ask

_MANY = int(os.environ.get("HPATUI_INTERLEAVINGS", "12"))
_SETTLE = 0.3  # seconds in which what was under way arrives


class Counter:
    """What arrived."""

    count = 0


@contextlib.asynccontextmanager
async def _counting_server(counter: Counter) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                counter.count += 1
                writer.write(OK)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@contextlib.asynccontextmanager
async def _before_the_sandbox(kubeconfig: str, to: Path, counter: Counter) -> AsyncIterator[str]:
    """A relay that counts what goes to pods; a kubeconfig with two contexts that lead through it."""
    config = yaml.safe_load(Path(kubeconfig).read_text())
    host, port = config["clusters"][0]["cluster"]["server"].removeprefix("https://").split(":")

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            up_reader, up_writer = await asyncio.open_connection(host, int(port))
            await asyncio.gather(_pump(reader, up_writer, counter), _pump(up_reader, writer, None))

    context, authority = make_certificate()
    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)  # it reads, so TLS ends here
    config["clusters"][0]["cluster"] = {
        "server": f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        "certificate-authority-data": base64.b64encode(authority.encode()).decode(),
    }
    config["contexts"].append({**config["contexts"][0], "name": "other"})
    to.write_text(yaml.safe_dump(config))
    try:
        yield str(to)
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counter: Counter | None) -> None:
    to_pods = False
    try:
        while data := await reader.read(65536):
            if counter is not None:
                to_pods = to_pods or b"/proxy/ HTTP" in data or b"/portforward" in data
                counter.count += to_pods
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()


async def _until(holds: Callable[[], object], seconds: float = 60) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < end, "it did not come to be"
        await asyncio.sleep(0.02)


async def _quietly(work: Callable[[], Awaitable[object]]) -> None:
    with contextlib.suppress(HpatuiError):
        await work()


async def _interleave(session: Session, chance: random.Random, *, switch: bool) -> list[str]:
    """A handful of commands, each given while others are under way; what they were."""
    load, said, tasks = session.load, [], []
    commands: dict[str, Callable[[], Awaitable[object]]] = {
        "start": lambda: load.start(confirmed=True),
        "stop": load.stop,
        "pause": load.pause,
        "rate": lambda: load.set_rate(float(chance.randint(1, 200))),
        "shape": lambda: load.set_shape(chance.choice(["steady", "sine", "spike"])),
    }
    if switch:
        commands["switch"] = lambda: session.switch_context(chance.choice(["other", session.store.context]))
    for name in ["start", *chance.choices(list(commands), k=chance.randint(1, 6))]:
        said.append(name)
        tasks.append(asyncio.create_task(_quietly(commands[name])))
        # Nothing, some turns of the loop, or about as long as a step of the start takes.
        if chance.random() < 0.3:
            await asyncio.sleep(chance.choice([0.001, 0.01, 0.05, 0.3, 0.6]))
        for _ in range(chance.randint(0, 20)):
            await asyncio.sleep(0)
    if chance.random() < 0.3:
        tasks[chance.randrange(len(tasks))].cancel()
    await load.stop()
    await asyncio.gather(*tasks, return_exceptions=True)
    return said


async def _prove(session: Session, counter: Counter, chance: random.Random, *, switch: bool) -> None:
    sent = 0
    for number in range(_MANY):
        if switch:
            await _until(lambda: session.store.hpa(session.store.focused) if session.store.focused else None)
        said = await _interleave(session, chance, switch=switch)
        await session.load.stop()
        assert not session.load.active
        assert session.store.load.state in (LoadState.IDLE, LoadState.FAILED), said
        before = counter.count
        await asyncio.sleep(_SETTLE)
        after = counter.count
        if after != before:  # on their way when it was stopped; but then it is quiet
            await asyncio.sleep(_SETTLE)
        assert counter.count == after, (number, said)
        sent += after
    assert sent or _MANY < 5, "no load at all: nothing is proven"


async def test_to_a_url(tmp_path: Path) -> None:
    counter = Counter()
    async with _counting_server(counter) as port:
        settings = Settings(
            kubeconfig=str(tmp_path / "none"), load_url=f"http://127.0.0.1:{port}/", state_dir=str(tmp_path)
        )
        session = Session(settings)
        await _prove(session, counter, random.Random(1), switch=False)
        starting = asyncio.create_task(_quietly(lambda: session.load.start(confirmed=True)))
        await asyncio.sleep(0)
        await session.stop()  # quit, while it starts
        await starting
        before = counter.count
        await _quietly(lambda: session.load.start(confirmed=True))  # an order that comes after the end
        await asyncio.sleep(_SETTLE)
        assert counter.count == before


@pytest.mark.parametrize("via", ["proxy", "port-forward"])
async def test_through_the_api_server(kubeconfig: str, via: str, tmp_path: Path) -> None:
    counter = Counter()
    async with _before_the_sandbox(kubeconfig, tmp_path / "kubeconfig", counter) as path:
        session = Session(Settings(kubeconfig=path, load_via=via, state_dir=str(tmp_path)))
        await session.start()
        try:
            await _prove(session, counter, random.Random(2), switch=True)
        finally:
            await session.stop()


async def test_from_inside_the_cluster(kubeconfig: str, tmp_path: Path) -> None:
    """No pod of a generator is left when stop() returns, and so none sends."""
    session = Session(Settings(kubeconfig=kubeconfig, load_via="cluster", state_dir=str(tmp_path)))
    await session.start()
    chance = random.Random(3)
    try:
        await _until(lambda: session.store.hpa(session.store.focused) if session.store.focused else None)
        for _ in range(max(2, _MANY // 6)):
            starting = asyncio.create_task(_quietly(session.load.start))
            await asyncio.sleep(chance.choice([0, 0.01, 0.1, 0.3, 1, 4]))
            await session.load.stop()
            await starting
            query = "labelSelector=app.kubernetes.io/managed-by%3Dhpatui"
            assert ask(kubeconfig, f"/api/v1/namespaces/heyongjia/pods?{query}")["items"] == []
            assert ask(kubeconfig, f"/apis/batch/v1/namespaces/heyongjia/jobs?{query}")["items"] == []
    finally:
        await session.stop()
