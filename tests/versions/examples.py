"""A small case for each fact of the controller's rules: what it gives before and from then on, computed by `decide`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hpatui.autoscaler.decision import Decision, decide
from hpatui.autoscaler.inputs import (
    ControllerConfig,
    Memory,
    MetricAnswer,
    MetricItem,
    MetricsInput,
    ScaleInput,
    ScaleUpdateError,
)
from hpatui.autoscaler.parse import parse_hpa, parse_pod, parse_pod_metrics
from hpatui.autoscaler.rules import NEWEST, OLDEST, Fact, Rules, rules_of_minor
from hpatui.autoscaler.targets_column import targets_column
from hpatui.autoscaler.times import seconds_to_ns
from tests.unit.state.small_frames import CPU, QUEUE, START, hpa_object, pod, usage

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """`case` in words; `before` and `after` are what `run` gives with the fact off and on."""

    case: str
    before: str
    after: str
    run: Callable[[Rules], str]


def rules_around(item: Fact) -> tuple[Rules, Rules]:
    """The rules just before a fact and those that have it."""
    if item.since is None:
        return rules_of_minor(NEWEST), rules_of_minor(NEWEST).turned(item.name, True)
    if item.since <= OLDEST:
        return rules_of_minor(OLDEST).turned(item.name, False), rules_of_minor(OLDEST)
    return rules_of_minor(item.since - 1), rules_of_minor(item.since)


@dataclass(frozen=True, slots=True)
class World:
    """What an example decides on. `values` are the items of its one custom or external metric."""

    hpa: Json
    pods: tuple[Json, ...] = ()
    samples: tuple[Json, ...] = ()
    values: tuple[int, ...] | None = None
    size: int | None = None
    problem: str | None = None
    update: ScaleUpdateError | None = None

    def decide(self, rules: Rules) -> Decision:
        size = len(self.pods) if self.size is None else self.size
        items = tuple(MetricItem(value * 1000) for value in self.values or ())
        metrics = MetricsInput(
            tuple(parse_pod_metrics(item) for item in self.samples), self.problem, by_index={0: MetricAnswer(items)}
        )
        pods = [parse_pod(item) for item in self.pods]
        scale = ScaleInput(size, size, "app=web", update_error=self.update)
        config = ControllerConfig(rules=rules)
        return decide(parse_hpa(self.hpa), scale, pods, metrics, Memory(), config, seconds_to_ns(START))


def _many(count: int, milli: int, **more: Any) -> World:
    pods = tuple(pod(n, spec=more.get("spec")) for n in range(count))
    return World(more.get("hpa") or hpa_object(), pods, tuple(usage(n, milli) for n in range(count)))


def _wants(world: World) -> Callable[[Rules], str]:
    def run(rules: Rules) -> str:
        decision = world.decide(rules)
        failed = next((item.event for item in decision.metrics if item.failed), None)
        return failed if failed is not None else f"wants {decision.wanted}"

    return run


def _utilization(world: World) -> Callable[[Rules], str]:
    def run(rules: Rules) -> str:
        proposal = world.decide(rules).metrics[0].proposal
        return "no value" if proposal is None else f"{proposal.utilization} %"

    return run


def _becomes(world: World) -> Callable[[Rules], str]:
    return lambda rules: f"{world.decide(rules).replicas} replicas"


def _status(world: World, read: Callable[[Mapping[str, Any]], object]) -> Callable[[Rules], str]:
    return lambda rules: str(read(world.decide(rules).status))


def _targets(world: World) -> Callable[[Rules], str]:
    return lambda rules: targets_column({"spec": world.hpa["spec"], "status": world.decide(rules).status}, rules)


# The cases ------------------------------------------------------------------------------------------------------------


def _external(value: int, target: Json, *more: int, count: int = 3) -> World:
    metric = {"type": "External", "external": {"metric": {"name": "queue"}, "target": target}}
    return World(hpa_object(metric), tuple(pod(n) for n in range(count)), values=(value, *more))


def _average(value: str) -> Json:
    return {"type": "AverageValue", "averageValue": value}


def _sidecar() -> World:
    requests = {"requests": {"cpu": "100m"}}
    spec = {"initContainers": [{"name": "mesh", "restartPolicy": "Always", "resources": requests}]}
    sample = usage(0, 60)
    sample["containers"].append({"name": "mesh", "usage": {"cpu": "40m"}})
    return World(hpa_object(), (pod(0, spec=spec),), (sample,))


def _container(target: int, *, spec_lacks: bool) -> World:
    """Pods with a container `app`; in the last one it is missing, from the spec or only from the metrics."""
    source = {"name": "cpu", "container": "app", "target": {"type": "Utilization", "averageUtilization": target}}
    app = {"containers": [{"name": "app", "resources": {"requests": {"cpu": "100m"}}}]}
    count = 2 if spec_lacks else 3
    pods = [pod(n, spec=app) for n in range(count)]
    samples = [usage(n, 200 if spec_lacks else 90) for n in range(count)]
    for sample in samples[:-1]:
        sample["containers"][0]["name"] = "app"
    if spec_lacks:
        pods[-1] = pod(count - 1)
    return World(hpa_object({"type": "ContainerResource", "containerResource": source}), tuple(pods), tuple(samples))


def _object(target: Json, value: int, count: int) -> World:
    source = {"describedObject": {"kind": "Service", "name": "web"}, "metric": {"name": "rate"}, "target": target}
    return World(hpa_object({"type": "Object", "object": source}), tuple(pod(n) for n in range(count)), values=(value,))


def _memory() -> World:
    source = {"name": "memory", "target": _average("80Mi")}
    sample = usage(0, 10)
    sample["containers"][0]["usage"]["memory"] = "40Mi"
    return World(hpa_object({"type": "Resource", "resource": source}), (pod(0),), (sample,))


def _outage(message: str) -> World:
    hpa = hpa_object()
    current = {"averageUtilization": 40, "averageValue": "40m"}
    hpa["status"]["currentMetrics"] = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
    return replace(_many(3, 40, hpa=hpa), problem=message)


def _at_zero(*conditions: Json) -> World:
    return World(hpa_object(QUEUE, minimum=0, conditions=conditions), values=(30,), size=0)


def _message(status: Mapping[str, Any]) -> str:
    condition = next(item for item in status["conditions"] if item["type"] == "ScalingActive")
    return str(condition["message"]).rpartition("API: ")[2]


def _kind(status: Mapping[str, Any]) -> str:
    return repr(status["currentMetrics"][0]["object"]["describedObject"]["kind"])


def _told_average(status: Mapping[str, Any]) -> str:
    return str(status["currentMetrics"][0]["external"]["current"]["averageValue"])


def _event(world: World) -> Callable[[Rules], str]:
    return lambda rules: ", ".join(event.reason for event in world.decide(rules).events)


_ASLEEP = {"type": "ScaledToZero", "status": "True"}
_OVERHEAD = {"resources": {"requests": {"cpu": "100m"}}, "overhead": {"cpu": "300m"}}
_SUCCEEDED = replace(_many(3, 90), pods=(*(pod(n) for n in range(3)), pod(3, "Succeeded")), size=3)
_CONFLICT = replace(_many(3, 160), update=ScaleUpdateError("the object has been modified", conflict=True, times=1))
_UP_2 = {"scaleUp": {"tolerance": "20m"}}
_WEB_CPU = {"name": "cpu", "container": "web", "target": {"type": "Utilization", "averageUtilization": 50}}
_WEB = {"type": "ContainerResource", "containerResource": _WEB_CPU}
_BIG = 5_000_000_000_000_000

EXAMPLES: Mapping[str, Example] = {
    "container_metrics": Example(
        "3 pods, container web at 90 % of 50 %",
        "ContainerResource metric type is not supported: disabled by the feature gate",
        "wants 6",
        _wants(_many(3, 90, hpa=hpa_object(_WEB))),
    ),
    "sidecars_requested": Example(
        "app and native sidecar ask for 100m each and use 60m and 40m", "100 %", "50 %", _utilization(_sidecar())
    ),
    "failed_metrics_shown": Example(
        "cpu was 40 % of 80 %, then metrics-server dies: TARGETS",
        "40%/80%",
        "<unknown>/80%",
        _targets(_outage("is down")),
    ),
    "messages_verbatim": Example(
        "the error of the metrics API has `app%3Dweb` in it: the condition",
        "get ?labelSelector=app%!D(MISSING)web",
        "get ?labelSelector=app%3Dweb",
        _status(_outage("get ?labelSelector=app%3Dweb"), _message),
    ),
    "targets_named": Example("cpu at 50 % of 80 %: TARGETS", "50%/80%", "cpu: 50%/80%", _targets(_many(3, 50))),
    "edge_within_tolerance": Example(
        "cpu at 88 % of 80 % (exactly 110 % of the target), 10 pods", "wants 11", "wants 10", _wants(_many(10, 88))
    ),
    "absent_container_missing": Example(
        "3 pods, container app at 90 % of 50 % in two, not in the metrics of the third",
        "failed to get cpu utilization: unable to get metrics for resource cpu: failed to get container metrics: "
        "container app not present in metrics for pod shop/web-02",
        "wants 4",
        _wants(_container(50, spec_lacks=False)),
    ),
    "described_object_shown": Example(
        "an Object metric with an average: kind of the object in the status",
        "''",
        "'Service'",
        _status(_object(_average("10"), 30, 3), _kind),
    ),
    "negative_sum_overflows": Example(
        "External, items -25, average 10", "wants -2", "wants 2147483647", _wants(_external(-25, _average("10")))
    ),
    "external_average_capped": Example(
        "External, lag 214748365, average 100m",
        "wants -2147483648",
        "wants 2147483647",
        _wants(_external(214748365, _average("100m"))),
    ),
    "pod_level_requests": Example(
        "pod level 1000m, its container 100m, used 75m",
        "75 %",
        "7 %",
        _utilization(_many(1, 75, spec={"resources": {"requests": {"cpu": "1"}}})),
    ),
    "conflicts_retried": Example(
        "someone edits the Deployment as the HPA writes its scale: events",
        "FailedRescale",
        "SuccessfulRescale",
        _event(_CONFLICT),
    ),
    "memory_in_binary": Example(
        "memory 40Mi of 80Mi: TARGETS", "memory: 41943040/80Mi", "memory: 40Mi/80Mi", _targets(_memory())
    ),
    "tolerance_by_direction": Example(
        "scaleUp tolerance 0.02, cpu at 84 % of 80 %, 20 pods",
        "wants 20",
        "wants 21",
        _wants(_many(20, 84, hpa=hpa_object(CPU, behavior=_UP_2))),
    ),
    "value_capped": Example(
        "External, Value 3000000000 of 1, one pod ready",
        "wants -2147483648",
        "wants 2147483647",
        _wants(_external(3_000_000_000, {"type": "Value", "value": "1"}, count=1)),
    ),
    "external_sum_stops": Example(
        "External, Value 1, two items of 5000000000000000 each, 3 pods",
        "wants -2147483648",
        "wants 2147483647",
        _wants(_external(_BIG, {"type": "Value", "value": "1"}, _BIG)),
    ),
    "container_required": Example(
        "one pod with container app at 200 % of 50 %, one without it",
        "wants 8",
        "failed to get cpu utilization: container app not found in Pod web-01",
        _wants(_container(50, spec_lacks=True)),
    ),
    "zero_is_guarded": Example(
        "minReplicas 0, someone sets the target to 0, queue 30 of 10", "3 replicas", "0 replicas", _becomes(_at_zero())
    ),
    "scale_to_zero": Example(
        "the HPA itself scaled to 0, queue 30 of 10", "0 replicas", "3 replicas", _becomes(_at_zero(_ASLEEP))
    ),
    "succeeded_ignored": Example(
        "3 pods at 90 % of 80 %, and one that has completed", "wants 3", "wants 4", _wants(_SUCCEEDED)
    ),
    "overhead_left_out": Example(
        "pod level 100m, overhead 300m, used 90m, 3 pods", "22 %", "90 %", _utilization(_many(3, 90, spec=_OVERHEAD))
    ),
    "all_sizes_capped": Example(
        "Object, 3000000000 of an average of 1, 3 pods",
        "wants -2147483648",
        "wants 2147483647",
        _wants(_object(_average("1"), 3_000_000_000, 3)),
    ),
    "total_at_zero": Example(
        "asleep at 0, queue 30: the average in the status",
        "-9223372036854775808m",
        "30",
        _status(_at_zero(_ASLEEP), _told_average),
    ),
}
