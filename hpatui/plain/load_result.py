"""The result of `hpatui load`: JSON for scripts, CSV, text for people, HdrHistogram's log; and missed thresholds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from hpatui.api.load_result import second_json
from hpatui.api.load_shapes import LoadResultJson
from hpatui.errors import LoadError
from hpatui.load.faults import IN_FLIGHT, advice
from hpatui.load.histogram import HIGHEST, LOWEST, Histogram, highest_of
from hpatui.model import LoadSample


def result_text(result: LoadResultJson) -> str:
    """The result for a person."""
    drain = f", then {result['drain_s']:.1f} s for the last answers" if result["drain_s"] >= 0.1 else ""
    lines = [
        f"{result['requests']} requests in {result['sending_s']:.1f} s{drain}: {result['achieved_rate']:.1f}/s achieved, "
        f"{result['offered_rate']:.1f}/s ordered",
        f"answers: {_classes(result['status'])}",
        f"{result['errors']} errors{_counts(result['error_kinds'])}, "
        f"{result['unserved']} unserved{_counts(result['unserved_kinds'])}",
        f"response time ms, of the answers: {_percentiles(result['latency_ms'], ())}",
        f"response time ms, of all planned: {_percentiles(result['planned_ms'], result['planned_ms']['at_least'])}   "
        f"({100 * result['answered_share']:.4g} % were answered, {100 * result['ok_share']:.4g} % well)",
    ]
    if connecting := _connecting(result):
        lines.append(connecting)
    return "\n".join([*lines, *_remarks(result)])


def _remarks(result: LoadResultJson) -> list[str]:
    """What has to be known to judge the numbers: limits that were in force, and whose fault it was."""
    lines: list[str] = []
    if redirects := sum(count for code, count in result["status"].items() if code.startswith("3") and code != "304"):
        lines.append(f"{redirects} answers were redirects, which are not followed: is that what you mean to test?")
    if result["large_answers"]:
        lines.append(f"{result['large_answers']} answers had more than 1 MiB (--max-body makes that an error)")
    if result["retried"]:
        lines.append(f"{result['retried']} requests were sent again: the target had closed the idle connection")
    if result["cut_off"]:
        lines.append(f"{result['cut_off']} requests were under way when the run was stopped: neither good nor bad")
    if result["held_by_limit"]:
        lines.append(f"held to the limit of {result['limit_rate']:g}/s (--max-rate, or what the way in may carry)")
    if result["unserved_kinds"].get(IN_FLIGHT):
        lines.append(
            f"the target did not answer in time: {result['in_flight_limit']} requests were in flight, no more are begun "
            "(--max-in-flight)"
        )
    if result["breaker_open_s"]:
        lines.append(
            f"CIRCUIT BREAKER open for {result['breaker_open_s']} s: everything failed, only probes went out (--no-breaker)"
        )
    if limited := result["generator_limited_s"]:
        by = result["generator_limited_by"]
        reasons = "; ".join(f"{kind} ({seconds} s): {advice(kind)}" for kind, seconds in by.items())
        lines.append(f"GENERATOR LIMITED in {limited} s: this machine was the bottleneck, not the target: {reasons}")
    return lines


def _counts(kinds: dict[str, int]) -> str:
    return f" ({', '.join(f'{kind} {count}' for kind, count in kinds.items())})" if kinds else ""


def _classes(statuses: dict[str, int]) -> str:
    """`2xx 90, 3xx 10 (302 10)`: by class; the codes where they are not the plain 200."""
    classes: dict[str, dict[str, int]] = {}
    for code, count in statuses.items():
        classes.setdefault(f"{code[0]}xx" if len(code) == 3 else code, {})[code] = count
    shown = [
        f"{name} {sum(codes.values())}" + ("" if set(codes) == {"200"} else _counts(codes))
        for name, codes in sorted(classes.items())
    ]
    return ", ".join(shown) or "none"


def _percentiles(table: Mapping[str, Any], at_least: Collection[str]) -> str:
    shown = [
        f"{name} {'>= ' if name in at_least else ''}{table[name]:.1f}"
        for name in ("p50", "p90", "p95", "p99", "p999", "max")
        if table.get(name) is not None
    ]
    return "  ".join(shown) or "no answers"


def _connecting(result: LoadResultJson) -> str:
    """What connecting took, by its phases; empty where there was no connection."""
    phases = (
        ("name", result["name_lookup_ms"]),
        ("TCP", result["tcp_connect_ms"]),
        ("TLS", result["tls_handshake_ms"]),
    )
    shown = [
        f"{name} p50 {table['p50']:.1f} p99 {table['p99']:.1f} max {table['max']:.1f}"
        for name, table in phases
        if table["p50"] is not None
    ]
    count = int(result["tcp_connect_ms"]["count"] or 0)
    return f"connecting ms ({count} connection{'s'[: count != 1]}): {'; '.join(shown)}" if shown else ""


def live_line(sample: LoadSample) -> str:
    """One second in one line."""
    p95 = f"{sample.p95:.0f}" if sample.p95 is not None else "-"
    limited = f"  GENERATOR LIMITED: {sample.limited_by}" if sample.generator_limited else ""
    breaker = "  CIRCUIT BREAKER OPEN" if sample.breaker_open else ""
    return (
        f"{sample.sent}/s  {sample.ok} ok  {sample.failed} failed  {sample.unserved} unserved  "
        f"p95 {p95} ms{limited}{breaker}"
    )


def missed_thresholds(result: LoadResultJson, limits: tuple[float | None, float | None]) -> list[str]:
    """A sentence for each threshold (p95 in ms, share of errors) that was missed.

    The p95 is that of all that was planned: where it lies among what failed or was not begun, it is missed.
    """
    most_p95, most_errors = limits
    missed: list[str] = []
    p95, beyond = result["planned_ms"].get("p95"), "p95" in result["planned_ms"]["at_least"]
    if most_p95 is not None and (p95 is None or beyond or p95 > most_p95):
        value = "unknown" if p95 is None else f"{'>= ' if beyond else ''}{p95:.1f} ms"
        why = " (it lies among what failed or was not begun, which counts as slower than any answer)" if beyond else ""
        missed.append(f"p95 is {value}{why}; the limit is {most_p95:g} ms")
    wanted = result["requests"] - result["cut_off"] + result["unserved"]
    share = (result["errors"] + result["unserved"]) / wanted if wanted > 0 else 1.0
    if most_errors is not None and share > most_errors:
        missed.append(f"{100 * share:.2f} % failed or stayed unserved, more than {100 * most_errors:g} %")
    return missed


_CSV = ("time", "offered", "sent", "ok", "failed", "unserved", "in_flight", "p50", "p95", "p99", "late_p99", "stage")


def csv_line(sample: LoadSample | None) -> str:
    """A second as a line of CSV, without its end; None: the names of the columns."""
    out = io.StringIO()
    row = _CSV if sample is None else [getattr(sample, name) for name in _CSV]
    csv.writer(out, lineterminator="").writerow(["" if value is None else value for value in row])
    return out.getvalue()


class JsonStream:
    """Writes the result as one JSON object whose `per_second` comes first, each second as soon as it is over."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._begun = False

    def second(self, sample: LoadSample) -> None:
        """A second is over."""
        self._write(("," if self._begun else '{"per_second": [') + "\n " + json.dumps(second_json(sample)))
        self._begun = True

    def end(self, result: LoadResultJson) -> None:
        """The rest of the result."""
        rest = json.dumps({key: value for key, value in result.items() if key != "per_second"})
        self._write(("" if self._begun else '{"per_second": [') + "],\n" + rest[1:] + "\n")


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


def check_log(path: Path) -> None:
    """LoadError where a file cannot take HdrHistogram's log: before the run, not after it."""
    try:
        with path.open("a+", encoding="utf-8") as file:
            file.seek(0)
            first = file.readline(200)
    except UnicodeDecodeError:
        first = "?"
    except OSError as error:
        raise LoadError(f"cannot write {path}: {error.strerror}", hint="name another file with --hdr-log") from error
    if first and not first.startswith(("#", '"StartTimestamp"')):
        raise LoadError(f"{path} is no histogram log", hint="name another file with --hdr-log")
    if not first and path.is_file():
        path.unlink()  # the run writes it
