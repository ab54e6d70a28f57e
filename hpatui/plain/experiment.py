"""`hpatui run`: progress on standard error, the result on standard output, reports into files."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hpatui.errors import UsageError
from hpatui.experiment.file import Experiment
from hpatui.experiment.pages import page
from hpatui.experiment.result import Result, to_json
from hpatui.experiment.run import Progress
from hpatui.experiment.texts import to_junit, to_markdown, to_text
from hpatui.report.axes import elapsed
from hpatui.text import fit, printable

EXIT = {"passed": 0, "failed": 1, "error": 2, "interrupted": 130}


@dataclass(frozen=True, slots=True)
class Reports:
    """Where the reports go; None: not wanted."""

    as_json: bool = False
    junit: Path | None = None
    markdown: Path | None = None
    html: Path | None = None

    def check(self) -> None:
        """UsageError for a file that cannot be written: before the run, not after it."""
        for path in (self.junit, self.markdown, self.html):
            if path is None:
                continue
            if path.is_dir():
                raise UsageError(f"{path} is a folder", hint="name a file")
            folder = path.parent
            if not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
                raise UsageError(f"cannot write {path}", hint=f"is {folder} there, and yours?")

    def beside(self) -> Path | None:
        """The report beside which the recording is kept."""
        return self.html or self.markdown or self.junit


def finish(result: Result, reports: Reports) -> int:
    """Write all of it; the exit code."""
    for path, make in ((reports.junit, to_junit), (reports.markdown, to_markdown)):
        if path is not None:
            _write(path, make(result))
    if reports.html is not None:
        from hpatui.report.render import write_html

        write_html(page(result), reports.html)
    if reports.as_json:
        sys.stdout.write(to_json(result).decode() + "\n")
    else:
        print(to_text(result))
    if result.error:
        print(f"hpatui: {printable(result.error, 2000)}", file=sys.stderr)
    return EXIT[result.state]


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", hint="name a file that can be written") from error


def progress() -> tuple[Callable[[Progress], None], Callable[[], None]]:
    """What shows a run's progress (one line that changes on a terminal, else a line for each phase), and what ends that."""
    live = sys.stderr.isatty()
    told: list[str] = []

    def show(now: Progress) -> None:
        if live:
            if select.select([], [sys.stderr], [], 0)[1]:  # unless the terminal takes nothing (ctrl-s)
                width = max(20, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
                sys.stderr.write(f"\r\x1b[K{fit(line(now), width).rstrip()}")
                sys.stderr.flush()
            return
        phase = now.phase.partition(" (")[0]
        if told[-1:] != [f"{now.number} {phase}"]:
            told.append(f"{now.number} {phase}")
            print(f"hpatui: {line(now)}", file=sys.stderr, flush=True)

    def end() -> None:
        if live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    return show, end


def line(now: Progress) -> str:
    """A run's progress in one line."""
    run = f"run {now.number}/{now.of}" + (f" {now.variant}" if now.variant else "") if now.of > 1 else ""
    facts, row = now.facts, now.row
    clock = elapsed(facts.until - facts.began) if facts.began is not None else ""
    sizes = f"{row.hpa.current_replicas} of {row.hpa.desired_replicas} replicas" if row is not None else ""
    counts = [
        f"{count} {word}"
        for word, count in (
            (word, sum(1 for verdict in now.verdicts if verdict.state == word))
            for word in ("ok", "failed", "unknown", "waiting")
        )
        if count
    ]
    parts = [run, clock, now.phase, sizes, ", ".join(counts)]
    return printable("  ".join(part for part in parts if part), 300)


def with_flags(experiment: Experiment, speed: float | None, repeat: int | None) -> Experiment:
    """The experiment with what the flags say besides."""
    from dataclasses import replace

    if speed is not None:
        experiment = replace(experiment, sandbox=replace(experiment.sandbox, speed=speed))
    if repeat is not None:
        for item in experiment.expectations:
            if item.several is not None and item.several.of > repeat:
                hint = f"give --repeat {item.several.of}"
                raise UsageError(f"{item.text!r} needs {item.several.of} repetitions", hint=hint)
        experiment = replace(experiment, repeat=repeat)
    return experiment
