"""Decoders take whatever JSON comes: they give a fact or nothing, and never raise. What they read is exact."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpatui.cluster.decode import decode_event, decode_hpa, decode_workload
from hpatui.cluster.decode_pods import decode_owner, decode_pod, decode_scale, decode_usages, usage_of
from hpatui.cluster.fields import decode as decoded
from hpatui.cluster.fields import milli_of, quantity_number
from hpatui.quantity import QuantityError, parse_quantity

Decoder = Callable[[bytes], object]
DECODERS: list[Decoder] = [
    decode_hpa, decode_event, decode_workload, decode_pod, decode_usages, decode_owner,
    lambda raw: usage_of(decoded(raw), raw),
    lambda raw: decode_scale(raw, "Deployment", "apps/v1"),
]  # fmt: skip
NAMES = [
    "metadata", "name", "namespace", "uid", "labels", "ownerReferences", "creationTimestamp",
    "deletionTimestamp", "spec", "status", "metrics", "type", "resource", "external", "object", "pods",
    "containerResource", "metric", "selector", "matchLabels", "matchExpressions", "key", "operator", "values",
    "target", "current", "averageValue", "averageUtilization", "value", "currentMetrics", "conditions",
    "lastTransitionTime", "containers", "initContainers", "containerStatuses", "initContainerStatuses",
    "state", "waiting", "terminated", "exitCode", "resources", "requests", "limits", "cpu", "memory",
    "replicas", "schedulingGates", "readinessGates", "involvedObject", "series", "count", "timestamp",
    "window", "usage", "items", "describedObject", "scaleTargetRef", "minReplicas", "maxReplicas",
    "restartPolicy", "container",
]  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.sampled_from(
        ["", "x", "Resource", "External", "Object", "cpu", "100m", "1e999", "-5", "2026-01-01T00:00:00Z", "True",
         "9999-12-31T23:59:60Z", "0001-01-01T00:00:00Z", "15s", "In", "Always"]
    )
)  # fmt: skip
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8)
)


@given(body=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6))
@settings(max_examples=300, deadline=None)
def test_no_decoder_raises_on_any_json(body: dict[str, Any]) -> None:
    metadata = body.get("metadata")
    body["metadata"] = {**(metadata if isinstance(metadata, dict) else {}), "name": "x", "namespace": "n"}
    raw = json.dumps(body).encode()
    for decode in DECODERS:
        decode(raw)


@pytest.mark.parametrize("raw", [b"", b"null", b"[]", b"{", b'{"metadata":', b"\xff\xfe", b"[" * 5000, b"1e400"])
def test_no_decoder_raises_on_what_is_no_object(raw: bytes) -> None:
    for decode in DECODERS:
        assert not decode(raw)


@pytest.mark.parametrize("metrics", [[None], [None, {"type": "Resource"}], {}, "many", [[]], [{"type": None}]])
def test_an_hpa_with_broken_metrics_is_still_shown(metrics: object) -> None:
    hpa = decode_hpa(json.dumps({"metadata": {"name": "x"}, "spec": {"metrics": metrics}}).encode())
    assert hpa is not None and hpa.key.name == "x"


@given(
    number=st.integers(0, 10**12),
    suffix=st.sampled_from(["", "m", "n", "u", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "E"]),
    fraction=st.sampled_from(["", "", ".5", ".0001"]),
)
@settings(max_examples=300, deadline=None)
def test_the_short_way_of_quantities_equals_the_long_one(number: int, suffix: str, fraction: str) -> None:
    text = f"{number}{fraction}{suffix}"
    try:
        expected: int | None = parse_quantity(text).milli_value()
    except QuantityError:
        expected = None
    assert milli_of(text) == expected
    value = quantity_number(text)
    if expected is None:
        assert value is None
    else:
        assert value == pytest.approx(parse_quantity(text).approximate_float(), rel=1e-12)


@pytest.mark.parametrize("value", [None, True, [], {}, "", "x1m", "٣m", "1 m"])
def test_what_is_no_quantity_is_none(value: object) -> None:
    assert milli_of(value) is None


def metric(kind: str, target: dict[str, str], current: dict[str, str], **source: Any) -> dict[str, Any]:
    """An HPA with one metric of that kind."""
    name = kind[:1].lower() + kind[1:]
    entry = {"metric": {"name": "q", **source.pop("metric", {})}, **source}
    return {
        "metadata": {"name": "x", "namespace": "n"},
        "spec": {"metrics": [{"type": kind, name: {**entry, "target": target}}]},
        "status": {"currentMetrics": [{"type": kind, name: {**entry, "current": current}}]},
    }


@pytest.mark.parametrize(
    ("kind", "target", "current", "expected"),
    [
        ("External", {"type": "AverageValue", "averageValue": "50"}, {"value": "0", "averageValue": "40"}, 40.0),
        ("External", {"type": "Value", "value": "50"}, {"value": "30", "averageValue": "0"}, 30.0),
        ("Object", {"type": "Value", "value": "50", "averageValue": "9"}, {"value": "30", "averageValue": "2"}, 30.0),
        ("Object", {"type": "AverageValue", "averageValue": "9"}, {"value": "0", "averageValue": "2"}, 2.0),
        ("Pods", {"type": "AverageValue", "averageValue": "9"}, {"value": "0", "averageValue": "2"}, 2.0),
        ("External", {"type": "AverageValue", "averageValue": "50"}, {"value": "0"}, None),
    ],
)
def test_the_field_of_the_status_is_chosen_by_the_target(
    kind: str, target: dict[str, str], current: dict[str, str], expected: float | None
) -> None:
    hpa = decode_hpa(json.dumps(metric(kind, target, current)).encode())
    assert hpa is not None and hpa.metrics[0].current == expected


def test_a_metric_carries_what_tells_it_from_another_of_its_name() -> None:
    body = metric("Object", {"type": "Value", "value": "5"}, {}, describedObject={"kind": "Ingress", "name": "main"})
    other = metric("External", {"type": "Value", "value": "5"}, {}, metric={"selector": {"matchLabels": {"q": "b"}}})
    body["spec"]["metrics"] += other["spec"]["metrics"]
    hpa = decode_hpa(json.dumps(body).encode())
    assert hpa is not None
    assert [(m.index, m.object, m.selector) for m in hpa.metrics] == [(0, "Ingress/main", ""), (1, "", "q=b")]
    assert [m.label for m in hpa.metrics] == ["q of Ingress/main", "q{q=b}"]
    assert hpa.metrics[1].current is None, "a status entry of another type is not the metric's"


def pod(**parts: Any) -> dict[str, Any]:
    """A pod with one container."""
    return {
        "metadata": {"name": "p", "namespace": "n", "uid": "u", **parts.get("metadata", {})},
        "spec": {"containers": [{"name": "c"}], **parts.get("spec", {})},
        "status": {"phase": "Pending", **parts.get("status", {})},
    }


READY_FALSE = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}
SCHEDULED = {"type": "PodScheduled", "status": "True"}


@pytest.mark.parametrize(
    ("spec", "status", "word"),
    [
        ({"initContainers": [{"name": "i"}, {"name": "j"}]},
         {"initContainerStatuses": [{"name": "i", "state": {"running": {}}}]}, "Init:0/2"),
        ({"initContainers": [{"name": "i"}]},
         {"initContainerStatuses": [{"name": "i", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
         "Init:CrashLoopBackOff"),
        ({"initContainers": [{"name": "i", "restartPolicy": "Always"}]},
         {"initContainerStatuses": [{"name": "i", "started": True, "state": {"running": {}}}],
          "containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}]},
         "ContainerCreating"),
        ({"schedulingGates": [{"name": "g"}]},
         {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]}, "SchedulingGated"),
        ({"initContainers": [{"name": "i"}]},
         {"initContainerStatuses": [{"name": "i", "state": {"terminated": {"reason": "Error", "exitCode": 3}}}]},
         "Init:Error"),
        ({}, {"phase": "Succeeded",
              "containerStatuses": [{"name": "c", "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}]},
         "Completed"),
    ],
)  # fmt: skip
def test_why_a_pod_is_not_ready_has_kubectls_word(spec: dict[str, Any], status: dict[str, Any], word: str) -> None:
    conditions = status.pop("conditions", [SCHEDULED])
    found = decode_pod(json.dumps(pod(spec=spec, status={**status, "conditions": conditions})).encode())
    assert found is not None and found.reason == word


def test_a_pod_says_who_owns_it_what_holds_it_and_since_when_it_is_not_ready() -> None:
    owner = {"kind": "ReplicaSet", "name": "web-1", "uid": "rs", "apiVersion": "apps/v1", "controller": True}
    body = pod(
        metadata={"ownerReferences": [{"kind": "Other", "name": "x", "uid": "y"}, owner]},
        spec={"schedulingGates": [{"name": "g"}], "readinessGates": [{"conditionType": "lb"}],
              "initContainers": [{"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "5m"}}}]},
        status={"conditions": [READY_FALSE]},
    )  # fmt: skip
    found = decode_pod(json.dumps(body).encode())
    assert found is not None
    assert [str(o) for o in found.owners if o.controller] == ["ReplicaSet/web-1"]
    assert (found.gates, found.readiness_gates, found.unready_since) == (("g",), ("lb",), 1767225600.0)
    assert found.init_containers[0].sidecar
    assert found.requests == (("c", {}), ("side", {"cpu": 5}))
