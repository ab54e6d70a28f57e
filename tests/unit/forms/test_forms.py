"""Kubernetes' own forms, each read in one place."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.forms.durations import SECOND, go_duration
from hpatui.forms.qos import qos_class
from hpatui.forms.selectors import selector_matches, selector_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("1m0s", 60), ("1h30m", 5400), ("14.2s", 14.2), ("300ms", 0.3), ("0", 0), ("0s", 0), (".5s", 0.5),
     ("1.s", 1), ("-2s", -2), ("+3s", 3), ("1µs", 1e-6), ("1us", 1e-6), ("5ns", 5e-9)],
)  # fmt: skip
def test_durations_are_read_as_go_reads_them(text: str, seconds: float) -> None:
    assert go_duration(text) == round(seconds * SECOND)


@pytest.mark.parametrize("text", ["", "5", "s", "1x", "1m5", "1 s", "1,5s", ".s", "--1s", "٣s"])
def test_what_go_does_not_read_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        go_duration(text)


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"b": "2", "a": "1"}}, "a=1,b=2"),
        ({"matchExpressions": [{"key": "t", "operator": "In", "values": ["b", "a"]}]}, "t in (a,b)"),
        ({"matchExpressions": [{"key": "t", "operator": "NotIn", "values": ["a"]}]}, "t notin (a)"),
        ({"matchExpressions": [{"key": "t", "operator": "Exists"}, {"key": "c", "operator": "DoesNotExist"}]}, "!c,t"),
        ({"app": "old"}, "app=old"),
        (None, ""), ([], ""), ({"matchLabels": None}, ""), ({"matchExpressions": [None, 5]}, ""),
    ],
)  # fmt: skip
def test_selectors_as_text(selector: Any, text: str) -> None:
    assert selector_text(selector) == text


@pytest.mark.parametrize(
    ("selector", "labels", "matches"),
    [
        (None, {"a": "1"}, False),
        ({}, {"a": "1"}, True),
        ({"matchLabels": {"a": "1"}}, {"a": "1", "b": "2"}, True),
        ({"matchLabels": {"a": "1"}}, None, False),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["2"]}]}, {}, True),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["2"]}]}, {}, False),
        ({"matchExpressions": [{"key": "a", "operator": "Like", "values": ["2"]}]}, {"a": "2"}, False),
        ({"matchExpressions": [None]}, {}, False),
    ],
)
def test_selectors_on_labels(selector: Any, labels: Any, matches: bool) -> None:
    assert selector_matches(selector, labels) is matches


def container(requests: dict[str, str], limits: dict[str, str]) -> dict[str, Any]:
    """A container with these resources."""
    return {"resources": {"requests": requests, "limits": limits}}


BOTH = {"cpu": "500m", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [{}]}, "BestEffort"),
        ({"containers": [container(BOTH, BOTH)]}, "Guaranteed"),
        ({"containers": [container(BOTH, {"cpu": "0.5", "memory": "1024Mi"})]}, "Guaranteed"),
        ({"containers": [container(BOTH, BOTH), {}]}, "Burstable"),
        ({"containers": [container({"cpu": "0"}, {})]}, "BestEffort"),
        ({"containers": [container({"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "1"})]}, "BestEffort"),
        ({"containers": [container(BOTH, BOTH)], "initContainers": [container({"cpu": "1"}, {})]}, "Burstable"),
        ({"containers": [{}], "resources": {"requests": BOTH, "limits": BOTH}}, "Guaranteed"),
        ({"containers": [container({"cpu": "250m"}, BOTH)]}, "Burstable"),
    ],
)
def test_quality_of_service_is_one(spec: dict[str, Any], expected: str) -> None:
    assert qos_class(spec) == expected
