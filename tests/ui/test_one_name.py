"""Two metrics of one name on the screen: the list, the graph's lanes and the reasons tell them apart, at any width."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from hpatui.model import Kind, MetricTarget, Upserted
from tests.factories import hpa, metric
from tests.ui.fakes import FakeSession
from tests.ui.test_screen import _running, _text


def _queue(name: str, label: str, current: float, target: float) -> MetricTarget:
    made = metric(current, target, name)
    return replace(
        made,
        type="External",
        target_type="Value",
        unit="",
        label=label,
        current_text=f"{current:g}",
        target_text=f"{target:g}",
    )


CASES = {
    "selectors": ("app_workload{queue=feed-check}", "app_workload{queue=parser}"),
    "containers": ("cpu of app", "cpu of proxy"),
    "places": ("cpu (metric 1)", "cpu (metric 2)"),
    "objects": ("rps of Service/a", "rps of Service/b"),
}


def _reasons(lines: list[str]) -> list[str]:
    """What stands right of the graph."""
    return [re.sub(" {2,}", "  ", line.split("││")[1]) for line in lines if "││" in line]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("size", [(120, 36), (200, 50)])
async def test_the_list_and_the_lanes_tell_them_apart(case: str, size: tuple[int, int]) -> None:
    first, second = CASES[case]
    session = FakeSession()
    async with _running(session, size) as (app, pilot):
        for version, values in enumerate(((10.0, 190.0), (12.0, 195.0)), start=2):
            metrics = [_queue("same", first, values[0], 50), _queue("same", second, values[1], 200)]
            session.apply(Upserted(Kind.HPA, hpa(metrics=metrics, version=str(version))), after=5.0)
        await pilot.pause(0.2)
        text = _text(app)
        lines = text.splitlines()
        assert any(f"{first} 12/50" in line for line in lines), text
        assert any(f"1 replica; {second} is 195 of 200" in line for line in lines) or size[0] < 200, text
        reasons = [line for line in _reasons(lines) if " of 50 (x" in line or " of 200 (x" in line]
        assert len({line.split("  ")[0] for line in reasons}) == 2, text
        await pilot.press("2")
        await pilot.press("enter")
        await pilot.pause(0.3)
        text = _text(app)
        for label, value in ((first, "12 of 50"), (second, "195 of 200")):
            assert any(label in line and value in line for line in text.splitlines()), text
