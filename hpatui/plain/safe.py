"""Multi-line text from a cluster, made safe for a terminal: its line breaks stay, nothing else that moves a cursor."""

from __future__ import annotations

from hpatui.text import printable


def safe_lines(text: str) -> str:
    """`text` with every line made printable; tabs and line ends are kept."""
    return "\n".join("\t".join(printable(part) for part in line.split("\t")) for line in text.split("\n"))
