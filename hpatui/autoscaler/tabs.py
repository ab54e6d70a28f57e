"""Columns as Go's text/tabwriter aligns them (minimum width 0, padding 2, blanks), which kubectl's descriptions rely on."""

from __future__ import annotations

_PADDING = 2


def align(text: str) -> str:
    """Replace tabs by blanks. A column is a run of lines that each have a tab-terminated cell there."""
    lines = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[0] * (len(cells) - 1) for cells in lines]
    _measure(lines, widths, 0, len(lines), 0)
    out: list[str] = []
    for cells, line_widths in zip(lines, widths, strict=True):
        padded = [cell + " " * (width - len(cell)) for cell, width in zip(cells, line_widths, strict=False)]
        out.append("".join(padded) + cells[-1])
    return "\n".join(out)


def _measure(lines: list[list[str]], widths: list[list[int]], first: int, last: int, column: int) -> None:
    index = first
    while index < last:
        if len(lines[index]) - 1 <= column:
            index += 1
            continue
        end = index
        while end < last and len(lines[end]) - 1 > column:
            end += 1
        widest = max(len(lines[i][column]) for i in range(index, end))
        width = widest + _PADDING if widest else 0
        for i in range(index, end):
            widths[i][column] = width
        _measure(lines, widths, index, end, column + 1)
        index = end
