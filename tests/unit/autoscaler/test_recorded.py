"""What Kubernetes 1.36 itself did, against our code: a chosen 200 rows everywhere, all of them where ../shared is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.__main__ import KINDS, Kind, kind_of, outcome, row_id, rows

OWN = Path(__file__).parents[2] / "data" / "conformance"
SHARED = Path(__file__).parents[4] / "shared" / "conformance"


def _failures(folder: Path, kind: Kind) -> tuple[int, list[str]]:
    count, failed = 0, []
    for path in sorted(folder.glob("*.jsonl*")):
        for row in rows(path):
            if kind_of(row) is kind and not kind.apart(row):
                count += 1
                difference = outcome(kind, row)
                if difference:
                    failed.append(f"{row_id(row)}: {difference}")
    return count, failed


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_chosen_rows(kind: Kind) -> None:
    count, failed = _failures(OWN, kind)
    assert count > 0
    assert failed == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.skipif(not SHARED.is_dir(), reason="the large set is not beside the project (../shared/conformance)")
def test_all_rows(kind: Kind) -> None:
    count, failed = _failures(SHARED, kind)
    assert count > 0
    assert failed == []


def test_a_difference_is_noticed() -> None:
    kind = next(kind for kind in KINDS if kind.name == "decisions")
    row = next(row for row in rows(OWN / "hpa-decisions.jsonl.gz") if row["expect"]["rescaledTo"] is not None)
    row = {**row, "expect": {**row["expect"], "rescaledTo": row["expect"]["rescaledTo"] + 1}}
    assert "rescaledTo" in outcome(kind, row)
