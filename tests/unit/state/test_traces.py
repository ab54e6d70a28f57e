"""Recorded scaling runs of a real control plane: every rescale is told beforehand, with size, reason and time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.traces import is_trace, replay

TRACES = sorted(p for p in (Path(__file__).parents[2] / "data" / "traces").iterdir() if is_trace(p))


@pytest.mark.parametrize("path", TRACES, ids=[p.name.split(".")[0] for p in TRACES])
def test_the_run_is_predicted(path: Path) -> None:
    (result,) = replay(path)
    assert result.notes == []
    assert result.passed
    assert result.rescales > 0
    assert result.agreed == result.compared >= 30


def test_there_are_traces() -> None:
    assert len(TRACES) == 6
