"""Results: measures, winners and their doubt, comparisons; text, Markdown, JUnit, HTML of whatever the cluster said."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from hpatui.errors import UsageError
from hpatui.experiment.compare import compare, parse_limit, read_result
from hpatui.experiment.measures import percentile, spread, winner
from hpatui.experiment.pages import page
from hpatui.experiment.result import (
    ExpectationResult,
    LoadSeries,
    Result,
    RunResult,
    Series,
    VariantResult,
    to_json,
)
from hpatui.experiment.texts import to_junit, to_markdown, to_text
from hpatui.plain.compare import run_compare
from hpatui.report.render import to_html
from tests.schemas import check

EVIL = "<script>`|@all #1\x1b[31m\u202e]]>&"


def result(*p95: float, words: str = "fine", state: str = "passed") -> Result:
    """A run for each p95."""
    failed = ExpectationResult("p95 < 250ms", "failed" if state == "failed" else "ok", words, 12.0, words, 612.0, 250.0)
    runs = [
        RunResult(
            n + 1, "", "2026-01-01T00:00:00Z", state, "", 90.0, 80.0, {"p95": value, "pod_minutes": 4.0}, [failed]
        )
        for n, value in enumerate(p95)
    ]
    return Result(words, state, "", [failed], runs, [VariantResult("", {}, len(runs), len(runs), {})], hpa="shop/web")


def test_the_schema_is_that_of_the_output() -> None:
    check("run", json.loads(to_json(result(100.0, 110.0))))


@pytest.mark.parametrize("state", ["passed", "failed"])
def test_nothing_that_a_cluster_says_is_more_than_text(state: str) -> None:
    evil = result(1.0, words=EVIL, state=state)
    for text in (to_text(evil), to_markdown(evil), to_junit(evil), to_html(page(evil))):
        assert "\x1b" not in text and "\u202e" not in text
    assert "<script" not in to_html(page(evil)) + to_markdown(evil) and "@all" not in to_markdown(evil)
    suites = ElementTree.fromstring(to_junit(evil))
    cases = suites.findall("./testsuite/testcase")
    assert len(cases) == 1 and (cases[0].find("failure") is not None) == (state == "failed")
    assert suites.get("failures") == ("1" if state == "failed" else "0")


def test_markdown_shows_an_operator_as_it_is() -> None:
    assert "<code>p95 &#60; 250ms</code>" in to_markdown(result(1.0))


def test_an_error_is_an_error_for_ci() -> None:
    broken = result(1.0)
    broken.runs[0].error, broken.runs[0].state, broken.state, broken.error = (
        "no metrics",
        "error",
        "error",
        "no metrics",
    )
    suites = ElementTree.fromstring(to_junit(broken))
    assert suites.get("errors") == "1"
    assert "no metrics" in to_text(broken)


def test_an_hour_is_small() -> None:
    long = result(1.0)
    times = [float(n) for n in range(3600)]
    floats: list[float] = [n % 97 + 0.25 for n in times]
    delays: list[float | None] = [*floats]
    long.runs[0].series = Series(load=LoadSeries(times, floats, [9] * 3600, [1] * 3600, delays, delays, delays))
    long.runs[0].duration_s = 3600.0
    assert len(to_html(page(long)).encode()) < 5_000_000
    assert len(to_json(long)) < 5_000_000


def test_percentiles_are_of_runs_that_were() -> None:
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], 90.0) == 5.0
    assert percentile([5.0, 1.0, 3.0, 2.0, 4.0], 50.0) == 3.0
    assert spread([3.0, None, 1.0]).missing == 1 and spread([None]).median is None


def test_one_lucky_run_wins_nothing() -> None:
    one = winner("p95", {"a": [100.0], "b": [200.0]})
    assert one is not None and one.sure is None and "tells nothing of chance" in one.text
    two = winner("p95", {"a": [100.0, 101.0], "b": [200.0, 201.0]})
    assert two is not None and two.name == "" and "no winner" in two.text
    five = winner("p95", {"a": [100.0, 101, 99, 102, 98], "b": [200.0, 201, 199, 202, 198]})
    assert five is not None and five.name == "a" and five.sure is not None and 95 < five.sure < 100
    mixed = winner("p95", {"a": [100.0, 300, 99, 302, 98], "b": [120.0, 110, 299, 102, 308]})
    assert mixed is not None and mixed.name == ""
    same = winner("p95", {"a": [1.0] * 5, "b": [1.0] * 5})
    assert same is not None and same.name == "" and "no difference" in same.text
    assert winner("p95", {"a": [1.0], "b": [None]}) is None


@pytest.mark.parametrize(
    ("text", "before", "after", "missed"),
    [
        ("p95 +20%", 100.0, 121.0, True), ("p95 +20%", 100.0, 120.0, False), ("p95 +50ms", 100.0, 151.0, True),
        ("p95 +0.1s", 100.0, 199.0, False), ("pod-minutes +1", 100.0, 100.0, False), ("p95 -20%", 100.0, 70.0, True),
        ("P95 +20%", 100.0, 130.0, None), ("latency +20%", 1.0, 1.0, None), ("p95", 1.0, 1.0, None),
        ("rescales +2s", 1.0, 1.0, None), ("p95 +5", 1.0, 1.0, None),
    ],
)  # fmt: skip
def test_limits(text: str, before: float, after: float, missed: bool | None) -> None:
    if missed is None:
        with pytest.raises(UsageError, match="fail-if"):
            parse_limit(text)
        return
    changes = compare(result(before), result(after), [parse_limit(text)])
    assert any(change.missed for change in changes) is missed


def test_what_is_no_longer_known_breaks_its_limit() -> None:
    after = result(100.0)
    after.runs[0].measures["p95"] = None
    assert [c.missed for c in compare(result(100.0), after, [parse_limit("p95 +20%")]) if c.measure == "p95"] == [
        "p95 +20%"
    ]


def test_chance_is_told_apart_from_change() -> None:
    same = compare(result(100.0, 90.0, 110.0, 95.0), result(105.0, 92.0, 108.0, 97.0), [])
    more = compare(result(100.0, 99.0, 101.0, 100.0), result(150.0, 151.0, 149.0, 150.0), [])
    assert not same[-1].sure or same[-1].measure != "p95"
    assert next(change for change in more if change.measure == "p95").sure


def test_compare_ends_with_the_code_of_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = tmp_path / "a.json", tmp_path / "b.json"
    one.write_bytes(to_json(result(100.0)))
    two.write_bytes(to_json(result(130.0)))
    assert run_compare(one, two, ["p95 +20%"], as_json=False) == 1
    assert "FAILED: p95 +20%" in capsys.readouterr().out
    assert run_compare(one, two, ["p95 +40%"], as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["missed"] == []


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"requests": 3}', "\xff"])
def test_what_is_no_result_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match="no result of an experiment"):
        read_result(path)


def test_a_result_of_later_is_refused(tmp_path: Path) -> None:
    later = result(1.0)
    later.version = 99
    path = tmp_path / "a.json"
    path.write_bytes(msgspec.json.encode(later))
    with pytest.raises(UsageError, match="version 99"):
        read_result(path)
