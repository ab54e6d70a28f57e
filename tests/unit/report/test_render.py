"""A report: whatever its texts hold, the file stays one page without a script, and small."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from hpatui.errors import UsageError
from hpatui.report.axes import elapsed, time_ticks, value_text, value_ticks
from hpatui.report.chart import MOST_POINTS, thinned
from hpatui.report.page import (
    Band,
    Block,
    Chart,
    Check,
    Checks,
    Code,
    Facts,
    Fold,
    Heading,
    Line,
    Mark,
    Page,
    Table,
    Text,
)
from hpatui.report.render import to_html, write_html

EVIL = "</title></svg><script>alert(1)</script><img src=http://x/ onerror=1>\x1b[31m\u202e&\"'"


def blocks(text: str) -> list[Block]:
    """One block of each kind, with `text` wherever one can stand."""
    chart = Chart(
        text, [Line(text, [(0.0, 1.0), (5.0, None), (10.0, 2.0)], step=True)], 0.0, 10.0, unit="ms",
        marks=[Mark(3.0, text, "failed")], bands=[Band(0.0, 9.0, text)], note=text,
    )  # fmt: skip
    return [
        Heading(text), Text(text), Facts([(text, text)]), Checks([Check("failed", text, text, text)]),
        Table([text], [[text]], text), Code(text, text), chart, Fold(text, [Text(text)]),
    ]  # fmt: skip


def test_no_text_becomes_markup_or_reaches_a_terminal() -> None:
    html = to_html(Page(EVIL, blocks(EVIL), EVIL, "failed", EVIL, EVIL))
    assert "<script" not in html and "<img" not in html
    assert "\x1b" not in html and "\u202e" not in html
    assert html.count("</svg>") == 1
    assert html.count("</title>") == 4  # the page's; of line, mark and band in the picture


def test_nothing_is_fetched() -> None:
    html = to_html(Page("t", blocks("words")))
    assert "default-src 'none'" in html
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?:", html.replace("http-equiv", ""))


def test_an_hour_of_seconds_stays_small_and_keeps_its_peak() -> None:
    lines = [Line(str(n), [(float(t), 100 + 50 * math.sin(t / 9 + n)) for t in range(3600)]) for n in range(6)]
    charts = [Chart(str(n), lines, 0.0, 3600.0) for n in range(5)]
    assert len(to_html(Page("t", charts)).encode()) < 5_000_000
    points = [(float(t), 999.0 if t == 1777 else float(t % 7)) for t in range(7200)]
    kept = thinned(points, 0.0, 7200.0, step=False)
    assert len(kept) <= MOST_POINTS and (1777.0, 999.0) in kept


def test_a_gap_stays_a_gap_when_points_are_thinned() -> None:
    points = [(float(t), None if t == 4001 else 1.0) for t in range(9000)]
    assert (4001.0, None) in thinned(points, 0.0, 9000.0, step=False)


def test_a_step_line_begins_with_what_was_in_force() -> None:
    assert thinned([(1.0, 3.0), (20.0, 4.0)], 10.0, 30.0, step=True) == [(10.0, 3.0), (20.0, 4.0)]


@pytest.mark.parametrize("highest", [0.0, 0.003, 1.0, 3.0, 7.0, 99.0, 250.0, 12345.0])
def test_ticks_reach_the_highest_value(highest: float) -> None:
    ticks = value_ticks(highest)
    assert ticks[0] == 0 and ticks[-1] >= highest and 2 <= len(ticks) <= 7


def test_times_are_counted_from_the_origin() -> None:
    assert time_ticks(70.0, 220.0, 100.0)[:3] == [(70.0, "-30s"), (100.0, "0s"), (130.0, "30s")]
    assert elapsed(3900) == "1h05m" and elapsed(150) == "2m30s" and elapsed(0.4) == "0s"
    assert value_text(1500, "m") == "1.5" and value_text(2**20, "B") == "1Mi" and value_text(12.345, "ms") == "12.3 ms"


def test_a_file_that_cannot_be_written_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_html(Page("t", []), tmp_path / "no" / "x.html")
