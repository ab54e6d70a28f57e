"""`hpatui upgrade`: text, JSON and the exit code."""

from __future__ import annotations

import io
import json

import pytest

from hpatui.model import ControllerFlags
from hpatui.plain import upgrade as command
from hpatui.settings import Settings
from hpatui.state.frames import Frame
from tests.ui.fakes import FakeSession
from tests.unit.state.small_frames import frame


class Recorded(FakeSession):
    """A session that recorded what a test says."""

    frames: tuple[Frame, ...] = ()

    def recorded(self) -> tuple[Frame, ...]:
        return self.frames

    def controller(self) -> ControllerFlags:
        return ControllerFlags(rules="1.32", rules_text="rules of 1.32 (server 1.32.9)")


async def _run(monkeypatch: pytest.MonkeyPatch, frames: tuple[Frame, ...], *, as_json: bool = False) -> tuple[int, str]:
    monkeypatch.setattr(command, "TIMEOUT", 0.01)
    session, out = Recorded(Settings(hpa="php-apache-hpa")), io.StringIO()
    session.frames = frames
    code = await command.upgrade(session, "1.33", as_json=as_json, out=out)
    return code, out.getvalue()


async def test_one_that_differs_gives_1_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = await _run(monkeypatch, (frame(10, 88),))
    assert code == 1
    assert "From rules of 1.32 (server 1.32.9) to those of 1.33: 1 of 1 HPA would be sized differently." in text
    assert "wants 11 now, wants 10 then" in text
    assert "(since 1.33, 130797)" in text


async def test_the_same_and_the_unknown_give_0(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = await _run(monkeypatch, (frame(10, 80),))
    assert (code, "the same: " in text) == (0, True)
    code, text = await _run(monkeypatch, ())
    assert (code, "cannot be known" in text) == (0, True)


async def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = await _run(monkeypatch, (frame(10, 80, index=0), frame(10, 88, index=1)), as_json=True)
    told = json.loads(text)
    assert (code, told["from"], told["to"], told["differs"]) == (1, "1.32", "1.33", 1)
    one = told["hpas"][0]
    assert (one["outcome"], one["compared"], len(one["differences"])) == ("differs", 2, 1)
    assert (one["differences"][0]["before"], one["differences"][0]["after"]) == (11, 10)
    assert one["differences"][0]["facts"][0]["fact"] == "edge_within_tolerance"
