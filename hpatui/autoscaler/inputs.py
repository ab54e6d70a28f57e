"""What a decision is made from: frozen, typed, exact. `parse.py` builds these from JSON objects.

Times are nanoseconds since the epoch, metric values and requests thousandths (milli-units), as in the controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hpatui.autoscaler.rules import RECORDED, Rules
from hpatui.quantity import Quantity

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Target:
    """A metric's target. Which of the values counts depends on the metric's type, not on `type` alone."""

    type: str
    average_utilization: int | None = None
    average_value: Quantity | None = None
    value: Quantity | None = None


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One entry of spec.metrics. `name` is the resource or the metric; `described` the object of an Object metric.

    `selector` is the metric's label selector as the API has it (None: not set).
    """

    type: str  # Resource, ContainerResource, Pods, Object, External; anything else is kept and fails
    name: str
    target: Target
    container: str = ""
    selector: JsonObject | None = None
    described: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """At most `value` pods or percent within `period` seconds."""

    type: str  # Pods, Percent
    value: int
    period: int


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """One direction of spec.behavior. `window` (seconds) and `tolerance` (fraction) None: the controller's default."""

    window: int | None
    select: str  # Max, Min, Disabled
    policies: tuple[ScalingPolicy, ...]
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class Behavior:
    """spec.behavior after defaulting: both directions."""

    up: ScalingRules
    down: ScalingRules


@dataclass(frozen=True, slots=True)
class ConditionInput:
    """A condition as the status had it."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: int | None


@dataclass(frozen=True, slots=True)
class HpaObject:
    """A HorizontalPodAutoscaler (autoscaling/v2) as far as decisions need it. `status` is the JSON as it was."""

    namespace: str
    name: str
    target_api_version: str
    target_kind: str
    target_name: str
    min_replicas: int
    max_replicas: int
    metrics: tuple[MetricSpec, ...]
    behavior: Behavior | None
    desired_replicas: int
    last_scale_time: int | None
    conditions: tuple[ConditionInput, ...]
    status: JsonObject


@dataclass(frozen=True, slots=True)
class ScaleUpdateError:
    """The first `times` updates of the scale fail (-1: all)."""

    message: str
    conflict: bool = False
    times: int = -1


@dataclass(frozen=True, slots=True)
class ScaleInput:
    """The scale subresource and what goes wrong with it. `selector` is text; errors are None where nothing fails."""

    spec_replicas: int = 0
    status_replicas: int = 0
    selector: str = ""
    mapper_error: str | None = None
    get_error: str | None = None
    update_error: ScaleUpdateError | None = None


@dataclass(frozen=True, slots=True)
class PodInput:
    """A pod as far as decisions need it.

    `requests` holds per container its requests in thousandths, native sidecars (`sidecars` of them) last; `pod_requests`
    the pod-level ones (None: none are set), to which `overhead` comes on top. `ready` is the status of the Ready
    condition (None: there is no such condition).
    """

    namespace: str
    name: str
    labels: Mapping[str, str]
    phase: str
    terminating: bool
    start_time: int | None
    ready: str | None
    ready_transition: int
    requests: tuple[tuple[str, Mapping[str, int]], ...]
    pod_requests: Mapping[str, int] | None = None
    sidecars: int = 0
    overhead: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PodMetricsInput:
    """One PodMetrics object; `containers` as (name, usage in thousandths); `window` in nanoseconds."""

    namespace: str
    name: str
    labels: Mapping[str, str]
    time: int
    window: int
    containers: tuple[tuple[str, Mapping[str, int]], ...]


@dataclass(frozen=True, slots=True)
class MetricItem:
    """One value of a custom or external metric, in thousandths. `object_name` is the pod or object it is about."""

    value: int
    object_name: str = ""
    time: int = 0
    window: int = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class MetricAnswer:
    """What the custom or external metrics API answers to a query: items, or an error's text."""

    items: tuple[MetricItem, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class MetricsInput:
    """All that the metrics APIs answer. Custom and external answers are keyed by the metric's name, or (`by_index`, which
    comes first) by the metric's place in spec.metrics.

    `pod_metrics_error`: the error of the list call; then `pod_metrics` is not looked at.
    """

    pod_metrics: tuple[PodMetricsInput, ...] = ()
    pod_metrics_error: str | None = None
    custom: Mapping[str, MetricAnswer] = field(default_factory=dict)
    external: Mapping[str, MetricAnswer] = field(default_factory=dict)
    by_index: Mapping[int, MetricAnswer] = field(default_factory=dict)

    def answer(self, index: int, type_: str, name: str) -> MetricAnswer:
        """The answer for the metric at a place of spec.metrics: names may repeat, so its place comes first."""
        if index in self.by_index:
            return self.by_index[index]
        return (self.external if type_ == "External" else self.custom).get(name, MetricAnswer())


@dataclass(frozen=True, slots=True)
class OtherHpa:
    """Another HPA that the controller knows, with the selector of its target's pods as text."""

    namespace: str
    name: str
    selector: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What the controller once wanted. `initial`: made at the first look, a moment older than that look's clock."""

    time: int
    replicas: int
    initial: bool = False


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """A change of size that rate policies count; an `outdated` slot may be reused."""

    time: int
    change: int
    outdated: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What the controller remembers of an HPA between syncs, in slot order (slots are reused)."""

    recommendations: tuple[Recommendation, ...] = ()
    scale_up: tuple[ScaleEvent, ...] = ()
    scale_down: tuple[ScaleEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class ControllerConfig:
    """The controller's flags (seconds; defaults are those of kube-controller-manager) and the rules of its version."""

    tolerance: float = 0.1
    downscale_stabilization: float = 300.0
    cpu_initialization: float = 300.0
    initial_readiness_delay: float = 30.0
    rules: Rules = RECORDED
