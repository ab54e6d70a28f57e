"""The screen with a Textual that lacks a private part: it costs comfort, not the program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.terminal.driver import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.serial, pytest.mark.timeout(90)]


@pytest.mark.parametrize("part", ["ChopsUpdate", "XTermParser", "active_message_pump", "StylesCache"])
def test_it_starts_answers_keys_and_ends(kubeconfig: str, part: str, tmp_path: Path) -> None:
    program = (
        f"import sys, hpatui.ui.textual_private as p; p.{part} = None\n"
        f"from hpatui.cli import main; sys.exit(main(['--kubeconfig', {kubeconfig!r}]))"
    )
    with Terminal([sys.executable, "-c", program], env={"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("ValidMetricFound", 40)
        terminal.send("?")
        terminal.wait_for("Start or stop the load", 10)
        terminal.send("\x1b")
        terminal.pump(0.5)
        terminal.send("q")
        assert terminal.wait_end(10) == 0
    assert "lacks" in (tmp_path / "hpatui" / "hpatui.log").read_text()
