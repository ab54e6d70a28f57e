"""The words of an explanation."""

from __future__ import annotations

import pytest

from hpatui.autoscaler import sentences as say


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "failed to get cpu utilization: missing request for cpu in container sidecar of Pod web-1",
            "blind: container sidecar has no cpu request",
        ),
        (
            "unable to get metrics for resource cpu: no metrics returned from resource metrics API",
            "blind: the metrics API has no sample of these pods yet",
        ),
        (
            "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from "
            "resource metrics API: the server is currently unable to handle the request",
            "blind: the metrics API does not answer (the server is currently unable to handle the request)",
        ),
        (
            "unable to get metric rps: unable to fetch metrics from custom metrics API: not found",
            "blind: the metrics adapter has no answer (not found)",
        ),
        ("something new", "blind: something new"),
        ("", "blind: the metric has no value"),
    ],
)
def test_blind_names_what_is_to_mend(message: str, said: str) -> None:
    assert say.blind(message) == said


def test_numbers_read_well() -> None:
    assert [say.percent(x) for x in (0.1, 0.075, 0.0, 1.0)] == ["10 %", "7.5 %", "0 %", "100 %"]
    assert [say.duration(x) for x in (12, 119, 240, 252, 7500)] == ["12 s", "119 s", "4 min", "4 min 12 s", "2 h 5 min"]
    assert say.names(["a"]) == "a" and say.names(["a", "b", "c"]) == "a, b and c"
    assert say.names(["a", "b", "c", "d"]) == "a, b and 2 more"
    assert (say.stay(1), say.stay(3)) == ("1 replica stays", "3 replicas stay")


def test_an_allowance_says_now_and_later() -> None:
    assert say.allowance("up", 2, 0, None) == "may add 2 pods now"
    assert say.allowance("down", 0, 1, None) == "may remove no pod now"
    assert say.allowance("up", 2, 2, 0.0).startswith("may add 2 pods now and 2 more at ")
    assert say.allowance("up", 0, 1, 0.0).startswith("may add no pod now, 1 pod at ")
