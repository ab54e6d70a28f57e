"""What the front ends see: one frozen Snapshot per change.

A Snapshot is never altered, and nothing in it changes later. Parts that did not change are the same objects as in the one
before (compare with `is`), so a front end repaints only what is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from hpatui.autoscaler.explanation import Explanation
from hpatui.model import (
    Event,
    Hpa,
    Key,
    Kind,
    LoadView,
    OwnerLink,
    Pod,
    PodUsage,
    Scale,
    SourceStatus,
    Workload,
)
from hpatui.state.heat import Heat
from hpatui.state.series import HistoryView, LoadHistoryView

if TYPE_CHECKING:
    from hpatui.state.outlook import Outlook

NO_HEAT = Heat()


class HpaState(StrEnum):
    """One word that a person can act on."""

    STEADY = "steady"
    UP = "up"
    DOWN = "down"
    HELD = "held"  # wants fewer, the stabilization window holds it
    LIMITED = "limited"  # moving, but no faster than a rate policy allows
    CAPPED = "capped"  # wants more than maxReplicas
    FLOOR = "floor"  # wants fewer than minReplicas
    BLIND = "blind"  # no metrics
    OFF = "off"  # target has 0 replicas
    AMBIGUOUS = "ambiguous"  # several HPAs select the same pods
    FAILING = "failing"  # cannot read or write the scale
    NEW = "new"  # no status yet


PROBLEM_STATES = frozenset({HpaState.BLIND, HpaState.AMBIGUOUS, HpaState.FAILING, HpaState.CAPPED, HpaState.LIMITED})


@dataclass(frozen=True, slots=True)
class HpaRow:
    """One row of the HPA list. `trend` holds the last current-replica counts, oldest first, one per 15 s (at most
    32).
    """

    hpa: Hpa
    state: HpaState
    headline: str
    trend: tuple[int, ...] = ()
    decision: Outlook | None = None  # what its next sync will do, where that is observed
    heat: Heat = NO_HEAT  # of the last hour

    @property
    def key(self) -> Key:
        return self.hpa.key


@dataclass(frozen=True, slots=True)
class PodRow:
    """A pod of the selected HPA with its newest usage sample, if there is one, and its share of the load
    (requests/s).
    """

    pod: Pod
    usage: PodUsage | None
    load: float | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """All about the selected HPA. `statuses` tells for workload, pods, events and pod metrics whether they can be
    trusted.
    """

    row: HpaRow
    workload: Workload | None
    pods: tuple[PodRow, ...]
    events: tuple[Event, ...]  # newest first: of the HPA, its target and its pods
    explanation: Explanation | None
    history: HistoryView
    statuses: Mapping[Kind, SourceStatus]
    scale: Scale | None = None
    links: Mapping[str, OwnerLink] = field(default_factory=dict)  # what stands between pods and target, by uid


@dataclass(frozen=True, slots=True)
class ShadowLine:
    """A candidate beside the live HPA: its name, and (time, size) at each change."""

    name: str
    points: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that just happened and deserves a toast: a rescale, a lost connection. `severity` is information,
    warning or error.
    """

    time: float
    title: str
    text: str
    severity: str = "information"
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a front end may show, at one moment.

    `rows` are sorted by namespace and name. `notices` are those that were not published yet.
    """

    version: int
    time: float
    context: str
    namespace: str | None  # None: all namespaces
    sandbox: bool
    status: SourceStatus  # of the HPA stream, the heart of it all
    rows: tuple[HpaRow, ...]
    detail: Detail | None
    load: LoadView
    load_history: LoadHistoryView
    statuses: Mapping[Kind, SourceStatus] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    metrics_time: float | None = None  # time stamp of the newest usage sample shown
    server_version: str = ""
    acting_as: str = ""  # whom requests impersonate: `jane (groups ops)`; empty: nobody
    rules: str = ""  # which controller's rules are used: "rules of 1.32 (server 1.32.9)"
    observing: str = ""  # how many HPAs are observed and what is missing for that; empty: only the one in focus
    observes_less: bool = False  # than all: `observing` says why
    shadows: tuple[ShadowLine, ...] = ()  # candidates that run beside the HPA in focus
