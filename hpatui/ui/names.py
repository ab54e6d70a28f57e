"""Names cut to the room there is: in the middle, by columns, and never so that two of them look the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from hpatui.text import cell_width

CUT = "…"


def cut_middle(text: str, width: int) -> str:
    """`text` in at most `width` columns; what is left out is in the middle, a little before it: ends tell more."""
    if cell_width(text) <= width:
        return text
    if width <= 1:
        return CUT[:width]
    tail = _last(text, (width - 1) * 2 // 3)
    head = _first(text, width - 1 - cell_width(tail))
    return head + CUT + tail


def padded(text: str, width: int) -> str:
    """`text` cut in the middle or filled with blanks to exactly `width` columns."""
    shown = cut_middle(text, width)
    return shown + " " * (width - cell_width(shown))


def cut_apart(names: Sequence[str], width: int) -> list[str]:
    """Each name in at most `width` columns; different names look different as long as `width` allows it at all.

    Names that would look the same are cut around the place where they differ; what still looks the same is numbered.
    """
    out = [cut_middle(name, width) for name in names]
    for look, places in _alike(names, out).items():
        if look:
            for place, text in zip(places, _around_difference([names[p] for p in places], width), strict=True):
                out[place] = text
    for places in _alike(names, out).values():
        for number, place in enumerate(places, 1):
            mark = f"~{number}"
            out[place] = _first(names[place], max(0, width - len(mark))) + mark if width > len(mark) else mark[-width:]
    return out


def _alike(names: Sequence[str], shown: Sequence[str]) -> dict[str, list[int]]:
    """Look -> places of the names that share it, where they are not one name."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, text in enumerate(shown):
        groups[text].append(place)
    return {look: places for look, places in groups.items() if len({names[p] for p in places}) > 1}


def _around_difference(names: Sequence[str], width: int) -> list[str]:
    start = next((i for i, letters in enumerate(zip(*names, strict=False)) if len(set(letters)) > 1), 0)
    out = []
    for name in names:
        begin = max(0, min(start - 2, len(name) - 1))
        text = CUT + name[begin:] if begin else name
        out.append(text if cell_width(text) <= width else _first(text, width - 1) + CUT)
    return out


def _first(text: str, width: int) -> str:
    used = 0
    for index, letter in enumerate(text):
        used += cell_width(letter)
        if used > width:
            return text[:index]
    return text


def _last(text: str, width: int) -> str:
    used = 0
    for index in range(len(text) - 1, -1, -1):
        used += cell_width(text[index])
        if used > width:
            return text[index + 1 :]
    return text
