"""Numbers for people: one unit, three digits, never thousandths of a byte."""

from __future__ import annotations

import pytest

from hpatui.ui.units import milliseconds, number, pair, quantity


@pytest.mark.parametrize(
    ("current", "target", "unit", "text"),
    [
        (75.0, 30.0, "%", "75/30 %"),
        (22115669.333, 80 * 2.0**20, "B", "21.1/80 Mi"),
        (0.0, 80 * 2.0**20, "B", "0/80 Mi"),
        (1.5 * 2**30, 2.0**30, "B", "1.5/1 Gi"),
        (28.5, 30.0, "", "28.5/30"),
        (0.95, 0.8, "", "0.95/0.8"),
        (None, 30.0, "%", "?/30 %"),
        (250.0, 500.0, "m", "250/500m"),
        (1500.0, 2000.0, "m", "1.5/2 cores"),
        (190_000.0, 200_000.0, "", "190k/200k"),
        (-5.0, 10.0, "", "-5/10"),
        (120.0, 50.0, "", "120/50"),
    ],
)
def test_pairs(current: float | None, target: float, unit: str, text: str) -> None:
    assert pair(current, target, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0004, "0.0004"), (12.345, "12.3"), (999.6, "1000"), (9999, "9999"), (12_345, "12.3k"),
     (3.4e6, "3.4M"), (9.2e18, "9.2E"), (-9.2e18, "-9.2E"), (1e-9, "1e-09")],
)  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.42, "0.42 ms"), (9.06, "9.06 ms"), (212.4, "212 ms"), (1250, "1.25 s"), (30_000, "30 s"), (720_000, "12 min")],
)
def test_latencies(value: float, text: str) -> None:
    assert milliseconds(value) == text


def test_quantities() -> None:
    assert quantity(75.4, "%") == "75 %"
    assert quantity(512, "B") == "512 B"
