"""Moments as people write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from hpatui.errors import UsageError
from hpatui.session.moments import clock_text, parse_moment, parse_span

LAST = datetime(2026, 11, 25, 4, 0, tzinfo=UTC).timestamp()
FIRST = LAST - 2 * 86400


@pytest.fixture(autouse=True)
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """People write local times; here that is UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "then"),
    [
        ("03:12", "2026-11-25T03:12:00"),
        ("3:12", "2026-11-25T03:12:00"),
        ("03:12:40", "2026-11-25T03:12:40"),
        ("04:00", "2026-11-25T04:00:00"),
        ("23:59:59", "2026-11-24T23:59:59"),  # today it is not that late yet
        ("2026-11-24 03:12", "2026-11-24T03:12:00"),
        ("2026-11-24T03:12:40", "2026-11-24T03:12:40"),
        ("2026-11-24T03:12:40Z", "2026-11-24T03:12:40"),
        ("2026-11-24T05:12:40.5+02:00", "2026-11-24T03:12:40.500000"),
        ("-2h", "2026-11-25T02:00:00"),
        ("-1h30m", "2026-11-25T02:30:00"),
        ("-90s", "2026-11-25T03:58:30"),
        (" 03:12 ", "2026-11-25T03:12:00"),
    ],
)
def test_moments(text: str, then: str) -> None:
    assert parse_moment(text, FIRST, LAST) == datetime.fromisoformat(then).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "text", ["", "25:00", "03:60", "3", "yesterday", "-2", "-h", "2h", "2026-13-01 00:00", "\x1b[31m"]
)
def test_what_is_no_moment_is_one_line_that_says_how(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_moment(text, FIRST, LAST)
    assert "is no time; write 03:12" in str(raised.value)
    assert "\x1b" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("text", ["-3d", "2026-11-22 03:12", "2027-01-01T00:00:00Z"])
def test_a_moment_outside_says_what_there_is(text: str) -> None:
    with pytest.raises(
        UsageError, match=r"is outside of the recording; it has 2026-11-23 04:00:00 to 2026-11-25 04:00:00"
    ):
        parse_moment(text, FIRST, LAST)


def test_the_local_time_zone_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Etc/GMT-2")  # two hours east of Greenwich
    time.tzset()
    assert parse_moment("05:12", FIRST, LAST) == LAST - 48 * 60
    assert clock_text(LAST) == "06:00:00"


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("1h30m", 5400)]
)
def test_spans(text: str, seconds: float) -> None:
    assert parse_span(text) == seconds


@pytest.mark.parametrize("text", ["", "0s", "-1h", "1", "h", "1w"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(UsageError, match="is no duration; write 90s"):
        parse_span(text)
