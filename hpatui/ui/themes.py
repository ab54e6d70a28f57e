"""Themes: sixteen colours by meaning each, from which Textual's theme and the palette behind the names of colours are made.

Panes name colours as terminals do (`cyan`, `red`, `bright_black`); here each name gets its meaning's colour, so that one
meaning has one hue everywhere: cyan replicas and what waits, blue metrics, green load and what is well, yellow a warning, red
an alarm, bright black what is only said by the way. With the theme `ansi` the terminal's own colours are used.

`tests/ui/test_themes.py` computes for each theme that every one of them can be read (WCAG 2.1 AA, 4.5:1) on each ground, and
that the pairs whose difference matters stay apart for people who see fewer colours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from rich.terminal_theme import TerminalTheme
from textual.color import Color
from textual.theme import Theme

from hpatui.errors import UsageError
from hpatui.text import printable

AA = 4.5  # WCAG 2.1, contrast of text, level AA
NATIVE = {"ansi": "ansi-dark"}  # ours -> Textual's


@dataclass(frozen=True, slots=True)
class Look:
    """A theme. `base` is dark or light; grounds first, then what is written on them (`#rrggbb`)."""

    base: str = "dark"
    background: str = "#0f1317"
    surface: str = "#161b21"  # header, dialogs
    panel: str = "#262e37"  # fields with the keys
    cursor: str = "#22303d"  # the row under the cursor
    border: str = "#33404d"
    foreground: str = "#dfe6ee"
    faint: str = "#8b98a7"
    accent: str = "#5ccfe6"  # what has the keys
    replicas: str = "#5ccfe6"  # and what waits
    metric: str = "#8ea8ff"
    good: str = "#4fd6a0"  # and the load
    warn: str = "#f0b95a"
    bad: str = "#ff7369"
    other: str = "#d7a1f5"

    @property
    def dark(self) -> bool:
        """Whether letters are brighter than their ground."""
        return self.base != "light"


LOOKS: dict[str, Look] = {
    "dark": Look(),
    "light": Look(
        "light",
        background="#fcfdfe",
        surface="#f1f4f7",
        panel="#e2e8ee",
        cursor="#cde2ee",
        border="#c3ccd5",
        foreground="#1c232b",
        faint="#56616d",
        accent="#0a5f9e",
        replicas="#0a5f9e",
        metric="#6245c9",
        good="#00685f",
        warn="#765300",
        bad="#c01f1f",
        other="#9a2c7c",
    ),
    "high-contrast": Look(
        background="#000000",
        surface="#000000",
        panel="#303030",
        cursor="#00344a",
        border="#ffffff",
        foreground="#ffffff",
        faint="#e0e0e0",
        accent="#ffff00",
        replicas="#00ffff",
        metric="#a9bcff",
        good="#33ffc0",
        warn="#ffe000",
        bad="#ff7766",
        other="#ffb3ff",
    ),
}
NAMES: tuple[str, ...] = (*LOOKS, *NATIVE)
_GROUNDS = ("background", "surface", "panel", "cursor")
_INKS = ("foreground", "faint", "accent", "replicas", "metric", "good", "warn", "bad", "other")


def looks(own: Mapping[str, Mapping[str, str]]) -> dict[str, Look]:
    """All themes, with the user's own (`[themes.NAME]` of the config file) on top. UsageError where one is wrong."""
    found = dict(LOOKS)
    for name, values in own.items():
        found[name] = _own(name, values)
    return found


def _own(name: str, values: Mapping[str, str]) -> Look:
    where = f"theme {printable(name, 40)}"
    known = [item.name for item in fields(Look)]
    for key, value in values.items():
        if key not in known:
            raise UsageError(f"{where}: unknown colour {printable(key, 40)!r}", hint=f"known: {', '.join(known)}")
        if key == "base":
            if value not in LOOKS:
                raise UsageError(f"{where}: base is {printable(str(value), 40)!r}", hint=f"one of {', '.join(LOOKS)}")
        elif not _is_colour(value):
            raise UsageError(f"{where}: {key} is {printable(str(value), 40)!r}", hint='write it as "#rrggbb"')
    base = LOOKS[values.get("base", "dark")]
    return replace(base, **{key: value for key, value in values.items() if key != "base"})


def _is_colour(value: object) -> bool:
    if not isinstance(value, str) or len(value) != 7 or value[0] != "#":
        return False
    return all(letter in "0123456789abcdefABCDEF" for letter in value[1:])


def textual_theme(name: str, look: Look) -> Theme:
    """What Textual's widgets and our style sheet use."""
    return Theme(
        name=name,
        primary=look.accent,
        secondary=look.metric,
        accent=look.accent,
        warning=look.warn,
        error=look.bad,
        success=look.good,
        foreground=look.foreground,
        background=look.background,
        surface=look.surface,
        panel=look.panel,
        dark=look.dark,
        variables=variables(look),
    )


def variables(look: Look) -> dict[str, str]:
    """Our own variables of the style sheet; they must exist in every theme."""
    return {
        "calm": look.border,
        "row-cursor": look.cursor,
        "text-muted": look.faint,
        "block-cursor-background": look.cursor,
        "block-cursor-foreground": look.foreground,
        "scrollbar": look.border,
        "scrollbar-hover": look.faint,
        "scrollbar-active": look.accent,
        "scrollbar-background": look.background,
        "scrollbar-background-hover": look.background,
        "scrollbar-background-active": look.background,
        "scrollbar-corner-color": look.background,
    }


def palette(look: Look) -> TerminalTheme:
    """The colours behind the names that panes use."""
    named = [
        look.background, look.bad, look.good, look.warn, look.metric, look.other, look.replicas, look.foreground,
    ]  # fmt: skip
    bright = [look.faint, *named[1:]]
    rgb = [Color.parse(colour).rgb for colour in (look.background, look.foreground, *named, *bright)]
    return TerminalTheme(rgb[0], rgb[1], rgb[2:10], rgb[10:])


def contrast(one: str, two: str) -> float:
    """The contrast ratio of two colours by WCAG 2.1: 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(two)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def weak(look: Look) -> list[tuple[str, str, float]]:
    """(colour, ground, contrast) of all that is below AA."""
    found = []
    for ink in _INKS:
        for ground in _GROUNDS:
            ratio = contrast(getattr(look, ink), getattr(look, ground))
            if ratio < AA:
                found.append((ink, ground, ratio))
    return found
