"""The frame writer against a real terminal emulator: whatever is put, the terminal shows it, with few bytes."""

from __future__ import annotations

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

from hpatui.ui.frame import Frame

WIDTH, HEIGHT = 24, 5
_STYLES = [None, Style.parse("red"), Style.parse("bold on #102030"), Style.parse("dim #aabbcc"), Style.parse("reverse")]
_LETTERS = st.sampled_from("abc  xyz─│╭●…→⣿▁") | st.sampled_from("日本語")
_PIECE = st.tuples(st.text(_LETTERS, min_size=1, max_size=12), st.sampled_from(_STYLES))
_PUT = st.tuples(
    st.integers(0, WIDTH - 1), st.integers(0, HEIGHT - 1), st.lists(_PIECE, min_size=1, max_size=4), st.booleans()
)


def _segments(pieces: list[tuple[str, Style | None]]) -> list[Segment]:
    return [Segment(text, style) for text, style in pieces]


def _terminal() -> tuple[pyte.Screen, pyte.Stream]:
    screen = pyte.Screen(WIDTH, HEIGHT)
    return screen, pyte.Stream(screen)


def _cells(screen: pyte.Screen) -> list[list[tuple[object, ...]]]:
    return [
        [(c.data, c.fg, c.bg, c.bold, c.reverse) for c in (screen.buffer[y][x] for x in range(WIDTH))]
        for y in range(HEIGHT)
    ]


@settings(max_examples=200, deadline=None)
@given(st.lists(_PUT, min_size=1, max_size=12))
def test_step_by_step_shows_the_same_as_all_at_once(
    puts: list[tuple[int, int, list[tuple[str, Style | None]], bool]],
) -> None:
    stepwise, at_once = Frame(WIDTH, HEIGHT), Frame(WIDTH, HEIGHT)
    screen, stream = _terminal()
    for x, y, pieces, send in puts:
        # A repaint begins and ends between letters, never in the half of a wide one: whole lines are put.
        line = [(" " * x, None), *pieces, (" " * WIDTH, None)]
        stepwise.put(0, y, _segments(line))
        at_once.put(0, y, _segments(line))
        if send:
            stream.feed(stepwise.encode())
    stream.feed(stepwise.encode())
    other, feed = _terminal()
    feed.feed(at_once.encode())
    assert _cells(screen) == _cells(other)


def test_what_is_shown_already_costs_nothing() -> None:
    frame = Frame(WIDTH, HEIGHT)
    frame.encode()
    frame.put(0, 1, [Segment("hello", Style.parse("red"))])
    assert frame.encode()
    frame.put(0, 1, [Segment("hello", Style.parse("red"))])
    assert frame.encode() == ""


def test_one_changed_cell_costs_a_move_a_colour_and_a_letter() -> None:
    frame = Frame(120, 36)
    style = Style.parse("bold #aabbcc on #102030")
    frame.put(0, 30, [Segment("x" * 120, style)])
    frame.encode()
    frame.put(0, 30, [Segment("x" * 77 + "y" + "x" * 42, style)])
    data = frame.encode()
    assert data.count("y") == 1
    assert "x" not in data
    assert len(data) < 60


def test_after_somebody_else_wrote_everything_is_sent_again() -> None:
    frame = Frame(WIDTH, HEIGHT)
    frame.put(0, 0, [Segment("abc")])
    frame.encode()
    frame.forget()
    screen, stream = _terminal()
    stream.feed("\x1b[1;1Hgarbage")
    stream.feed(frame.encode())
    assert screen.display[0].rstrip() == "abc"


def test_what_lies_outside_is_cut() -> None:
    frame = Frame(4, 2)
    frame.encode()
    frame.put(2, 0, [Segment("abcdef")])
    frame.put(0, 7, [Segment("nowhere")])
    frame.put(3, 1, [Segment("日")])
    data = frame.encode()
    assert "ab" in data
    assert "c" not in data
    assert "nowhere" not in data
    assert "日" not in data


def test_a_letter_of_doubtful_width_is_followed_by_a_move() -> None:
    frame = Frame(WIDTH, HEIGHT)
    frame.encode()
    frame.put(0, 0, [Segment("日x")])
    assert "日\x1b[1;3Hx" in frame.encode()
