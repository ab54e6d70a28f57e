"""A run of load to its end, and its result as the JSON object that scripts rely on (`load_shapes`)."""

from __future__ import annotations

from collections.abc import Callable

from hpatui.api.load_shapes import LoadResultJson, PlannedJson, SecondJson
from hpatui.errors import LoadError
from hpatui.load.plan import LoadPlan
from hpatui.load.run import Finished
from hpatui.load.stats import Planned
from hpatui.model import LoadSample
from hpatui.session.steer import SteeredRun


async def carried_out(
    run: SteeredRun, plan: LoadPlan, workers: int, on_second: Callable[[LoadSample], None],
    on_start: Callable[[], None] = lambda: None,
) -> Finished:  # fmt: skip
    """Start the run and follow it to its end; `on_start` is called once it has started. However this ends, nothing sends
    afterwards. UsageError, LoadError or ClusterError where it cannot run.
    """
    finished: Finished | None = None
    try:
        await run.start(plan, workers)
        on_start()
        async for report in run.reports():
            if isinstance(report, Finished):
                finished = report
            else:
                on_second(report.sample)
    finally:
        await run.stop()
    if finished is None:
        raise LoadError("the load ended without a result")
    return finished


def result_json(ended: Finished, samples: list[LoadSample], plan: LoadPlan, reason: str) -> LoadResultJson:
    """The result as the JSON object that scripts rely on; what each number means: `hpatui load --help` and `LoadResultJson`.
    `reason`: complete, or why it ended.
    """
    totals, planned, summary = ended.totals, ended.planned, ended.summary
    return {
        "requests": totals.requests,
        "ok": totals.ok,
        "errors": totals.failed,
        "unserved": totals.unserved,
        "unserved_kinds": dict(totals.unserved_kinds),
        "retried": totals.retried,
        "large_answers": totals.large,
        "cut_off": totals.cut_off,
        "duration_s": round(totals.duration, 3),
        "sending_s": round(totals.sending, 3),
        "drain_s": round(max(0.0, totals.duration - totals.sending), 3),
        "offered_rate": round(totals.offered_rate, 3),
        "achieved_rate": round(totals.achieved_rate, 3),
        "limit_rate": totals.limit,
        "held_by_limit": totals.held,
        "in_flight_max": totals.in_flight_max,
        "in_flight_limit": plan.most_in_flight,
        "bytes": totals.bytes,
        "status": dict(totals.statuses),
        "error_kinds": dict(totals.errors),
        "answered_share": round(planned.answered, 6),
        "ok_share": round(planned.ok, 6),
        "latency_ms": summary["latency_ms"],
        "service_time_ms": summary["service_time_ms"],
        "late_start_ms": summary["late_start_ms"],
        "name_lookup_ms": summary["name_lookup_ms"],
        "tcp_connect_ms": summary["tcp_connect_ms"],
        "tls_handshake_ms": summary["tls_handshake_ms"],
        "planned_ms": _planned_json(planned),
        "generator_limited_s": sum(totals.limited_by.values()),
        "generator_limited_by": dict(totals.limited_by),
        "breaker_open_s": totals.breaker_seconds,
        "stages": [stage.text() for stage in plan.stages] if plan.model == "open" else [plan.text()],
        "per_second": [second_json(sample) for sample in samples],
        "ended": reason,
    }


def _planned_json(planned: Planned) -> PlannedJson:
    table = planned.table
    return {
        "p50": table["p50"],
        "p90": table["p90"],
        "p95": table["p95"],
        "p99": table["p99"],
        "p999": table["p999"],
        "max": table["max"],
        "at_least": list(planned.at_least),
    }


def second_json(sample: LoadSample) -> SecondJson:
    """One second, as an element of the result's `per_second`."""
    return {
        "time": round(sample.time, 3),
        "offered": sample.offered,
        "sent": sample.sent,
        "ok": sample.ok,
        "failed": sample.failed,
        "unserved": sample.unserved,
        "p50": sample.p50,
        "p95": sample.p95,
        "p99": sample.p99,
    }
