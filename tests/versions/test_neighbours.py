"""Random inputs, decided by each two neighbouring sets of rules: they differ only where a fact of that minor says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import ControllerConfig, Memory, MetricAnswer, MetricItem, MetricsInput, ScaleInput
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics
from hpatui.autoscaler.rules import FACTS, NEWEST, OLDEST, Rules, rules_of_minor
from hpatui.autoscaler.times import SECOND
from tests.unit.state.small_frames import hpa_object, pod, usage

NOW = 1_795_000_000 * SECOND
BIG = 2**31


@dataclass(frozen=True)
class Case:
    """One random input. `values` are thousandths of the one custom or external metric's items."""

    kind: str
    target: str
    size: int
    minimum: int
    milli: int
    traits: frozenset[str]
    values: tuple[int, ...]
    tolerance: float | None

    def metric(self) -> dict[str, Any]:
        if self.kind in ("Resource", "ContainerResource"):
            wanted: dict[str, Any] = {"type": "Utilization", "averageUtilization": 80}
            if self.target == "average":
                wanted = {"type": "AverageValue", "averageValue": "80m"}
            source: dict[str, Any] = {"name": "cpu", "target": wanted}
            if self.kind == "Resource":
                return {"type": "Resource", "resource": source}
            return {"type": "ContainerResource", "containerResource": {**source, "container": "web"}}
        average = {"type": "AverageValue", "averageValue": "10"}
        wanted = average if self.target == "average" else {"type": "Value", "value": "10"}
        source = {"metric": {"name": "queue"}, "target": wanted}
        if self.kind == "Object":
            return {"type": "Object", "object": {**source, "describedObject": {"kind": "Service", "name": "web"}}}
        return {"type": "External", "external": source}

    def decide(self, rules: Rules) -> Decision:
        behavior = None if self.tolerance is None else {"scaleUp": {"tolerance": str(self.tolerance)}}
        conditions = [{"type": "ScaledToZero", "status": "True"}] if "asleep" in self.traits else []
        hpa = hpa_object(self.metric(), minimum=self.minimum, behavior=behavior, conditions=conditions)
        pods, samples = [], []
        for number in range(self.size):
            last = number == self.size - 1
            pods.append(
                pod(number, "Succeeded" if last and "succeeded" in self.traits else "Running", spec=self._spec(last))
            )
            sample = usage(number, self.milli)
            if "sidecar" in self.traits:
                sample["containers"].append({"name": "mesh", "usage": {"cpu": "10m"}})
            if last and "container-not-measured" in self.traits:
                sample["containers"][0]["name"] = "other"
            samples.append(sample)
        items = tuple(MetricItem(value) for value in self.values[: 1 if self.kind == "Object" else None])
        metrics = MetricsInput(tuple(map(parse_pod_metrics, samples)), by_index={0: MetricAnswer(items)})
        scale = ScaleInput(self.size, self.size, "app=web")
        config = ControllerConfig(rules=rules)
        return decide(parse_hpa(hpa), scale, list(map(parse_pod, pods)), metrics, Memory(), config, NOW)

    def _spec(self, last: bool) -> dict[str, Any]:
        requests = {"requests": {"cpu": "100m"}}
        spec: dict[str, Any] = {}
        if "sidecar" in self.traits:
            spec["initContainers"] = [{"name": "mesh", "restartPolicy": "Always", "resources": requests}]
        if "pod-level" in self.traits:
            spec["resources"] = {"requests": {"cpu": "250m"}}
        if "overhead" in self.traits:
            spec["overhead"] = {"cpu": "60m"}
        if last and "container-not-in-spec" in self.traits:
            spec["containers"] = [{"name": "other", "resources": requests}]
        return spec


def _met(case: Case) -> set[str]:
    """The facts that an input can meet, from its traits alone: more than it must."""
    traits, per_pod = case.traits, case.kind in ("Resource", "ContainerResource")
    external, total = case.kind == "External", sum(case.values)
    huge = any(abs(value) >= BIG for value in case.values)
    conditions = {
        "sidecars_requested": per_pod and "sidecar" in traits,
        "edge_within_tolerance": True,  # narrowed below: the ratio lies on an edge
        "absent_container_missing": case.kind == "ContainerResource" and "container-not-measured" in traits,
        "negative_sum_overflows": external and case.target == "average" and (min(case.values) < 0 or total >= 2**63),
        "external_average_capped": external and case.target == "average" and huge,
        "pod_level_requests": case.kind == "Resource" and "pod-level" in traits,
        "tolerance_by_direction": case.tolerance is not None,
        "value_capped": case.kind in ("Object", "External") and case.target == "value" and huge,
        "external_sum_stops": external and case.target == "value" and abs(total) >= 2**62,
        "container_required": case.kind == "ContainerResource" and "container-not-in-spec" in traits,
        "zero_is_guarded": case.size == 0,
        "scale_to_zero": case.size == 0 and "asleep" in traits,
        "succeeded_ignored": "succeeded" in traits,
        "overhead_left_out": case.kind == "Resource" and {"overhead", "pod-level"} <= traits,
    }
    return {name for name, met in conditions.items() if met}


def _on_an_edge(decision: Decision) -> bool:
    ratios = [item.proposal.ratio for item in decision.metrics if item.proposal is not None]
    ratios += [item.proposal.adjusted_ratio or 0 for item in decision.metrics if item.proposal is not None]
    return any(abs(abs(ratio - 1) - 0.1) < 1e-9 for ratio in ratios)


_TRAITS = (
    "sidecar", "pod-level", "overhead", "succeeded", "container-not-measured", "container-not-in-spec", "asleep",
)  # fmt: skip
_NUMBERS = st.one_of(
    st.integers(-50_000, 200_000),
    st.sampled_from([0, 11_000, 33_000, 99_000, -25_000, BIG * 10_000, 2**62, 2**63 - 1, -(2**40)]),
)
_CASES = st.builds(
    Case,
    kind=st.sampled_from(["Resource", "ContainerResource", "External", "Object"]),
    target=st.sampled_from(["average", "value"]),
    size=st.integers(0, 12),
    minimum=st.sampled_from([0, 1, 2]),
    milli=st.one_of(st.integers(0, 300), st.sampled_from([72, 80, 88])),
    traits=st.frozensets(st.sampled_from(_TRAITS), max_size=3),
    values=st.lists(_NUMBERS, min_size=1, max_size=3).map(tuple),
    tolerance=st.sampled_from([None, None, None, 0.02, 0.25]),
)


def _outcome(decision: Decision) -> object:
    proposals = tuple(item.proposal.replicas if item.proposal is not None else None for item in decision.metrics)
    return decision.replicas, decision.wanted, decision.disabled, proposals


@given(case=_CASES)
@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_neighbours_differ_only_where_a_fact_says_so(case: Case) -> None:
    met = _met(case)
    before = case.decide(rules_of_minor(OLDEST))
    for minor in range(OLDEST + 1, NEWEST + 1):
        after = case.decide(rules_of_minor(minor))
        new = {item.name for item in FACTS if item.since == minor}
        if minor == 33 and not (_on_an_edge(before) or _on_an_edge(after)):
            new -= {"edge_within_tolerance"}
        if not new & met:
            assert _outcome(before) == _outcome(after), f"1.{minor - 1} and 1.{minor}"
        before = after


@given(case=_CASES)
@settings(deadline=None, max_examples=100)
def test_without_a_size_fact_no_size_changes(case: Case) -> None:
    """Facts that only affect texts and the status, turned alone, never change a size."""
    rules = rules_of_minor(OLDEST)
    plain = _outcome(case.decide(rules))
    for item in FACTS:
        if "size" not in item.affects:
            assert _outcome(case.decide(rules.turned(item.name, True))) == plain


@given(case=_CASES.filter(lambda case: case.kind in ("Resource", "ContainerResource") and case.size > 0))
@settings(deadline=None, max_examples=100)
def test_1_37_with_only_resource_metrics_equals_1_36(case: Case) -> None:
    assert _outcome(case.decide(rules_of_minor(36))) == _outcome(case.decide(rules_of_minor(37)))


@pytest.mark.parametrize(("minor", "size"), [(28, 11), (31, 11), (32, 11), (33, 10), (36, 10), (38, 10)])
def test_at_exactly_110_percent(minor: int, size: int) -> None:
    case = Case("Resource", "value", 10, 1, 88, frozenset(), (0,), None)
    assert case.decide(rules_of_minor(minor)).replicas == size
