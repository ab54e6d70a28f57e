"""`hpatui compare A B`: two results of `hpatui run --json` beside each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from hpatui.experiment.compare import Change, compare, parse_limit, read_result
from hpatui.experiment.measures import NAMES
from hpatui.experiment.pages import value_of, verdict
from hpatui.experiment.result import Result
from hpatui.text import printable


class SideJson(TypedDict):
    """One of the two results.

    file: the file, as it was given
    name: name of the experiment
    state: passed, failed, error or interrupted
    runs: how many runs it has
    """

    file: str
    name: str
    state: str
    runs: int


class ChangeJson(TypedDict):
    """A measure of a variant in both, by the medians of their runs.

    variant: the variant's name; empty: the HPA as it is
    measure: as in `measures` of `hpatui run --json`
    before: in A; null: it has none
    after: in B; null: it has none
    percent: by how much it is more (negative: less); null: there is nothing to compare with
    low_percent: least change that chance leaves open (95 %); null with less than three runs each
    high_percent: greatest change that chance leaves open (95 %); null with less than three runs each
    missed: the limit that it breaks; empty: none
    """

    variant: str
    measure: str
    before: float | None
    after: float | None
    percent: float | None
    low_percent: float | None
    high_percent: float | None
    missed: str


class CompareJson(TypedDict):
    """What changed from A to B.

    before: A
    after: B
    changes: each measure that one of them has
    missed: the limits that are broken, with the variant's name before each; empty: exit code 0
    """

    before: SideJson
    after: SideJson
    changes: list[ChangeJson]
    missed: list[str]


def run_compare(before: Path, after: Path, fail_if: Sequence[str], *, as_json: bool) -> int:
    """Print what changed; 1 where a limit is broken. UsageError for files and limits that cannot be read."""
    limits = [parse_limit(text) for text in fail_if]
    one, two = read_result(before), read_result(after)
    changes = compare(one, two, limits)
    missed = [change for change in changes if change.missed]
    if as_json:
        found: CompareJson = {
            "before": _side(before, one),
            "after": _side(after, two),
            "changes": [_json(change) for change in changes],
            "missed": [f"{change.variant} {change.missed}".strip() for change in missed],
        }
        print(json.dumps(found, ensure_ascii=False))
        return 1 if missed else 0
    print(printable(f"before: {one.name}, {verdict(one)}", 400))
    print(printable(f"after:  {two.name}, {verdict(two)}", 400))
    for change in changes:
        print(printable(line(change), 400))
    for change in missed:
        print(printable(f"FAILED: {change.missed}: {line(change).strip()}", 400))
    return 1 if missed else 0


def line(change: Change) -> str:
    """A change in one line."""
    percent = "" if change.percent is None else f"{change.percent:+.1f} %"
    if change.before == change.after:
        percent = "same"
    sure = ""
    if change.low is not None and change.high is not None and percent != "same":
        word = "" if change.sure else ", may be chance"
        sure = f"  (95 %: {change.low:+.1f} to {change.high:+.1f} %{word})"
    name = f"{change.variant}: " if change.variant else ""
    before, after = value_of(change.measure, change.before), value_of(change.measure, change.after)
    return f"  {name}{NAMES[change.measure]:<14} {before:>12} → {after:>12}  {percent:>9}{sure}"


def _side(path: Path, result: Result) -> SideJson:
    return {"file": str(path), "name": result.name, "state": result.state, "runs": len(result.runs)}


def _json(change: Change) -> ChangeJson:
    return {
        "variant": change.variant, "measure": change.measure, "before": change.before, "after": change.after,
        "percent": None if change.percent is None else round(change.percent, 3),
        "low_percent": None if change.low is None else round(change.low, 3),
        "high_percent": None if change.high is None else round(change.high, 3),
        "missed": change.missed,
    }  # fmt: skip
