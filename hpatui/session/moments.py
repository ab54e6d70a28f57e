"""Moments as people write them: 03:12, 03:12:40, a date with a time, RFC 3339, or -2h before the end."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from hpatui.clock import as_datetime, parse_rfc3339
from hpatui.errors import UsageError
from hpatui.text import printable

_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_DATED = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_BEFORE = re.compile(r"-((?:[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d))+)")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
FORMS = "write 03:12, 03:12:40, '2026-11-25 03:12', 2026-11-25T03:12:00Z or -2h"


def clock_text(moment: float, *, dated: bool = False) -> str:
    """A moment as the local clock showed it, with its date where that is asked for."""
    return f"{as_datetime(moment).astimezone():{'%Y-%m-%d ' if dated else ''}%H:%M:%S}"


def span_text(first: float, last: float) -> str:
    """From when to when, with dates where they differ or are not today's own business."""
    return f"{clock_text(first, dated=True)} to {clock_text(last, dated=True)}"


def parse_moment(text: str, first: float, last: float) -> float:
    """The moment that `text` names, in epoch seconds, within `first` to `last`. A clock time is the newest one there, of the
    local time zone; `-2h` counts back from `last`. UsageError where it names none, or one outside.
    """
    found = _moment(text.strip(), last)
    if found is None:
        raise UsageError(f"{printable(text, 40)!r} is no time", hint=FORMS)
    if found < first - 1.0 or found > last + 1.0:
        where = clock_text(found, dated=True)
        raise UsageError(f"{where} is outside of the recording", hint=f"it has {span_text(first, last)}")
    return min(last, max(first, found))


def parse_span(text: str) -> float:
    """A duration such as 90s, 30m, 24h or 7d in seconds. UsageError where it is none, or nothing."""
    found = _BEFORE.fullmatch(f"-{text.strip()}")
    seconds = _length(found.group(1)) if found else 0.0
    if seconds <= 0:
        raise UsageError(f"{printable(text, 40)!r} is no duration", hint="write 90s, 30m, 24h or 7d")
    return seconds


def _length(text: str) -> float:
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))


def _moment(text: str, last: float) -> float | None:
    if match := _BEFORE.fullmatch(text):
        return last - _length(match.group(1))
    try:
        if match := _CLOCK.fullmatch(text):
            hour, minute, second = (int(part or 0) for part in match.groups())
            end = as_datetime(last).astimezone()
            day = end.date() if time(hour, minute, second) <= end.time() else end.date() - timedelta(days=1)
            return datetime.combine(day, time(hour, minute, second)).astimezone().timestamp()
        if match := _DATED.fullmatch(text):
            return datetime(*(int(part or 0) for part in match.groups())).astimezone().timestamp()  # type: ignore[arg-type]
        return parse_rfc3339(text.upper() if text[-1:] == "z" else text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def next_moment(text: str, now: float) -> float:
    """The moment that `text` names, in epoch seconds, after `now`: a clock time is the next one. UsageError where it names
    none, or one that is over.
    """
    found = None if text.strip().startswith("-") else _moment(text.strip(), now)
    if found is not None and found <= now and _CLOCK.fullmatch(text.strip()):
        found += 86400.0
    if found is None:
        raise UsageError(
            f"{printable(text, 40)!r} is neither a time nor a duration",
            hint="write 30m, 24h, 7d, 03:12 or 2026-11-25T03:12:00Z",
        )
    if found <= now:
        raise UsageError(f"{clock_text(found, dated=True)} is over", hint="name a time to come, or a duration as 24h")
    return found
