"""What the load engine measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hpatui.model.objects import Key


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
    unserved_kinds: Mapping[str, int] = field(default_factory=dict)  # why -> n
    limited_by: str = ""  # what makes this machine the bottleneck
    held: int = 0  # requests that had to wait for the limit of the rate


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
    sending: float = (
        0.0  # seconds in which it sent: without pauses and the wait for the last answers; the rates' divisor
    )
    unserved_kinds: Mapping[str, int] = field(default_factory=dict)  # why -> n
    retried: int = 0  # sent again, because the server had closed an idle connection
    large: int = 0  # answers of more than 1 MiB
    held: int = 0  # had to wait for the limit of the rate
    limit: float = 0.0  # requests/s that are never exceeded
    breaker_seconds: int = 0  # in which everything failed, so that only probes went out
    cut_off: int = 0  # under way when the run was stopped: neither good nor bad
    limited_by: Mapping[str, int] = field(default_factory=dict)  # what made this machine the bottleneck -> seconds


@dataclass(frozen=True, slots=True)
class LoadView:
    """The load as the screen shows it. `target` is for people: `php-apache:80 by service proxy`."""

    state: LoadState = LoadState.IDLE
    target: str = ""
    plan: str = ""
    rate: float = 0.0  # ordered now, requests/s
    started: float | None = None
    last: LoadSample | None = None
    totals: LoadTotals | None = None
    message: str = ""  # why it failed, or a warning
    for_hpa: Key | None = None
    forecast: str = ""  # what this rate means for the HPA in focus, once that was learned
    cost: str = ""  # what the scaling of the run cost, when it is over


@dataclass(frozen=True, slots=True)
class LoadChanged:
    """The load's state as it is shown; `mark` (may be empty) names the change on the graphs."""

    view: LoadView
    mark: str = ""
