"""Frozen facts shared by all rooms: what the API server said, what the load engine measured, and the events that
carry them.

Times are epoch seconds (`float`, UTC). CPU is in millicores (`float`), memory in bytes (`float`). Text fields hold the
cluster's own text, untouched: whoever shows it passes it through `hpatui.text.printable`. `raw` is the object's JSON as
the server sent it, kept as bytes because few objects are ever looked at whole; `hpatui.autoscaler.parse` reads it when
a decision is to be explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Key(NamedTuple):
    """What names an object within its kind: namespace (empty if it has none) and name. Sorts as kubectl lists."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Kind(StrEnum):
    """The kinds of fact that a source delivers; each has its own status."""

    HPA = "hpas"
    WORKLOAD = "workloads"
    POD = "pods"
    EVENT = "events"
    POD_USAGE = "pod metrics"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of an object's status. `status` is True, False or Unknown, as text."""

    type: str
    status: str
    reason: str
    message: str
    last_transition_time: float | None


@dataclass(frozen=True, slots=True)
class MetricTarget:
    """One metric of an HPA: its target from the spec and the current value from the status, if there is one.

    `target` and `current` are numbers in the unit of `unit`: percent for Utilization ("%"), millicores for cpu ("m"),
    bytes for memory ("B"), else plain (""). `target_text` and `current_text` are as kubectl prints them (`<unknown>`
    when there is no current value). `ratio` is current / target.
    """

    type: str  # Resource, ContainerResource, Pods, Object, External
    name: str  # cpu, memory, or the metric's name
    container: str  # only for ContainerResource
    target_type: str  # Utilization, AverageValue, Value
    target: float | None
    current: float | None
    target_text: str
    current_text: str
    unit: str
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Reference:
    """What an HPA scales: spec.scaleTargetRef."""

    kind: str
    name: str
    api_version: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Hpa:
    """A HorizontalPodAutoscaler, whatever version it was read in. `targets` is the text of kubectl's TARGETS column."""

    key: Key
    uid: str
    resource_version: str
    created: float | None
    reference: Reference
    min_replicas: int
    max_replicas: int
    current_replicas: int
    desired_replicas: int
    targets: str
    metrics: tuple[MetricTarget, ...]
    conditions: tuple[Condition, ...]
    last_scale_time: float | None
    labels: Mapping[str, str]
    raw: bytes = b""

    def condition(self, type_: str) -> Condition | None:
        """The condition of that type, or None."""
        for condition in self.conditions:
            if condition.type == type_:
                return condition
        return None


@dataclass(frozen=True, slots=True)
class Event:
    """An event about an object; core/v1 and events.k8s.io look the same here. `count` is at least 1."""

    key: Key
    uid: str
    about_kind: str
    about: Key
    type: str  # Normal, Warning
    reason: str
    message: str
    count: int
    first_seen: float | None
    last_seen: float | None
    component: str


@dataclass(frozen=True, slots=True)
class Workload:
    """The scale target: replicas as its spec and status say, and the selector of its pods as text."""

    kind: str
    key: Key
    uid: str
    replicas: int
    ready: int
    updated: int
    available: int
    selector: str
    created: float | None = None
    progressing: bool = False
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """One container of a pod: requests and limits as numbers (None: not set), and how it fares."""

    name: str
    image: str
    cpu_request: float | None
    memory_request: float | None
    cpu_limit: float | None
    memory_limit: float | None
    ready: bool
    restarts: int
    state: str  # Running, or the reason it waits or ended: ContainerCreating, CrashLoopBackOff, OOMKilled, ...


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod. `reason` is the word of kubectl's STATUS column; sums of requests and limits are None if a container
    lacks one.
    """

    key: Key
    uid: str
    phase: str
    ready: bool
    reason: str
    restarts: int
    node: str
    ip: str
    created: float | None
    started: float | None
    ready_since: float | None
    deleted: float | None
    labels: Mapping[str, str]
    containers: tuple[ContainerFacts, ...]
    cpu_request: float | None
    memory_request: float | None
    cpu_limit: float | None
    memory_limit: float | None
    conditions: tuple[Condition, ...] = ()
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class PodUsage:
    """One sample of the metrics API. `time` is the sample's own time stamp (end of the window), `window` its length
    in seconds.
    """

    key: Key
    time: float
    window: float
    cpu: float
    memory: float
    containers: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # name -> (cpu, memory)
    labels: Mapping[str, str] = field(default_factory=dict)
    raw: bytes = b""


Fact = Hpa | Workload | Pod | Event | PodUsage


class SourceState(StrEnum):
    """How far what is shown can be trusted."""

    IDLE = "idle"  # not asked for
    CONNECTING = "connecting"
    LISTING = "listing"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    FORBIDDEN = "forbidden"
    NOT_SERVED = "not served"
    FAILED = "failed"  # cannot go on by itself: credentials, configuration


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """The state of one kind's stream: since when, and a sentence for the user (empty when live).

    `last_contact` is when the server last said anything about it (an object, a bookmark, an answer): nothing shown is
    older than that.
    """

    state: SourceState
    since: float
    message: str = ""
    last_contact: float | None = None
    received: int = 0  # objects of the list so far, for progress


@dataclass(frozen=True, slots=True)
class Listed:
    """All objects of a kind within `scope` (a namespace, or a selector's text; empty: all asked for), replacing what
    was known there.
    """

    kind: Kind
    items: tuple[Fact, ...]
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Upserted:
    """An object is new or has changed."""

    kind: Kind
    item: Fact
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Deleted:
    """An object is gone. `uid` may be empty where the server did not say."""

    kind: Kind
    key: Key
    uid: str = ""
    scope: str = ""


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The stream of a kind has a new status: connecting, live, reconnecting since, forbidden, failed, ..."""

    kind: Kind
    status: SourceStatus
    scope: str = ""


ClusterEvent = Listed | Upserted | Deleted | StatusChanged


@dataclass(frozen=True, slots=True)
class ControllerFlags:
    """The controller's flags as far as known (seconds; tolerance as a fraction). `known` tells whether they were read
    or assumed.
    """

    sync_period: float = 15.0
    tolerance: float = 0.1
    downscale_stabilization: float = 300.0
    cpu_initialization: float = 300.0
    initial_readiness_delay: float = 30.0
    metrics_resolution: float = 15.0
    known: bool = False


class LoadState(StrEnum):
    """What the load engine is doing."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoadSample:
    """One second of load. Rates are requests per second; latencies milliseconds.

    Response time counts from the planned start of a request, service time from the actual one. `unserved` requests were
    due and never sent (the in-flight cap, or more than 1 s late). `generator_limited` says that this machine, not the
    target, is the bottleneck.
    """

    time: float  # start of the second, epoch seconds
    offered: float  # requests that the plan ordered
    sent: int
    ok: int
    failed: int
    unserved: int
    in_flight: int
    p50: float | None
    p95: float | None
    p99: float | None
    service_p50: float | None = None
    service_p95: float | None = None
    service_p99: float | None = None
    late_p99: float | None = None
    bytes: int = 0
    statuses: Mapping[str, int] = field(default_factory=dict)  # "200" -> n
    errors: Mapping[str, int] = field(default_factory=dict)  # kind -> n
    per_pod: Mapping[str, int] = field(default_factory=dict)
    stage: str = ""
    generator_limited: bool = False
    breaker_open: bool = False


@dataclass(frozen=True, slots=True)
class LoadTotals:
    """The whole run so far. Latencies in milliseconds, None before the first answer."""

    requests: int = 0
    ok: int = 0
    failed: int = 0
    unserved: int = 0
    bytes: int = 0
    duration: float = 0.0
    offered_rate: float = 0.0
    achieved_rate: float = 0.0
    in_flight_max: int = 0
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None
    statuses: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, int] = field(default_factory=dict)
