"""The first frame must not wait for what it does not need: looked at in a subprocess, by module name, not by time."""

from __future__ import annotations

import subprocess
import sys

import pytest


def _loaded(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(' '.join(sorted({{m.split('.')[0] for m in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(out.stdout.split())


@pytest.mark.parametrize(
    "statement",
    ["import hpatui.cli", "from hpatui.cli import build_parser; build_parser(['load', 'sandbox', 'watch'])"],
)
def test_the_command_line_is_light(statement: str) -> None:
    heavy = {"textual", "rich", "kubernetes", "plotext", "httpx", "aiohttp", "yaml", "asyncio", "hdrh"}
    assert _loaded(statement) & heavy == set()


def test_the_screen_does_not_wait_for_the_cluster_client() -> None:
    loaded = _loaded("import hpatui.ui.app, hpatui.session.live")
    assert "textual" in loaded
    assert loaded & {"kubernetes", "plotext", "httpx", "aiohttp", "yaml"} == set()


def test_the_plain_front_end_does_without_textual() -> None:
    loaded = _loaded("import hpatui.plain.watch, hpatui.session.live, hpatui.cluster.source, hpatui.cluster.connect")
    assert loaded & {"textual", "rich", "plotext", "httpx"} == set()
