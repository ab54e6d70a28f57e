"""Where the keys of a TOML file stand, so that an error can name the line. Pure; works on the text alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

Path = Sequence[str | int]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=""")


def _parts(words: str) -> list[str]:
    return [part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", words)]


def lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    """The line (from 1) of each table and key, by its path: ("load", "stage", 0, "rate")."""
    found: dict[tuple[str | int, ...], int] = {}
    counts: dict[tuple[str | int, ...], int] = {}
    table: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.fullmatch(line):
            path: tuple[str | int, ...] = ()
            parts = _parts(header[2])
            for position, part in enumerate(parts):
                path = (*path, part)
                if position == len(parts) - 1 and header[1] == "[[":
                    counts[path] = counts.get(path, -1) + 1
                if path in counts:
                    path = (*path, counts[path])
            table = path
            found.setdefault(table, number)
            found.setdefault(tuple(part for part in table if isinstance(part, str)), number)
        elif key := _KEY.match(line):
            path = table
            for part in _parts(key[1]):
                path = (*path, part)
                found.setdefault(path, number)
    return found


def line_of(text: str, path: Path, words: str = "") -> int:
    """The line of a key, or of the nearest table around it; with `words` the line from there on that holds them."""
    found = lines_of(text)
    known = next((found[key] for cut in range(len(path), 0, -1) if (key := tuple(path[:cut])) in found), 1)
    if words:
        lines = text.splitlines()
        return next((n + 1 for n in range(known - 1, len(lines)) if words in lines[n]), known)
    return known
