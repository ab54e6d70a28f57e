"""The result as text, as Markdown for a pull request, and as JUnit XML for CI."""

from __future__ import annotations

from xml.etree import ElementTree

from hpatui.experiment.measures import NAMES
from hpatui.experiment.pages import place, value_of, verdict, when
from hpatui.experiment.result import Result
from hpatui.text import printable

_MARKS = {"ok": "ok     ", "failed": "FAILED ", "unknown": "UNKNOWN"}
_ESCAPES = {ord(char): f"&#{ord(char)};" for char in "&\\`*_[]<>|#@~"}
_SHOWN = ("time_to_scale", "pod_minutes", "p50", "p95", "p99", "errors", "rescales", "replicas_max", "agreement")


def to_text(result: Result) -> str:
    """For a terminal: the verdict, each expectation with its evidence, the numbers."""
    lines = [f"{result.name}: {verdict(result)}", place(result)]
    for item in result.expectations:
        lines.append(f"  {_MARKS[item.state]}  {item.text}")
        if item.seen:
            lines.append(f"           {item.seen}")
        if why := when(item):
            lines.append(f"           {why}")
    for variant in result.variants:
        values = []
        for name in _SHOWN:
            found = variant.measures.get(name)
            if found is not None and found.median is not None:
                more = (
                    f" ({value_of(name, found.min)} to {value_of(name, found.max)})" if found.min != found.max else ""
                )
                values.append(f"{NAMES[name]} {value_of(name, found.median)}{more}")
        if values:
            lines.append(f"  {variant.name + ': ' if variant.name else ''}{', '.join(values)}")
    lines += [f"  best in {item.about}: {item.text}" for item in result.winners]
    lines += [f"  recording: {run.recording}" for run in result.runs if run.recording]
    return "\n".join(printable(line, 2000) for line in lines)


def to_markdown(result: Result) -> str:
    """For a comment in a pull request."""
    icon = {"passed": "✅", "failed": "❌"}.get(result.state, "⚠️")
    lines = [f"### {icon} {_cell(result.name)}: {_cell(verdict(result))}", "", _cell(place(result)), ""]
    if result.expectations:
        lines += ["| | expectation | seen |", "|---|---|---|"]
        for item in result.expectations:
            why = when(item)
            seen = _cell(item.seen) + (f"<br>{_cell(why)}" if why else "")
            mark = {"ok": "✅", "failed": "❌"}.get(item.state, "❔")
            lines.append(f"| {mark} | {_code(item.text)} | {seen} |")
        lines.append("")
    lines += _measures(result)
    lines += [f"- best in {_cell(item.about)}: {_cell(item.text)}" for item in result.winners]
    return "\n".join(lines).rstrip() + "\n"


def _measures(result: Result) -> list[str]:
    names = [name for name in _SHOWN if any(name in variant.measures for variant in result.variants)]
    if not names:
        return []
    lines = ["| variant | " + " | ".join(NAMES[name] for name in names) + " |", "|---|" + "---:|" * len(names)]
    for variant in result.variants:
        cells = []
        for name in names:
            found = variant.measures.get(name)
            cells.append(value_of(name, found.median) if found is not None else "–")
        lines.append(f"| {_cell(variant.name or 'as it is')} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _cell(text: str) -> str:
    """Text that neither ends a cell nor becomes markup, nor calls somebody by @name or #number."""
    return printable(text, 500).translate(_ESCAPES)


def _code(text: str) -> str:
    """As code within a table: HTML, since a backtick or a bar in it would end it."""
    return f"<code>{_cell(text)}</code>"


def to_junit(result: Result) -> str:
    """JUnit XML as CI systems read it: a test case for each expectation of each run, `error` where a run could not go on."""
    cases: list[tuple[str, str, str, str, str, float]] = []  # class, name, kind, message, details, seconds
    for run in result.runs:
        group = f"{result.name}.run {run.number}" + (f" {run.variant}" if run.variant else "")
        if run.error:
            kind = "skipped" if run.state == "interrupted" else "error"
            cases.append((group, "the run", kind, run.error, "", run.duration_s))
        for item in run.expectations:
            kind = {"failed": "failure", "unknown": "skipped" if run.error else "failure"}.get(item.state, "")
            cases.append((group, item.text, kind, item.seen or item.state, when(item), run.duration_s))
        if not run.expectations and not run.error:
            cases.append((group, "the run", "", "", "", run.duration_s))
    if len(result.runs) > 1:
        for item in result.expectations:
            kind = "" if item.state == "ok" else "failure"
            cases.append((f"{result.name}.all runs", item.text, kind, item.seen, when(item), 0.0))
    return _xml(result, cases)


def _xml(result: Result, cases: list[tuple[str, str, str, str, str, float]]) -> str:
    count = {kind: sum(1 for case in cases if case[2] == kind) for kind in ("failure", "error", "skipped")}
    totals = {"tests": str(len(cases)), "failures": str(count["failure"]), "errors": str(count["error"])}
    totals["time"] = f"{sum(run.duration_s for run in result.runs):.3f}"
    root = ElementTree.Element("testsuites", {"name": "hpatui run", **totals})
    suite = ElementTree.SubElement(
        root, "testsuite",
        {"name": _xml_safe(result.name), **totals, "skipped": str(count["skipped"]), "timestamp": result.started},
    )  # fmt: skip
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("hpa", result.hpa), ("cluster", result.server_version), ("hpatui", result.hpatui)):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _xml_safe(value)})
    for group, name, kind, message, details, seconds in cases:
        labels = {"classname": _xml_safe(group), "name": _xml_safe(name), "time": f"{seconds:.3f}"}
        case = ElementTree.SubElement(suite, "testcase", labels)
        if kind:
            problem = ElementTree.SubElement(case, kind, {"message": _xml_safe(message)})
            problem.text = _xml_safe("\n".join(part for part in (message, details) if part))
        elif message:
            ElementTree.SubElement(case, "system-out").text = _xml_safe(message)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _xml_safe(text: str) -> str:
    """XML 1.0 has no way to write most control characters."""
    return "\n".join(printable(line, 2000) for line in text.split("\n"))
