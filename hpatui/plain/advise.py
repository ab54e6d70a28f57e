"""`hpatui advise`: all HPAs ranked by what they waste and what they risk, from a recording or from a live watch."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from hpatui.api.advice_shapes import RecommendationJson
from hpatui.api.advising import Report, recommendation_of, report_json
from hpatui.api.improving import Searched, improve_live, improve_recorded
from hpatui.api.waiting import find_row, raise_if_ended, wait_live
from hpatui.clock import SystemClock
from hpatui.errors import RecordingError, UsageError
from hpatui.model import Key
from hpatui.plain.advise_formats import page_of, sarif_of, text_of
from hpatui.plain.applying import ApplyOptions, change_hpa
from hpatui.session.advising import LiveWatch, judge_recording, scope_of
from hpatui.session.applying import READ_ONLY
from hpatui.session.live import Session
from hpatui.session.port import parse_hpa_name
from hpatui.session.recordings import open_named
from hpatui.settings import Settings
from hpatui.text import printable
from hpatui.tune.rank import Judged, Prices, ranked


@dataclass(frozen=True, slots=True)
class AdviseOptions:
    """What the flags say. `since`: seconds back from the recording's end; `watch`: seconds of a live watch instead (0: a
    recording); `file`: a recording (None: that of the context). `html`, `sarif`: files to write beside the text.
    """

    name: str | None = None
    since: float = 86400.0
    watch: float = 0.0
    file: str | None = None
    goal: str = "balanced"
    prices: Prices = field(default_factory=Prices)
    as_json: bool = False
    html: str | None = None
    sarif: str | None = None
    top: int = 20
    apply: bool = False
    search: bool = True
    applying: ApplyOptions = field(default_factory=ApplyOptions)


def check(options: AdviseOptions, settings: Settings) -> None:
    """UsageError where the flags do not go together."""
    if options.apply and not options.name:
        raise UsageError("--apply is for one HPA", hint="name it: hpatui advise NS/NAME --apply")
    if options.apply and settings.read_only:
        raise READ_ONLY
    if options.apply and options.as_json:
        raise UsageError("--apply asks, and --json is for scripts", hint="leave one of them away")
    if options.watch and options.file:
        raise UsageError("--watch looks at the cluster, --recording at a file", hint="leave one of them away")


def advise_recording(settings: Settings, options: AdviseOptions, out: TextIO | None = None) -> Report:
    """Judge what is recorded, and print it. RecordingError where there is no recording, with what it takes."""
    try:
        recording = open_named(settings, options.file)
    except RecordingError as error:
        if options.file:
            raise
        take = "record first (`hpatui record -A`, and come again), or let it watch: hpatui advise -A --watch 10m"
        raise RecordingError(f"{error.message}: advice needs what was seen over time", hint=take) from error
    try:
        meta = recording.meta
        namespace = None if settings.all_namespaces or options.file else settings.namespace
        wanted = _named(settings, options.name)
        keys = scope_of(recording, namespace, wanted)
        until = meta.last
        since = max(meta.first, until - options.since)
        told = _Progress()
        judged = ranked(
            judge_recording(
                recording, keys, since, until, options.prices, options.goal, curves=options.html is not None,
                progress=told.say,
            )
        )  # fmt: skip
        told.done()
        file = str(Path(options.file).expanduser()) if options.file else ""
        from hpatui.session.recordings import path_of_context

        file = file or str(path_of_context(settings))
        searched = Searched()
        if wanted is not None and options.search and judged:
            searched = improve_recorded(recording, judged[0], since, until, options.goal, told.note)
        source = f"the recording {file}" if meta.source == "recorded" else f"the recording {file}, {meta.source}"
        report = Report(
            source, file, meta.context, since, until, options.goal, judged, options.prices.told,
            searched.recommendations, searched.verdicts, searched.searches,
        )  # fmt: skip
        give(report, options, out)
        return report
    finally:
        recording.close()


async def advise_live(session: Session, options: AdviseOptions, out: TextIO | None = None) -> Report:
    """Watch the live HPAs for `options.watch` seconds, judge what was seen, and print it."""
    snapshot = await wait_live(session)
    keys = None
    if options.name:
        keys = [find_row(snapshot, _named(session.settings, options.name) or parse_hpa_name(options.name)).key]
        session.select(keys[0])
    watch, told = LiveWatch(session), _Progress()
    loop = asyncio.get_running_loop()
    end = loop.time() + options.watch
    try:
        while (left := end - loop.time()) > 0:
            raise_if_ended(session.snapshot)
            told.note(f"watching, {left:.0f} s left")
            await asyncio.sleep(min(1.0, left))
    finally:
        watch.close()
        told.done()
    judged = watch.judged(options.prices, options.goal, keys, curves=options.html is not None)
    searched = Searched()
    if keys is not None and options.search and judged:
        searched = await improve_live(session, judged[0], options.goal, told.note)
        told.done()
    context = session.connection.context if session.connection is not None else ""
    source = f"a live watch of {options.watch:.0f} s"
    report = Report(
        source, "", context, watch.begin, session.clock.time(), options.goal, judged, options.prices.told,
        searched.recommendations, searched.verdicts, searched.searches,
    )  # fmt: skip
    give(report, options, out)
    return report


def give(report: Report, options: AdviseOptions, out: TextIO | None = None) -> None:
    """Print the answer and write the files that are asked for. UsageError where one cannot be written."""
    stream = out or sys.stdout
    if options.html:
        from hpatui.report.render import write_html

        write_html(page_of(report, SystemClock().time()), Path(options.html))
    if options.sarif:
        _write(options.sarif, json.dumps(sarif_of(report), ensure_ascii=False, indent=1) + "\n")
    if options.as_json:
        stream.write(json.dumps(report_json(report), ensure_ascii=False) + "\n")
    else:
        stream.write(text_of(report, most=options.top))
        stream.write("".join(f"written: {printable(name)}\n" for name in (options.html, options.sarif) if name))
    stream.flush()


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {name}: {error.strerror}", hint="name a file that can be written") from error


def recommended(report: Report) -> tuple[Judged, RecommendationJson] | None:
    """The one HPA of the report and what is recommended for it."""
    for item in report.judged:
        found = recommendation_of(report, item)
        if found is not None:
            return item, found
    return None


async def apply_recommended(session: Session, report: Report, options: AdviseOptions, out: TextIO | None = None) -> int:
    """Ask, apply and follow what is recommended for the one HPA. The session is live, or becomes so."""
    stream = out or sys.stdout
    found = recommended(report)
    if found is None:
        stream.write("Nothing to apply: leave it.\n")
        return 0
    item, recommendation = found
    row = find_row(await wait_live(session), item.key)
    fields = ", ".join(change["path"] for change in recommendation["changes"])
    await change_hpa(session, row.key, recommendation["spec"], options.applying, stream, why=f"advise: {fields}")
    return 0


def _named(settings: Settings, name: str | None) -> Key | None:
    if not name:
        return None
    key = parse_hpa_name(name)
    return key if key.namespace else Key(settings.namespace or "", key.name)


class _Progress:
    """One line on a terminal's standard error that is written over; nothing elsewhere."""

    def __init__(self) -> None:
        self._shown = sys.stderr is not None and sys.stderr.isatty()
        self._dirty = False

    def say(self, done: int, of: int) -> None:
        """So many of so many."""
        self.note(f"{done} of {of} HPAs")

    def note(self, text: str) -> None:
        """Anything else."""
        if self._shown:
            sys.stderr.write(f"\r{printable(text, 70):<72}")
            sys.stderr.flush()
            self._dirty = True

    def done(self) -> None:
        """Take the line away."""
        if self._dirty:
            sys.stderr.write(f"\r{'':<72}\r")
            sys.stderr.flush()
            self._dirty = False
