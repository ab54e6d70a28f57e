"""A dialog that closed leaves nothing behind: no screen, no widget, no cached line. Counted in objects, not in bytes."""

from __future__ import annotations

import asyncio
import gc

import pytest
from textual._styles_cache import StylesCache
from textual.widget import Widget

from hpatui.settings import Settings
from hpatui.ui.app import HpatuiApp
from tests.ui.fakes import FakeSession


def _alive() -> int:
    return sum(isinstance(thing, Widget | StylesCache) for thing in gc.get_objects())


@pytest.mark.parametrize("key", ["question_mark", "n", "c", "S", "y", "d", "D", "w", "u", "r", "x", "ctrl+p"])
async def test_closed_dialogs_are_gone(key: str) -> None:
    session = FakeSession()
    app = HpatuiApp(lambda: session, Settings())
    async with app.run_test(size=(100, 30)) as pilot:
        for _ in range(100):
            await asyncio.sleep(0.02)
            if app.started:
                break

        async def open_and_close(times: int) -> None:
            for _ in range(times):
                await pilot.press(key)
                await pilot.pause()
                await pilot.press("escape")
                await pilot.pause()

        await open_and_close(2)
        app._tidy()
        gc.collect()
        before = _alive()
        await open_and_close(6)
        app._tidy()  # what the timer does half a second after a screen closed
        gc.collect()
        assert _alive() <= before + 2
