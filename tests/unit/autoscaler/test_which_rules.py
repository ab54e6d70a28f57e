"""Which rules apply: vendors' version strings, emulated versions, gates, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.autoscaler.which_rules import parse_gates, server_version, which_rules


def _text(answer: dict[str, Any], **options: Any) -> str:
    return which_rules(server_version(answer), **options).text


@pytest.mark.parametrize(
    ("answer", "minor", "text"),
    [
        ({"gitVersion": "v1.32.9"}, 32, "rules of 1.32 (server 1.32.9)"),
        ({"gitVersion": "v1.31.4-eks-2d5f260"}, 31, "rules of 1.31-messages_verbatim"),
        ({"gitVersion": "v1.30.14-gke.1014001"}, 30, "rules of 1.30 (server 1.30.14-gke.1014001)"),
        ({"gitVersion": "v1.29.14+7cf4c05", "minor": "29+"}, 29, "rules of 1.29 (server 1.29.14+7cf4c05)"),
        ({"gitVersion": "v1.33.1+k3s1"}, 33, "rules of 1.33 (server 1.33.1+k3s1)"),
        ({"major": "1", "minor": "29+"}, 29, "rules of 1.29 (server 1.29)"),
        ({"gitVersion": "v1.35.0-alpha.3.84+abc"}, 35, "rules of 1.35 (server 1.35.0-alpha.3.84+abc)"),
        ({"gitVersion": "v1.25.3"}, 28, "rules of 1.28, the oldest known (server 1.25.3)"),
        ({"gitVersion": "v1.41.0"}, 38, "rules of 1.38, the newest known (server 1.41.0)"),
        ({}, 36, "rules of 1.36 (the server does not tell its version)"),
        ({"gitVersion": "devel", "minor": ""}, 36, "rules of 1.36 (server devel)"),
    ],
)
def test_versions(answer: dict[str, Any], minor: int, text: str) -> None:
    choice = which_rules(server_version(answer))
    assert choice.controller.minor == minor
    if "-messages" not in text:
        assert choice.text == text


def test_a_late_patch() -> None:
    """127422 came to 1.29.14, 1.30.10 and 1.31.6."""
    for version, verbatim in (
        ("1.31.5", False),
        ("1.31.6", True),
        ("1.29.13", False),
        ("1.32.0", True),
        ("1.28.15", False),
    ):
        assert which_rules(server_version({"gitVersion": f"v{version}"})).controller.messages_verbatim is verbatim


def test_an_emulated_version_sets_the_gates_and_nothing_else() -> None:
    answer = {"gitVersion": "v1.37.0", "emulationMajor": "1", "emulationMinor": "36"}
    rules = which_rules(server_version(answer)).controller
    assert not rules.scale_to_zero
    assert rules.tolerance_by_direction
    assert _text(answer) == "rules of 1.37 with the feature gates of 1.36, which it emulates (server 1.37.0)"
    answer = {"gitVersion": "v1.35.2", "emulationMajor": "1", "emulationMinor": "34"}
    rules = which_rules(server_version(answer)).controller
    assert not rules.tolerance_by_direction
    assert rules.value_capped
    assert _text({**answer, "emulationMinor": "35"}) == "rules of 1.35 (server 1.35.2)"


def test_what_the_user_says_beats_the_version() -> None:
    answer = {"gitVersion": "v1.33.4"}
    assert _text(answer, given="1.32") == "rules of 1.32, as given (server 1.33.4)"
    choice = which_rules(server_version(answer), given="1.32")
    assert (choice.controller.minor, choice.server.minor) == (32, 33)
    with pytest.raises(ValueError, match="names no rules"):
        which_rules(server_version(answer), given="newest")


def test_gates() -> None:
    answer = {"gitVersion": "v1.36.2"}
    gates = parse_gates("HPAScaleToZero=true, PodLevelResources=False")
    choice = which_rules(server_version(answer), gates=gates)
    assert choice.controller.scale_to_zero
    assert not choice.controller.pod_level_requests
    assert choice.text == "rules of 1.36, HPAScaleToZero on, PodLevelResources off (server 1.36.2)"
    early = which_rules(server_version({"gitVersion": "v1.32.1"}), gates={"HPAScaleToZero": True})
    assert not early.controller.scale_to_zero
    assert early.text == "rules of 1.32, HPAScaleToZero has no effect before 1.36 (server 1.32.1)"
    tolerant = which_rules(server_version({"gitVersion": "v1.33.1"}), gates={"HPAConfigurableTolerance": True})
    assert tolerant.controller.tolerance_by_direction


@pytest.mark.parametrize("minor", [27, 28, 29])
def test_the_gate_of_container_metrics(minor: int) -> None:
    """On by default in 1.28 and 1.29, so that only `false` changes anything."""
    server = server_version({"gitVersion": f"v1.{minor}.3"})
    assert which_rules(server).controller.container_metrics
    off = which_rules(server, gates=parse_gates("HPAContainerMetrics=false"))
    assert not off.controller.container_metrics
    assert "HPAContainerMetrics off" in off.text
    on = which_rules(server, gates=parse_gates("HPAContainerMetrics=true"))
    assert on.controller == which_rules(server).controller


@pytest.mark.parametrize("minor", [30, 31, 32, 38])
def test_the_gate_of_container_metrics_is_locked_from_1_30_on(minor: int) -> None:
    server = server_version({"gitVersion": f"v1.{minor}.0"})
    choice = which_rules(server, gates=parse_gates("HPAContainerMetrics=false"))
    assert choice.controller == which_rules(server).controller
    assert "HPAContainerMetrics has no effect from 1.30 on" in choice.text


@pytest.mark.parametrize("text", ["HPAScaleToZero", "HPAScaleToZero=1", "HPAScaleToOne=true", "=true"])
def test_gates_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no feature gate|has no feature gate"):
        parse_gates(text)
