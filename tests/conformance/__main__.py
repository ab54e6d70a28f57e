"""`python -m tests.conformance DIR [--show ID]`: run every recorded file in a folder against our code.

A line for each kind, and last `N passed, M failed`. `--show ID` explains one row's difference. Exit code 1 on failures.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance import decisions, texts

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of recorded row: how to know it, check it, name it, and which rows are reported apart."""

    name: str
    fields: frozenset[str]
    check: Callable[[Row], str]
    apart: Callable[[Row], bool] = lambda _row: False


KINDS = (
    Kind("decisions", frozenset({"expect", "podMetrics"}), decisions.check, decisions.apart),
    Kind("descriptions", frozenset({"hpa", "text"}), texts.check_description),
    Kind("table rows", frozenset({"hpa", "targets"}), texts.check_row),
    Kind("quantities", frozenset({"input", "milliValue"}), texts.check_quantity),
)


def rows(path: Path) -> Iterator[Row]:
    """The rows of a .jsonl or .jsonl.gz file."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def kind_of(row: Row) -> Kind | None:
    """The kind of a row, by its fields."""
    return next((kind for kind in KINDS if kind.fields <= row.keys()), None)


def row_id(row: Row) -> str:
    """What names a row."""
    return str(row.get("id") or row.get("input"))


def outcome(kind: Kind, row: Row) -> str:
    """What differs, empty if nothing; a crash is a difference too."""
    try:
        return kind.check(row)
    except Exception as error:  # noqa: BLE001  a crash on one row must not hide the others
        return f"{type(error).__name__}: {error}"


def main(argv: list[str]) -> int:
    """Run; the exit code is 1 if any row failed, 2 if there was none."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", metavar="ID", help="explain one row")
    args = parser.parse_args(argv)
    files = sorted(p for p in args.folder.glob("*") if p.name.endswith((".jsonl", ".jsonl.gz")))
    if not files:
        print(f"no .jsonl files in {args.folder}", file=sys.stderr)
        return 2
    recorded = [p for p in files if (p.parent / f"{p.name.split('.')[0]}.facts.json").exists()]
    passed, failed = _run_rows([p for p in files if p not in recorded], args.show)
    if recorded:
        from tests.conformance import traces

        trace_passed, trace_failed = traces.run(recorded, args.show)
        passed, failed = passed + trace_passed, failed + trace_failed
        from tests.conformance import simulated

        simulated.run(recorded)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0 if passed else 2


def _run_rows(files: list[Path], show: str | None) -> tuple[int, int]:
    counts: dict[str, list[int]] = {}
    apart = [0, 0]
    failures: list[str] = []
    for path in files:
        for row in rows(path):
            kind = kind_of(row)
            if kind is None:
                continue
            difference = outcome(kind, row)
            if show == row_id(row):
                print(f"{row_id(row)} ({kind.name}): {difference or 'equal'}")
            count = apart if kind.apart(row) else counts.setdefault(kind.name, [0, 0])
            count[bool(difference)] += 1
            if difference and count is not apart:
                failures.append(row_id(row))
    for name, (good, bad) in counts.items():
        print(f"{name}: {good} equal, {bad} different")
    if sum(apart):
        print(f"decisions with quantities that overflow (apart): {apart[0]} equal, {apart[1]} different")
    if failures:
        print("different: " + " ".join(failures[:20]) + (" ..." if len(failures) > 20 else ""))
    return sum(c[0] for c in counts.values()), sum(c[1] for c in counts.values())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
