"""Every theme can be read, by the formula of WCAG, and keeps apart what must not be mistaken, whoever looks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.settings import Settings, load_settings
from hpatui.ui.themes import AA, LOOKS, NAMES, Look, contrast, looks, weak
from tests.ui.fakes import FakeSession
from tests.ui.test_selection import _running

# Machado, Oliveira and Fernandes (2009), severity 1.0: linear RGB as seen by people without one kind of cone.
_SEEN = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
_PAIRS = (
    ("bad", "good"),
    ("bad", "metric"),
    ("bad", "replicas"),
    ("bad", "foreground"),
    ("warn", "good"),
    ("warn", "foreground"),
    ("metric", "replicas"),
)
APART, MARGIN = 20.0, 18.0  # CIE 1976; a just noticeable difference is 2.3


def _lab(colour: str, seen: str) -> tuple[float, float, float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    raw = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    r, g, b = (min(1.0, max(0.0, sum(row[i] * raw[i] for i in range(3)))) for row in _SEEN[seen])
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.95047
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("name", LOOKS)
def test_all_colours_of_a_theme_can_be_read_on_all_its_grounds(name: str) -> None:
    assert weak(LOOKS[name]) == []


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("seen", _SEEN)
def test_what_must_not_be_mistaken_stays_apart(name: str, seen: str) -> None:
    look = LOOKS[name]
    for one, other in _PAIRS:
        first, second = _lab(getattr(look, one), seen), _lab(getattr(look, other), seen)
        distance = sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5
        assert distance >= (MARGIN if "metric" in (one, other) else APART), f"{one} and {other}: {distance:.0f}"


def test_the_formula_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)  # the known grey that just fails
    assert [pair[0] for pair in weak(Look(faint="#3a3a3a"))] == ["faint"] * 4
    assert AA == 4.5


def _config(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_theme_of_ones_own(tmp_path: Path) -> None:
    path = _config(tmp_path, 'theme = "mine"\n[themes.mine]\nbase = "light"\nbad = "#AA0000"\n')
    settings = load_settings({}, environ={}, config_path=path)
    look = looks(settings.themes)["mine"]
    assert (look.bad, look.background, look.dark) == ("#AA0000", LOOKS["light"].background, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('theme = "mine"\n', "theme is 'mine'"),
        ("themes = 3\n", "themes is 3"),
        ("[themes.mine]\nbad = 3\n", "no text"),
        ("[themes.dark]\n", "one of hpatui's own"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_settings({}, environ={}, config_path=_config(tmp_path, text))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bda": "#ff0000"}, "unknown colour 'bda'"),
        ({"bad": "red"}, "bad is 'red'"),
        ({"bad": "#ff00zz"}, "bad is '#ff00zz'"),
        ({"base": "grey"}, "base is 'grey'"),
        ({"base": "\x1b[31m"}, "base is '.*x1b"),
    ],
)
def test_what_is_wrong_in_a_theme_is_said(values: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        looks({"mine": values})


@pytest.mark.skipif(bool(os.environ.get("NO_COLOR")), reason="no colours at all")
@pytest.mark.parametrize("name", [*NAMES, "mine"])
async def test_the_screen_uses_the_theme(name: str) -> None:
    own = {"mine": {"bad": "#ff0102"}}
    async with _running(FakeSession(), settings=Settings(theme=name, themes=own)) as (app, pilot):
        if name == "ansi":
            return
        look = looks(own)[name]
        assert app.main.background_colors[1].hex.lower() == look.background
        assert app.ansi_theme.ansi_colors[1] == tuple(int(look.bad[i : i + 2], 16) for i in (1, 3, 5))
        app.action_look("light")
        await pilot.pause(0.1)
        assert app.main.background_colors[1].hex.lower() == LOOKS["light"].background


async def test_a_theme_that_is_hard_to_read_says_so() -> None:
    own = {"mine": {"faint": "#30353a"}}
    async with _running(FakeSession(), settings=Settings(theme="mine", themes=own)) as (app, _pilot):
        assert "faint on cursor has a contrast of 1.1:1" in app.told.text()
