# ruff: noqa: E501  tables of cases, a case a line
"""The words of an explanation by kind: names that tell metrics apart, units by type, thresholds, causes of blindness."""

from __future__ import annotations

from typing import Any

import pytest

from hpatui.autoscaler.amounts import amount, current_text
from hpatui.autoscaler.blindness import blind_text
from hpatui.autoscaler.inputs import MetricSpec, Target
from hpatui.autoscaler.metrics import MetricEvaluation
from hpatui.autoscaler.naming import metric_names
from hpatui.autoscaler.pods import PodGroups
from hpatui.autoscaler.replicas import Proposal
from hpatui.autoscaler.seen import Seen, Stranger
from hpatui.autoscaler.thresholds import edge_down, edge_up
from hpatui.autoscaler.utilization import Tolerance
from hpatui.quantity import parse_quantity

TENTH = Tolerance(0.1, 0.1)


def spec(kind: str, name: str, **more: Any) -> MetricSpec:
    target = more.pop("target", Target("Utilization", average_utilization=50))
    return MetricSpec(kind, name, target, **more)


def average(value: str) -> Target:
    return Target("AverageValue", average_value=parse_quantity(value))


def labels(**pairs: str) -> dict[str, Any]:
    return {"matchLabels": pairs}


@pytest.mark.parametrize(
    ("specs", "names"),
    [
        ([spec("Resource", "cpu"), spec("Resource", "memory")], ("cpu", "memory")),
        (
            [spec("ContainerResource", "cpu", container="app"), spec("ContainerResource", "cpu", container="proxy")],
            ("cpu of app", "cpu of proxy"),
        ),
        (
            [
                spec("External", "work", selector=labels(queue="feed"), target=average("1")),
                spec("External", "work", selector=labels(queue="parser"), target=average("1")),
            ],
            ("work{queue=feed}", "work{queue=parser}"),
        ),
        (
            [
                spec("Object", "rps", described={"kind": "Service", "name": name}, target=average("1"))
                for name in ("a", "b")
            ],
            ("rps of Service/a", "rps of Service/b"),
        ),
        ([spec("Pods", "cpu", target=average("1")), spec("Resource", "cpu")], ("cpu (Pods)", "cpu (Resource)")),
        ([spec("Resource", "cpu"), spec("Resource", "cpu")], ("cpu (metric 1)", "cpu (metric 2)")),
    ],
)
def test_no_two_metrics_have_one_name(specs: list[MetricSpec], names: tuple[str, ...]) -> None:
    assert metric_names(specs) == names


def test_long_selectors_are_told_apart_at_their_end() -> None:
    long = [spec("External", "x", selector=labels(q="a" * 60 + end), target=average("1")) for end in ("one", "two")]
    one, two = metric_names(long)
    assert one != two and max(len(one), len(two)) < 60


@pytest.mark.parametrize(
    ("metric", "milli", "text"),
    [
        (spec("Resource", "cpu"), 250, "250m"),
        (spec("Resource", "memory"), 2**20 * 21 * 1000, "21Mi"),
        (spec("External", "cpu", target=average("70")), 85_000, "85"),
        (spec("External", "memory_alerts_open", target=average("2k")), 3_000_000, "3,000"),
        (spec("Pods", "hit_ratio", target=average("800m")), 950, "0.95"),
        (spec("Pods", "heap_bytes", target=average("500Mi")), 734003200000, "700Mi"),
        (spec("External", "delta", target=average("5")), -3_000, "-3"),
    ],
)
def test_units_go_by_the_metrics_type(metric: MetricSpec, milli: int, text: str) -> None:
    assert amount(metric, milli) == text


def evaluation(metric: MetricSpec, value: int, ready: int, missing: int = 0, unready: int = 0) -> MetricEvaluation:
    groups = PodGroups(ready, tuple(f"u{n}" for n in range(unready)), tuple(f"m{n}" for n in range(missing)), ())
    return MetricEvaluation(metric, {}, Proposal(ready, value, value, value / 50, groups=groups))


def test_a_value_below_zero_is_told() -> None:
    found = MetricEvaluation(spec("External", "delta", target=average("5")), {}, Proposal(0, -3000, None, -0.6))
    assert current_text(found) == "-3 (below zero)"


@pytest.mark.parametrize(
    ("ready", "missing", "unready", "size", "up", "down"),
    [
        (4, 0, 0, 4, 55, 37),  # the plain case: outside of the tolerance, and rounding up
        (6, 3, 0, 6, 82, None),  # three without a sample count as 100 %: no value brings it down
        (6, 0, 2, 6, 73, 41),  # two unready count as 0 on the way up and not at all on the way down
        (2, 0, 0, 5, 125, 100),  # only two of five pods exist
        (10, 1, 0, 10, 60, 35),  # one without a sample counts as 100 % on the way down, as 0 on the way up
    ],
)
def test_thresholds_are_the_controllers_arithmetic(
    ready: int, missing: int, unready: int, size: int, up: int, down: int | None
) -> None:
    found = evaluation(spec("Resource", "cpu"), 40, ready, missing, unready)
    above, below = edge_up(found, TENTH, size, size), edge_down(found, TENTH, size, size)
    assert above is not None and above.value == up
    assert (below.value if below is not None else None) == down


NO_SAMPLE = "failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)"
NO_METRICS = "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API"


@pytest.mark.parametrize(
    ("metric", "message", "seen", "text"),
    [
        (spec("ContainerResource", "cpu", container="ap"), NO_SAMPLE, Seen(containers=frozenset({"app"})), "no pod has a container ap; there is app"),
        (spec("ContainerResource", "cpu", container="setup"), NO_SAMPLE, Seen(containers=frozenset({"app"}), inits=frozenset({"setup"})), "setup is an init container"),
        (spec("ContainerResource", "cpu", container="new"), NO_SAMPLE, Seen(containers=frozenset({"app", "new"}), measured=frozenset({"app"}), running_for=600), "does not list the container new"),
        (spec("Resource", "nvidia.com/gpu"), NO_SAMPLE, Seen(), "metrics-server measures cpu and memory only"),
        (spec("Resource", "cpu"), NO_SAMPLE, Seen(unready={"web-1": "never started (init container migrate crashes)"}), "no pod is ready: web-1 never started (init container migrate crashes)"),
        (spec("Resource", "cpu"), NO_METRICS, Seen(running_for=600), "lists none of these pods, though one is ready for 10 min"),
        (spec("Resource", "cpu"), NO_METRICS, Seen(running_for=20), "no sample of these pods yet"),
        (spec("Resource", "cpu"), "missing request for cpu in container r of Pod job-1", Seen(strangers={"job-1": Stranger("Job/job", False)}), "pod job-1 of Job/job matches the target's selector"),
        (spec("Resource", "cpu"), "missing request for cpu in container mesh of Pod web-1", Seen(sidecars=frozenset({"mesh"})), "native sidecar mesh (spec.initContainers) has no cpu request"),
        (spec("External", "queue", target=average("1")), "of another metric", Seen(failures={0: "unable to fetch metrics from external metrics API: no such metric queue"}), "no such metric queue"),
    ],
)  # fmt: skip
def test_each_cause_has_its_own_words(metric: MetricSpec, message: str, seen: Seen, text: str) -> None:
    said = blind_text(MetricEvaluation(metric, {}, event=message, index=0), seen)
    assert text in said
    assert ("yet" in said) == ("yet" in text)
