"""What happened: counts and latency histograms, per second and in total. Memory does not grow with the run.

Response time counts from the planned start of a request, service time from the actual one; milliseconds outside,
microseconds in the histograms.

    started/answered/failed/unserved  ->  Second (mergeable)  ->  LoadSample, and the totals of the run
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, TypeVar

from hpatui.load.faults import BUSY, LATE, OWN
from hpatui.load.histogram import Histogram, counts_of, highest_of
from hpatui.model import LoadSample, LoadTotals

if TYPE_CHECKING:
    from hpatui.load.connection import Call

_K = TypeVar("_K")

LATE_LIMIT = 20.0  # milliseconds of late start; where a hundredth (and two) are later, the generator is the bottleneck
BUSY_LIMIT = 0.95  # share of a core from which it is
LARGE = 1 << 20  # bytes of a body from which an answer is counted as large
_NAMES = ("p50", "p90", "p95", "p99", "p999")
_PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)


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
    bad: dict[int, int] = field(default_factory=dict)  # of `response`: the answers that count as failed
    kinds: dict[str, int] = field(default_factory=dict)  # why requests stayed unserved -> how many (see `faults`)
    name: dict[int, int] = field(default_factory=dict)  # what looking up names took, TCP and TLS
    tcp: dict[int, int] = field(default_factory=dict)
    tls: dict[int, int] = field(default_factory=dict)
    waited: float = 0.0  # the longest that a request without an answer was waited for, milliseconds
    sending: float = (
        0.0  # seconds since the run began in which it sent: without pauses and the wait for the last answers
    )
    retried: int = 0  # sent again, because the server had closed an idle connection
    held: int = 0  # had to wait for the limit of the rate
    large: int = 0  # answers of more than LARGE bytes
    limit: float = 0.0  # the requests/s in force that are never exceeded


class Counting:
    """The second that is being counted; the engine writes to its fields, the innermost ones directly."""

    __slots__ = (
        "bad",
        "bytes",
        "errors",
        "failed",
        "kinds",
        "large",
        "late",
        "ok",
        "peak",
        "pods",
        "response",
        "retried",
        "sent",
        "service",
        "statuses",
        "waited",
    )

    def __init__(self) -> None:
        self.sent = self.ok = self.failed = self.bytes = self.peak = self.retried = self.large = 0
        self.waited = 0.0  # milliseconds
        self.response: list[int] = []  # microseconds
        self.service: list[int] = []
        self.late: list[int] = []
        self.bad: list[int] = []
        self.statuses: dict[int, int] = {}
        self.errors: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.pods: dict[str, int] = {}

    def answer(self, call: Call, now: float, expected: frozenset[int], pod: str) -> None:
        """A request was answered at `now` (seconds of the engine's clock). `expected` empty: 200 to 399 are good."""
        status = call.status
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.bytes += call.size
        response = int((now - call.planned) * 1e6)
        self.response.append(response)
        self.service.append(int((now - call.sent) * 1e6))
        if (status in expected) if expected else (200 <= status < 400):
            self.ok += 1
        else:
            self.bad.append(response)
            self.fail(f"http {status}")
        if call.body > LARGE:
            self.large += 1
        if pod:
            self.pods[pod] = self.pods.get(pod, 0) + 1

    def fail(self, kind: str) -> None:
        """A request failed."""
        self.failed += 1
        self.errors[kind] = self.errors.get(kind, 0) + 1

    def leave(self, kind: str) -> None:
        """A request that was due was not begun, and never will be."""
        self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def close(self, second: Second) -> Second:
        """Put what was counted into a second."""
        for name in (
            "sent",
            "ok",
            "failed",
            "bytes",
            "peak",
            "retried",
            "large",
            "waited",
            "statuses",
            "errors",
            "kinds",
            "pods",
        ):
            setattr(second, name, getattr(self, name))
        second.unserved = sum(self.kinds.values())
        for name in ("response", "service", "late", "bad"):
            setattr(second, name, counts_of(getattr(self, name)))
        return second


_SUMMED = (
    "offered",
    "sent",
    "ok",
    "failed",
    "unserved",
    "bytes",
    "in_flight",
    "peak",
    "retried",
    "held",
    "large",
    "limit",
)
_GREATEST = ("cpu", "waited", "sending", "elapsed")
_COUNTS = ("statuses", "errors", "pods", "kinds", "response", "service", "late", "bad", "name", "tcp", "tls")


def merged(seconds: list[Second]) -> Second:
    """The same second of several workers as one; `cpu` is that of the busiest."""
    first = seconds[0]
    if len(seconds) == 1:
        return first
    whole = Second(first.time, stage=first.stage, breaker_open=any(part.breaker_open for part in seconds))
    for name in _SUMMED:
        setattr(whole, name, sum(getattr(part, name) for part in seconds))
    for name in _GREATEST:
        setattr(whole, name, max(getattr(part, name) for part in seconds))
    for name in _COUNTS:
        setattr(whole, name, _sum([getattr(part, name) for part in seconds]))
    return whole


def _sum(parts: list[dict[_K, int]]) -> dict[_K, int]:
    counter: Counter[_K] = Counter()
    for part in parts:
        counter.update(part)
    return dict(counter)


def limited_by(second: Second) -> str:
    """What makes this machine the bottleneck of a second; empty where it is not."""
    own = [kind for kind in second.kinds if kind in OWN]
    if own:
        return own[0]
    if second.cpu > BUSY_LIMIT:
        return BUSY
    late = sum(count for index, count in second.late.items() if highest_of(index) > LATE_LIMIT * 1000)
    return LATE if late >= max(2, 0.01 * second.sent) else ""


@dataclass(frozen=True, slots=True)
class Planned:
    """The response times of all that was planned, in milliseconds: what failed or was not begun counts as slower than any
    answer. The percentiles named in `at_least` lie among those: their values are what it took at least.

    `answered`, `ok`: the shares of what was planned that got any answer, and a good one.
    """

    table: dict[str, float | None] = field(default_factory=dict)
    at_least: tuple[str, ...] = ()
    answered: float = 0.0
    ok: float = 0.0


class Statistics:
    """The run so far."""

    def __init__(self) -> None:
        self.response, self.service, self.late = Histogram(), Histogram(), Histogram()
        self._good = Histogram()
        self._phases = {name: Histogram() for name in ("name", "tcp", "tls")}
        self._whole = Second(0.0)
        self._limits: Counter[str] = Counter()
        self._breaker = 0

    def take(self, second: Second) -> LoadSample:
        """Add a second; returns it as the screen shows it."""
        whole = self._whole
        for name in _SUMMED:
            if name not in ("peak", "in_flight", "limit"):
                setattr(whole, name, getattr(whole, name) + getattr(second, name))
        for name in (*_GREATEST, "peak"):
            setattr(whole, name, max(getattr(whole, name), getattr(second, name)))
        for name in ("statuses", "errors", "kinds"):
            setattr(whole, name, _sum([getattr(whole, name), getattr(second, name)]))
        whole.in_flight = second.in_flight
        self._breaker += second.breaker_open
        whole.limit = second.limit or whole.limit
        self.response.merge(second.response)
        self.service.merge(second.service)
        self.late.merge(second.late)
        self._good.merge(_without(second.response, second.bad))
        for name, histogram in self._phases.items():
            histogram.merge(getattr(second, name))
        sample = _sample(second)
        if sample.limited_by:
            self._limits[sample.limited_by] += 1
        return sample

    def totals(self) -> LoadTotals:
        """The run so far (closed seconds only)."""
        whole = self._whole
        duration = whole.elapsed
        sending = min(whole.sending or duration, duration)
        p50, p90, p95, p99, p999 = self.response.percentiles(_PERCENTILES)
        return LoadTotals(
            requests=whole.sent,
            ok=whole.ok,
            failed=whole.failed,
            unserved=whole.unserved,
            bytes=whole.bytes,
            duration=duration,
            offered_rate=whole.offered / sending if sending > 0 else 0.0,
            achieved_rate=whole.sent / sending if sending > 0 else 0.0,
            in_flight_max=whole.peak,
            p50=p50,
            p90=p90,
            p95=p95,
            p99=p99,
            p999=p999,
            max=self.response.max_ms,
            statuses={str(code): count for code, count in sorted(whole.statuses.items())},
            errors=dict(whole.errors),
            sending=sending,
            unserved_kinds=dict(whole.kinds),
            retried=whole.retried,
            large=whole.large,
            held=whole.held,
            limit=whole.limit,
            breaker_seconds=self._breaker,
            cut_off=whole.in_flight,
            limited_by=dict(self._limits),
        )

    def planned(self) -> Planned:
        """The response times of all that was planned."""
        whole = self._whole
        answers, lost = self._good.total, whole.failed + whole.unserved
        total = answers + lost
        if not total:
            return Planned(dict.fromkeys((*_NAMES, "max")))
        least = max(whole.waited, self.response.max_ms or 0.0)
        table: dict[str, float | None] = {}
        beyond: list[str] = []
        for name, percentile in (*zip(_NAMES, _PERCENTILES, strict=True), ("max", 100.0)):
            need = max(1, ceil(percentile / 100 * total - 1e-9))
            if need <= answers:
                table[name] = self._good.at_rank(need)
            else:
                table[name] = least or None
                beyond.append(name)
        return Planned(table, tuple(beyond), self.response.total / total, answers / total)

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Latency tables for the result, in milliseconds: response and service of the answers, late start, and connecting."""
        late = _table(self.late)
        return {
            "latency_ms": _table(self.response),
            "service_time_ms": _table(self.service),
            "late_start_ms": {name: late[name] for name in ("p50", "p99", "max")},
            "name_lookup_ms": _phase(self._phases["name"]),
            "tcp_connect_ms": _phase(self._phases["tcp"]),
            "tls_handshake_ms": _phase(self._phases["tls"]),
        }


def _without(whole: dict[int, int], part: dict[int, int]) -> dict[int, int]:
    if not part:
        return whole
    return {index: left for index, count in whole.items() if (left := count - part.get(index, 0)) > 0}


def _sample(second: Second) -> LoadSample:
    response, service, late = Histogram(), Histogram(), Histogram()
    response.merge(second.response)
    service.merge(second.service)
    late.merge(second.late)
    p50, p95, p99 = response.percentiles((50, 95, 99))
    service_p50, service_p95, service_p99 = service.percentiles((50, 95, 99))
    (late_p99,) = late.percentiles((99,))
    limited = limited_by(second)
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
        generator_limited=bool(limited),
        breaker_open=second.breaker_open,
        unserved_kinds=second.kinds,
        limited_by=limited,
        held=second.held,
    )


def _table(source: Histogram) -> dict[str, float | None]:
    table = dict(zip(_NAMES, source.percentiles(_PERCENTILES), strict=True))
    table["max"] = source.max_ms
    mean = source.mean_ms
    table["mean"] = None if mean is None else round(mean, 3)
    return table


def _phase(source: Histogram) -> dict[str, float | None]:
    p50, p99 = source.percentiles((50, 99))
    return {"count": float(source.total), "p50": p50, "p99": p99, "max": source.max_ms}
