"""The doctor and the explanation over real HTTP: a sandbox process, the program's own command line."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hpatui.sandbox.options import SandboxOptions
from hpatui.sandbox.process import SandboxProcess

WITHIN = 60.0


@asynccontextmanager
async def sandbox(scenario: str) -> AsyncIterator[Path]:
    """A running sandbox; its kubeconfig."""
    process = SandboxProcess(SandboxOptions(scenario=scenario))
    handle = await process.start()
    try:
        yield handle.kubeconfig_path
    finally:
        await process.stop()


async def hpatui(kubeconfig: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the program."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hpatui", *arguments, "--kubeconfig", str(kubeconfig),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), WITHIN)
    return process.returncode or 0, out.decode(), err.decode()


async def until(
    kubeconfig: Path, holds: Callable[[dict[str, Any]], bool], *arguments: str
) -> tuple[int, dict[str, Any]]:
    """Ask again until the JSON is as wanted; at most a minute."""
    deadline = time.monotonic() + WITHIN
    while True:
        code, out, err = await hpatui(kubeconfig, *arguments, "--json")
        assert code in (0, 1), err
        value: dict[str, Any] = json.loads(out)
        if holds(value) or time.monotonic() > deadline:
            return code, value
        await asyncio.sleep(0.5)


def findings(report: dict[str, Any]) -> set[str]:
    """The ids of the warnings and failures."""
    return {check["id"] for check in report["checks"] if check["outcome"] in ("warning", "failed")}


@pytest.mark.parametrize(
    ("scenario", "namespace", "ids", "code"),
    [
        ("walkthrough", "heyongjia", set(), 0),
        ("missing-requests", "shop", {"requests"}, 1),
        ("crash-loop", "shop", {"metrics-server"}, 1),
        ("no-metrics", "shop", {"metrics-api"}, 1),
        ("high-floor", "shop", {"at-min"}, 0),
    ],
)
async def test_the_program_names_exactly_that_cause(scenario: str, namespace: str, ids: set[str], code: int) -> None:
    async with sandbox(scenario) as kubeconfig:
        done, report = await until(kubeconfig, lambda r: findings(r) == ids, "doctor", "-n", namespace)
    assert findings(report) == ids
    assert done == code
    for check in report["checks"]:
        if check["outcome"] == "failed":
            assert check["evidence"] and check["reason"] and check["command"]


async def test_explain_says_why_over_http() -> None:
    async with sandbox("missing-requests") as kubeconfig:
        _, value = await until(kubeconfig, lambda v: "blind" in v["headline"], "explain", "shop/catalog")
        code, text, _ = await hpatui(kubeconfig, "explain", "shop/checkout")
    assert value["headline"] == "blind: container sidecar has no cpu request"
    assert code == 0
    assert text.startswith("shop/checkout: cpu is")


async def test_no_cluster_is_no_report() -> None:
    code, out, err = await hpatui(Path("/nonexistent/kubeconfig"), "doctor")
    assert code == 2
    assert out == "" and len(err.splitlines()) == 1
