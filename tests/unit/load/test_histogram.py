"""The histogram against the HdrHistogram package, and its merging."""

from __future__ import annotations

import math
import random

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from hpatui.load.histogram import HIGHEST, LOWEST, Histogram, highest_of, index_of

_VALUES = st.lists(st.integers(0, HIGHEST + 1000), min_size=1, max_size=200)


def of_values(values: list[int]) -> Histogram:
    """A histogram of these values."""
    histogram = Histogram()
    histogram.record_all(values)
    return histogram


@settings(deadline=None)
@given(st.integers(LOWEST, HIGHEST))
def test_a_slot_holds_its_value_to_three_digits(value: int) -> None:
    highest = highest_of(index_of(value))
    assert value <= highest <= value * 1.001
    assert index_of(highest) == index_of(value)
    assert index_of(highest + 1) == index_of(value) + 1


@settings(deadline=None)
@given(_VALUES)
def test_percentiles_are_values_that_were_recorded_to_three_digits(values: list[int]) -> None:
    ordered = sorted(min(max(value, LOWEST), HIGHEST) for value in values)
    wanted = (50, 90, 99, 99.9, 100)
    found = of_values(values).percentiles(wanted)
    for percentile, milliseconds in zip(wanted, found, strict=True):
        exact = ordered[max(1, math.ceil(percentile / 100 * len(ordered) - 1e-9)) - 1]
        assert milliseconds == pytest.approx(exact / 1000.0, rel=0.001)


@settings(deadline=None)
@given(_VALUES)
def test_the_slots_are_those_of_hdrhistogram(values: list[int]) -> None:
    other = HdrHistogram(LOWEST, HIGHEST, 3)
    for value in values:
        other.record_value(min(max(value, LOWEST), HIGHEST))
    slots = {
        index_of(item.value_iterated_to): item.count_at_value_iterated_to for item in other.get_recorded_iterator()
    }
    assert of_values(values).counts == slots


@settings(deadline=None)
@given(_VALUES, _VALUES)
def test_merging_is_recording_both(first: list[int], second: list[int]) -> None:
    merged = of_values(first)
    merged.merge(of_values(second).counts)
    both = of_values(first + second)
    assert merged.counts == both.counts
    assert merged.total == both.total
    assert merged.max_ms == pytest.approx(both.max_ms, rel=0.001)


def test_nothing_recorded_has_no_percentiles() -> None:
    empty = Histogram()
    assert empty.percentiles((50, 99)) == [None, None]
    assert empty.mean_ms is None
    assert empty.max_ms is None


def test_it_does_not_grow_with_the_run() -> None:
    numbers = random.Random(1)
    histogram = Histogram()
    for _ in range(50):
        histogram.record_all([int(numbers.lognormvariate(8, 2)) for _ in range(2000)])
    before = len(histogram.counts)
    for _ in range(50):
        histogram.record_all([int(numbers.lognormvariate(8, 2)) for _ in range(2000)])
    assert histogram.total == 200_000
    assert len(histogram.counts) < before * 1.3
