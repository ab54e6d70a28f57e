"""Whose fault it is: a target that gives no connection is not called our slowness, and our own limits are not its errors."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hpatui.load.dial import Dialer
from hpatui.load.gate import Gate
from hpatui.load.policy import Policy
from hpatui.load.target import Target
from tests.contract.load.servers import OK, answer_all, plan_of, run_of, serving


@contextmanager
def _deaf() -> Iterator[Target]:
    """A port whose queue is full: the system drops further SYNs."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
            fillers.append(filler)
        yield Target(f"http://127.0.0.1:{listening.getsockname()[1]}/", "test")
        for filler in fillers:
            filler.close()


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("model", ["open", "closed"])
async def test_a_target_that_takes_no_connection_fails_and_is_not_our_slowness(model: str, http2: bool) -> None:
    with _deaf() as target:
        plan = plan_of(10, 1.0, model=model, http2=http2, concurrency=3, timeout=0.5, breaker=False)
        _, ended = await run_of(plan, target)
    assert set(ended.totals.errors) == {"connect timeout"}
    assert ended.totals.unserved == 0
    assert ended.totals.limited_by == {}
    assert ended.totals.requests == ended.totals.failed
    assert ended.planned.table["p50"] == 500.0
    assert "p50" in ended.planned.at_least


async def test_a_hung_handshake_is_a_phase_of_its_own_and_opens_the_breaker() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as target:
        wrong = replace(target, url=target.url.replace("http:", "https:"), verify=False)
        samples, ended = await run_of(plan_of(20, 8, timeout=0.5), wrong)
    assert set(ended.totals.errors) == {"tls timeout"}
    assert set(ended.totals.unserved_kinds) == {"circuit breaker"}
    assert any(sample.breaker_open for sample in samples)
    assert ended.totals.breaker_seconds >= 1
    assert "started late" not in ended.totals.unserved_kinds


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("far")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=app.test",
         "-keyout", str(path / "key"), "-out", str(path / "pem")], check=True, capture_output=True,
    )  # fmt: skip
    return path


async def test_a_far_target_is_not_our_slowness_and_its_phases_are_told(certificate: Path) -> None:
    """100 ms each way between us and a server of TLS: a new connection for each request takes 400 ms."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "pem", certificate / "key")
    async with serving(answer_all, tls=context) as near:
        port = int(near.url.rstrip("/").rsplit(":", 1)[1])

        async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection("127.0.0.1", port)

            async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
                while data := await source.read(65536):
                    await asyncio.sleep(0.1)
                    sink.write(data)
                sink.close()

            await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

        async with serving(relay) as far:
            target = replace(far, url=far.url.replace("http:", "https:"), verify=False)
            samples, ended = await run_of(plan_of(10, 3, connection_age=0.0), target)
    assert (ended.totals.ok, ended.totals.unserved, ended.totals.failed) == (30, 0, 0)
    assert sum(sample.limited_by == "started late" for sample in samples) <= 1  # none, but for a busy machine
    tls, tcp = ended.summary["tls_handshake_ms"], ended.summary["tcp_connect_ms"]
    assert tls["count"] == tcp["count"] == 30
    assert tls["p50"] is not None and tls["p50"] >= 200
    assert tcp["p50"] is not None and tcp["p50"] < 100
    response = ended.summary["latency_ms"]["p50"]
    assert response is not None and response >= 400


def test_out_of_open_files_is_our_own_fault_and_says_so() -> None:
    """A server that holds each request for 2 s, and 40 open files at most: it is not the server's error."""
    code = (
        "import socket, threading, time\n"
        "s = socket.create_server(('127.0.0.1', 0), backlog=200)\n"
        "print(s.getsockname()[1], flush=True)\n"
        "def one(c):\n"
        "    c.recv(4096); time.sleep(2); c.sendall(b'HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n')\n"
        "while True:\n"
        "    threading.Thread(target=one, args=(s.accept()[0],), daemon=True).start()\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        command = ["sh", "-c", 'ulimit -n 40 && exec "$0" "$@"', sys.executable, "-m", "hpatui", "load"]
        flags = [f"http://127.0.0.1:{port}/", "--rate", "60", "--duration", "1s", "--timeout", "5s"]
        text = subprocess.run(
            [*command, *flags], capture_output=True, text=True, timeout=60, env=os.environ, check=False
        )
        done = subprocess.run(
            [*command, *flags, "--json"], capture_output=True, text=True, timeout=60, env=os.environ, check=False
        )
        server.kill()
    result = json.loads(done.stdout)
    assert result["errors"] == 0
    assert result["unserved_kinds"]["out of open files"] > 10
    assert result["generator_limited_by"]["out of open files"] >= 1
    assert "the hard limit of open files is 40" in text.stdout
    assert "GENERATOR LIMITED" in text.stdout


async def test_all_addresses_of_a_name_are_used_and_a_dead_one_costs_nothing() -> None:
    """Two servers and a dead address behind one name, as a look-up would give them."""
    seen: dict[str, int] = {}

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = writer.get_extra_info("sockname")[0]
        seen[address] = seen.get(address, 0) + 1
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    other = await asyncio.start_server(note, "127.0.0.3", port)
    dialer = Dialer(Policy(loopback_only=True), None, None, Gate(1000.0, 1.0))
    dialer._known["app.test", port] = (["127.0.0.1", "127.0.0.2", "127.0.0.3"], float("inf"))
    for _ in range(12):
        await dialer.dial("app.test", port, asyncio.Protocol, 2.0)
    await asyncio.sleep(0.05)
    server.close()
    other.close()
    assert set(seen) == {"127.0.0.1", "127.0.0.3"}
    assert sum(seen.values()) == 12
    assert min(seen.values()) >= 3
    assert dialer.dials <= 12 + 2  # the dead one was tried once or twice, then last


async def test_each_connect_passes_the_gate_those_to_a_second_address_too() -> None:
    """25/s: the first address is dead, so that each of three connections takes two connects; the last is not before 0.2 s."""
    came: list[float] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(asyncio.get_running_loop().time())
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    dialer = Dialer(Policy(loopback_only=True), None, None, Gate(25.0, 0.0))
    begun = asyncio.get_running_loop().time()
    for number in range(3):
        dialer._known[f"app{number}.test", port] = ([f"127.0.0.{2 + number}", "127.0.0.1"], float("inf"))
        dialer._turn = 1
        await dialer.dial(f"app{number}.test", port, asyncio.Protocol, 5.0)
    await asyncio.sleep(0.02)
    server.close()
    assert dialer.dials == 6
    assert came[-1] - begun >= 0.19


@pytest.mark.parametrize("rate", [20, 60])
async def test_the_in_flight_limit_is_said_to_be_the_target_s_slowness(rate: int) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(1.0)
            writer.write(OK)

    async with serving(slow) as target:
        _, ended = await run_of(plan_of(rate, 1.5, max_in_flight=4), target)
    assert set(ended.totals.unserved_kinds) == {"in-flight limit"}
    assert ended.totals.requests + ended.totals.unserved == rate * 1.5
