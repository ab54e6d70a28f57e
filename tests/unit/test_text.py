"""Untrusted text: nothing that moves a cursor, hides or reorders survives; widths are what a terminal shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpatui.text import age, cell_width, fit, fit_name, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\nb\tc", "a b c"),
        ("\u202eevil", "\\u202eevil"),
        ("\x9b2J", "\\x9b2J"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("日本", "日本"),
        ("\U000e0041", "\\U000e0041"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_printable_is_bounded() -> None:
    assert len(printable("x" * 100_000)) < 5000


@given(st.text())
def test_printable_never_lets_a_control_through(text: str) -> None:
    shown = printable(text)
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    assert "\u202e" not in shown
    shown.encode("utf-8")


@given(st.text(), st.integers(0, 40))
def test_fit_has_exactly_the_width(text: str, width: int) -> None:
    assert cell_width(fit(printable(text), width)) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abc", 5, "abc  "), ("abcdef", 4, "abc…"), ("日本語", 4, "日… "), ("日本語", 6, "日本語"), ("e\u0301x", 1, "…")],
)
def test_fit(text: str, width: int, shown: str) -> None:
    assert fit(text, width) == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-0.5, "0s"),
        (-5, "<invalid>"),
        (119, "119s"),
        (120, "2m"),
        (248, "4m8s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (3 * 3600 + 300, "3h5m"),
        (8 * 3600, "8h"),
        (47 * 3600, "47h"),
        (51 * 3600, "2d3h"),
        (8 * 86400, "8d"),
        (729 * 86400, "729d"),
        (2 * 365 * 86400, "2y"),
        (3 * 365 * 86400 + 10 * 86400, "3y10d"),
        (8 * 365 * 86400, "8y"),
    ],
)
def test_age_reads_as_kubectl_prints_it(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_names_are_cut_in_the_middle() -> None:
    assert fit_name("php-apache-27k89v9zzj-lhkz7", 20) == "php-apa…9v9zzj-lhkz7"
    assert fit_name("short", 9) == "short    "
    assert fit_name("long-enough", 5) == fit("long-enough", 5)
    assert fit_name("ünïcödé-name", 8) == fit("ünïcödé-name", 8)
