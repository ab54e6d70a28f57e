"""The shapes of what `hpatui load --json` prints; see `shapes`."""

from __future__ import annotations

from typing import TypedDict


class SecondJson(TypedDict):
    """One second of load.

    time: its start, epoch seconds
    offered: requests that the plan ordered
    sent: sent
    ok: answered well
    failed: failed
    unserved: due and not begun
    p50: median response time in milliseconds; null without an answer
    p95: 95th percentile
    p99: 99th percentile
    """

    time: float
    offered: float
    sent: int
    ok: int
    failed: int
    unserved: int
    p50: float | None
    p95: float | None
    p99: float | None


class PlannedJson(TypedDict):
    """Response times of all that was planned, in milliseconds: what failed or was not begun counts as slower than any answer.

    p50: median
    p90: 90th percentile
    p95: 95th percentile: what --max-p95 judges
    p99: 99th percentile
    p999: 99.9th percentile
    max: the longest
    at_least: the names of those above that lie among what failed or was not begun: it took at least as long
    """

    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p999: float | None
    max: float | None
    at_least: list[str]


class LoadResultJson(TypedDict):
    """The result of a load: `hpatui load --json`.

    requests: sent
    ok: answered well
    errors: failed: the target's fault
    unserved: due and not begun: nobody's answer
    unserved_kinds: why -> how many
    retried: sent again, because the target had closed an idle connection
    large_answers: answers of more than 1 MiB
    cut_off: under way when the run was stopped: neither good nor bad
    duration_s: seconds from the first request to the last answer
    sending_s: seconds in which it sent: the rates' divisor
    drain_s: seconds of waiting for the last answers
    offered_rate: requests/s that the plan ordered
    achieved_rate: requests/s that were sent
    limit_rate: requests/s that are never exceeded
    held_by_limit: requests that had to wait for that limit
    in_flight_max: the most under way at once
    in_flight_limit: the most that may be
    bytes: of the answers
    status: HTTP status -> how many
    error_kinds: kind -> how many
    answered_share: share of what was planned that got any answer
    ok_share: share of what was planned that got a good one
    latency_ms: response times of the answers, from the planned start
    service_time_ms: the same from the actual start
    late_start_ms: how much later than planned requests started
    name_lookup_ms: looking up names
    tcp_connect_ms: connecting
    tls_handshake_ms: TLS
    planned_ms: response times of all that was planned
    generator_limited_s: seconds in which this machine was the bottleneck
    generator_limited_by: by what -> seconds
    breaker_open_s: seconds in which everything failed, so that only probes went out
    stages: the plan, in words
    per_second: each second
    ended: complete, or why it ended
    """

    requests: int
    ok: int
    errors: int
    unserved: int
    unserved_kinds: dict[str, int]
    retried: int
    large_answers: int
    cut_off: int
    duration_s: float
    sending_s: float
    drain_s: float
    offered_rate: float
    achieved_rate: float
    limit_rate: float
    held_by_limit: int
    in_flight_max: int
    in_flight_limit: int
    bytes: int
    status: dict[str, int]
    error_kinds: dict[str, int]
    answered_share: float
    ok_share: float
    latency_ms: dict[str, float | None]
    service_time_ms: dict[str, float | None]
    late_start_ms: dict[str, float | None]
    name_lookup_ms: dict[str, float | None]
    tcp_connect_ms: dict[str, float | None]
    tls_handshake_ms: dict[str, float | None]
    planned_ms: PlannedJson
    generator_limited_s: int
    generator_limited_by: dict[str, int]
    breaker_open_s: int
    stages: list[str]
    per_second: list[SecondJson]
    ended: str


class StepJson(TypedDict):
    """One step of the search for capacity.

    rate: requests/s ordered
    served: answered well per second
    p95: response time in milliseconds; null without an answer
    failed: share that failed or stayed unserved
    limited: this machine was the bottleneck
    pods: of the HPA at the step's end; null where unknown
    used: highest share of a metric's target
    offered: what was really ordered per second
    seconds: how long it lasted
    ratios: metric -> share of its target
    most: maxReplicas
    """

    rate: float
    served: float
    p95: float | None
    failed: float
    limited: bool
    pods: int | None
    used: float | None
    offered: float
    seconds: float
    ratios: dict[str, float]
    most: int | None


class CapacityJson(TypedDict):
    """Where the application's capacity ends: `hpatui load --find-capacity --json`.

    knee: the highest rate that was carried well
    beyond: the lowest that was not; null where there was none
    why: why it ended there
    served_max: the most that was ever answered per second
    per_pod_at_target: requests/s a pod carries at the HPA's target; null where no metric followed the load
    per_pod_error: give or take
    metric: by which metric
    max_replicas: maxReplicas
    replicas_for_peak: replicas that --peak would need
    steps: in their order
    ended: complete, or why it ended
    """

    knee: float
    beyond: float | None
    why: str
    served_max: float
    per_pod_at_target: float | None
    per_pod_error: float | None
    metric: str | None
    max_replicas: int | None
    replicas_for_peak: int | None
    steps: list[StepJson]
    ended: str


class LoopsJson(TypedDict):
    """The end of busybox's loops: `hpatui load --via cluster --engine busybox --json`. They count nothing.

    engine: busybox
    workers: loops
    duration_s: seconds
    requests: null: not counted
    """

    engine: str
    workers: int
    duration_s: float
    requests: None
