"""What the environment says of the terminal, and what of it is believed."""

from __future__ import annotations

import re

import pytest
from rich.segment import Segment
from rich.style import Style

from hpatui.ui.frame import Frame
from hpatui.ui.terminal import prepare, speaks_utf8


@pytest.mark.parametrize("term", ["screen", "screen-256color", "screen.xterm-256color", "linux"])
def test_an_inherited_colorterm_is_not_believed(term: str) -> None:
    environ = {"TERM": term, "COLORTERM": "truecolor", "COLUMNS": "300", "LINES": "90"}
    prepare(environ)
    assert environ == {"TERM": term, "TEXTUAL_COLOR_SYSTEM": "256"}


@pytest.mark.parametrize("more", [{"TERM": "xterm-256color"}, {"TERM": "screen-256color", "TMUX": "/tmp/x"}])
def test_where_it_is_true_it_stays(more: dict[str, str]) -> None:
    environ = {**more, "COLORTERM": "truecolor"}
    prepare(environ)
    assert environ == {**more, "COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("environ", "utf8"),
    [
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "de_DE.utf8@euro"}, True),
        ({}, True),
        ({"LC_CTYPE": "C.UTF-8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "en_US"}, False),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "POSIX"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "ja_JP.eucJP", "LANG": "ja_JP.UTF-8"}, False),
    ],
)
def test_the_locale_decides_about_ascii(environ: dict[str, str], utf8: bool) -> None:
    assert speaks_utf8(environ) is utf8


def test_no_color_is_no_colour_at_all() -> None:
    frame = Frame(20, 1, None)
    frame.put(0, 0, [Segment("red", Style.parse("bold red on #102030")), Segment("blue", Style.parse("blue"))])
    data = frame.encode()
    assert re.search(r"\x1b\[(0;)?1m", data)
    assert not any(code in data for code in ("31", "34", "38;", "48;"))
