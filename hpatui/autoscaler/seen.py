"""What an observer knows beside the inputs of a decision: whose pods are selected, why some are not ready, who owns the
target, what the controller said of each metric. The words of an explanation need it; the decision does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONG_RUNNING = 120.0  # seconds after which a pod without a sample is no longer one that just started


@dataclass(frozen=True, slots=True)
class Stranger:
    """A selected pod that is not the target's. `owner` as `Kind/name` (empty: nobody's); `finished`: it ended well and
    will never have a sample.
    """

    owner: str
    finished: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """All by name or by place in spec.metrics; empty where nothing is known.

    `containers` are those of the target's pods that count (`sidecars`: the native ones among them, `inits`: plain init
    containers, which do not); `measured` those that samples list. `most`: what a metric can reach at most, because of
    limits, in percent or thousandths a pod. `failures`: the controller's own text of why a metric has no value.
    `running_for`: seconds that the oldest ready pod is ready. `told`: places of metrics whose single values only the
    controller sees. `keda`: what the ScaledObject of an HPA that KEDA made says beside it (None: not read).
    """

    unready: Mapping[str, str] = field(default_factory=dict)
    ready: frozenset[str] = frozenset()
    strangers: Mapping[str, Stranger] = field(default_factory=dict)
    containers: frozenset[str] = frozenset()
    sidecars: frozenset[str] = frozenset()
    inits: frozenset[str] = frozenset()
    measured: frozenset[str] = frozenset()
    most: Mapping[int, float] = field(default_factory=dict)
    failures: Mapping[int, str] = field(default_factory=dict)
    target: str = ""
    target_owner: str = ""
    status_replicas: int | None = None
    running_for: float | None = None
    keda: tuple[str, ...] | None = None
    keda_paused: bool = False


NOTHING = Seen()
