"""Rules inferred from syncs: a controller one minor older than its server, a change ported back, and no claim too many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hpatui.autoscaler.inputs import Memory, MetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics
from hpatui.model import ControllerFlags
from hpatui.state.facts import Inputs
from hpatui.state.frames import Frame
from hpatui.state.rules_inference import infer_rules

START = 1_795_000_000.0


def _hpa() -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": 80}
    return {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 1,
            "maxReplicas": 50,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        },
    }


def _frame(index: int, count: int, milli: int, to_size: int, *, succeeded: int = 0) -> Frame:
    def pod(number: int, phase: str) -> dict[str, Any]:
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-01T00:00:00Z"}
        return {
            "metadata": {"namespace": "shop", "name": f"web-{number}", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "100m"}}}]},
            "status": {"phase": phase, "startTime": "2026-11-01T00:00:00Z", "conditions": [ready]},
        }

    def usage(number: int) -> dict[str, Any]:
        return {
            "metadata": {"namespace": "shop", "name": f"web-{number}", "labels": {"app": "web"}},
            "timestamp": "2026-11-18T00:00:00Z",
            "window": "15s",
            "containers": [{"name": "web", "usage": {"cpu": f"{milli}m"}}],
        }

    pods = [parse_pod(pod(n, "Running")) for n in range(count)]
    pods += [parse_pod(pod(n, "Succeeded")) for n in range(count, count + succeeded)]
    inputs = Inputs(
        parse_hpa(_hpa()),
        ScaleInput(count, count, "app=web"),
        tuple(pods),
        MetricsInput(tuple(parse_pod_metrics(usage(n)) for n in range(count))),
    )
    return Frame(START + 15 * index, inputs, Memory(), to_size)


def test_a_controller_that_scales_at_exactly_110_percent_is_an_older_one() -> None:
    flags = ControllerFlags(rules="1.33")
    frames = [_frame(0, 10, 80, 10), *(_frame(i, 10, 88, 11) for i in range(1, 4))]
    found = infer_rules(frames, flags)
    assert found is not None
    assert not found.rules.edge_within_tolerance
    assert "as before 1.33 (3 of 4 syncs show it)" in found.text
    assert infer_rules(frames, replace(flags, rules="1.32")) is None


def test_a_change_that_was_ported_back() -> None:
    """Three pods at 110 m and one Succeeded: up to 5 where it is ignored, held back where it counts."""
    frames = [_frame(i, 3, 110, 5, succeeded=1) for i in range(3)]
    found = infer_rules(frames, ControllerFlags(rules="1.37"))
    assert found is not None
    assert found.rules.name == "1.37+succeeded_ignored"
    assert "pods in phase Succeeded are ignored, with their metrics, as 1.38" in found.text


def test_one_sync_or_a_contradiction_proves_nothing() -> None:
    flags = ControllerFlags(rules="1.33")
    assert infer_rules([_frame(0, 10, 88, 11)], flags) is None
    mixed = [_frame(0, 10, 88, 11), _frame(1, 10, 88, 11), _frame(2, 10, 88, 10)]
    assert infer_rules(mixed, flags) is None
    assert infer_rules([_frame(i, 10, 88, 17) for i in range(5)], flags) is None
