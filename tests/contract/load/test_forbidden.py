"""The engine connects to no forbidden address, whatever the name and the protocol say."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from hpatui.load.policy import Policy
from tests.contract.load.servers import OK, plan_of, run_of, serving


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "127.0.0.9", "[::ffff:127.0.0.1]"])
async def test_no_connection_reaches_the_api_server(host: str, http2: bool) -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.write(OK)

    async with serving(count) as target:
        port = urlsplit(target.url).port
        assert port is not None
        policy = Policy(api_servers=(("127.0.0.1", port),))
        there = replace(target, url=f"http://{host}:{port}/", policy=policy)
        _, ended = await run_of(plan_of(20, 1, http2=http2), there)
    assert connections == 0
    assert ended.totals.errors == {"forbidden address": 20}


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    elsewhere = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal elsewhere
        elsewhere += 1

    async with serving(count) as other:

        async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(f"HTTP/1.1 302 Found\r\nLocation: {other.url}\r\nContent-Length: 0\r\n\r\n".encode())

        async with serving(redirect) as target:
            _, ended = await run_of(plan_of(20, 1), target)
    assert ended.totals.statuses == {"302": 20}
    assert elsewhere == 0
