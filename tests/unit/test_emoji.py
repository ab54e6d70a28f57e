"""Emoji sequences and heaps of combining marks: no escapes in the middle of pictures, and widths that all agree on."""

from __future__ import annotations

import pytest
from rich.cells import cell_len, get_character_cell_size

from hpatui.text import cell_width, fit, printable

FAMILY, HEART, KEYCAP = "👨\u200d👩\u200d👧", "❤\ufe0f\u200d🔥", "1\ufe0f\u20e3"
SEQUENCES = [
    FAMILY,
    HEART,
    KEYCAP,
    "🇩🇪",
    "👍🏽",
    "☺\ufe0f",
    "🏳\ufe0f\u200d🌈",
    "👩🏽\u200d⚕\ufe0f",
    "e" + "\u0301" * 500,
    "©\ufe0f",
]


@pytest.mark.parametrize("text", SEQUENCES)
def test_a_sequence_is_shown_without_escapes_and_measured_as_it_is_drawn(text: str) -> None:
    shown = printable(f"a{text}b")
    assert "\\" not in shown
    assert shown[0] == "a" and shown[-1] == "b"
    assert cell_width(shown) == cell_len(shown) == sum(map(get_character_cell_size, shown))
    assert cell_len(fit(shown, 12)) == 12


def test_every_picture_of_a_sequence_stays() -> None:
    assert printable(FAMILY) == "👨👩👧"
    assert printable(HEART) == "❤🔥"


def test_five_hundred_marks_are_four() -> None:
    assert printable("e" + "\u0301" * 500 + "x") == "e" + "\u0301" * 4 + "x"
    assert printable("Việt Nam, e\u0301\u0323") == "Việt Nam, e\u0301\u0323"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("admin\u200d", "admin\\u200d"),
        ("ad\u200dmin", "ad\\u200dmin"),
        ("a\ufe0fb", "a\\ufe0fb"),
        ("👨\u200dx", "👨\\u200dx"),
        ("x\u200b👨", "x\\u200b👨"),
    ],
)
def test_what_only_hides_something_is_still_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
