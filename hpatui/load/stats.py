"""What happened: counts and latency histograms, per second and in total. Memory does not grow with the run.

Response time counts from the planned start of a request, service time from the actual one; milliseconds outside,
microseconds in the histograms (1 us to 60 s, 3 digits).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hdrh.histogram import HdrHistogram

from hpatui.model import LoadSample, LoadTotals

_LOWEST, _HIGHEST, _DIGITS = 1, 60_000_000, 3
LATE_LIMIT = 0.020  # seconds of late start at the 99th percentile from which the generator is the bottleneck


def histogram() -> HdrHistogram:
    """An empty histogram of the shared shape, so that any two can be merged."""
    return HdrHistogram(_LOWEST, _HIGHEST, _DIGITS)


def _record(target: HdrHistogram, seconds: float) -> None:
    target.record_value(min(max(int(seconds * 1e6), _LOWEST), _HIGHEST))


def _at(source: HdrHistogram, percentile: float) -> float | None:
    return source.get_value_at_percentile(percentile) / 1000.0 if source.get_total_count() else None


@dataclass(slots=True)
class _Counts:
    sent: int = 0
    ok: int = 0
    failed: int = 0
    unserved: int = 0
    bytes: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    pods: Counter[str] = field(default_factory=Counter)


class Statistics:
    """The current second and the whole run."""

    def __init__(self) -> None:
        self._second = _Counts()
        self._total = _Counts()
        self._response, self._service, self._late = histogram(), histogram(), histogram()
        self.response, self.service, self.late = histogram(), histogram(), histogram()
        self.offered_total = 0.0
        self.in_flight_max = 0

    def started(self, late: float) -> None:
        """A request was sent `late` seconds after its planned start."""
        self._second.sent += 1
        _record(self._late, late)

    def answered(self, response: float, service: float, status: int, size: int, pod: str, *, ok: bool) -> None:
        """An answer came: times in seconds."""
        second = self._second
        second.statuses[str(status)] += 1
        second.bytes += size
        if ok:
            second.ok += 1
        else:
            second.failed += 1
            second.errors[f"http {status}"] += 1
        if pod:
            second.pods[pod] += 1
        _record(self._response, response)
        _record(self._service, service)

    def failed(self, kind: str) -> None:
        """A request failed without an answer."""
        self._second.failed += 1
        self._second.errors[kind] += 1

    def unserved(self) -> None:
        """A request was due and never sent."""
        self._second.unserved += 1

    def close_second(
        self, time: float, offered: float, in_flight: int, stage: str, *, cpu: float, breaker_open: bool
    ) -> LoadSample:
        """End the second that began at `time` (epoch s): its sample; its numbers move into the totals."""
        second, total = self._second, self._total
        late = _at(self._late, 99)
        limited = cpu > 0.95 or (late is not None and late > LATE_LIMIT * 1000)
        sample = LoadSample(
            time=time,
            offered=offered,
            sent=second.sent,
            ok=second.ok,
            failed=second.failed,
            unserved=second.unserved,
            in_flight=in_flight,
            p50=_at(self._response, 50),
            p95=_at(self._response, 95),
            p99=_at(self._response, 99),
            service_p50=_at(self._service, 50),
            service_p95=_at(self._service, 95),
            service_p99=_at(self._service, 99),
            late_p99=late,
            bytes=second.bytes,
            statuses=dict(second.statuses),
            errors=dict(second.errors),
            per_pod=dict(second.pods),
            stage=stage,
            generator_limited=limited,
            breaker_open=breaker_open,
        )
        for name in ("sent", "ok", "failed", "unserved", "bytes"):
            setattr(total, name, getattr(total, name) + getattr(second, name))
        total.statuses.update(second.statuses)
        total.errors.update(second.errors)
        for whole, part in ((self.response, self._response), (self.service, self._service), (self.late, self._late)):
            whole.add(part)
            part.reset()
        self.offered_total += offered
        self.in_flight_max = max(self.in_flight_max, in_flight)
        self._second = _Counts()
        return sample

    def totals(self, duration: float) -> LoadTotals:
        """The run so far (closed seconds only); `duration` in seconds."""
        total, response = self._total, self.response
        some = response.get_total_count() > 0
        return LoadTotals(
            requests=total.sent,
            ok=total.ok,
            failed=total.failed,
            unserved=total.unserved,
            bytes=total.bytes,
            duration=duration,
            offered_rate=self.offered_total / duration if duration > 0 else 0.0,
            achieved_rate=total.sent / duration if duration > 0 else 0.0,
            in_flight_max=self.in_flight_max,
            p50=_at(response, 50),
            p90=_at(response, 90),
            p95=_at(response, 95),
            p99=_at(response, 99),
            p999=_at(response, 99.9),
            max=response.get_max_value() / 1000.0 if some else None,
            statuses=dict(total.statuses),
            errors=dict(total.errors),
        )

    def summary(self) -> dict[str, dict[str, float | None]]:
        """Latency tables for the result: response, service and late start, in milliseconds."""
        return {
            "latency_ms": _table(self.response),
            "service_time_ms": _table(self.service),
            "late_start_ms": {k: v for k, v in _table(self.late).items() if k in ("p50", "p99", "max")},
        }


def _table(source: HdrHistogram) -> dict[str, float | None]:
    some = source.get_total_count() > 0
    names = (("p50", 50.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0), ("p999", 99.9))
    table = {name: _at(source, value) for name, value in names}
    table["max"] = source.get_max_value() / 1000.0 if some else None
    table["mean"] = round(source.get_mean_value() / 1000.0, 3) if some else None
    return table
