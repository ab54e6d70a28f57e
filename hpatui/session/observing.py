"""What was seen of an HPA's target, as tune/ wants it: from the frames of an observer, or fact by fact from a recording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from hpatui.autoscaler.config import config_of
from hpatui.autoscaler.inputs import HpaObject, MetricSpec, PodInput, PodMetricsInput, Target
from hpatui.autoscaler.pods import MissingRequest, pod_requests
from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.model import ControllerFlags, Pod
from hpatui.state.frames import Frame
from hpatui.tune.control import PER_POD
from hpatui.tune.learn import Learned, TooLittle, learn
from hpatui.tune.observe import PodLook, Used, Watcher
from hpatui.tune.observed import Observed

_NS = 1e9
_EDGE = 0.5  # seconds: a sync that could read nothing lies within its span
RESOURCES = ("Resource", "ContainerResource")


def observed_of(frames: Sequence[Frame], pods: Iterable[Pod], until: float, rules: Rules = RECORDED) -> Observed:
    """What the frames of one HPA (oldest first, at least one) tell; `pods`: those of the target as they are, for limits."""
    hpa = frames[-1].inputs.hpa
    specs = (*hpa.metrics, *extra_of(hpa))
    watcher = Watcher([spec.type not in PER_POD for spec in specs])
    before: int | None = None
    ends = [frame.time for frame in frames[1:]] + [until]
    for frame, end in zip(frames, ends, strict=True):
        inputs, size = frame.inputs, frame.inputs.scale.spec_replicas
        watcher.size(frame.time, size, foreign=before is not None and size != before)
        watcher.look(frame.time, [_look(pod) for pod in inputs.pods])
        told = _told(frame)
        used = [used_of(specs, sample, told) for sample in inputs.metrics.pod_metrics]
        totals = _totals(frame)
        if used:
            watcher.samples(used, totals)
        elif totals:
            watcher.total(frame.time, totals, 15.0)
        watcher.told(frame.time, totals)
        watcher.sync(frame.time, max((item.end for item in used), default=None))
        if _blind(frame, rules):
            watcher.blind(frame.time - _EDGE, end - _EDGE)
        watcher.size(frame.time, frame.to_size)
        before = frame.to_size
    requests = [request_of(spec, frames[-1].inputs.pods, rules) for spec in specs]
    extra = [spec.name for spec in specs[len(hpa.metrics) :]]
    return watcher.observed(requests, limits_of(specs, pods), frames[0].memory, until, extra)


def extra_of(hpa: HpaObject) -> tuple[MetricSpec, ...]:
    """The cpu of whole pods, where no metric of the spec is on it: it tells the load, and when pods are saturated."""
    if any(spec.type == "Resource" and spec.name == "cpu" for spec in hpa.metrics):
        return ()
    return (MetricSpec("Resource", "cpu", Target("Utilization")),)


def _blind(frame: Frame, rules: Rules) -> bool:
    """Whether the controller could read no metric at all at this sync."""
    inputs = frame.inputs
    for index, spec in enumerate(inputs.hpa.metrics):
        if spec.type in ("Object", "External", "Pods"):
            answer = inputs.metrics.by_index.get(index)
            if answer is not None and answer.items:
                return False
        elif inputs.metrics.pod_metrics_error is None and inputs.metrics.pod_metrics:
            percent = spec.target.average_value is None
            if not percent or request_of(spec, inputs.pods, rules) is not None:
                return False
    return True


def limits_of(metrics: Sequence[MetricSpec], pods: Iterable[Pod]) -> list[int | None]:
    """What a pod may use of each metric at most, in thousandths; None where it has no limit, or pods differ in it."""
    known = list(pods)
    return [_limit(spec, known) for spec in metrics]


def _limit(spec: MetricSpec, pods: Sequence[Pod]) -> int | None:
    if spec.type not in RESOURCES or spec.name not in ("cpu", "memory"):
        return None
    limits = {_limit_of(spec, pod) for pod in pods if not pod.completed}
    return limits.pop() if len(limits) == 1 else None


def _limit_of(spec: MetricSpec, pod: Pod) -> int | None:
    total = 0.0
    for container in pod.containers:
        if spec.type == "ContainerResource" and container.name != spec.container:
            continue
        limit = container.cpu_limit if spec.name == "cpu" else container.memory_limit
        if limit is None:
            return None
        total += limit
    return round(total if spec.name == "cpu" else total * 1000) or None


def request_of(spec: MetricSpec, pods: Sequence[PodInput], rules: Rules) -> int | None:
    """What 100 % of a metric is for a pod, in thousandths; None where it is not on a request, or there is none."""
    if spec.type not in RESOURCES:
        return None
    try:
        known = pod_requests(pods, spec.container, spec.name, rules)
    except MissingRequest:
        return None
    return max(known.values(), default=0) or None


def _look(pod: PodInput) -> PodLook:
    ready = pod.ready_transition / _NS if pod.ready == "True" else None
    counts = not pod.terminating and pod.phase in ("Pending", "Running")
    return PodLook(pod.name, None if pod.start_time is None else pod.start_time / _NS, ready, counts)


def used_of(specs: Sequence[MetricSpec], sample: PodMetricsInput, told: Mapping[int, Mapping[str, float]]) -> Used:
    """A pod's sample by place in spec.metrics; `told`: values that only the HPA's status tells, by place and pod."""
    values = tuple(
        told[index].get(sample.name) if index in told else _value(spec, sample.containers)
        for index, spec in enumerate(specs)
    )
    return Used(sample.name, sample.time / _NS, sample.window / _NS, values)


def _value(spec: MetricSpec, containers: Sequence[tuple[str, Mapping[str, int]]]) -> float | None:
    if spec.type not in RESOURCES:
        return None
    wanted = [usage for name, usage in containers if spec.type == "Resource" or name == spec.container]
    if not wanted or any(spec.name not in usage for usage in wanted):
        return None
    return float(sum(usage[spec.name] for usage in wanted))


def _told(frame: Frame) -> dict[int, dict[str, float]]:
    """Values of Pods metrics by pod, as far as the HPA's status told them."""
    found = {}
    for index, spec in enumerate(frame.inputs.hpa.metrics):
        answer = frame.inputs.metrics.by_index.get(index)
        if spec.type == "Pods" and answer is not None:
            found[index] = {item.object_name: float(item.value) for item in answer.items}
    return found


def _totals(frame: Frame) -> dict[int, float]:
    """Values of Object and External metrics, as the HPA's status told them."""
    found = {}
    for index, spec in enumerate(frame.inputs.hpa.metrics):
        answer = frame.inputs.metrics.by_index.get(index)
        if spec.type not in PER_POD and answer is not None and answer.items:
            found[index] = float(sum(item.value for item in answer.items))
    return found


def learn_frames(
    spec: HpaObject, frames: Sequence[Frame], pods: Iterable[Pod], flags: ControllerFlags, until: float
) -> Learned:
    """What the frames of one HPA (oldest first) tell of its target. Raises TooLittle, which says what is missing."""
    usable = list(frames)
    while usable and not (usable[0].inputs.metrics.pod_metrics or usable[0].inputs.metrics.by_index):
        usable.pop(0)
    if not usable:
        raise TooLittle("no sync with metrics was seen", hint="wait until the metrics API has answered for a while")
    return learn(spec, observed_of(usable, pods, until, config_of(flags).rules), flags)
