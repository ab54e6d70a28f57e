"""Rules inferred from syncs: a controller one minor older than its server, a change ported back, and no claim too many."""

from __future__ import annotations

from dataclasses import replace

from hpatui.model import ControllerFlags
from hpatui.state.rules_inference import infer_rules
from tests.unit.state.small_frames import frame, hpa_object


def test_a_controller_that_scales_at_exactly_110_percent_is_an_older_one() -> None:
    flags = ControllerFlags(rules="1.33")
    frames = [frame(10, 80, 10, index=0), *(frame(10, 88, 11, index=i) for i in range(1, 4))]
    found = infer_rules(frames, flags)
    assert found is not None
    assert not found.rules.edge_within_tolerance
    assert "as before 1.33 (3 of 4 syncs show it)" in found.text
    assert infer_rules(frames, replace(flags, rules="1.32")) is None


def test_a_change_that_was_ported_back() -> None:
    """Three pods at 110 m and one Succeeded: up to 5 where it is ignored, held back where it counts."""
    frames = [frame(3, 110, 5, index=i, succeeded=1) for i in range(3)]
    found = infer_rules(frames, ControllerFlags(rules="1.37"))
    assert found is not None
    assert found.rules.name == "1.37+succeeded_ignored"
    assert "pods in phase Succeeded are ignored, with their metrics, as 1.38" in found.text


def test_one_sync_or_a_contradiction_proves_nothing() -> None:
    flags = ControllerFlags(rules="1.33")
    assert infer_rules([frame(10, 88, 11, index=0)], flags) is None
    mixed = [frame(10, 88, 11, index=0), frame(10, 88, 11, index=1), frame(10, 88, 10, index=2)]
    assert infer_rules(mixed, flags) is None
    assert infer_rules([frame(10, 88, 17, index=i) for i in range(5)], flags) is None


def test_a_size_that_stays_does_not_prove_a_gate() -> None:
    """ContainerResource metrics that fail have many causes; that HPAContainerMetrics is off only the user can say."""
    target = {"type": "Utilization", "averageUtilization": 50}
    source = {"name": "cpu", "container": "web", "target": target}
    hpa = hpa_object({"type": "ContainerResource", "containerResource": source})
    frames = [frame(3, 90, 3, index=i, hpa=hpa) for i in range(4)]
    for rules in ("1.28", "1.29", "1.36"):
        assert infer_rules(frames, ControllerFlags(rules=rules)) is None
