"""The answers of `hpatui advise`: lines for people, SARIF 2.1.0 for code scanning, and a page for a browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hpatui import __version__
from hpatui.api.advice_shapes import AdvisedHpaJson
from hpatui.api.advising import Report, hpa_json, report_json, totals
from hpatui.clock import as_datetime
from hpatui.plain.front import search_lines, yaml_lines
from hpatui.report.page import Block, Chart, Code, Facts, Fold, Heading, Line, Page, Table, Text
from hpatui.text import printable

SHOWN = 20  # HPAs in the text; JSON has all
CHARTS = 50  # HPAs with a chart of their own on the page
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"problem": "error", "warning": "warning", "hint": "note"}
RULES = {
    "pinned-at-max": "At maxReplicas with more wanted",
    "rate-limited": "Above its target while a scale-up policy let it grow no faster",
    "late": "Above its target with room to grow",
    "flapping": "Scales up and down again and again",
    "target-unreachable": "A metric that does not fall when pods are added",
    "blind": "No metrics to decide by",
    "ambiguous": "Several HPAs select the same pods",
    "failing": "The target's size cannot be read or written",
    "second-writer": "Something else writes the target's size",
    "node-loss": "No room for the loss of a node",
    "never-left-min": "Never left minReplicas",
    "high-floor": "minReplicas above what is needed",
    "window-longer-than-period": "Scale-down window longer than the load's period",
    "held-by-window": "Pods that only the scale-down window keeps",
    "request-far-from-use": "The cpu request is far from the use",
    "disabled": "The target has no replicas",
}


# Text -----------------------------------------------------------------------------------------------------------------


def text_of(report: Report, *, most: int = SHOWN) -> str:
    """A few lines for each HPA, the worst first."""
    found = totals(report)
    hours = (report.until - report.since) / 3600
    lines = [
        f"{found['hpas']} HPAs over {hours:.1f} hours ({printable(report.source, 200)}): {found['pod_hours']:.1f} pod-hours, "
        f"{found['wasted_pod_hours']:.1f} beyond what the metrics asked for"
    ]
    if found["cost"] is not None:
        unknown = f" ({found['cost_unknown']} without known requests)" if found["cost_unknown"] else ""
        lines.append(f"cost {found['cost']:.2f}, of it {found['wasted_cost']:.2f} wasted{unknown}")
    bad = [
        (rank, item) for rank, item in enumerate(report.judged) if item.findings.found or item.key in report.searches
    ]
    for rank, item in bad[:most]:
        lines += ["", *_hpa_lines(hpa_json(report, item, rank + 1))]
    if len(bad) > most:
        lines.append(f"\nand {len(bad) - most} more with findings (--top N, --json)")
    well = len(report.judged) - len(bad)
    if well:
        names = ", ".join(printable(str(i.key)) for i in report.judged if not i.findings.found)
        lines += ["", f"leave them: {names}" if well <= 10 else f"leave the other {well}: nothing was found"]
    return "\n".join(lines) + "\n"


def _hpa_lines(item: AdvisedHpaJson) -> list[str]:
    cost = f", cost {item['cost']:.2f} ({item['wasted_cost']:.2f} wasted)" if item["cost"] is not None else ""
    lines = [
        f"{item['rank']:>3}  {printable(item['namespace'])}/{printable(item['name'])}  risk {item['risk']:.1f}, "
        f"{item['pod_hours']:.2f} pod-hours ({item['wasted_pod_hours']:.2f} wasted){cost}"
    ]
    for finding in item["findings"]:
        lines.append(f"     {finding['level']}: {finding['text']} [{finding['rule']}]")
        lines += [f"       {_clock(e['time'])}-{_clock(e['until'])}  {e['text']}" for e in finding["evidence"][:2]]
        if finding["evidence"] and finding["evidence"][0]["replay"]:
            lines.append(f"       look: {finding['evidence'][0]['replay']}")
    recommendation = item["recommendation"]
    if recommendation is not None:
        lines.append(f"     recommended ({recommendation['by']}): {recommendation['text']}")
        lines += [
            f"       {c['path']}: {_short(c['before'])} -> {_short(c['after'])}: {c['reason']}"
            for c in recommendation["changes"]
        ]
    elif not item["findings"] or item["leave"]:
        lines.append(f"     {item['verdict']}")
    lines += [f"     not known: {text}" for text in item["unknown"]]
    if item["search"] is not None:
        lines += [f"     {line}".rstrip() for line in search_lines(item["search"])]
        lines += yaml_lines(recommendation)
    return lines


def _short(value: object) -> str:
    return "not set" if value is None else printable(str(value), 160)


def _clock(text: str) -> str:
    return text[11:19]


# SARIF ----------------------------------------------------------------------------------------------------------------


def sarif_of(report: Report) -> dict[str, Any]:
    """SARIF 2.1.0: a result for each finding, at the logical location of its HPA."""
    data = report_json(report)
    rules = sorted({finding["rule"] for item in data["hpas"] for finding in item["findings"]})
    results = [_result(item, finding, rules) for item in data["hpas"] for finding in item["findings"]]
    driver = {
        "name": "hpatui",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": "https://github.com/hpatui/hpatui",
        "rules": [{"id": rule, "shortDescription": {"text": RULES.get(rule, rule)}} for rule in rules],
    }
    return {
        "$schema": SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}],
    }


def _result(item: AdvisedHpaJson, finding: Any, rules: Sequence[str]) -> dict[str, Any]:
    name = f"{printable(item['namespace'])}/{printable(item['name'])}"
    more = "; ".join(f"{e['time']}: {e['text']}" for e in finding["evidence"][:3])
    uri = f"HorizontalPodAutoscaler/{printable(item['namespace'])}/{printable(item['name'])}.yaml"
    return {
        "ruleId": finding["rule"],
        "ruleIndex": rules.index(finding["rule"]),
        "level": _LEVELS[finding["level"]],
        "message": {"text": f"{name}: {finding['text']}" + (f" ({more})" if more else "")},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}},
                "logicalLocations": [{"name": item["name"], "fullyQualifiedName": name, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"hpaRule/v1": f"{name}:{finding['rule']}"},
        "properties": {"side": finding["side"], "share": finding["share"], "podHours": finding["pod_hours"]},
    }


# The page -------------------------------------------------------------------------------------------------------------


def page_of(report: Report, made: float) -> Page:
    """One page: the totals, the table of all HPAs, and each that has findings with its evidence and a chart."""
    found = totals(report)
    pairs = [
        ("source", report.source),
        ("HPAs", str(found["hpas"])),
        ("pod-hours", f"{found['pod_hours']:.1f}"),
        ("beyond what the metrics asked for", f"{found['wasted_pod_hours']:.1f}"),
        ("goal", report.goal),
    ]
    if found["cost"] is not None:
        pairs.append(("cost", f"{found['cost']:.2f}, of it {found['wasted_cost']:.2f} wasted"))
        if found["cost_unknown"]:
            pairs.append(
                ("cost not known of", f"{found['cost_unknown']} HPAs: the requests of their pods were not seen")
            )
    items = [hpa_json(report, item, rank + 1) for rank, item in enumerate(report.judged)]
    bad = sum(1 for item in items if item["findings"])
    blocks: list[Block] = [Facts(pairs), Heading("All HPAs"), _table(items)]
    for item, judged in list(zip(items, report.judged, strict=True))[:CHARTS]:
        if item["findings"] or item["recommendation"] is not None:
            blocks += _section(item, judged.sizes, judged.asked, judged.begin, judged.end)
    return Page(
        "hpatui advise",
        blocks,
        verdict=f"{bad} of {len(items)} HPAs have findings",
        state="failed"
        if any(f["level"] == "problem" for i in items for f in i["findings"])
        else "ok"
        if not bad
        else "note",
        subtitle=f"{report.context}, {_moment(report.since)} to {_moment(report.until)} UTC",
        made=f"hpatui {__version__}, {_moment(made)} UTC",
    )


def _table(items: Sequence[AdvisedHpaJson]) -> Table:
    head = ["", "HPA", "risk", "pod-hours", "wasted", "cost", "what"]
    rows = [
        [
            str(item["rank"]), f"{item['namespace']}/{item['name']}", f"{item['risk']:.1f}", f"{item['pod_hours']:.2f}",
            f"{item['wasted_pod_hours']:.2f}", "" if item["cost"] is None else f"{item['cost']:.2f}", item["verdict"],
        ]
        for item in items
    ]  # fmt: skip
    return Table(head, rows, numeric=frozenset({0, 2, 3, 4, 5}))


def _section(
    item: AdvisedHpaJson,
    sizes: Sequence[tuple[float, int]],
    asked: Sequence[tuple[float, int]],
    begin: float,
    end: float,
) -> list[Block]:
    blocks: list[Block] = [Heading(f"{item['rank']}. {item['namespace']}/{item['name']}")]
    if sizes:
        lines = [Line("replicas", sizes, step=True), Line("asked for by its metrics", asked, step=True, style="dashed")]
        blocks.append(Chart("Replicas", lines, begin, end))
    for finding in item["findings"]:
        blocks.append(Text(f"{finding['level']}: {finding['text']}"))
        rows = [[e["time"], e["until"], e["text"], e["replay"]] for e in finding["evidence"]]
        if rows:
            blocks.append(Fold(f"evidence: {finding['rule']}", [Table(["from", "until", "seen", "look"], rows)]))
    if item["recommendation"] is not None:
        changes = item["recommendation"]["changes"]
        blocks.append(Text(f"Recommended ({item['recommendation']['by']}): {item['recommendation']['text']}"))
        rows = [[c["path"], _short(c["before"]), _short(c["after"]), c["reason"]] for c in changes]
        blocks.append(Table(["field", "now", "then", "why"], rows))
        blocks.append(Fold("YAML", [Code(item["recommendation"]["yaml"], "kubectl apply -f -")]))
    if item["unknown"]:
        blocks.append(Text("not known: " + "; ".join(item["unknown"]), faint=True))
    return blocks


def _moment(seconds: float) -> str:
    return f"{as_datetime(seconds):%Y-%m-%d %H:%M:%S}"
