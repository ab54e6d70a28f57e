"""What came of an experiment, as the JSON object that scripts rely on: types here are the schema.

Times are seconds of the cluster's time, counted from the begin of the load (negative: before it), unless they are RFC 3339.
"""

from __future__ import annotations

from typing import Any

import msgspec

VERSION = 1


class ExpectationResult(msgspec.Struct, forbid_unknown_fields=False):
    """One expectation. `state`: ok, failed or unknown (it cannot be told; no success). `moment_s`: when it was decided."""

    text: str
    state: str
    seen: str = ""
    moment_s: float | None = None
    reason: str = ""
    value: float | None = None
    limit: float | None = None


class StageResult(msgspec.Struct):
    """A stage of the load."""

    name: str
    start_s: float
    end_s: float | None
    rate: float


class FaultResult(msgspec.Struct):
    """A fault of the sandbox."""

    name: str
    start_s: float
    end_s: float | None


class RescaleResult(msgspec.Struct):
    """A rescale; `before` may be unknown."""

    time_s: float
    before: int | None
    after: int
    reason: str = ""


class LookResult(msgspec.Struct):
    """The HPA's state from then on."""

    time_s: float
    state: str
    headline: str = ""


Points = list[tuple[float, float | None]]


class MetricSeries(msgspec.Struct):
    """A metric of the HPA over time, with its target."""

    name: str
    unit: str
    points: Points
    target: Points


class LoadSeries(msgspec.Struct):
    """The load, second by second (of real time): requests/s, errors, latencies in ms."""

    time_s: list[float] = []
    offered: list[float] = []
    sent: list[int] = []
    errors: list[int] = []
    p50: list[float | None] = []
    p95: list[float | None] = []
    p99: list[float | None] = []


class Series(msgspec.Struct):
    """What the charts show."""

    replicas: Points = []
    desired: Points = []
    ready: Points = []
    min: Points = []
    max: Points = []
    metrics: list[MetricSeries] = []
    load: LoadSeries = msgspec.field(default_factory=LoadSeries)


class RunResult(msgspec.Struct):
    """One run. `measures`: time_to_scale (s), pod_minutes, p50, p95, p99 (ms), errors (%), rescales, replicas_max, requests,
    agreement (%). `error`: why it could not go on.
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
    """Of a number over the runs of a variant."""

    median: float | None
    min: float | None
    max: float | None
    runs: int
    missing: int = 0


class VariantResult(msgspec.Struct):
    """The runs of one variant together; the empty name is the HPA as it is."""

    name: str
    spec: dict[str, Any]
    runs: int
    passed: int
    measures: dict[str, SpreadResult]


class WinnerResult(msgspec.Struct):
    """Which variant has the least `measure` (`about`: cost, latency, speed). `name` empty: none for sure."""

    about: str
    measure: str
    name: str
    sure_percent: float | None
    text: str


class Result(msgspec.Struct):
    """An experiment. `state`: passed, failed (an expectation was not met), error (it could not go on) or interrupted."""

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


def schema() -> dict[str, Any]:
    """JSON Schema of `to_json`."""
    return msgspec.json.schema(Result)
