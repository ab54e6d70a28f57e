"""Frozen facts shared by all rooms: what the API server said, what the load engine measured, and the events that
carry them.

Times are epoch seconds (`float`, UTC). CPU is in millicores (`float`), memory in bytes (`float`). Text fields hold the
cluster's own text, untouched: whoever shows it passes it through `hpatui.text.printable`. `raw` is the object's JSON as
the server sent it, kept as bytes because few objects are ever looked at whole; `hpatui.autoscaler.parse` reads it when
a decision is to be explained.
"""

from __future__ import annotations

from hpatui.model.load import (
    LoadChanged,
    LoadSample,
    LoadState,
    LoadTotals,
    LoadView,
)
from hpatui.model.objects import (
    SAMPLED,
    Condition,
    ContainerFacts,
    Event,
    Fact,
    Hpa,
    Key,
    Kind,
    MetricTarget,
    Owner,
    OwnerLink,
    Pod,
    PodUsage,
    Reference,
    Scale,
    ScaledObject,
    Workload,
    belongs_to,
    controller_of,
    owners_of,
)
from hpatui.model.stream import (
    EVERYTHING,
    ClusterEvent,
    ControllerFlags,
    Deleted,
    FactSource,
    Listed,
    Seen,
    SourceState,
    SourceStatus,
    StatusChanged,
    Tick,
    Upserted,
)

__all__ = [
    "EVERYTHING",
    "SAMPLED",
    "ClusterEvent",
    "Condition",
    "ContainerFacts",
    "ControllerFlags",
    "Deleted",
    "Event",
    "Fact",
    "FactSource",
    "Hpa",
    "Key",
    "Kind",
    "Listed",
    "LoadChanged",
    "LoadSample",
    "LoadState",
    "LoadTotals",
    "LoadView",
    "MetricTarget",
    "Owner",
    "OwnerLink",
    "Pod",
    "PodUsage",
    "Reference",
    "Scale",
    "ScaledObject",
    "Seen",
    "SourceState",
    "SourceStatus",
    "StatusChanged",
    "Tick",
    "Upserted",
    "Workload",
    "belongs_to",
    "controller_of",
    "owners_of",
]
