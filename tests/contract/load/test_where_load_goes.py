"""What is asked before load, and what is refused: it depends on where the requests go, not on where we look from."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml

from hpatui.errors import HpatuiError, LoadError
from hpatui.model import LoadState
from hpatui.session.aim import is_sandbox
from hpatui.session.live import Session
from hpatui.settings import Settings
from tests.contract.load.servers import OK, serving


class Counter:
    """Requests that arrived."""

    count = 0


@contextlib.asynccontextmanager
async def _counted(counter: Counter) -> AsyncIterator[str]:
    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            counter.count += 1
            writer.write(OK)

    async with serving(count) as target:
        yield target.url


@contextlib.asynccontextmanager
async def _watching(settings: Settings) -> AsyncIterator[Session]:
    session = Session(settings)
    await session.start()
    try:
        await _until(lambda: session.store.hpa(session.store.focused) if session.store.focused else None)
        yield session
    finally:
        await session.stop()


async def _until(holds: Callable[[], object], seconds: float = 60) -> None:
    end = asyncio.get_running_loop().time() + seconds
    while not holds():
        assert asyncio.get_running_loop().time() < end, "it did not come to be"
        await asyncio.sleep(0.02)


def _server(kubeconfig: str) -> str:
    return str(yaml.safe_load(Path(kubeconfig).read_text())["clusters"][0]["cluster"]["server"])


def _load(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hpatui", "load", *args], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, **environ}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


async def test_on_a_sandbox_a_url_is_asked_about_and_nothing_goes_there_unasked(
    kubeconfig: str, tmp_path: Path
) -> None:
    counter = Counter()
    async with _counted(counter) as url:
        there = url.replace("http://", "http://me:pass@")
        settings = Settings(kubeconfig=kubeconfig, load_url=there, state_dir=str(tmp_path), load_rate=20.0)
        async with _watching(settings) as session:
            question = session.load.question()
            assert question == f"Send 20 requests/s to {url}?"
            with pytest.raises(LoadError, match="confirmed"):
                await session.load.start()
            assert session.store.load.state is LoadState.IDLE
            assert counter.count == 0
            await session.load.start(confirmed=True)
            await _until(lambda: counter.count)
            assert session.load.question() is None  # answered, for this destination
            session.settings = Settings(kubeconfig=kubeconfig, load_url=url + "other", state_dir=str(tmp_path))
            assert session.load.question() is not None


async def test_the_sandbox_itself_is_not_asked_about(kubeconfig: str, tmp_path: Path) -> None:
    async with _watching(Settings(kubeconfig=kubeconfig, state_dir=str(tmp_path))) as session:
        assert session.load.question() is None
        connection = session.connection
        assert connection is not None and is_sandbox(connection)
        connection.server = "https://192.0.2.1:6443"  # one elsewhere that calls itself a sandbox
        assert not is_sandbox(connection)
        question = session.load.question()
        assert question is not None and "php-apache" in question and "service proxy" in question


async def test_read_only_sends_nothing(kubeconfig: str, tmp_path: Path) -> None:
    counter = Counter()
    async with _counted(counter) as url:
        settings = Settings(kubeconfig=kubeconfig, load_url=url, state_dir=str(tmp_path), read_only=True)
        async with _watching(settings) as session:
            with pytest.raises(LoadError, match="read-only"):
                await session.load.start(confirmed=True)
        done = await asyncio.to_thread(_load, url, "--duration", "1s", HPATUI_READ_ONLY="1")
        assert done.returncode == 2 and "read-only" in done.stderr
        assert counter.count == 0


async def test_no_more_than_max_rate_is_sent(kubeconfig: str, tmp_path: Path) -> None:
    counter = Counter()
    async with _counted(counter) as url:
        settings = Settings(
            kubeconfig=kubeconfig, load_url=url, state_dir=str(tmp_path), load_rate=500.0, max_rate=20.0
        )
        async with _watching(settings) as session:
            await session.load.start(confirmed=True)
            assert session.store.load.rate == 20
            assert "--max-rate" in session.store.load.message
            with pytest.raises(LoadError, match="at most 20"):
                await session.load.set_rate(21)
            await session.load.nudge(1)
            await _until(lambda: (totals := session.store.load.totals) is not None and totals.duration >= 2)
            last = session.store.load.last
            assert last is not None and last.offered <= 21


async def test_the_api_server_is_refused_on_every_path(kubeconfig: str, tmp_path: Path) -> None:
    server = _server(kubeconfig)
    port = server.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "127.0.0.3", "2130706433", "[::ffff:127.0.0.1]", "me:x@127.0.0.1"):
        url = f"http://{host}:{port}/"
        settings = Settings(kubeconfig=kubeconfig, load_url=url, state_dir=str(tmp_path))
        async with _watching(settings) as session:
            with pytest.raises(LoadError, match="API server itself"):
                await session.load.start(confirmed=True)
            assert session.store.load.state is LoadState.FAILED
    for target in (f"127.0.0.1:{port}", f"http://localhost:{port}/", "svc/default/kubernetes"):
        done = await asyncio.to_thread(
            _load, target, "--kubeconfig", kubeconfig, "--duration", "1s", "--allow-host", "127.0.0.1"
        )
        assert done.returncode == 2, done.stdout
        assert len(done.stderr.strip().splitlines()) == 1
        if not target.startswith("svc"):
            assert "API server itself" in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://169.254.169.254/", "link-local"),
        ("169.254.169.254:80", "link-local"),
        ("http://2852039166/", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
        ("http://[fd00:ec2::254]/", "link-local"),
        ("http://192.0.2.1/", "--allow-host 192.0.2.1"),
    ],
)
def test_what_the_command_refuses(url: str, words: str) -> None:
    done = _load(url, "--duration", "1s")
    assert done.returncode == 2
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_allow_host_never_opens_link_local() -> None:
    done = _load("http://169.254.169.254/", "--duration", "1s", "--allow-host", "169.254.169.254")
    assert done.returncode == 2
    assert "link-local" in done.stderr


async def test_the_screen_never_opens_link_local_even_where_it_is_confirmed(tmp_path: Path) -> None:
    session = Session(
        Settings(kubeconfig=str(tmp_path / "none"), load_url="http://169.254.1.1/", state_dir=str(tmp_path))
    )
    with pytest.raises(HpatuiError, match="link-local"):
        await session.load.start(confirmed=True)
    await session.stop()


def test_a_threshold_without_any_answer_is_missed() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = _load(f"http://127.0.0.1:{port}/", "--rate", "5", "--duration", "1s", "--max-p95", "5s")
    assert done.returncode == 1
    assert "p95" in done.stderr
