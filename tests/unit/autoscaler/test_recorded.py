"""What Kubernetes itself did, 1.28 to 1.38, against our code: chosen rows everywhere, all of them where ../shared is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.__main__ import KINDS, Kind, kind_of, outcome, row_id, rows
from tests.conformance.decisions import run

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


@pytest.mark.skipif(not (SHARED / "older").is_dir(), reason="the older set is not beside the project")
def test_all_rows_of_older_versions() -> None:
    decisions = next(kind for kind in KINDS if kind.name == "decisions")
    count, failed = _failures(SHARED / "older", decisions)
    assert count > 2000
    assert failed == []


def test_values_in_the_status_are_written_as_the_version_does() -> None:
    """Numbers are compared as numbers elsewhere; here their text: 41943040 before 1.34, 40Mi from then on."""
    compared = 0
    for row in (item for path in sorted(OWN.glob("hpa-decisions*")) for item in rows(path)):
        if "quantity-overflow" in row["tags"]:
            continue
        want, have = row["expect"]["status"].get("currentMetrics"), run(row).status.get("currentMetrics")
        for told, made in zip(want or (), have or (), strict=True):
            for name, part in told.items():
                if isinstance(part, dict):
                    assert part.get("current") == made[name].get("current"), row["id"]
                    compared += 1
    assert compared > 200


def test_a_difference_is_noticed() -> None:
    kind = next(kind for kind in KINDS if kind.name == "decisions")
    row = next(row for row in rows(OWN / "hpa-decisions.jsonl.gz") if row["expect"]["rescaledTo"] is not None)
    row = {**row, "expect": {**row["expect"], "rescaledTo": row["expect"]["rescaledTo"] + 1}}
    assert "rescaledTo" in outcome(kind, row)
