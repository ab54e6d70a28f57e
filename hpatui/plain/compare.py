"""`hpatui compare A B`: two results of `hpatui run --json` beside each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from hpatui.experiment.compare import Change, compare, parse_limit, read_result
from hpatui.experiment.measures import NAMES
from hpatui.experiment.pages import value_of, verdict
from hpatui.text import printable


def run_compare(before: Path, after: Path, fail_if: Sequence[str], *, as_json: bool) -> int:
    """Print what changed; 1 where a limit is broken. UsageError for files and limits that cannot be read."""
    limits = [parse_limit(text) for text in fail_if]
    one, two = read_result(before), read_result(after)
    changes = compare(one, two, limits)
    missed = [change for change in changes if change.missed]
    if as_json:
        print(json.dumps({
            "before": {"file": str(before), "name": one.name, "state": one.state, "runs": len(one.runs)},
            "after": {"file": str(after), "name": two.name, "state": two.state, "runs": len(two.runs)},
            "changes": [_json(change) for change in changes],
            "missed": [f"{change.measure} {change.missed}".strip() for change in missed],
        }, ensure_ascii=False))  # fmt: skip
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


def _json(change: Change) -> dict[str, object]:
    return {
        "variant": change.variant, "measure": change.measure, "before": change.before, "after": change.after,
        "percent": None if change.percent is None else round(change.percent, 3),
        "low_percent": None if change.low is None else round(change.low, 3),
        "high_percent": None if change.high is None else round(change.high, 3),
        "missed": change.missed,
    }  # fmt: skip
