"""The shapes of what `hpatui watch --json` prints, as types that the printing code is checked
against; `hpatui schema` makes JSON Schemas of them.

A docstring's lines `key: text` say what a key holds. Times are RFC 3339 texts, UTC. Within a version of a schema keys are
added only; a reader ignores those that it does not know.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from hpatui.model import LoadState, SourceState
from hpatui.state.snapshot import HpaState


class SourceJson(TypedDict):
    """How far what is told can be trusted.

    state: live, or why it is not
    since: when it came into that state
    message: what is wrong or waited for, in one line; empty when nothing is
    last_contact: when the cluster was last heard of; null before the first time
    """

    state: SourceState
    since: str | None
    message: str
    last_contact: str | None


class MetricJson(TypedDict):
    """One metric of the HPA's spec, and its value in the status.

    index: its place in spec.metrics: its identity
    type: Resource, ContainerResource, Pods, Object or External
    name: the resource's or the metric's name
    label: as hpatui shows it; unique within the HPA
    container: the container of a ContainerResource metric, else empty
    selector: the metric's label selector as text, else empty
    object: the described object of an Object metric, else empty
    current: the value as kubectl shows it; `<unknown>` where the status has none
    target: the target as kubectl shows it
    ratio: current / target; null where that is not known
    """

    index: int
    type: str
    name: str
    label: str
    container: str
    selector: str
    object: str
    current: str
    target: str
    ratio: float | None


class ConditionJson(TypedDict):
    """One condition of the HPA's status, as the controller wrote it.

    type: AbleToScale, ScalingActive or ScalingLimited
    status: True, False or Unknown, as text
    reason: one word
    message: the controller's sentence
    last_transition_time: when its status last changed
    """

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: str | None


class DecisionJson(TypedDict):
    """What the controller's next sync will do, as computed by its rules.

    text: in one line; empty where the status alone says it as well
    size: the target's present size
    wanted: what the metrics ask for; null where no size can be computed
    metric: label of the metric that asks for most
    metric_index: its place in spec.metrics
    reason: reason of the event that a rescale would write; empty where nothing changes
    next_sync: when that sync is expected
    more_at: first sync at which a rate policy allows more
    assumed: held by what the controller may remember from before it was observed
    error: the controller's own error where it cannot compute a size, else empty
    """

    text: str
    size: int
    wanted: int | None
    metric: str | None
    metric_index: int | None
    reason: str
    next_sync: str | None
    more_at: str | None
    assumed: bool
    error: str


class AgreementJson(TypedDict):
    """How often the prediction was right.

    agreed: syncs that went as predicted
    compared: syncs that could be compared
    known_since: since when the HPA is observed
    """

    agreed: int
    compared: int
    known_since: str | None


class PodJson(TypedDict):
    """A pod of the HPA's target.

    name: its name
    status: its phase, or the reason why it is not well
    ready: whether it takes traffic
    restarts: of all its containers
    node: empty where it is not scheduled
    cpu_m: use in millicores; null without a sample
    memory_bytes: use; null without a sample
    cpu_request_m: sum of its containers' requests; null where one has none
    memory_request_bytes: sum of its containers' requests; null where one has none
    cpu_limit_m: sum of its containers' limits; null where one has none
    memory_limit_bytes: sum of its containers' limits; null where one has none
    sample_time: the sample's time stamp
    sample_window_s: over how many seconds it was measured
    """

    name: str
    status: str
    ready: bool
    restarts: int
    node: str
    cpu_m: float | None
    memory_bytes: int | None
    cpu_request_m: float | None
    memory_request_bytes: float | None
    cpu_limit_m: float | None
    memory_limit_bytes: float | None
    sample_time: str | None
    sample_window_s: float | None


class EventJson(TypedDict):
    """An event of the HPA, its target or its pods.

    type: Normal or Warning
    reason: one word
    message: the sentence
    count: how often it was seen
    first_seen: when first
    last_seen: when last
    about: the object, as Kind/name
    """

    type: str
    reason: str
    message: str
    count: int
    first_seen: str | None
    last_seen: str | None
    about: str


class DetailSourceJson(TypedDict):
    """How far one kind of an HPA's details can be trusted.

    state: live, or why it is not
    message: what is wrong, in one line
    """

    state: SourceState
    message: str


class HpaJson(TypedDict):
    """One HPA. Pods, events and sources come with --details only.

    namespace: its namespace
    name: its name
    reference: the scale target, as Kind/name
    targets: kubectl's column TARGETS
    min: minReplicas
    max: maxReplicas
    current: replicas in the status
    desired: desired replicas in the status
    state: one word that a person can act on
    headline: the same in a sentence
    last_scale_time: when the controller last scaled it
    decision: what the next sync will do; null where the HPA is not observed
    predicted: the size after that sync; null where not observed
    held_until: first sync at which a stabilization window lets go; null where none holds
    agreement: how often the predictions were right; null where not observed
    metrics: those of the spec, in its order
    conditions: those of the status
    pods: the pods of its target
    events: newest first
    sources: kind of object -> how far it can be trusted
    """

    namespace: str
    name: str
    reference: str
    targets: str
    min: int
    max: int
    current: int
    desired: int
    state: HpaState
    headline: str
    last_scale_time: str | None
    decision: DecisionJson | None
    predicted: int | None
    held_until: str | None
    agreement: AgreementJson | None
    metrics: list[MetricJson]
    conditions: list[ConditionJson]
    pods: NotRequired[list[PodJson]]
    events: NotRequired[list[EventJson]]
    sources: NotRequired[dict[str, DetailSourceJson]]


class LatencyJson(TypedDict):
    """Response times of a second, in milliseconds; null where nothing was answered.

    p50: median
    p95: 95th percentile
    p99: 99th percentile
    """

    p50: float | None
    p95: float | None
    p99: float | None


class LoadJson(TypedDict):
    """The load that this hpatui sends; what was measured comes once it runs.

    state: what the load engine is doing
    target: where it goes, for people
    rate: requests/s ordered now
    message: why it failed, or a warning
    offered: requests that the plan ordered in the last second
    sent: sent in the last second
    ok: answered well
    failed: failed
    unserved: due and not begun
    in_flight: under way at the second's end
    latency_ms: response times of the last second
    """

    state: LoadState
    target: str
    rate: float
    message: str
    offered: NotRequired[float]
    sent: NotRequired[int]
    ok: NotRequired[int]
    failed: NotRequired[int]
    unserved: NotRequired[int]
    in_flight: NotRequired[int]
    latency_ms: NotRequired[LatencyJson]


class SnapshotJson(TypedDict):
    """One look at the HPAs: what `hpatui watch --json` prints a line of for each change.

    time: when
    context: the kubeconfig's context
    namespace: null for all namespaces
    source: how far the HPAs can be trusted
    observing: what is missing where not every HPA is observed; else empty
    hpas: sorted by namespace and name
    load: the load that this hpatui sends
    """

    time: str | None
    context: str
    namespace: str | None
    source: SourceJson
    observing: str
    hpas: list[HpaJson]
    load: LoadJson


class StatusLine(TypedDict):
    """At first, and whenever the source's state or message changes.

    type: status
    time: when
    context: the kubeconfig's context
    namespace: null for all namespaces
    source: how far the HPAs can be trusted
    """

    type: Literal["status"]
    time: str | None
    context: str
    namespace: str | None
    source: SourceJson


class HpaLine(TypedDict):
    """Each HPA once, then again whenever anything in it changes, always as a whole.

    type: hpa
    time: when
    hpa: the whole HPA
    """

    type: Literal["hpa"]
    time: str | None
    hpa: HpaJson


class DeletedLine(TypedDict):
    """An HPA is gone.

    type: deleted
    time: when
    namespace: its namespace
    name: its name
    """

    type: Literal["deleted"]
    time: str | None
    namespace: str
    name: str


class LoadLine(LoadJson):
    """The state of this session's load changed.

    type: load
    time: when
    state: what the load engine is doing
    target: where it goes, for people
    rate: requests/s ordered now
    message: why it failed, or a warning
    offered: requests that the plan ordered in the last second
    sent: sent in the last second
    ok: answered well
    failed: failed
    unserved: due and not begun
    in_flight: under way at the second's end
    latency_ms: response times of the last second
    """

    type: Literal["load"]
    time: str | None


class HeartbeatLine(TypedDict):
    """Nothing was said for ten seconds.

    type: heartbeat
    time: when
    source: how far the HPAs can be trusted
    """

    type: Literal["heartbeat"]
    time: str | None
    source: SourceJson
