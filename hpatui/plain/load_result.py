"""The result of `hpatui load`: JSON for scripts, CSV, text for people, HdrHistogram's log; and missed thresholds."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from hpatui.errors import LoadError
from hpatui.load.histogram import HIGHEST, LOWEST, Histogram, highest_of
from hpatui.load.plan import LoadPlan
from hpatui.load.run import Finished
from hpatui.model import LoadSample


def result_json(ended: Finished, samples: list[LoadSample], plan: LoadPlan) -> dict[str, Any]:
    """The result as the JSON object that scripts rely on."""
    totals = ended.totals
    return {
        "requests": totals.requests,
        "errors": totals.failed,
        "unserved": totals.unserved,
        "duration_s": round(totals.duration, 3),
        "offered_rate": round(totals.offered_rate, 3),
        "achieved_rate": round(totals.achieved_rate, 3),
        "in_flight_max": totals.in_flight_max,
        "bytes": totals.bytes,
        "status": dict(totals.statuses),
        "error_kinds": dict(totals.errors),
        **ended.summary,
        "generator_limited_s": sum(sample.generator_limited for sample in samples),
        "stages": [stage.text() for stage in plan.stages],
        "per_second": [
            {"time": round(s.time, 3), "offered": s.offered, "sent": s.sent, "ok": s.ok, "failed": s.failed,
             "unserved": s.unserved, "p50": s.p50, "p95": s.p95, "p99": s.p99}
            for s in samples
        ],
    }  # fmt: skip


def result_text(result: dict[str, Any]) -> str:
    """The result for a person."""
    latency = result["latency_ms"]
    shown = "  ".join(
        f"{name} {latency[name]:.1f}" for name in ("p50", "p90", "p95", "p99", "max") if latency.get(name)
    )
    limited = result["generator_limited_s"]
    kinds = ", ".join(f"{kind} {count}" for kind, count in result["error_kinds"].items())
    return "\n".join(
        [
            f"{result['requests']} requests in {result['duration_s']:.1f} s: {result['achieved_rate']:.1f}/s achieved, "
            f"{result['offered_rate']:.1f}/s ordered",
            f"{result['errors']} errors" + (f" ({kinds})" if kinds else "") + f", {result['unserved']} unserved",
            f"response time ms: {shown or 'no answers'}",
            *(
                [
                    f"GENERATOR LIMITED in {limited} of {len(result['per_second'])} seconds: this machine was too slow, not "
                    "the target"
                ]
                if limited
                else []
            ),
        ]
    )


def live_line(sample: LoadSample) -> str:
    """One second in one line."""
    p95 = f"{sample.p95:.0f}" if sample.p95 is not None else "-"
    limited = "  GENERATOR LIMITED" if sample.generator_limited else ""
    return f"{sample.sent}/s  {sample.ok} ok  {sample.failed} failed  {sample.unserved} unserved  p95 {p95} ms{limited}"


def missed_thresholds(result: dict[str, Any], limits: tuple[float | None, float | None]) -> list[str]:
    """A sentence for each threshold (p95 in ms, share of errors) that was missed."""
    most_p95, most_errors = limits
    missed: list[str] = []
    p95 = result["latency_ms"].get("p95")
    if most_p95 is not None and (p95 is None or p95 > most_p95):
        missed.append(f"p95 is {'unknown' if p95 is None else f'{p95:.1f} ms'}, more than {most_p95:g} ms")
    wanted = result["requests"] + result["unserved"]
    share = (result["errors"] + result["unserved"]) / wanted if wanted else 1.0
    if most_errors is not None and share > most_errors:
        missed.append(f"{100 * share:.2f} % failed or stayed unserved, more than {100 * most_errors:g} %")
    return missed


def result_csv(samples: list[LoadSample]) -> str:
    """One line a second."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = (
        "time",
        "offered",
        "sent",
        "ok",
        "failed",
        "unserved",
        "in_flight",
        "p50",
        "p95",
        "p99",
        "late_p99",
        "stage",
    )
    writer.writerow(names)
    for sample in samples:
        writer.writerow(["" if getattr(sample, name) is None else getattr(sample, name) for name in names])
    return out.getvalue()


def append_log(path: Path, response: Histogram, start: float, duration: float) -> None:
    """Append the response times to a file in HdrHistogram's log format; a later run goes on in the same file.

    `start` is epoch seconds. LoadError where the file cannot be written.
    """
    from hdrh.histogram import HdrHistogram
    from hdrh.log import HistogramLogWriter

    histogram = HdrHistogram(LOWEST, HIGHEST, 3)
    for index, count in response.counts.items():
        histogram.record_value(min(highest_of(index), HIGHEST), count)
    try:
        fresh = not path.exists() or not path.stat().st_size
        with path.open("a", encoding="utf-8") as file:
            log = HistogramLogWriter(file)
            if fresh:
                log.output_log_format_version()
                log.output_legend()
            log.output_interval_histogram(histogram, start, start + duration)
    except OSError as error:
        raise LoadError(f"cannot write {path}: {error.strerror}") from error
