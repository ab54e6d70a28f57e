"""Text of a cluster in each place that shows it: cleaned at the door, before the gate on the way out has to."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import is_dataclass, replace
from typing import Any

import msgspec
import pytest

from hpatui.doctor.report import Check, Outcome, Report
from hpatui.model import (
    Kind,
    Listed,
    Seen,
    Upserted,
)
from hpatui.plain.lines import LinePrinter
from hpatui.settings import Settings
from hpatui.ui.app import HpatuiApp
from hpatui.ui.lines import LinePane
from hpatui.ui.screens.doctor import DoctorScreen
from tests.factories import NOW, condition, event, hpa, pod
from tests.ui.fakes import KEY, FakeSession

EVIL = "evil\x1b[31m\x9b\u202e"
_ACTING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e]")


def _with(value: Any, **changes: Any) -> Any:
    change: Any = replace if is_dataclass(value) else msgspec.structs.replace
    return change(value, **changes)


def _clean(pane: LinePane) -> None:
    text = "\n".join(line.plain for line in pane.lines)
    assert "evil" in text
    assert not _ACTING.search(text.replace("\n", "")), repr(text)


@pytest.mark.parametrize("place", ["events", "conditions", "pods", "why"])
async def test_a_pane_shows_no_character_that_acts(place: str) -> None:
    session, scope = FakeSession(), str(KEY)
    hostile = hpa(conditions=(condition("AbleToScale", "False", "FailedGetScale", EVIL),), version="7")
    session.store.take(Seen(NOW, Upserted(Kind.HPA, hostile)))
    session.store.take(Seen(NOW, Listed(Kind.EVENT, (event("Odd", EVIL, kind="Warning"),), scope)))
    session.store.take(Seen(NOW, Listed(Kind.POD, (_with(pod(ready=False), reason=EVIL),), scope)))
    session.publish()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(200, 50)) as pilot:
        for _ in range(100):
            await asyncio.sleep(0.02)
            if app.started:
                break
        await pilot.pause(0.4)
        _clean(app.body.panes[place])


async def test_the_doctor_s_reason() -> None:
    session = FakeSession()

    async def examine() -> Report:
        return Report(NOW, "x", (Check("a", "hpa", "title", Outcome.FAILED, EVIL, (), EVIL, EVIL),))

    session.examine = examine  # type: ignore[method-assign]
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(120, 36)) as pilot:
        for _ in range(100):
            await asyncio.sleep(0.02)
            if app.started:
                break
        screen = DoctorScreen(session)
        app.push_screen(screen)
        await pilot.pause(0.4)
        _clean(screen._pane)


def test_the_plain_headline() -> None:
    session, out = FakeSession(), io.StringIO()
    printer = LinePrinter(out)
    printer(session.snapshot)
    rows = tuple(_with(row, headline=EVIL, state=row.state) for row in session.snapshot.rows)
    new = tuple(_with(row, hpa=hpa(f"new-{i}", version="3")) for i, row in enumerate(rows))
    printer(_with(session.snapshot, rows=(*session.snapshot.rows, *new), version=session.snapshot.version + 1))
    assert "evil" in out.getvalue()
    assert not _ACTING.search(out.getvalue().replace("\n", ""))


async def test_a_read_only_screen_starts_no_load() -> None:
    session = FakeSession(Settings(read_only=True))
    app = HpatuiApp(lambda: session, session.settings)
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        for _ in range(100):
            await asyncio.sleep(0.02)
            if app.started:
                break
        await pilot.press("l")
        await pilot.pause(0.2)
        assert not [c for c in session.commands if c.startswith("load")]
