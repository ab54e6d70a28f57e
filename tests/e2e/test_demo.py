"""The main job as a person does it: `hpatui demo` in a real terminal, load on, 1 -> 3, load off, 3 -> 1, quit."""

from __future__ import annotations

import time

import pytest

from tests.terminal.driver import HPATUI, Terminal, alive, descendants

pytestmark = [pytest.mark.e2e, pytest.mark.serial, pytest.mark.timeout(300)]


def _sizes(now: int, want: int) -> str:
    """The HPA's row with these NOW and WANT columns (min 1, max 3 before them)."""
    return rf"php-apache-hpa .*\b1 +3 +{now} +{want}\b"


def test_load_scales_up_and_its_end_scales_down() -> None:
    with Terminal([*HPATUI, "demo"]) as terminal:
        terminal.wait_for(_sizes(1, 1), 45)
        terminal.wait_for("ValidMetricFound", 45)
        family = descendants(terminal.pid)
        assert family, "the sandbox runs in a child process"

        terminal.send("l")
        terminal.wait_for(r"(?i)running", 15)
        family += descendants(terminal.pid)
        terminal.wait_for(_sizes(3, 3), 60)
        terminal.wait_for("SuccessfulRescale", 15)

        terminal.send("l")
        terminal.wait_for(_sizes(1, 1), 120)

        terminal.send("q")
        assert terminal.wait_end() == 0
        assert b"\x1b[?1049l" in terminal.raw[-4000:], "the terminal's own screen is back"
    end = time.monotonic() + 5
    while any(alive(pid) for pid in family) and time.monotonic() < end:
        time.sleep(0.1)
    assert [pid for pid in family if alive(pid)] == []


def test_a_killed_screen_leaves_nothing_behind() -> None:
    with Terminal([*HPATUI, "demo"]) as terminal:
        terminal.wait_for(_sizes(1, 1), 45)
        terminal.send("l")
        terminal.wait_for(r"(?i)running", 15)
        family = descendants(terminal.pid)
        assert len(family) >= 2, "sandbox and load engine"
        terminal.child.kill(9)
        end = time.monotonic() + 15
        while any(alive(pid) for pid in family) and time.monotonic() < end:
            time.sleep(0.1)
        assert [pid for pid in family if alive(pid)] == []
