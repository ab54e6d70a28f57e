"""Servers whose answers take a known time: what is measured is never less than what theory says of the planned requests.

(How much more it is depends on the machine: `make bench ARGS=truth` measures that.)
"""

from __future__ import annotations

import math

import pytest

from bench.bench_truth import expected, measured, plan_of


@pytest.mark.parametrize(
    ("kind", "arrivals"),
    [("constant", "even"), ("bimodal", "even"), ("exponential", "poisson"), ("mm1", "poisson"), ("stalled", "even")],
)
def test_no_percentile_is_better_than_the_truth(kind: str, arrivals: str) -> None:
    plan = plan_of(arrivals, 3.5 if kind == "stalled" else 1.5)
    truth, found = expected(kind, plan), measured(kind, plan)
    assert found.totals.requests == found.totals.ok == len(truth)
    for name, percentile in (("p50", 50.0), ("p90", 90.0), ("p99", 99.0), ("max", 100.0)):
        wanted = truth[max(1, math.ceil(percentile / 100 * len(truth) - 1e-9)) - 1]
        value = found.planned.table[name]
        # A queue gains from an arrival that was late itself; all else can only be slower.
        assert value is not None and value >= wanted * (0.9 if kind == "mm1" else 0.995) - 0.5
    assert found.planned.at_least == ()
