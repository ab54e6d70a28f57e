"""`hpatui mcp` as an agent uses it: the library's own client, over standard input and output, on a real sandbox."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hpatui.errors import LoadError
from hpatui.mcp_server.orders import VALID, Order, Orders
from tests.schemas import check

mcp = pytest.importorskip("mcp", reason="the extra hpatui[mcp] is not installed")
LOOKS = {"list_hpas", "explain", "forecast", "what_if", "doctor", "history"}


@asynccontextmanager
async def agent(kubeconfig: str, *flags: str) -> AsyncIterator[Any]:
    server = mcp.StdioServerParameters(
        command=sys.executable, args=["-m", "hpatui", "mcp", "--kubeconfig", kubeconfig, "-A", *flags]
    )
    async with mcp.Client(mcp.stdio_client(server)) as client:
        yield client


async def call(client: Any, tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    assert json.loads(answer.content[0].text) == answer.structured_content
    return answer.structured_content


async def refused(client: Any, tool: str, **arguments: Any) -> str:
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    text: str = answer.content[0].text
    assert "Traceback" not in text
    return text


async def test_an_agent_looks_and_changes_nothing(kubeconfig: str) -> None:
    async with agent(kubeconfig) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == LOOKS
        assert all(tool.annotations.read_only_hint for tool in tools.values())
        snapshot = await call(client, "list_hpas")
        check("watch", snapshot)
        (hpa,) = snapshot["hpas"]
        name = f"{hpa['namespace']}/{hpa['name']}"
        check("explain", await call(client, "explain", name=name))
        check("doctor", await call(client, "doctor"))
        told = await call(client, "forecast", name=hpa["name"])
        assert told["current"] >= 1 and told["countdowns"] is not None and "rules of" in told["rules"]
        assert told["predicted"] is None or told["predicted"] >= 1
        history = await call(client, "history", name=name, minutes=5)
        check("api-history", history)
        assert history["source"] == "session" and "record" in history["note"]
        assert "there is no HPA nope" in await refused(client, "explain", name="nope")
        assert "minutes" in await refused(client, "history", name=name, minutes=-1)
        assert "load" in await refused(client, "load", name=name, rate=1, seconds=1)


async def test_what_if_on_the_syncs_that_were_seen(kubeconfig: str) -> None:
    async with agent(kubeconfig) as client:
        (hpa,) = (await call(client, "list_hpas"))["hpas"]
        for _ in range(150):  # a sync of the sandbox comes every 0.6 s
            answer = await client.call_tool("what_if", {"name": hpa["name"], "changes": {"max": "2"}})
            if not answer.is_error:
                break
            assert "no sync" in answer.content[0].text
            await asyncio.sleep(0.2)
        trial = answer.structured_content
        check("api-what-if", trial)
        assert "maxReplicas: 2" in trial["yaml"] and trial["changes"] == {"max": "2"} and trial["syncs"] >= 1
        assert "there is no field 'most'" in await refused(client, "what_if", name=hpa["name"], changes={"most": "2"})


async def test_load_is_asked_for_and_confirmed(kubeconfig: str) -> None:
    async with agent(kubeconfig, "--allow-load") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {*LOOKS, "load"} and tools["load"].annotations.destructive_hint
        order = {"name": "php-apache-hpa", "rate": 5, "seconds": 1}
        asked = await call(client, "load", **order)
        assert asked["sent"] is False and "5 requests/s" in asked["question"]
        assert "another order" in await refused(
            client, "load", **{**order, "rate": 50}, confirmation=asked["confirmation"]
        )
        asked = await call(client, "load", **order)
        done = await call(client, "load", **order, confirmation=asked["confirmation"])
        check("load", done["result"])
        assert done["sent"] is True and done["result"]["requests"] == 5
        assert "used up" in await refused(client, "load", **order, confirmation=asked["confirmation"])
        assert "at most 200" in await refused(client, "load", name="php-apache-hpa", rate=201, seconds=1)


def test_a_confirmation_is_good_for_two_minutes() -> None:
    now = [0.0]
    orders = Orders(lambda: now[0])
    order = Order("a/b", 5.0, 1.0)
    word = orders.ask(order)
    now[0] = VALID + 1
    with pytest.raises(LoadError, match="too old"):
        orders.confirm(order, word)
    with pytest.raises(LoadError, match="cannot be ordered"):
        orders.ask(Order("a/b", 5.0, 601.0))


@pytest.mark.parametrize(
    ("code", "flags", "words"),
    [
        ("import sys; sys.modules['mcp'] = None; ", [], "pip install 'hpatui[mcp]'"),
        ("import os; os.environ['HPATUI_READ_ONLY'] = '1'; ", ["--allow-load"], "contradict"),
        ("", ["--context", "nope"], "no context 'nope'"),
    ],
)
def test_what_is_missing_is_one_line(kubeconfig: str, code: str, flags: list[str], words: str, tmp_path: Path) -> None:
    program = (
        f"{code}from hpatui.cli import main; raise SystemExit(main({['mcp', '--kubeconfig', kubeconfig, *flags]!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1
