"""What happened: counts and latency histograms, per second and in total. Memory does not grow with the run.

Response time counts from the planned start of a request, service time from the actual one; milliseconds outside,
microseconds in the histograms.

    started/answered/failed/unserved  ->  Second (mergeable)  ->  LoadSample, and the totals of the run
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from hpatui.load.histogram import Histogram, of_values
from hpatui.model import LoadSample, LoadTotals

_K = TypeVar("_K")

LATE_LIMIT = 20.0  # milliseconds of late start at the 99th percentile from which the generator is the bottleneck
BUSY_LIMIT = 0.95  # share of a core from which it is


@dataclass(slots=True)
class Second:
    """One second as a worker counted it; the histograms as slot -> count, so that several can be merged.

    `cpu` is the share of a core that the worker used; `offered` what the plan ordered.
    """

    time: float
    elapsed: float = 0.0  # seconds since the run began, at this second's end
    offered: float = 0.0
    sent: int = 0
    ok: int = 0
    failed: int = 0
    unserved: int = 0
    bytes: int = 0
    in_flight: int = 0
    peak: int = 0  # the most requests in flight at once
    cpu: float = 0.0
    stage: str = ""
    breaker_open: bool = False
    statuses: dict[int, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    pods: dict[str, int] = field(default_factory=dict)
    response: dict[int, int] = field(default_factory=dict)
    service: dict[int, int] = field(default_factory=dict)
    late: dict[int, int] = field(default_factory=dict)


class Counting:
    """The second that is being counted; the engine writes to its fields, the innermost ones directly."""

    __slots__ = (
        "bytes",
        "errors",
        "failed",
        "late",
        "ok",
        "peak",
        "pods",
        "response",
        "sent",
        "service",
        "statuses",
        "unserved",
    )

    def __init__(self) -> None:
        self.sent = self.ok = self.failed = self.unserved = self.bytes = self.peak = 0
        self.response: list[int] = []  # microseconds
        self.service: list[int] = []
        self.late: list[int] = []
        self.statuses: dict[int, int] = {}
        self.errors: dict[str, int] = {}
        self.pods: dict[str, int] = {}

    def fail(self, kind: str) -> None:
        """A request failed."""
        self.failed += 1
        self.errors[kind] = self.errors.get(kind, 0) + 1

    def close(
        self,
        time: float,
        elapsed: float,
        offered: float,
        in_flight: int,
        stage: str,
        *,
        cpu: float,
        breaker_open: bool,
    ) -> Second:
        """The second that began at `time` (epoch s)."""
        return Second(
            time,
            elapsed,
            offered,
            self.sent,
            self.ok,
            self.failed,
            self.unserved,
            self.bytes,
            in_flight,
            self.peak,
            cpu,
            stage,
            breaker_open,
            self.statuses,
            self.errors,
            self.pods,
            of_values(self.response).counts,
            of_values(self.service).counts,
            of_values(self.late).counts,
        )


def merged(seconds: list[Second]) -> Second:
    """The same second of several workers as one; `cpu` is that of the busiest."""
    first = seconds[0]
    if len(seconds) == 1:
        return first
    whole = Second(first.time, max(part.elapsed for part in seconds), stage=first.stage)
    for part in seconds:
        for name in ("offered", "sent", "ok", "failed", "unserved", "bytes", "in_flight", "peak"):
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        whole.cpu = max(whole.cpu, part.cpu)
        whole.breaker_open = whole.breaker_open or part.breaker_open
    whole.statuses = _sum([part.statuses for part in seconds])
    whole.errors = _sum([part.errors for part in seconds])
    whole.pods = _sum([part.pods for part in seconds])
    whole.response = _sum([part.response for part in seconds])
    whole.service = _sum([part.service for part in seconds])
    whole.late = _sum([part.late for part in seconds])
    return whole


def _sum(parts: list[dict[_K, int]]) -> dict[_K, int]:
    counter: Counter[_K] = Counter()
    for part in parts:
        counter.update(part)
    return dict(counter)


class Statistics:
    """The run so far."""

    def __init__(self) -> None:
        self.response, self.service, self.late = Histogram(), Histogram(), Histogram()
        self._sent = self._ok = self._failed = self._unserved = self._bytes = self._in_flight_max = 0
        self._offered = self._elapsed = 0.0
        self._statuses: Counter[int] = Counter()
        self._errors: Counter[str] = Counter()

    def take(self, second: Second) -> LoadSample:
        """Add a second; returns it as the screen shows it."""
        self._elapsed = max(self._elapsed, second.elapsed)
        self._sent += second.sent
        self._ok += second.ok
        self._failed += second.failed
        self._unserved += second.unserved
        self._bytes += second.bytes
        self._offered += second.offered
        self._in_flight_max = max(self._in_flight_max, second.peak)
        self._statuses.update(second.statuses)
        self._errors.update(second.errors)
        self.response.merge(second.response)
        self.service.merge(second.service)
        self.late.merge(second.late)
        return _sample(second)

    def totals(self) -> LoadTotals:
        """The run so far (closed seconds only)."""
        duration = self._elapsed
        p50, p90, p95, p99, p999 = self.response.percentiles((50, 90, 95, 99, 99.9))
        return LoadTotals(
            requests=self._sent,
            ok=self._ok,
            failed=self._failed,
            unserved=self._unserved,
            bytes=self._bytes,
            duration=duration,
            offered_rate=self._offered / duration if duration > 0 else 0.0,
            achieved_rate=self._sent / duration if duration > 0 else 0.0,
            in_flight_max=self._in_flight_max,
            p50=p50,
            p90=p90,
            p95=p95,
            p99=p99,
            p999=p999,
            max=self.response.max_ms,
            statuses={str(code): count for code, count in self._statuses.items()},
            errors=dict(self._errors),
        )

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Latency tables for the result: response, service and late start, in milliseconds."""
        late = _table(self.late)
        return {
            "latency_ms": _table(self.response),
            "service_time_ms": _table(self.service),
            "late_start_ms": {name: late[name] for name in ("p50", "p99", "max")},
        }


def _sample(second: Second) -> LoadSample:
    response, service, late = Histogram(), Histogram(), Histogram()
    response.merge(second.response)
    service.merge(second.service)
    late.merge(second.late)
    p50, p95, p99 = response.percentiles((50, 95, 99))
    service_p50, service_p95, service_p99 = service.percentiles((50, 95, 99))
    (late_p99,) = late.percentiles((99,))
    return LoadSample(
        time=second.time,
        offered=second.offered,
        sent=second.sent,
        ok=second.ok,
        failed=second.failed,
        unserved=second.unserved,
        in_flight=second.in_flight,
        p50=p50,
        p95=p95,
        p99=p99,
        service_p50=service_p50,
        service_p95=service_p95,
        service_p99=service_p99,
        late_p99=late_p99,
        bytes=second.bytes,
        statuses={str(code): count for code, count in second.statuses.items()},
        errors=second.errors,
        per_pod=second.pods,
        stage=second.stage,
        generator_limited=second.cpu > BUSY_LIMIT or (late_p99 is not None and late_p99 > LATE_LIMIT),
        breaker_open=second.breaker_open,
    )


def _table(source: Histogram) -> dict[str, float | None]:
    names = ("p50", "p90", "p95", "p99", "p999")
    table = dict(zip(names, source.percentiles((50, 90, 95, 99, 99.9)), strict=True))
    table["max"] = source.max_ms
    mean = source.mean_ms
    table["mean"] = None if mean is None else round(mean, 3)
    return table
