"""The result as a page of charts, and as the paragraphs that text and Markdown share."""

from __future__ import annotations

from collections.abc import Sequence

from hpatui.experiment.measures import NAMES, UNITS
from hpatui.experiment.result import ExpectationResult, Result, RunResult
from hpatui.report.axes import elapsed
from hpatui.report.page import (
    Band,
    Block,
    Chart,
    Check,
    Checks,
    Facts,
    Fold,
    Heading,
    Judged,
    Line,
    Mark,
    Page,
    Table,
    Text,
)

STATES: dict[str, Judged] = {"ok": "ok", "failed": "failed", "unknown": "unknown", "waiting": "unknown"}
_VERDICTS: dict[str, Judged] = {"passed": "ok", "failed": "failed", "error": "failed", "interrupted": "unknown"}
_MOST_CHARTS = 20  # runs with charts; more are in the table


def verdict(result: Result) -> str:
    """The one thing to know first."""
    met = sum(1 for item in result.expectations if item.state == "ok")
    of = len(result.expectations)
    runs = f", in {len(result.runs)} runs" if len(result.runs) > 1 else ""
    if result.state == "passed":
        return f"passed: {met} of {of} expectations met{runs}" if of else f"done{runs}: nothing was expected"
    if result.state == "failed":
        return f"failed: {of - met} of {of} expectations not met{runs}"
    word = "interrupted" if result.state == "interrupted" else "could not go on"
    return f"{word}: {result.error}"


def when(item: ExpectationResult) -> str:
    """The moment that decided, and what was so then."""
    parts = [f"at {elapsed(item.moment_s)}" if item.moment_s is not None else "", item.reason]
    return ": ".join(part for part in parts if part) if item.state != "ok" else ""


def place(result: Result) -> str:
    """Where it ran."""
    where = (
        f"sandbox {result.server_version}" if result.sandbox else f"context {result.context} ({result.server_version})"
    )
    if not result.server_version:
        return f"HPA {result.hpa or 'of the objects'}: there was no connection to a cluster"
    speed = f", speed {result.speed:g}: times are the cluster's" if result.speed != 1 else ""
    return f"HPA {result.hpa} on {where}{speed}"


def value_of(name: str, value: float | None) -> str:
    """A measure with its unit."""
    if value is None:
        return "–"
    unit = UNITS.get(name, "")
    return f"{value:.4g}{unit}" if unit == "%" else f"{value:.4g} {unit}".rstrip()


def page(result: Result) -> Page:
    """The whole report."""
    blocks: list[Block] = []
    if result.about:
        blocks.append(Text(result.about))
    blocks.append(Heading("Expectations"))
    blocks.append(_checks(result.expectations) if result.expectations else Text("Nothing was expected.", faint=True))
    if len(result.variants) > 1:
        blocks += _variants(result)
    if len(result.runs) > 1:
        blocks += [Heading("Runs"), _runs(result)]
    for run in result.runs[:_MOST_CHARTS]:
        parts = _run(run)
        if len(result.runs) == 1:
            blocks += parts
        else:
            name = f"Run {run.number}" + (f", {run.variant}" if run.variant else "") + f": {run.state}"
            blocks.append(Fold(name, [_checks(run.expectations), *parts]))
    blocks += [Heading("What was run"), Facts(_facts(result))]
    return Page(
        title=result.name,
        blocks=blocks,
        verdict=verdict(result),
        state=_VERDICTS[result.state],
        subtitle=place(result),
        made=f"hpatui {result.hpatui}, {result.started}",
    )


def _checks(items: Sequence[ExpectationResult]) -> Checks:
    return Checks([Check(STATES[item.state], item.text, item.seen, when(item)) for item in items])


def _facts(result: Result) -> list[tuple[str, str]]:
    run = result.runs[0]
    pairs = [
        ("File", result.file), ("Load", result.load), ("To", run.target), ("Repetitions", str(result.repeat)),
        ("Cluster", result.server_version), ("Rules", result.rules), ("Begun", result.started),
        ("Order of variants", f"seed {result.seed}" if result.seed is not None else ""),
        ("Recording", ", ".join(run.recording for run in result.runs if run.recording)),
    ]  # fmt: skip
    return [(name, value) for name, value in pairs if value]


def _variants(result: Result) -> list[Block]:
    names = list(result.variants[0].measures)
    head = ["variant", "runs", "passed", *(NAMES.get(name, name) for name in names)]
    rows, best = [], set()
    for row, variant in enumerate(result.variants):
        cells = [variant.name or "as it is", str(variant.runs), str(variant.passed)]
        for name in names:
            found = variant.measures.get(name)
            text = "–" if found is None else value_of(name, found.median)
            if found is not None and found.min != found.max:
                text += f" ({value_of(name, found.min)} to {value_of(name, found.max)})"
            cells.append(text)
        rows.append(cells)
        best |= {(row, 3 + names.index(w.measure)) for w in result.winners if w.name and w.name == variant.name}
    table = Table(head, rows, "Medians, and from least to most", frozenset(range(1, len(head))), frozenset(best))
    winners = [(f"Best in {item.about}", item.text) for item in result.winners]
    return [Heading("Variants"), table, Facts(winners)]


def _runs(result: Result) -> Table:
    names = list(result.runs[0].measures)
    rows = [
        [str(run.number), run.variant or "–", run.state, *(value_of(name, run.measures.get(name)) for name in names)]
        for run in result.runs
    ]
    head = ["run", "variant", "", *(NAMES.get(name, name) for name in names)]
    return Table(head, rows, "", frozenset({0, *range(3, len(head))}))


# Charts ---------------------------------------------------------------------------------------------------------------


def _run(run: RunResult) -> list[Block]:
    start, end = -5.0, max(run.duration_s, 1.0)
    bands = _bands(run)
    marks = _marks(run)
    series, load = run.series, run.series.load
    blocks: list[Block] = [
        Chart(
            "Replicas",
            [
                Line("wanted", series.desired, step=True), Line("ready", series.ready or series.replicas, step=True),
                Line("maxReplicas", series.max, step=True, style="dashed"),
                Line("minReplicas", series.min, step=True, style="dashed"),
            ],
            start, end, origin=0.0, marks=marks, bands=bands,
        )
    ]  # fmt: skip
    plain = [Mark(mark.time, "", mark.kind) for mark in marks if mark.kind in ("failed", "fault")]
    for metric in series.metrics:
        lines = [Line(metric.name, metric.points, step=True)]
        if metric.target:
            lines.append(Line("target", metric.target, step=True, style="dashed"))
        blocks.append(Chart(f"Metric {metric.name}", lines, start, end, metric.unit, 0.0, plain, bands))
    if load.time_s:
        errors = list(zip(load.time_s, map(float, load.errors), strict=True))
        lines = [Line("offered", list(zip(load.time_s, load.offered, strict=True)), step=True)]
        lines.append(Line("sent", [(t, float(v)) for t, v in zip(load.time_s, load.sent, strict=True)], step=True))
        if any(load.errors):
            lines.append(Line("errors", errors, step=True))
        blocks.append(Chart("Load", lines, start, end, "/s", 0.0, plain, bands))
        latencies = [
            Line(name, list(zip(load.time_s, values, strict=True)))
            for name, values in (("p50", load.p50), ("p95", load.p95), ("p99", load.p99))
        ]
        note = "Of each second of this machine's time, counted from the planned start of a request."
        blocks.append(Chart("Latency", latencies, start, end, "ms", 0.0, plain, bands, note=note))
    if run.error:
        blocks.insert(0, Text(run.error))
    return blocks


def _bands(run: RunResult) -> list[Band]:
    end = run.load_end_s if run.load_end_s is not None else run.duration_s
    bands = [Band(stage.start_s, stage.end_s if stage.end_s is not None else end, stage.name) for stage in run.stages]
    return bands + [
        Band(f.start_s, f.end_s if f.end_s is not None else run.duration_s, f.name, "fault") for f in run.faults
    ]


def _marks(run: RunResult) -> list[Mark]:
    marks = [Mark(r.time_s, f"{'?' if r.before is None else r.before} → {r.after}", "rescale") for r in run.rescales]
    marks += [Mark(fault.start_s, fault.name, "fault") for fault in run.faults]
    marks += [
        Mark(item.moment_s, item.text, "failed")
        for item in run.expectations
        if item.state == "failed" and item.moment_s is not None
    ]
    if run.load_end_s is not None:
        marks.append(Mark(run.load_end_s, "load off", "load"))
    return marks
