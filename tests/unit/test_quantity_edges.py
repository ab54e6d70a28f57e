"""Edges of quantities that recorded rows do not reach: plus signs with binary suffixes, powers of ten as Go has them."""

from __future__ import annotations

import math

import pytest

from hpatui.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("+1Ki", "+1Ki"),
        ("+3Mi", "+3Mi"),
        ("09Ki", "09Ki"),
        # A number that divides by 8 is written anew: it may not be canonical.
        ("+8Ki", "8Ki"),
        ("+16Mi", "16Mi"),
        ("008Ki", "8Ki"),
        ("+24Gi", "24Gi"),
        ("1024Ki", "1Mi"),
        ("+0Ki", "0"),
        # Decimal ones keep their sign unless they end in three zeros.
        ("+8", "+8"),
        ("+8000", "8k"),
    ],
)
def test_when_a_short_quantity_keeps_its_text(text: str, written: str) -> None:
    assert str(parse_quantity(text)) == written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e99", 1e96 * 1e3),
        ("123e97", 123 * (1e96 * 10.0)),
        ("12e33", 12 * (1e32 * 10.0)),
        ("5e-3", 5 * (1.0 / 1e3)),
        ("1e308", 1e288 * 1e20),
        ("1e309", math.inf),
    ],
)
def test_floats_are_made_of_two_powers(text: str, value: float) -> None:
    assert parse_quantity(text).approximate_float() == value
