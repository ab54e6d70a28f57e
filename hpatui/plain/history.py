"""`hpatui history NS/NAME`: rescales, other writers of the size, outages and versions of the spec, as lines, JSON or CSV."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TextIO

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.plain.export import find_hpa
from hpatui.record.meta import RECORDED
from hpatui.session.chronicle import Chronicle, Outage, Version, Who, Write, chronicle
from hpatui.session.exporting import range_of
from hpatui.session.moments import clock_text, span_text
from hpatui.session.recordings import open_named
from hpatui.settings import Settings
from hpatui.state.series import Rescale
from hpatui.text import age, printable


def history(settings: Settings, args: argparse.Namespace, out: TextIO | None = None) -> int:
    """Print what happened. Returns 0. HpatuiError where there is no such recording or HPA."""
    named = replace(settings, hpa=args.name)
    recording = open_named(named, args.source, since=args.since, until=args.until)
    stream = out or sys.stdout
    try:
        key = find_hpa(list(recording.hpas()), named)
        since, until = range_of(recording.meta, args.since, args.until)
        found = chronicle(recording.facts(since, until, key), key, since, until)
        meta = recording.meta
    finally:
        recording.close()
    if args.json:
        value = history_json(found, meta.context, meta.source, meta.missing)
        stream.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    elif args.csv:
        _csv(found, stream)
    else:
        stream.write("\n".join(_lines(found, meta.source, meta.missing)) + "\n")
    return 0


# JSON -----------------------------------------------------------------------------------------------------------------


def history_json(found: Chronicle, context: str, source: str, missing: tuple[str, ...] = ()) -> dict[str, Any]:
    """The history as the JSON object that scripts rely on. `missing`: what the source cannot tell."""
    return {
        "namespace": found.key.namespace,
        "name": found.key.name,
        "context": printable(context),
        "source": source,
        "missing": [printable(one) for one in missing],
        "since": _time(found.since),
        "until": _time(found.until),
        "rescales": [_rescale_json(one) for one in found.rescales],
        "writers": [_write_json(one) for one in found.writes],
        "outages": [_outage_json(one) for one in found.outages],
        "versions": [_version_json(one) for one in found.versions],
    }


def _rescale_json(one: Rescale) -> dict[str, Any]:
    return {"time": _time(one.time), "from": one.from_size, "to": one.to_size, "reason": printable(one.reason)}


def _write_json(one: Write) -> dict[str, Any]:
    return {
        "time": _time(one.time),
        "from": one.before,
        "to": one.after,
        "manager": printable(one.manager),
        "operation": printable(one.operation),
        "who": one.who.value,
        "seen": one.seen,
    }


def _outage_json(one: Outage) -> dict[str, Any]:
    return {
        "from": _time(one.start),
        "to": _time(one.end),
        "what": one.what,
        "reason": printable(one.reason),
        "message": printable(one.message),
    }


def _version_json(one: Version) -> dict[str, Any]:
    return {
        "time": _time(one.time),
        "generation": one.generation,
        "manager": printable(one.manager),
        "operation": printable(one.operation),
        "who": one.who.value,
        "diff": [printable(line) for line in one.diff],
        "spec": one.spec,
    }


def _time(moment: float | None) -> str | None:
    return None if moment is None else format_rfc3339(as_datetime(moment))


# CSV ------------------------------------------------------------------------------------------------------------------


def _csv(found: Chronicle, stream: TextIO) -> None:
    """A line for each thing that happened, in order of time."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("time", "what", "from", "to", "who", "manager", "text"))
    rows: list[tuple[float, tuple[Any, ...]]] = []
    for rescale in found.rescales:
        row = ("rescale", rescale.from_size, rescale.to_size, Who.HPA.value, "", rescale.reason)
        rows.append((rescale.time, row))
    rows += [
        (write.time, ("write", write.before, write.after, write.who.value, write.manager, write.operation))
        for write in found.writes
    ]
    for outage in found.outages:
        text = f"{outage.reason}: {outage.message}" if outage.message else outage.reason
        rows.append((outage.start, (f"outage {outage.what}", _time(outage.start), _time(outage.end), "", "", text)))
    for version in found.versions:
        text = " | ".join(line.strip() for line in version.diff if line[:1] in "+-")
        rows.append((version.time, ("spec", "", version.generation, version.who.value, version.manager, text)))
    for time, row in sorted(rows, key=lambda pair: pair[0]):
        writer.writerow((_time(time), *(_cell(value) for value in row)))


def _cell(value: Any) -> Any:
    """A spreadsheet takes a text that begins so for a formula."""
    if not isinstance(value, str):
        return "" if value is None else value
    text = printable(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


# Lines ----------------------------------------------------------------------------------------------------------------


def _lines(found: Chronicle, source: str = RECORDED, missing: tuple[str, ...] = ()) -> Iterator[str]:
    yield f"{printable(str(found.key))}, {span_text(found.since, found.until)}"
    if source != RECORDED:
        yield source
    if missing:
        yield f"Not told there: {printable('; '.join(missing))}"
    untold = "its event was not recorded" if source == RECORDED else "its event is not known"
    yield from _part("Rescales", [_rescale_line(one, untold) for one in found.rescales], "none")
    yield from _part("Who else wrote spec.replicas", [_write_line(one) for one in found.writes], "nobody")
    yield from _part("Outages", [_outage_line(one) for one in found.outages], "none")
    versions = [line for one in found.versions for line in _version_lines(one)]
    yield from _part("Versions of the spec", versions, "none was recorded")


def _part(title: str, lines: list[str], empty: str) -> Iterator[str]:
    yield ""
    yield title
    yield from (f"  {line}" for line in lines or [empty])


def _when(moment: float) -> str:
    return clock_text(moment, dated=True)


def _rescale_line(one: Rescale, untold: str) -> str:
    start = "?" if one.from_size is None else str(one.from_size)
    return f"{_when(one.time)}  {start:>4} -> {one.to_size:<4}  {printable(one.reason) or f'({untold})'}"


def _write_line(one: Write) -> str:
    start, end = ("?" if size is None else str(size) for size in (one.before, one.after))
    name = f"{printable(one.manager)} ({printable(one.operation)})" if one.manager else "managedFields name nobody"
    change = f"{start:>4} -> {end:<4}" if one.seen or one.after is not None else "   as it was"
    return f"{_when(one.time)}  {change}  {one.who.value}: {name}"


def _outage_line(one: Outage) -> str:
    what = {"metrics": "no size could be computed", "scale": "the target could not be scaled"}.get(
        one.what, "not recorded"
    )
    lasted = "still" if one.end is None else f"for {age(one.end - one.start)}"
    text = printable(f"{one.reason}: {one.message}" if one.message else one.reason, 300)
    return f"{_when(one.start)}  {lasted:<10}  {what}" + (f": {text}" if text else "")


def _version_lines(one: Version) -> Iterator[str]:
    name = f"{printable(one.manager)} ({one.who.value})" if one.manager else ""
    number = "" if one.generation is None else f"generation {one.generation}, "
    what = number + (name or "nobody is named as its writer")
    if not one.diff:
        what = f"{number}as first seen" + (f", last written by {name}" if name else "")
    yield f"{_when(one.time)}  {what}"
    yield from (f"    {printable(line)}" for line in one.diff if not line.startswith("@@"))
