"""Samples are asked for when the next are due."""

from __future__ import annotations

import pytest

from hpatui.cluster.pace import LONGEST, PUBLISHING, UsagePace

NOW = 1_780_000_000.0


def test_the_next_question_comes_when_the_next_sample_is_due() -> None:
    pace = UsagePace(15.0)
    assert pace.next(NOW - 5, NOW) == pytest.approx(10 + PUBLISHING)
    assert pace.next(NOW + 10, NOW + 10 + PUBLISHING) == 15


def test_samples_tell_their_own_period() -> None:
    pace = UsagePace(15.0)
    pace.next(NOW, NOW)
    assert pace.next(NOW + 60, NOW + 61) == pytest.approx(59 + PUBLISHING)
    assert pace.next(NOW + 60, NOW + 121) == 20, "nothing new when it was due: a third of the period"


def test_clocks_that_disagree_do_not_matter() -> None:
    for skew in (-3600.0, 3600.0):
        assert UsagePace(15.0).next(NOW + skew, NOW) == 15.0


def test_errors_are_asked_about_less_and_less_often() -> None:
    pace = UsagePace(15.0)
    pauses = [pace.failed() for _ in range(12)]
    assert pauses[0] == 5 and pauses == sorted(pauses) and pauses[-1] == LONGEST
