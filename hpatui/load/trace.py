"""Recorded traffic as stages: a CSV of `seconds,rate`, or an access log whose requests are counted per second.

Files are read line by line (gzip too), whatever their size; what is kept is one number for each second with traffic.
Lines may come in any order. A line that cannot be read is named, none is passed over but empty ones and comments.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hpatui.errors import UsageError
from hpatui.load.plan import Stage
from hpatui.text import printable

MOST_STAGES = 100_000
MOST_GAP = 24 * 3600  # seconds without traffic; more is a log of something else
_MOST_LINE = 65_536  # characters; no log has longer ones
_GZIP = b"\x1f\x8b"

_MONTHS = {"Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6, "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11,
           "Dec": 12}  # fmt: skip
_ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?\s?(?:Z|[+-]\d\d:?\d\d)?"
# What says when a request came, the surest first. ALB writes the end of a request first and its beginning later.
_PATTERNS = (
    ("clf", re.compile(r"\[?(\d{1,2}/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d(?:[.,]\d+)?(?: [+-]\d{4})?)\]?")),
    ("iso", re.compile(rf"^(?:https?|h2|grpcs|wss?) {_ISO} .*\" \d+ ({_ISO}) ")),
    ("iso", re.compile(rf'"(?:start_time|time_iso8601|timestamp|@timestamp|time|ts)"\s*:\s*"({_ISO})"')),
    ("epoch", re.compile(r'"(?:msec|timestamp|time|ts)"\s*:\s*"?(\d{9,10}(?:\.\d+)?|\d{13}|\d{16})"?\s*[,}]')),
    ("iso", re.compile(rf"({_ISO})")),
    ("iso", re.compile(r"^(\d{4}-\d\d-\d\d\s\d\d:\d\d:\d\d)")),
    ("epoch", re.compile(r"(?<![\w.:-])(\d{10}\.\d{1,6}|\d{13}|\d{16}|\d{10})(?![\w.:-])")),
)
_CLF = re.compile(r"(\d{1,2})/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(?: ([+-])(\d\d)(\d\d))?")
_ISO_PARTS = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T\s](\d\d):(\d\d):(\d\d)(?:[.,]\d+)?\s?(?:Z|([+-])(\d\d):?(\d\d))?"
)  # fmt: skip


def read_trace(path: Path) -> tuple[Stage, ...]:
    """The stages of a file. UsageError names the line at fault."""
    numbered = enumerate(_lines(path), 1)
    first = next(((number, line) for number, line in numbered if _says_something(line)), None)
    if first is None:
        raise UsageError(f"{path} holds no traffic", hint="write lines of `seconds,rate`, or give an access log")

    def whole() -> Iterator[tuple[int, str]]:
        yield first
        yield from ((number, line) for number, line in numbered if _says_something(line))

    if re.match(r"[^\[\]{}\"]{1,40},[^\[\]{}\"]{1,40}$", first[1]) is not None:
        return _from_csv(path, whole())
    return _from_log(path, whole())


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text, packed or not, with or without a byte order mark, without their ends."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        with gzip.open(path) if packed else path.open("rb") as opened:
            number = 0
            while line := opened.readline(_MOST_LINE):
                number += 1
                if len(line) == _MOST_LINE and not line.endswith(b"\n"):
                    raise UsageError(f"{path}:{number}: a line of more than {_MOST_LINE} characters is no traffic")
                yield line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").strip()
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is broken"
        raise UsageError(f"cannot read {path}: {reason}", hint="name a file that can be read") from error


def _says_something(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _from_log(path: Path, lines: Iterator[tuple[int, str]]) -> tuple[Stage, ...]:
    """Requests per second of an access log: the form of its first line holds for all."""
    counts: Counter[int] = Counter()
    lines_of: dict[int, int] = {}
    form: tuple[str, re.Pattern[str]] | None = None
    for number, line in lines:
        if form is None:
            form = next(((kind, pattern) for kind, pattern in _PATTERNS if pattern.search(line)), None)
        match = form[1].search(line) if form is not None else None
        shown = printable(line, 60)
        if form is None or match is None:
            raise UsageError(
                f"{path}:{number}: {shown!r} says no time of a request",
                hint="common, combined, nginx JSON, Envoy, ALB and Apache with milliseconds are read, or `seconds,rate`",
            )
        second = _second(form[0], match[1])
        if second is None:
            raise UsageError(
                f"{path}:{number}: {printable(match[1], 60)!r} is no time", hint="correct or drop the line"
            )
        counts[second] += 1
        lines_of.setdefault(second, number)
        if len(counts) > MOST_STAGES:
            raise UsageError(f"{path} holds traffic of more than {MOST_STAGES} seconds", hint="cut it into parts")
    stages: list[Stage] = []
    before: int | None = None
    for second in sorted(counts):
        if before is not None and second - before > MOST_GAP:
            gap = timedelta(seconds=second - before)
            raise UsageError(
                f"{path}:{lines_of[second]}: nothing was recorded for {gap.days} days before this line",
                hint="cut the log",
            )
        if before is not None and second - before > 1:
            stages.append(Stage(0.0, 0.0, float(second - before - 1)))
        _add(stages, float(counts[second]))
        before = second
    return tuple(stages)


def _add(stages: list[Stage], rate: float) -> None:
    """One more second; runs of equal rates are one stage."""
    if stages and stages[-1].start == rate:
        stages[-1] = Stage(rate, rate, (stages[-1].duration or 0.0) + 1.0)
    else:
        stages.append(Stage(rate, rate, 1.0))


def _second(kind: str, text: str) -> int | None:
    """The epoch second; None for what is no time (the 31st of February). A leap second is the one after."""
    if kind == "epoch":
        digits = text.partition(".")[0]
        return int(int(digits) // 10 ** max(0, len(digits) - 10))
    if kind == "clf":
        match = _CLF.fullmatch(text)
        if match is None or match[2] not in _MONTHS:
            return None
        day, month, year = int(match[1]), _MONTHS[match[2]], int(match[3])
    else:
        match = _ISO_PARTS.fullmatch(text.strip())
        if match is None:
            return None
        year, month, day = int(match[1]), int(match[2]), int(match[3])
    hour, minute, second = int(match[4]), int(match[5]), int(match[6])
    leap = second == 60
    try:
        at = datetime(year, month, day, hour, minute, second - leap, tzinfo=UTC)
    except ValueError:
        return None
    away = (int(match[8]) * 3600 + int(match[9]) * 60) * (-1 if match[7] == "-" else 1) if match[7] else 0
    return int(at.timestamp()) + leap - away


def _from_csv(path: Path, lines: Iterator[tuple[int, str]]) -> tuple[Stage, ...]:
    rates: dict[float, float] = {}
    begun = False
    for number, line in lines:
        cells = [cell.strip() for cell in line.split(",")]
        numeric = [_is_number(cell) for cell in cells[:2]]
        if not begun and not any(numeric) and len(cells) >= 2:
            begun = True
            continue  # names of the columns
        begun = True
        if len(cells) < 2 or not all(numeric):
            raise UsageError(
                f"{path}:{number}: {printable(line, 60)!r} is no `seconds,rate`", hint="two numbers a line"
            )
        time, rate = float(cells[0]), float(cells[1])
        if rate < 0 or time in rates:
            raise UsageError(f"{path}:{number}: times must grow and rates be 0 or more")
        rates[time] = rate
        if len(rates) > MOST_STAGES:
            raise UsageError(f"{path} holds more than {MOST_STAGES} lines", hint="cut it into parts")
    times = sorted(rates)
    if not times:
        raise UsageError(f"{path} holds no traffic", hint="write lines of `seconds,rate`, or give an access log")
    ends = [*times[1:], times[-1] + 1.0]
    return tuple(Stage(rates[time], rates[time], end - time) for time, end in zip(times, ends, strict=True))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?([eE][+-]?\d)?", text) is not None
