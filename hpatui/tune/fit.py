"""Small fits: least squares of a few unknowns, and medians of what there may be none of. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median


def least_squares(rows: Sequence[Sequence[float]], values: Sequence[float]) -> tuple[float, ...] | None:
    """x with rows . x ~ values; None where the rows do not tell (too few, or dependent on each other)."""
    if not rows or len(rows) < len(rows[0]):
        return None
    many = len(rows[0])
    scale = [max((abs(row[j]) for row in rows), default=0.0) or 1.0 for j in range(many)]
    table = [[0.0] * (many + 1) for _ in range(many)]
    for row, value in zip(rows, values, strict=True):
        scaled = [row[j] / scale[j] for j in range(many)]
        for i in range(many):
            for j in range(many):
                table[i][j] += scaled[i] * scaled[j]
            table[i][many] += scaled[i] * value
    solved = _solve(table)
    return None if solved is None else tuple(x / s for x, s in zip(solved, scale, strict=True))


def _solve(table: list[list[float]]) -> list[float] | None:
    """Gauss with pivots; None for a singular table."""
    many = len(table)
    for i in range(many):
        best = max(range(i, many), key=lambda k: abs(table[k][i]))
        if abs(table[best][i]) < 1e-9:
            return None
        table[i], table[best] = table[best], table[i]
        for k in range(many):
            if k != i:
                factor = table[k][i] / table[i][i]
                table[k] = [a - factor * b for a, b in zip(table[k], table[i], strict=True)]
    return [table[i][many] / table[i][i] for i in range(many)]


def middle(values: Iterable[float], default: float = 0.0) -> float:
    """The median, or the default of nothing."""
    known = list(values)
    return median(known) if known else default


def explained(values: Sequence[float], told: Sequence[float]) -> float:
    """Which part of the values' variance the told ones explain: 1 all of it, 0 (or less) none."""
    if len(values) < 3:
        return 0.0
    mean = sum(values) / len(values)
    whole = sum((value - mean) ** 2 for value in values)
    left = sum((value - other) ** 2 for value, other in zip(values, told, strict=True))
    return 1.0 - left / whole if whole > 0 else 0.0
