"""The row under the cursor is to be seen in every theme: computed by the formula of WCAG 2.1, contrast ratio."""

from __future__ import annotations

import pytest
from textual.color import Color

from hpatui.settings import Settings
from tests.ui.fakes import FakeSession
from tests.ui.test_selection import _running


def _ratio(one: Color, two: Color) -> float:
    def luminance(colour: Color) -> float:
        parts = [value / 255 for value in colour.rgb]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast"])
async def test_the_row_under_the_cursor_stands_out_and_can_be_read(theme: str) -> None:
    async with _running(FakeSession(), settings=Settings(theme=theme)) as (app, _pilot):
        pane = app.body.hpas
        row = pane.get_component_rich_style("hpas--cursor").bgcolor
        assert row is not None
        shade = Color.from_rich_color(row)
        ground, ink = pane.background_colors[1], Color.from_rich_color(pane.rich_style.color)
        assert _ratio(shade, ground) >= 1.3, f"{_ratio(shade, ground):.2f}"
        assert _ratio(shade, ink) >= 4.5, f"{_ratio(shade, ink):.2f}"
