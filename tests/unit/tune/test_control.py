"""The fast controller comes to what `decide` comes to, sync by sync, for any spec, sizes, groups of pods and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hpatui.autoscaler.decision import decide
from hpatui.autoscaler.inputs import (
    Behavior,
    ControllerConfig,
    HpaObject,
    Memory,
    MetricAnswer,
    MetricItem,
    MetricsInput,
    MetricSpec,
    PodInput,
    PodMetricsInput,
    ScaleInput,
    ScalingPolicy,
    ScalingRules,
    Target,
)
from hpatui.autoscaler.rules import rules_of_minor
from hpatui.autoscaler.times import SECOND
from hpatui.quantity import milli
from hpatui.tune.control import Control, Reading

START = 1_800_000_000 * SECOND
REQUEST = 100
LABELS = {"app": "web"}


@dataclass(frozen=True)
class Pods:
    """Pods of one kind: how many, what each uses; `kind` is ready, missing or unready."""

    count: int
    kind: str
    value: int = 0


policies = st.builds(
    ScalingPolicy, st.sampled_from(["Pods", "Percent"]), st.integers(1, 200), st.sampled_from([15, 30, 60, 120])
)


def rules(window: int | None) -> st.SearchStrategy[ScalingRules]:
    return st.builds(
        ScalingRules,
        st.sampled_from([window, 0, 30, 45, 300]),
        st.sampled_from(["Max", "Min", "Disabled"]),
        st.lists(policies, min_size=1, max_size=3).map(tuple),
        st.sampled_from([None, 0.0, 0.05, 0.3]),
    )


behaviors = st.one_of(st.none(), st.builds(Behavior, rules(0), rules(None)))
metrics = st.one_of(
    st.builds(
        lambda n: MetricSpec("Resource", "cpu", Target("Utilization", average_utilization=n)), st.integers(1, 150)
    ),
    st.builds(
        lambda n: MetricSpec("Resource", "memory", Target("AverageValue", average_value=milli(n))), st.integers(1, 300)
    ),
    st.builds(lambda n: MetricSpec("Pods", "rps", Target("AverageValue", average_value=milli(n))), st.integers(1, 300)),
    st.builds(
        lambda n: MetricSpec("External", "queue", Target("AverageValue", average_value=milli(n))), st.integers(1, 300)
    ),
    st.builds(lambda n: MetricSpec("External", "queue", Target("Value", value=milli(n))), st.integers(1, 300)),
    st.builds(
        lambda n: MetricSpec("Object", "hits", Target("Value", value=milli(n)), described={"name": "web"}),
        st.integers(1, 300),
    ),
)
groups = st.lists(
    st.builds(Pods, st.integers(1, 4), st.sampled_from(["ready", "ready", "missing", "unready"]), st.integers(0, 400)),
    min_size=1,
    max_size=4,
)
moments = st.lists(st.tuples(groups, st.integers(0, 3000), st.booleans()), min_size=1, max_size=14)


def hpa_of(least: int, most: int, specs: Sequence[MetricSpec], behavior: Behavior | None) -> HpaObject:
    return HpaObject(
        "shop", "web", "apps/v1", "Deployment", "web", least, most, tuple(specs), behavior, 0, None, (), {}
    )


def exact_inputs(
    hpa: HpaObject, pods: Sequence[Pods], total: int, now: int, blind: bool
) -> tuple[list[PodInput], MetricsInput]:
    inputs: list[PodInput] = []
    samples: list[PodMetricsInput] = []
    items: list[MetricItem] = []
    for group in pods:
        for _ in range(group.count):
            name = f"web-{len(inputs):03}"
            phase = "Pending" if group.kind == "unready" else "Running"
            inputs.append(
                PodInput("shop", name, LABELS, phase, False, now - 900 * SECOND, "True", now - 900 * SECOND,
                         (("app", {"cpu": REQUEST}),))
            )  # fmt: skip
            if group.kind == "ready":
                usage = (("app", {"cpu": group.value, "memory": group.value}),)
                samples.append(PodMetricsInput("shop", name, LABELS, now, 15 * SECOND, usage))
                items.append(MetricItem(group.value, name))
    error = "the server is currently unable to handle the request" if blind else None
    by_index = {
        index: MetricAnswer(error=error)
        if blind
        else MetricAnswer(tuple(items) if spec.type == "Pods" else (MetricItem(total, "web"),))
        for index, spec in enumerate(hpa.metrics)
        if spec.type in ("Pods", "Object", "External")
    }
    return inputs, MetricsInput(tuple(samples), error, by_index=by_index)


def fast_readings(hpa: HpaObject, pods: Sequence[Pods], total: int) -> list[Reading]:
    count = {kind: sum(g.count for g in pods if g.kind == kind) for kind in ("ready", "missing", "unready")}
    used = sum(g.count * g.value for g in pods if g.kind == "ready")
    return [
        Reading(0, total)
        if spec.type in ("Object", "External")
        else Reading(count["ready"], used, count["missing"], count["unready"])
        for spec in hpa.metrics
    ]


@settings(max_examples=400, deadline=None)
@given(
    st.integers(1, 4), st.integers(4, 30), st.lists(metrics, min_size=1, max_size=2), behaviors, moments,
    st.sampled_from([28, 32, 36, 38]), st.sampled_from([0.1, 0.0, 0.25]), st.integers(0, 35),
)  # fmt: skip
def test_control_comes_to_what_decide_comes_to(
    least: int, most: int, specs: list[MetricSpec], behavior: Behavior | None,
    steps: list[tuple[list[Pods], int, bool]], minor: int, tolerance: float, size: int,
) -> None:  # fmt: skip
    hpa = hpa_of(least, most, specs, behavior)
    config = ControllerConfig(tolerance=tolerance, rules=rules_of_minor(minor))
    control, memory, now = Control(hpa, config, [REQUEST] * len(specs)), Memory(), START
    for pods, total, blind in steps:
        now += 15 * SECOND
        inputs, answers = exact_inputs(hpa, pods, total, now, blind)
        exist, ready = len(inputs), sum(1 for pod in inputs if pod.phase == "Running")
        scale = ScaleInput(size, exist, "app=web")
        decided = decide(hpa, scale, inputs, answers, memory, config, now)
        readings = None if blind else fast_readings(hpa, pods, total)
        assert control.sync(now, size, readings, exist, ready) == decided.replicas
        memory, size = decided.memory, decided.replicas


@settings(max_examples=60, deadline=None)
@given(behaviors, moments, moments)
def test_it_goes_on_from_the_controllers_memory(
    behavior: Behavior | None, before: list[tuple[list[Pods], int, bool]], after: list[tuple[list[Pods], int, bool]]
) -> None:
    spec = MetricSpec("Resource", "cpu", Target("Utilization", average_utilization=50))
    hpa, config = hpa_of(1, 12, [spec], behavior), ControllerConfig(downscale_stabilization=60.0)
    memory, size, now = Memory(), 3, START
    for pods, total, _ in before:
        now += 15 * SECOND
        inputs, answers = exact_inputs(hpa, pods, total, now, False)
        decided = decide(hpa, ScaleInput(size, size, "app=web"), inputs, answers, memory, config, now)
        memory, size = decided.memory, decided.replicas
    control = Control(hpa, config, [REQUEST], memory)
    for pods, total, _ in after:
        now += 15 * SECOND
        inputs, answers = exact_inputs(hpa, pods, total, now, False)
        decided = decide(hpa, ScaleInput(size, size, "app=web"), inputs, answers, memory, config, now)
        assert control.sync(now, size, fast_readings(hpa, pods, total), len(inputs), len(inputs)) == decided.replicas
        memory, size = decided.memory, decided.replicas


def test_a_target_at_zero_sleeps_unless_its_minimum_and_the_rules_let_it_wake() -> None:
    spec = MetricSpec("External", "queue", Target("AverageValue", average_value=milli(10_000)))
    config = ControllerConfig(rules=rules_of_minor(37))
    asleep = Control(hpa_of(1, 5, [spec], None), config, [None])
    assert asleep.sync(START, 0, [Reading(0, 30_000)], 0, 0) == 0
    hpa = replace(hpa_of(1, 5, [spec], None), min_replicas=0)
    assert Control(hpa, config, [None]).sync(START, 0, [Reading(0, 30_000)], 0, 0) == 3
    assert Control(hpa, ControllerConfig(), [None]).sync(START, 0, [Reading(0, 30_000)], 0, 0) == 0
