"""What a dialog costs in memory, in the real program with its own thresholds. `make bench` does it for each dialog."""

from __future__ import annotations

import os

import pytest

from bench.bench_memory import growth

pytestmark = [pytest.mark.e2e, pytest.mark.serial, pytest.mark.timeout(300)]

TIMES = int(os.environ.get("HPATUI_TEST_OPENINGS", "150"))
MOST = 7.0  # megabytes; where closed screens wait longer to be looked at it is 11


def test_help_gives_its_memory_back(kubeconfig: str) -> None:
    before, after = growth(kubeconfig, "?", "Start or stop", TIMES)
    assert after - before < MOST
