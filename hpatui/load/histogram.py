"""A latency histogram in HdrHistogram's layout: 1 us to 60 s with 3 significant digits, mergeable, of constant size.

Recording is the innermost act of the engine, so a second's values are only collected; they are counted when it closes.
Values are microseconds. Source of the layout: HdrHistogram's AbstractHistogram (sub-buckets of 2048, halved per octave).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil

LOWEST, HIGHEST = 1, 60_000_000
_SUB_BITS = 11  # 2048 sub-buckets: 3 significant digits
_HALF = 1 << (_SUB_BITS - 1)
SIZE = ((HIGHEST.bit_length() - _SUB_BITS) << (_SUB_BITS - 1)) + (1 << _SUB_BITS)


def index_of(value: int) -> int:
    """The slot of a value."""
    shift = value.bit_length() - _SUB_BITS
    return value if shift <= 0 else (shift << (_SUB_BITS - 1)) + (value >> shift)


def highest_of(index: int) -> int:
    """The highest value that falls into a slot."""
    if index < 2 * _HALF:
        return index
    shift = (index >> (_SUB_BITS - 1)) - 1
    return (((index & (_HALF - 1)) + _HALF + 1) << shift) - 1


class Histogram:
    """Counts per slot; `total` values with their exact minimum and maximum."""

    __slots__ = ("_counts", "maximum", "minimum", "sum", "total")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.total = 0
        self.sum = 0
        self.minimum = HIGHEST
        self.maximum = 0

    def record_all(self, values: Iterable[int]) -> None:
        """Count values; those outside of the range count as its ends."""
        counts = self._counts
        for value in values:
            clipped = LOWEST if value < LOWEST else HIGHEST if value > HIGHEST else value
            shift = clipped.bit_length() - _SUB_BITS
            index = clipped if shift <= 0 else (shift << (_SUB_BITS - 1)) + (clipped >> shift)
            counts[index] = counts.get(index, 0) + 1
            self.total += 1
            self.sum += clipped
            self.minimum = min(self.minimum, clipped)
            self.maximum = max(self.maximum, clipped)

    def merge(self, counts: Mapping[int, int]) -> None:
        """Add the slots of another one (see `counts`); minimum and maximum are then known to 3 digits."""
        for index, count in counts.items():
            self._counts[index] = self._counts.get(index, 0) + count
            value = highest_of(index)
            self.total += count
            self.sum += value * count
            self.minimum = min(self.minimum, value)
            self.maximum = max(self.maximum, value)

    @property
    def counts(self) -> dict[int, int]:
        """Slot -> count, of those that hold any."""
        return dict(self._counts)

    def percentiles(self, wanted: Iterable[float]) -> list[float | None]:
        """Milliseconds at each percentile (ascending, 0 to 100); None where nothing was recorded."""
        if not self.total:
            return [None for _ in wanted]
        found: list[float | None] = []
        slots = sorted(self._counts.items())
        position, seen = -1, 0
        for percentile in wanted:
            need = max(1, ceil(percentile / 100 * self.total - 1e-9))
            while seen < need:
                position += 1
                seen += slots[position][1]
            found.append(min(highest_of(slots[position][0]), self.maximum) / 1000.0)
        return found

    def at_rank(self, rank: int) -> float | None:
        """Milliseconds of the value that has this rank (from 1) among all; None where there are not so many."""
        seen = 0
        for index, count in sorted(self._counts.items()):
            seen += count
            if seen >= rank:
                return min(highest_of(index), self.maximum) / 1000.0
        return None

    @property
    def mean_ms(self) -> float | None:
        """The mean in milliseconds."""
        return self.sum / self.total / 1000.0 if self.total else None

    @property
    def max_ms(self) -> float | None:
        """The maximum in milliseconds."""
        return self.maximum / 1000.0 if self.total else None


def counts_of(values: list[int]) -> dict[int, int]:
    """Slot -> count of these values."""
    counts: dict[int, int] = {}
    for value, count in Counter(values).items():
        index = index_of(min(max(value, LOWEST), HIGHEST))
        counts[index] = counts.get(index, 0) + count
    return counts
