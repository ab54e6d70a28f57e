"""What the doctor found, and how it is shown: text for people, JSON for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

from hpatui.clock import as_datetime, format_rfc3339
from hpatui.text import printable

PAGES = "https://github.com/hpatui/hpatui/blob/main/docs/doctor/"


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"  # works, but not as its owner probably wants
    FAILED = "failed"  # the HPA cannot do its work
    FORBIDDEN = "forbidden"  # could not be looked at: no permission
    SKIPPED = "skipped"  # does not apply here, or follows from another finding


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact that was seen: the object (`Kind/namespace/name`, or a path of the API), its field and the value there."""

    object: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check's outcome. `reason` says in a sentence what it means, `command` what mends it (both may be empty when
    ok); `about` names the object it is about (empty: the cluster); `follows` the id of the check that explains it.
    """

    id: str
    family: str
    title: str
    outcome: Outcome
    about: str = ""
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""
    command: str = ""
    follows: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks, in the order in which a metric travels: metrics pipeline, HPA, limits, pods, others who interfere."""

    time: float
    scope: str
    checks: tuple[Check, ...]

    def count(self, outcome: Outcome) -> int:
        """How many checks ended so."""
        return sum(1 for check in self.checks if check.outcome is outcome)

    @property
    def findings(self) -> tuple[Check, ...]:
        """The warnings and failures."""
        return tuple(check for check in self.checks if check.outcome in (Outcome.WARNING, Outcome.FAILED))

    @property
    def exit_code(self) -> int:
        """1 if something failed, else 0."""
        return 1 if self.count(Outcome.FAILED) else 0


_MARKS = {
    Outcome.OK: "ok  ",
    Outcome.WARNING: "warn",
    Outcome.FAILED: "FAIL",
    Outcome.FORBIDDEN: "deny",
    Outcome.SKIPPED: "skip",
}


class EvidenceJson(TypedDict):
    """A fact that was seen.

    object: Kind/namespace/name, or a path of the API
    field: its field
    value: the value there
    """

    object: str
    field: str
    value: str


class CheckJson(TypedDict):
    """How one check ended.

    id: the check; a page of the documentation explains each
    family: the part of the pipeline
    title: what is looked at
    outcome: how it ended
    about: the object it is about, as Kind/namespace/name; empty for the cluster
    evidence: what was seen
    reason: what it means, in a sentence; may be empty when ok
    command: what mends it; may be empty
    follows: the id of the check that explains this one
    docs: the page that explains it
    """

    id: str
    family: str
    title: str
    outcome: Outcome
    about: str
    evidence: list[EvidenceJson]
    reason: str
    command: str
    follows: str
    docs: str


class ReportJson(TypedDict):
    """Whether the whole pipeline is sound: `hpatui doctor --json`.

    time: when it was looked at
    scope: what was looked at
    ok: nothing failed and nothing is to be looked at
    counts: outcome -> how many checks ended so
    checks: in the order in which a metric travels
    """

    time: str
    scope: str
    ok: bool
    counts: dict[str, int]
    checks: list[CheckJson]


def report_json(report: Report) -> ReportJson:
    """The report as the JSON object that scripts rely on."""
    return {
        "time": format_rfc3339(as_datetime(report.time)),
        "scope": report.scope,
        "ok": not report.findings,
        "counts": {outcome.value: report.count(outcome) for outcome in Outcome},
        "checks": [_check_json(check) for check in report.checks],
    }


def _check_json(check: Check) -> CheckJson:
    return {
        "id": check.id,
        "family": check.family,
        "title": check.title,
        "outcome": check.outcome,
        "about": check.about,
        "evidence": [{"object": e.object, "field": e.field, "value": e.value} for e in check.evidence],
        "reason": check.reason,
        "command": check.command,
        "follows": check.follows,
        "docs": docs_of(check.id),
    }


def report_text(report: Report) -> str:
    """The report as lines: one for each check, and below each finding why, the evidence and the command."""
    lines: list[str] = []
    family = None
    for check in report.checks:
        if check.family != family:
            lines += ([""] if lines else []) + [check.family]
            family = check.family
        lines += _check_lines(check)
    return "\n".join([*lines, "", summary(report)]) + "\n"


def docs_of(id_: str) -> str:
    """The page that explains a check (docs/doctor/ID.md)."""
    return f"{PAGES}{id_}.md"


def _check_lines(check: Check) -> list[str]:
    about = f"  {printable(check.about)}" if check.about else ""
    short = check.outcome in (Outcome.OK, Outcome.SKIPPED)
    tail = f": {printable(check.reason)}" if short and check.reason else ""
    lines = [f"  {_MARKS[check.outcome]}  {check.id}{about}{tail}"]
    if short:
        return lines
    if check.reason:
        lines.append(f"        {printable(check.reason)}")
    lines += [
        f"        seen: {printable(e.object)} {printable(e.field)} = {printable(e.value)}" for e in check.evidence
    ]
    if check.command:
        lines.append(f"        mend: {printable(check.command)}")
    if check.outcome in (Outcome.WARNING, Outcome.FAILED):
        lines.append(f"        read: {docs_of(check.id)}")
    return lines


def summary(report: Report) -> str:
    """One line with the counts."""
    words = {
        Outcome.FAILED: "failed",
        Outcome.WARNING: "to look at",
        Outcome.FORBIDDEN: "forbidden to look at",
        Outcome.OK: "ok",
        Outcome.SKIPPED: "skipped",
    }
    parts: Sequence[str] = [f"{report.count(o)} {words[o]}" for o in words if report.count(o)]
    return f"{report.scope}: {', '.join(parts)}" if parts else f"{report.scope}: nothing to check"
