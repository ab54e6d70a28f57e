"""Durations as Go writes and reads them: "15.2s", "1m0s", "1h30m", "300ms". Exact, in nanoseconds."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

SECOND = 1_000_000_000
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)


@lru_cache(maxsize=1024)
def go_duration(text: str) -> int:
    """A Go duration in nanoseconds. ValueError where it is none, as time.ParseDuration has it ("0" is one, "5" none)."""
    sign = -1 if text[:1] == "-" else 1
    rest = text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total, at = Fraction(0), 0
    while at < len(rest):
        term = _TERM.match(rest, at)
        if term is None:
            break
        total += Fraction(term[1]) * _UNITS[term[2]]
        at = term.end()
    if not rest or at < len(rest):
        raise ValueError(f"{text!r} is no duration")
    return sign * int(total)
