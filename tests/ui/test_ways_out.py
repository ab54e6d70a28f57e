"""One gate on each way out: whatever text came in and whoever forgot to clean it, no terminal acts on it."""

from __future__ import annotations

import io
import json
import re

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment

from hpatui.ends import SafeOutput, ending
from hpatui.settings import Settings
from hpatui.text import harmless
from hpatui.ui import export
from hpatui.ui.app import HpatuiApp
from hpatui.ui.frame import MOST_MARKS, Frame
from tests.ui.fakes import FakeSession

BAD = [
    "\x1b[31m", "\x1b]0;title\x07", "\x9b31m", "\x7f", "\x00", "\x08\x08", "\r", "\u202e", "\u2066", "\u200f", "\x85",
    "\x1bP+q\x1b\\", "\ufeff", "\U000e0041",
]  # fmt: skip
_ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def _only_ours(data: str) -> str:
    """What is left of a frame's bytes without the sequences that the frame writer itself makes."""
    return re.sub(r"\x1b\[[0-9;]*[mHC]", "", data)


@pytest.mark.parametrize("bad", BAD)
def test_the_frame_writer_lets_nothing_through(bad: str) -> None:
    frame = Frame(40, 2)
    frame.put(0, 0, [Segment(f"before{bad}after")])
    data = frame.encode()
    assert not _ACTING.search(_only_ours(data))
    assert bad not in _only_ours(data)
    screen = pyte.Screen(40, 2)
    pyte.Stream(screen).feed(data)
    assert screen.display[0].startswith("before")
    assert "after" in screen.display[0]


def test_five_hundred_combining_marks_are_few() -> None:
    frame = Frame(10, 1)
    frame.put(0, 0, [Segment("e" + "\u0301" * 500 + "x")])
    data = frame.encode()
    assert data.count("\u0301") <= MOST_MARKS
    assert "x" in data


@pytest.mark.parametrize("bad", BAD)
def test_the_plain_writer_lets_nothing_through(bad: str) -> None:
    out = io.StringIO()
    SafeOutput(out).write(f"one{bad}two\n\tthree\n")
    assert not _ACTING.search(out.getvalue())
    assert out.getvalue().endswith("two\n\tthree\n")


@given(st.text())
def test_json_says_the_same_behind_the_gate(text: str) -> None:
    line = harmless(json.dumps({"x": text}, ensure_ascii=False))
    assert json.loads(line)["x"] == text
    assert not _ACTING.search(line)


def test_every_command_prints_through_the_gate(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> int:
        print("evil \x1b[31m\x9b\u202e")
        return 0

    assert ending(command) == 0
    assert not _ACTING.search(capsys.readouterr().out)


async def test_a_toast_lets_nothing_through() -> None:
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.pause(0.3)
        app.notify("evil \x1b[31m [bold]not markup[/]\u202e", title="\x9bevil")
        app.screen.notify("\x1b]0;x\x07")
        await pilot.pause(0.2)
        shown = [f"{n.title}{n.message}" for n in app._notifications]
        assert len(shown) == 2
        assert not any(_ACTING.search(text) for text in shown)
        assert "[bold]" in shown[0]


@pytest.mark.parametrize("kind", ["svg", "txt", "csv"])
async def test_an_exported_file_holds_nothing_that_acts(
    kind: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(export, "screen_text", lambda app: "evil \x1b[31m\n")
    monkeypatch.setattr(export, "numbers", lambda snapshot: "evil,\x9b\u202e\n")
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
        monkeypatch.setattr(app, "export_screenshot", lambda: "<svg>\x1b</svg>\n")
        path = export.save(app, kind, session.snapshot)
    assert not _ACTING.search(path.read_text())
