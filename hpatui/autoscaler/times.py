"""Times inside the decision code: integers, nanoseconds since the epoch, so that comparisons are exact."""

from __future__ import annotations

import re
from datetime import UTC, datetime

SECOND = 1_000_000_000

_RFC3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ns(text: str) -> int:
    """RFC 3339 -> nanoseconds since the epoch. ValueError when it is none."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    seconds = int((datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC) - _EPOCH).total_seconds())
    fraction = int((match[7] or "0").ljust(9, "0"))
    zone = match[8]
    if zone not in "Zz":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds -= offset if zone[0] == "+" else -offset
    return seconds * SECOND + fraction


def from_ns(ns: int) -> str:
    """Nanoseconds -> RFC 3339 in whole seconds, UTC, as metav1.Time writes it."""
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_to_ns(seconds: float) -> int:
    """Epoch seconds or a duration -> nanoseconds."""
    return round(seconds * SECOND)


def ns_to_seconds(ns: int) -> float:
    """Nanoseconds -> seconds."""
    return ns / SECOND
