"""Measurements, run by `make bench`. Absolute times vary from machine to machine: tables hold peers side by side or ratios.

A module `bench_NAME.py` has `main() -> list[Table]`; `make bench ARGS='NAME ...'` runs only those named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """One table of results; cells are text or numbers, the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    note: str = ""

    def text(self) -> str:
        """The table for a terminal."""
        lines = [tuple(map(str, self.columns)), *(tuple(_cell(value) for value in row) for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        body = "\n".join(_line(line, widths) for line in lines)
        return f"\n## {self.title}\n\n{body}\n" + (f"{self.note}\n" if self.note else "")


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    return "  ".join([first, *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))]).rstrip()
