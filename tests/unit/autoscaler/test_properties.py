"""What must hold for every input: bounds, monotony, purity, and no crash on anything the API server could accept."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import ControllerConfig, Memory, MetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics, parse_scale
from hpatui.autoscaler.times import from_ns, to_ns
from hpatui.errors import MalformedObject

NOW = to_ns("2026-11-23T10:00:00Z")
STAMP = "2026-11-23T09:59:50Z"


def _hpa(minimum: int, maximum: int, target: int, behavior: dict[str, Any] | None = None) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": minimum,
        "maxReplicas": maximum,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}},
            }
        ],
    }
    if behavior is not None:
        spec["behavior"] = behavior
    return {"metadata": {"namespace": "shop", "name": "web"}, "spec": spec, "status": {}}


def _pod(index: int, *, ready: bool = True) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "name": f"web-{index:03}", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]},
        "status": {
            "phase": "Running",
            "startTime": "2026-11-23T08:00:00Z",
            "conditions": [
                {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-11-23T08:00:10Z"},
            ],
        },
    }


def _usage(index: int, cpu: int) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "shop", "name": f"web-{index:03}", "labels": {"app": "web"}},
        "timestamp": STAMP,
        "window": "15s",
        "containers": [{"name": "web", "usage": {"cpu": f"{cpu}m", "memory": "20Mi"}}],
    }


def _decide(hpa: dict[str, Any], replicas: int, usages: list[int], memory: Memory | None = None) -> Decision:
    return decide(
        parse_hpa(hpa),
        ScaleInput(replicas, replicas, "app=web"),
        [parse_pod(_pod(index)) for index in range(len(usages))],
        MetricsInput(tuple(parse_pod_metrics(_usage(index, cpu)) for index, cpu in enumerate(usages))),
        memory or Memory(),
        ControllerConfig(),
        NOW,
    )


_sizes = st.integers(1, 30)
_behaviors = st.one_of(
    st.none(),
    st.builds(
        lambda window, select, value, kind: {
            "scaleUp": {
                "stabilizationWindowSeconds": window,
                "selectPolicy": select,
                "policies": [{"type": kind, "value": value, "periodSeconds": 15}],
            },
            "scaleDown": {
                "stabilizationWindowSeconds": window,
                "selectPolicy": select,
                "policies": [{"type": kind, "value": value, "periodSeconds": 60}],
            },
        },
        st.integers(0, 600),
        st.sampled_from(["Max", "Min", "Disabled"]),
        st.integers(1, 200),
        st.sampled_from(["Pods", "Percent"]),
    ),
)


@given(
    _sizes, st.integers(0, 30), st.integers(1, 200), st.lists(st.integers(0, 1000), min_size=1, max_size=30), _behaviors
)
@settings(deadline=None, max_examples=150)
def test_never_outside_the_bounds(
    minimum: int, more: int, target: int, usages: list[int], behavior: dict[str, Any] | None
) -> None:
    maximum = minimum + more
    decision = _decide(_hpa(minimum, maximum, target, behavior), len(usages), usages)
    # A size outside the bounds goes straight to the bound; inside, no rate or window leaves them.
    if minimum <= len(usages) <= maximum:
        assert minimum <= decision.replicas <= maximum
    elif decision.rescaled_to is not None:
        assert decision.rescaled_to in (minimum, maximum)


@given(st.integers(1, 200), st.lists(st.integers(0, 500), min_size=1, max_size=20), st.integers(0, 500), _behaviors)
@settings(deadline=None, max_examples=150)
def test_more_usage_never_lowers_the_result(
    target: int, usages: list[int], extra: int, behavior: dict[str, Any] | None
) -> None:
    hpa = _hpa(1, 100, target, behavior)
    low = _decide(hpa, len(usages), usages)
    high = _decide(hpa, len(usages), [usage + extra for usage in usages])
    assert high.replicas >= low.replicas


@given(st.integers(1, 200), st.lists(st.integers(0, 500), min_size=1, max_size=10), _behaviors)
@settings(deadline=None, max_examples=60)
def test_a_decision_is_a_function_of_its_arguments(
    target: int, usages: list[int], behavior: dict[str, Any] | None
) -> None:
    hpa = _hpa(1, 50, target, behavior)
    before = copy.deepcopy(hpa)
    first, second = _decide(hpa, len(usages), usages), _decide(hpa, len(usages), usages)
    assert first == second
    assert hpa == before


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)
_PATHS = (
    ("spec", "metrics"), ("spec", "minReplicas"), ("spec", "maxReplicas"), ("spec", "behavior"), ("spec",),
    ("spec", "scaleTargetRef"), ("metadata",), ("status",), ("status", "conditions"), ("status", "lastScaleTime"),
    ("spec", "metrics", 0, "resource"), ("spec", "metrics", 0, "resource", "target"), ("spec", "metrics", 0, "type"),
    ("spec", "metrics", 0, "resource", "target", "averageValue"),
)  # fmt: skip


@given(st.sampled_from(_PATHS), _json)
@settings(deadline=None, max_examples=300)
def test_malformed_objects_give_a_typed_error_or_a_decision(path: tuple[Any, ...], value: Any) -> None:
    hpa = _hpa(1, 5, 50)
    place: Any = hpa
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    try:
        decision = _decide(hpa, 2, [50, 60])
    except MalformedObject as error:
        assert error.path
        return
    assert isinstance(decision.replicas, int)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"metrics": [{"type": "Resource"}]}, "spec.metrics[0].resource"),
        (
            {"metrics": [{"type": "Pods", "pods": {"metric": {"name": "x"}}}]},
            "spec.metrics[0].pods.target.averageValue",
        ),
        ({"maxReplicas": "three"}, "spec.maxReplicas"),
        (
            {"metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"averageValue": "1x"}}}]},
            "spec.metrics[0].resource.target.averageValue",
        ),
        ({"behavior": {"scaleUp": {"policies": [{"value": []}]}}}, "spec.behavior.scaleUp.policies[0].value"),
    ],
)
def test_the_error_names_the_field(change: dict[str, Any], path: str) -> None:
    hpa = _hpa(1, 5, 50)
    hpa["spec"] |= change
    with pytest.raises(MalformedObject) as caught:
        parse_hpa(hpa)
    assert caught.value.path == path


def test_times_are_exact_to_the_nanosecond() -> None:
    assert to_ns("2026-11-23T07:05:47.843628235Z") % 10**9 == 843628235
    assert to_ns("2026-11-23T08:05:47+01:00") == to_ns("2026-11-23T07:05:47Z")
    assert from_ns(to_ns("2026-11-23T07:05:47.9Z")) == "2026-11-23T07:05:47Z"
    with pytest.raises(ValueError, match="no RFC 3339"):
        to_ns("yesterday")


def test_a_scale_without_replicas_means_zero() -> None:
    assert parse_scale({"spec": {}, "status": {"selector": "a=b"}}).spec_replicas == 0
