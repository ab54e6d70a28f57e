"""What the API server says about the objects that matter to an HPA."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

SAMPLED = "from-prometheus/every"  # a label of HPAs that nobody watched: seconds between the samples that tell of them


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
    SCALE = "scales"
    OWNER = "owners"
    SCALED_OBJECT = "scaled objects"


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
    when there is no current value). `ratio` is current / target. Its identity is `index`, its place in spec.metrics:
    names repeat. `selector` (External, Pods, Object) is the metric's own label selector as text, `object` what an Object
    metric describes, as `Kind/name`. `label` is a name that no other metric of the HPA has.
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
    index: int = 0
    selector: str = ""
    object: str = ""
    label: str = ""


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
    """A HorizontalPodAutoscaler, whatever version it was read in. `targets` is the text of kubectl's TARGETS column.

    `unseen` is (observed, current) generation where the status tells that it is of an older spec (from 1.37 on).
    `generation` is that of the spec where the status tells which one it saw, else None. `sync_period` is the HPA's own
    in seconds (spec.syncPeriodSeconds, KEP 6003), None where it has none.
    """

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
    unseen: tuple[int, int] | None = None
    generation: int | None = None
    sync_period: float | None = None
    owners: tuple[Owner, ...] = ()

    @property
    def sampled(self) -> bool:
        """Whether samples tell of it instead of a watch: then a change is seen late, and syncs are not seen at all."""
        return SAMPLED in self.labels

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
class Owner:
    """One entry of metadata.ownerReferences; the one with `controller` manages the object."""

    kind: str
    name: str
    uid: str
    api_version: str = ""
    controller: bool = False

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def controller_of(owners: tuple[Owner, ...]) -> Owner | None:
    """The owner that manages the object, if one does."""
    return next((owner for owner in owners if owner.controller), None)


@dataclass(frozen=True, slots=True)
class OwnerLink:
    """An object that stands between pods and the scale target (a ReplicaSet), with its own owners."""

    kind: str
    key: Key
    uid: str
    owners: tuple[Owner, ...]
    replicas: int = 0  # of its spec


@dataclass(frozen=True, slots=True)
class Scale:
    """The scale subresource of a target, which is all that the HPA controller reads of it.

    `spec_replicas` is the size asked for, `status_replicas` the size counted (External and Object averages are divided
    by it), `selector` the text that selects the pods (empty: the scale has none, and the HPA fails).
    """

    kind: str
    key: Key
    spec_replicas: int
    status_replicas: int
    selector: str
    api_version: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class Workload:
    """The scale target: replicas as its spec and status say, and the selector of its pods as text (of its spec: the
    controller uses `Scale.selector`).
    """

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
    owners: tuple[Owner, ...] = ()
    status_replicas: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """One container of a pod: requests and limits as numbers (None: not set), and how it fares.

    `sidecar`: an init container with restartPolicy Always (a native sidecar), which runs beside the others.
    """

    name: str
    image: str
    cpu_request: float | None
    memory_request: float | None
    cpu_limit: float | None
    memory_limit: float | None
    ready: bool
    restarts: int
    state: str  # Running, or the reason it waits or ended: ContainerCreating, CrashLoopBackOff, OOMKilled, ...
    sidecar: bool = False
    started: bool | None = None  # None: not told
    exit_code: int | None = None  # of an ended container
    readiness_probe: bool = False


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod. `reason` is the word of kubectl's STATUS column; sums of requests and limits are None if a container
    lacks one.

    `unready_since` is the transition of a Ready condition that is not True. `gates` are scheduling gates that still hold
    the pod, `readiness_gates` the conditions that must be True besides the containers'. `requests` are what the HPA
    controller reads: for each container and native sidecar its requests in thousandths; `pod_requests` the pod-level
    ones (None: none are set).
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
    owners: tuple[Owner, ...] = ()
    init_containers: tuple[ContainerFacts, ...] = ()
    gates: tuple[str, ...] = ()
    readiness_gates: tuple[str, ...] = ()
    unready_since: float | None = None
    requests: tuple[tuple[str, Mapping[str, int]], ...] | None = None  # None: not read, see `raw`
    pod_requests: Mapping[str, int] | None = None

    def condition(self, type_: str) -> Condition | None:
        """The condition of that type, or None."""
        return next((condition for condition in self.conditions if condition.type == type_), None)

    @property
    def completed(self) -> bool:
        """Whether it has ended: a pod that is over is never busy, whatever its last sample says."""
        return self.phase in ("Succeeded", "Failed")


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
    exact: tuple[tuple[str, Mapping[str, int]], ...] | None = None  # by container, in thousandths; None: see `raw`


@dataclass(frozen=True, slots=True)
class ScaledObject:
    """KEDA's object that made an HPA: whether KEDA scales at present, and what it says beside the HPA, as sentences."""

    key: Key
    uid: str
    paused: bool
    notes: tuple[str, ...]


Fact = Hpa | Workload | Pod | Event | PodUsage | Scale | OwnerLink | ScaledObject


def owners_of(pod: Pod, links: Mapping[str, OwnerLink]) -> tuple[Owner, ...]:
    """Who manages the pod, who manages that, and so on, as far as `links` (by uid) tell. Empty: nobody."""
    chain: list[Owner] = []
    owner = controller_of(pod.owners)
    while owner is not None and owner not in chain:
        chain.append(owner)
        link = links.get(owner.uid)
        owner = controller_of(link.owners) if link is not None else None
    return tuple(chain)


def belongs_to(pod: Pod, target_uid: str, links: Mapping[str, OwnerLink], *, linked: bool = True) -> bool | None:
    """Whether the target owns the pod, through any chain. None where that cannot be known: the target's uid is not,
    or the chain ends at a ReplicaSet that was not read (`linked` False: links could not be read at all).
    """
    chain = owners_of(pod, links)
    if not target_uid:
        return None
    if any(owner.uid == target_uid for owner in chain):
        return True
    if chain and chain[-1].kind == "ReplicaSet" and (not linked or chain[-1].uid not in links):
        return None
    return False
