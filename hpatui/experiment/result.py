"""What came of an experiment, as the JSON object that scripts rely on: types here are the schema.

Times are seconds of the cluster's time, counted from the begin of the load (negative: before it), unless they are RFC 3339.
"""

from __future__ import annotations

from typing import Any

import msgspec

VERSION = 1


class ExpectationResult(msgspec.Struct, forbid_unknown_fields=False):
    """One expectation.

    text: as the file has it
    state: ok, failed or unknown (it cannot be told; no success)
    seen: the evidence in words
    moment_s: when it was decided
    reason: what the cluster said and did around that moment
    value: the number that was judged, in the unit of the expectation (latencies in ms)
    limit: what it was held against
    """

    text: str
    state: str
    seen: str = ""
    moment_s: float | None = None
    reason: str = ""
    value: float | None = None
    limit: float | None = None


class StageResult(msgspec.Struct):
    """A stage of the load.

    name: its name
    start_s: its begin
    end_s: its end; null where it was cut off
    rate: requests/s that it is meant to reach, or users
    """

    name: str
    start_s: float
    end_s: float | None
    rate: float


class FaultResult(msgspec.Struct):
    """A fault of the sandbox.

    name: its name
    start_s: its begin
    end_s: its end; null: that of the run
    """

    name: str
    start_s: float
    end_s: float | None


class RescaleResult(msgspec.Struct):
    """A rescale.

    time_s: when
    before: replicas before it; null where nobody saw
    after: replicas that were wanted from then on
    reason: what the controller said
    """

    time_s: float
    before: int | None
    after: int
    reason: str = ""


class LookResult(msgspec.Struct):
    """The HPA's state from then on.

    time_s: when it began
    state: as in `hpatui watch --json`
    headline: what it means in a sentence
    """

    time_s: float
    state: str
    headline: str = ""


Points = list[tuple[float, float | None]]


class MetricSeries(msgspec.Struct):
    """A metric of the HPA over time.

    name: its name
    unit: its unit
    points: [time_s, value]; null: there was none
    target: [time_s, target] where it changed
    """

    name: str
    unit: str
    points: Points
    target: Points


class LoadSeries(msgspec.Struct):
    """The load, second by second of real time: one list for each column.

    time_s: begin of each second
    offered: requests/s that the plan wanted
    sent: requests that were sent
    errors: requests that failed or could not be sent
    p50: median latency in ms
    p95: 95th percentile of the latency in ms
    p99: 99th percentile of the latency in ms
    """

    time_s: list[float] = []
    offered: list[float] = []
    sent: list[int] = []
    errors: list[int] = []
    p50: list[float | None] = []
    p95: list[float | None] = []
    p99: list[float | None] = []


class Series(msgspec.Struct):
    """What the charts show; lists of [time_s, value], null: unknown.

    replicas: replicas that there are, where they changed
    desired: replicas that the HPA wants, where they changed
    ready: ready pods, where they changed
    min: minReplicas, where it changed
    max: maxReplicas, where it changed
    metrics: each metric of the HPA
    load: the load
    """

    replicas: Points = []
    desired: Points = []
    ready: Points = []
    min: Points = []
    max: Points = []
    metrics: list[MetricSeries] = []
    load: LoadSeries = msgspec.field(default_factory=LoadSeries)


class RunResult(msgspec.Struct):
    """One run.

    number: 1 for the first
    variant: the variant's name; empty: the HPA as it is
    started: begin, RFC 3339
    state: passed, failed, error (it could not go on) or interrupted
    error: why it could not go on
    duration_s: seconds from the begin of the load
    load_end_s: end of the load
    measures: time_to_scale (s), pod_minutes, p50, p95, p99 (ms), errors (%), rescales, replicas_max, requests, agreement (%)
    expectations: each of them in this run
    stages: stages of the load that were begun
    faults: faults that were begun
    rescales: rescales that were seen
    states: the HPA's states
    series: what the charts show
    target: where the load went
    made: objects that were created
    recording: file of the recording, for `hpatui replay`
    """

    number: int
    variant: str
    started: str
    state: str  # passed, failed, error, interrupted
    error: str
    duration_s: float
    load_end_s: float | None
    measures: dict[str, float | None]
    expectations: list[ExpectationResult]
    stages: list[StageResult] = []
    faults: list[FaultResult] = []
    rescales: list[RescaleResult] = []
    states: list[LookResult] = []
    series: Series = msgspec.field(default_factory=Series)
    target: str = ""
    made: list[str] = []
    recording: str = ""


class SpreadResult(msgspec.Struct):
    """Of a number over the runs of a variant.

    median: the median
    min: the least
    max: the most
    runs: how many runs have the number
    missing: how many have none
    """

    median: float | None
    min: float | None
    max: float | None
    runs: int
    missing: int = 0


class VariantResult(msgspec.Struct):
    """The runs of one variant together.

    name: its name; empty: the HPA as it is
    spec: what it changes of the HPA's spec
    runs: how many runs there were
    passed: how many of them passed
    measures: the spread of each measure of a run
    """

    name: str
    spec: dict[str, Any]
    runs: int
    passed: int
    measures: dict[str, SpreadResult]


class WinnerResult(msgspec.Struct):
    """Which variant has the least of a measure.

    about: cost, latency or speed
    measure: the measure's name
    name: the variant's name; empty: none for sure
    sure_percent: how sure that is; null where there are too few runs
    text: the same in words
    """

    about: str
    measure: str
    name: str
    sure_percent: float | None
    text: str


class Result(msgspec.Struct):
    """An experiment.

    name: its name
    state: passed, failed (an expectation was not met), error (it could not go on) or interrupted
    error: why it could not go on
    expectations: each of them over all runs
    runs: every run that was begun
    variants: the runs of each variant together
    winners: the variants beside each other
    about: what it is about, from the file
    file: name of the experiment's file
    hpa: NAMESPACE/NAME of the HPA
    context: the context it ran on
    sandbox: whether that was a sandbox
    speed: how many times as fast as ours its clock is
    server_version: the API server's
    rules: the version of the HPA controller whose rules were applied
    started: begin of the first run, RFC 3339
    repeat: repetitions
    seed: of the order of the variants; null: there is one variant
    load: the load in words
    hpatui: the version of hpatui
    version: version of this format
    """

    name: str
    state: str
    error: str
    expectations: list[ExpectationResult]
    runs: list[RunResult]
    variants: list[VariantResult]
    winners: list[WinnerResult] = []
    about: str = ""
    file: str = ""
    hpa: str = ""
    context: str = ""
    sandbox: bool = False
    speed: float = 1.0
    server_version: str = ""
    rules: str = ""
    started: str = ""
    repeat: int = 1
    seed: int | None = None
    load: str = ""
    hpatui: str = ""
    version: int = VERSION


def to_json(result: Result) -> bytes:
    """One line."""
    return msgspec.json.encode(result)
